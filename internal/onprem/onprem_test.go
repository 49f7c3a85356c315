package onprem_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/onprem"
	"github.com/fourways-id/fourways/internal/realtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(withServers{m}) }

// withServers ends the real servers that tests shared, before goroutines are counted.
type withServers struct{ m *testing.M }

func (w withServers) Run() int { return realtest.Main(w.m) }

const (
	base     = "DC=corp,DC=example,DC=test"
	people   = "OU=Synced," + base
	password = "Spring-2025!"
	adminPw  = "Admin-Pw-1!"
	syncPw   = "Sync-Pw-1!"
)

// now is a Wednesday, 10:30 UTC.
var now = time.Date(2025, 4, 2, 10, 30, 0, 0, time.UTC)

type fixed struct{}

func (fixed) Now() time.Time { return now }

func secret(s string) authn.Secret { return authn.NewSecret([]byte(s)) }

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "dc1"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// lab is a domain controller with the given people, and a configuration that reaches it as its administrator.
func lab(t *testing.T, entries ...dc.Entry) (*dc.Server, onprem.Config) {
	t.Helper()
	cert, roots := certificate(t)
	srv, err := dc.Start(context.Background(), dc.Options{
		Domain: "corp.example.test", NetBIOS: "CORP", TLS: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
		Admin: dc.Account{Name: "Administrator", Password: adminPw}, SyncReader: dc.Account{Name: "svc-sync", Password: syncPw}, Clock: fixed{},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	ou := dc.Entry{DN: people, Attrs: map[string][]string{"objectClass": {"organizationalUnit"}}}
	if err := srv.Seed(append([]dc.Entry{ou}, entries...)); err != nil {
		t.Fatal(err)
	}
	return srv, onprem.Config{
		URLs: []string{"ldap://" + srv.Addr()}, RootCAs: roots, Timeout: 20 * time.Second,
		BindDN: srv.AdminDN(), BindPassword: secret(adminPw), BaseDN: base,
	}
}

func user(name string, attrs map[string]string) dc.Entry {
	e := dc.Entry{DN: "CN=" + name + "," + people, Password: password, Attrs: map[string][]string{
		"objectClass": {"user"}, "sAMAccountName": {name}, "userPrincipalName": {name + "@pta.example.test"}, "mail": {name + "@mail.example.test"},
	}}
	for k, v := range attrs {
		e.Attrs[k] = []string{v}
	}
	return e
}

func client(t *testing.T, cfg onprem.Config) *onprem.Directory {
	t.Helper()
	d, err := onprem.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func filetime(t time.Time) string {
	return strconv.FormatInt(t.UnixNano()/100+116444736000000000, 10)
}

func TestEveryStateOfTheDirectoryHasItsReason(t *testing.T) {
	states := []struct {
		name  string
		attrs map[string]string
		right authn.Reason
		data  string
	}{
		{"alice", nil, authn.None, ""},
		{"bob", map[string]string{"userAccountControl": "514"}, authn.AccountDisabled, "533"},
		{"carol", map[string]string{"lockoutTime": "-1"}, authn.OnpremLocked, "775"},
		{"dave", map[string]string{"pwdLastSet": filetime(now.Add(-43 * 24 * time.Hour))}, authn.OnpremPasswordExpired, "532"},
		{"erin", map[string]string{"accountExpires": filetime(now.Add(-time.Hour))}, authn.AccountExpired, "701"},
		{"frank", map[string]string{"logonHours": strings.Repeat("\x00", 21)}, authn.LogonHours, "530"},
		{"grace", map[string]string{"pwdLastSet": "0"}, authn.OnpremMustChange, "773"},
		{"heidi", map[string]string{"userWorkstations": "OTHERPC"}, authn.WorkstationDenied, "531"},
	}
	var entries []dc.Entry
	for _, s := range states {
		entries = append(entries, user(s.name, s.attrs))
	}
	_, cfg := lab(t, entries...)
	byName := client(t, cfg)
	cfg.UserFilter = "(mail=%u@mail.example.test)"
	bySearch := client(t, cfg)
	for _, s := range states {
		for how, d := range map[string]*onprem.Directory{"by name": byName, "by search": bySearch} {
			v := d.Bind(t.Context(), s.name+"@pta.example.test", secret(password))
			if v.Reason != s.right || v.Data != s.data || v.Server != cfg.URLs[0] || (v.Cause == nil) != (s.right == authn.None) {
				t.Errorf("%s %s, right password: %+v, want %v %q", s.name, how, v, s.right, s.data)
			}
			wrong, data := authn.BadPassword, "52e"
			if s.right == authn.OnpremLocked {
				wrong, data = s.right, s.data
			}
			v = d.Bind(t.Context(), s.name+"@pta.example.test", secret("Wrong-2025!"))
			if v.Reason != wrong || v.Data != data || v.Code != 49 {
				t.Errorf("%s %s, wrong password: %+v, want %v %q", s.name, how, v, wrong, data)
			}
		}
	}
}

func TestNobodyIsNeverLetIn(t *testing.T) {
	_, cfg := lab(t, user("alice", nil))
	d := client(t, cfg)
	cfg.UserFilter = "(mail=%s)"
	searching := client(t, cfg)
	if v := d.Bind(t.Context(), "nobody@pta.example.test", secret(password)); v.Reason != authn.BadPassword {
		t.Errorf("unknown name: %+v; Active Directory says 52e for it too", v)
	}
	if v := searching.Bind(t.Context(), "nobody@mail.example.test", secret(password)); v.Reason != authn.UnknownUser || v.Server == "" {
		t.Errorf("unknown name found by search: %+v, want unknown_user after a decoy bind", v)
	}
	for _, name := range []string{"*", "alice*", "alice@mail.example.test)(objectClass=*", "*)(|(mail=*"} {
		if v := searching.Bind(t.Context(), name, secret(password)); v.Reason != authn.UnknownUser {
			t.Errorf("filter injection by %q: %+v", name, v)
		}
	}
	for _, name := range []string{`CORP\alice`, "CN=alice," + people, "alice"} {
		if v := d.Bind(t.Context(), name, secret(password)); v.Reason != authn.UnknownUser {
			t.Errorf("%q isn't a user principal name: %+v", name, v)
		}
	}
	for _, dir := range []*onprem.Directory{d, searching} {
		for _, none := range []string{"", "\x00", "\x00" + password, password + "\x00"} {
			if v := dir.Bind(t.Context(), "alice@pta.example.test", secret(none)); v.Reason != authn.BadPassword || v.Server != "" {
				t.Errorf("password %q: %+v, want it refused before the wire", none, v)
			}
		}
	}
	if v := searching.Bind(t.Context(), "alice@mail.example.test", secret(password)); v.Reason != authn.None {
		t.Errorf("control: %+v", v)
	}
}

func TestTwoPeopleOfOneNameAreNobody(t *testing.T) {
	twin := user("twin", map[string]string{"mail": "alice@mail.example.test"})
	_, cfg := lab(t, user("alice", nil), twin)
	cfg.UserFilter = "(mail=%s)"
	if v := client(t, cfg).Bind(t.Context(), "alice@mail.example.test", secret(password)); v.Reason != authn.AgentError {
		t.Errorf("%+v, want agent_error", v)
	}
}

func TestAServiceAccountsTroubleIsNotThePersons(t *testing.T) {
	_, cfg := lab(t, user("alice", nil))
	cfg.UserFilter, cfg.BindPassword = "(mail=%s)", secret("wrong")
	v := client(t, cfg).Bind(t.Context(), "alice@mail.example.test", secret(password))
	if v.Reason != authn.AgentError {
		t.Errorf("%+v, want agent_error: the person's password was never looked at", v)
	}
}

func TestManyBindsShareConnectionsAndStayApart(t *testing.T) {
	srv, cfg := lab(t, user("alice", nil), user("bob", map[string]string{"userAccountControl": "514"}))
	d := client(t, cfg)
	errs := make(chan error, 40)
	for i := range 40 {
		go func() {
			name, want := "alice", authn.None
			if i%2 == 1 {
				name, want = "bob", authn.AccountDisabled
			}
			v := d.Bind(context.Background(), name+"@pta.example.test", secret(password))
			if v.Reason != want {
				errs <- fmt.Errorf("%s: %+v", name, v)
				return
			}
			errs <- nil
		}()
	}
	for range 40 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	_ = srv.Close()
	if v := d.Bind(t.Context(), "alice@pta.example.test", secret(password)); v.Reason != authn.ADUnreachable {
		t.Errorf("after the directory went away: %+v", v)
	}
}

func TestCheckSaysWhatToDo(t *testing.T) {
	_, cfg := lab(t)
	if err := client(t, cfg).Check(t.Context()); err != nil {
		t.Errorf("control: %v", err)
	}
	_, otherCA := certificate(t)
	cases := map[string]struct {
		change func(*onprem.Config)
		want   string
	}{
		"nobody listens":  {func(c *onprem.Config) { c.URLs = []string{"ldap://" + deadAddress(t)} }, "is the directory up"},
		"wrong authority": {func(c *onprem.Config) { c.RootCAs = otherCA }, "CA certificate"},
		"wrong name":      {func(c *onprem.Config) { c.ServerName = "dc9.example.test" }, "certificate is for another name"},
		"wrong password":  {func(c *onprem.Config) { c.BindPassword = secret("nope") }, "check the service account"},
		"wrong base":      {func(c *onprem.Config) { c.BaseDN = "DC=other" }, "correct the base DN"},
	}
	for name, c := range cases {
		broken := cfg
		c.change(&broken)
		err := client(t, broken).Check(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want advice with %q", name, err, c.want)
		}
	}
}

// deadAddress is an address on which nobody listens any more.
func deadAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestTheSecondServerAnswersForADeadFirst(t *testing.T) {
	_, cfg := lab(t, user("alice", nil))
	cfg.URLs = []string{"ldap://" + deadAddress(t), cfg.URLs[0]}
	if v := client(t, cfg).Bind(t.Context(), "alice@pta.example.test", secret(password)); v.Reason != authn.None || v.Server != cfg.URLs[1] {
		t.Errorf("%+v", v)
	}
}

func TestConfigurationsThatCannotWork(t *testing.T) {
	good := onprem.Config{URLs: []string{"ldaps://dc1.corp.example.test"}}
	if _, err := onprem.New(good); err != nil {
		t.Fatal(err)
	}
	for want, bad := range map[string]onprem.Config{
		"no directory URL":      {},
		"must look like":        {URLs: []string{"http://dc1"}},
		"doesn't go with":       {URLs: []string{"ldap://dc1"}, TLS: onprem.LDAPS},
		"is unknown":            {URLs: []string{"ldap://dc1"}, Kind: "novell"},
		"no %s or %u":           {URLs: []string{"ldap://dc1"}, UserFilter: "(uid=alice)"},
		"needs a service accou": {URLs: []string{"ldap://dc1"}, Kind: onprem.LDAP},
	} {
		if _, err := onprem.New(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", bad, err, want)
		}
	}
}

func TestReadPagesThroughEverybodyAndIgnoresReferences(t *testing.T) {
	var entries []dc.Entry
	for i := range 25 {
		entries = append(entries, user(fmt.Sprintf("u%02d", i), nil))
	}
	_, cfg := lab(t, entries...)
	d := client(t, cfg)
	seen := map[string]bool{}
	for e, err := range d.Read(t.Context(), onprem.Query{Filter: "(mail=*)", Attributes: []string{"objectguid", "userPrincipalName"}, PageSize: 7}) {
		if err != nil {
			t.Fatal(err)
		}
		if seen[e.DN] || len(d.Anchor(e)) != 16 || len(e.Attrs["objectguid"]) != 1 || !strings.HasSuffix(e.First("userprincipalname"), "@pta.example.test") {
			t.Errorf("entry %+v", e)
		}
		seen[e.DN] = true
	}
	if len(seen) != 25 {
		t.Errorf("%d of 25 people read", len(seen))
	}
	n := 0
	for _, err := range d.Read(t.Context(), onprem.Query{Filter: "(mail=*)", PageSize: 7}) { // a reader who stops is no error
		if err != nil {
			t.Error(err)
		}
		n++
		break
	}
	if n != 1 {
		t.Error("nothing read")
	}
	for e, err := range d.Read(t.Context(), onprem.Query{BaseDN: "OU=Gone," + base}) {
		if !errors.Is(err, onprem.ErrNotFound) {
			t.Errorf("a base that isn't there: %+v %v", e, err)
		}
	}
}

func TestAGroupLargerThanOneRangeIsReadWhole(t *testing.T) {
	const size = 3200 // three ranges
	group := dc.Entry{DN: "CN=Big," + people, Attrs: map[string][]string{"objectClass": {"group"}}}
	var entries []dc.Entry
	for i := range size {
		u := user(fmt.Sprintf("m%04d", i), nil)
		entries = append(entries, u)
		group.Attrs["member"] = append(group.Attrs["member"], u.DN)
	}
	_, cfg := lab(t, append(entries, group)...)
	for e, err := range client(t, cfg).Read(t.Context(), onprem.Query{Filter: "(objectClass=group)", Attributes: []string{"member"}}) {
		if err != nil {
			t.Fatal(err)
		}
		members := map[string]bool{}
		for _, m := range e.Attrs["member"] {
			members[string(m)] = true
		}
		if len(members) != size || len(e.Attrs["member"]) != size {
			t.Errorf("%d members, %d different; want %d", len(e.Attrs["member"]), len(members), size)
		}
	}
}

func TestOnlyTheSyncReaderReadsHashes(t *testing.T) {
	srv, cfg := lab(t, user("alice", nil))
	read := func(cfg onprem.Config) []byte {
		e, err := client(t, cfg).Find(t.Context(), "alice@pta.example.test", dc.AttrNTHash, "mail")
		if err != nil || e.First("mail") == "" {
			t.Fatalf("%+v %v", e, err)
		}
		return []byte(e.First(dc.AttrNTHash))
	}
	if h := read(cfg); len(h) != 0 {
		t.Error("the administrator was given a hash")
	}
	cfg.BindDN, cfg.BindPassword = srv.SyncReaderDN(), secret(syncPw)
	if h := read(cfg); len(h) != 16 {
		t.Errorf("the sync reader was given %d octets", len(h))
	}
}

func TestAnAdministratorsChangesAreSeenByTheNextBind(t *testing.T) {
	srv, cfg := lab(t)
	d, ctx, dn, upn := client(t, cfg), t.Context(), "CN=New,"+people, "new@pta.example.test"
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(pw string, r authn.Reason) {
		t.Helper()
		if v := d.Bind(ctx, upn, secret(pw)); v.Reason != r {
			t.Errorf("%+v, want %v", v, r)
		}
	}
	must(d.Add(ctx, dn, map[string][]string{"objectClass": {"user"}, "sAMAccountName": {"new"}, "userPrincipalName": {upn}}))
	if err := d.Add(ctx, dn, map[string][]string{"objectClass": {"user"}}); !errors.Is(err, onprem.ErrExists) {
		t.Errorf("added twice: %v", err)
	}
	must(d.SetPassword(ctx, dn, secret(password)))
	want(password, authn.AccountDisabled)
	must(d.Modify(ctx, dn, onprem.Change{Attr: "userAccountControl", Values: []string{"512"}}))
	want(password, authn.None)
	must(d.SetPassword(ctx, dn, secret("Sømmer-2025!")))
	want(password, authn.BadPassword)
	want("Sømmer-2025!", authn.None)
	must(d.Modify(ctx, dn, onprem.Change{Attr: "pwdLastSet", Values: []string{filetime(now.Add(-43 * 24 * time.Hour))}}))
	want("Sømmer-2025!", authn.OnpremPasswordExpired)
	must(d.Modify(ctx, dn, onprem.Change{Attr: "pwdLastSet", Values: []string{"-1"}}))
	must(d.Move(ctx, dn, "CN=Newer", "CN=Users,"+base))
	want("Sømmer-2025!", authn.None)
	must(d.Delete(ctx, "CN=Newer,CN=Users,"+base))
	want("Sømmer-2025!", authn.BadPassword)
	if err := d.Delete(ctx, dn); !errors.Is(err, onprem.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	cfg.BindDN, cfg.BindPassword = srv.SyncReaderDN(), secret(syncPw)
	if err := client(t, cfg).Delete(ctx, people); !errors.Is(err, onprem.ErrRefused) {
		t.Errorf("deleted by the sync reader: %v", err)
	}
}

func TestTheDirectoryTellsItsOwnTime(t *testing.T) {
	srv, cfg := lab(t)
	got, err := client(t, cfg).Time(t.Context())
	if err != nil || !got.Equal(now) {
		t.Errorf("got %s, %v, want %s", got, err, now)
	}
	stranger := cfg
	stranger.BindDN, stranger.BindPassword = "", authn.Secret{}
	if at, err := client(t, stranger).Time(t.Context()); err == nil {
		t.Errorf("without a service account it was %s", at)
	}
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}
	if at, err := client(t, cfg).Time(t.Context()); err == nil || errors.Is(err, onprem.ErrNoClock) {
		t.Errorf("a dead directory told %s, %v", at, err)
	}
}
