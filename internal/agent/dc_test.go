package agent_test

import (
	"context"
	"crypto/x509"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink/broker"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/onprem"
)

// controller is the lab's domain controller with a few people, read by a synchronisation's account and changed by an
// administrator.
type controller struct {
	t     *testing.T
	admin *onprem.Directory
	read  *onprem.Directory
	base  string
	roots *x509.CertPool

	address string
	last    []byte // cursor
	from    dirsync.Source
}

func startController(t *testing.T, changes string) *controller {
	t.Helper()
	authority, err := broker.NewAuthority(make([]byte, 32), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := authority.TLS("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	srv, err := dc.Start(context.Background(), dc.Options{
		Domain: "corp.example.test", NetBIOS: "CORP", TLS: cfg, Clock: agenttest.Clock{},
		Admin: dc.Account{Name: "Administrator", Password: "Admin-Pw-1!"}, SyncReader: dc.Account{Name: "svc-sync", Password: "Sync-Pw-1!"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	c := &controller{t: t, base: srv.BaseDN(), address: srv.Addr(), roots: x509.NewCertPool()}
	synced := "OU=Synced," + c.base
	unit := func(dn string) dc.Entry {
		return dc.Entry{DN: dn, Attrs: map[string][]string{"objectClass": {"organizationalUnit"}}}
	}
	someone := func(name string) dc.Entry {
		return dc.Entry{DN: "CN=" + name + "," + synced, Password: "Spring-2025!", Attrs: map[string][]string{
			"objectClass": {"user"}, "sAMAccountName": {name}, "userPrincipalName": {name + "@corp.example.test"}, "displayName": {name},
		}}
	}
	err = srv.Seed([]dc.Entry{
		unit(synced), unit("OU=Team," + synced), unit("OU=NotSynced," + c.base), someone("alice"), someone("bob"), someone("carol"),
		{DN: "CN=Pilot," + synced, Attrs: map[string][]string{"objectClass": {"group"}, "sAMAccountName": {"Pilot"}, "member": {"CN=alice," + synced}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.roots.AppendCertsFromPEM([]byte(authority.PEM()))
	o := agent.SourceOptions{
		Kind: onprem.AD, Scope: []string{synced}, CloudUPN: "userPrincipalName", BindUPN: "userPrincipalName", HashAttribute: dc.AttrNTHash,
	}
	open := func(dn, password string) *onprem.Directory {
		d, err := onprem.New(onprem.Config{
			URLs: []string{"ldap://" + srv.Addr()}, TLS: onprem.StartTLS, RootCAs: c.roots, BaseDN: c.base,
			BindDN: dn, BindPassword: authn.NewSecret([]byte(password)), Changes: changes, Watch: o.Watch(),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Close)
		return d
	}
	c.admin, c.read = open(srv.AdminDN(), "Admin-Pw-1!"), open(srv.SyncReaderDN(), "Sync-Pw-1!")
	c.from = agent.NewSource(c.read, o)
	return c
}

// next reads from the last cursor on and says what came.
func (c *controller) next(kind dirsync.Kind) string {
	c.t.Helper()
	a := read(c.t, c.from, dirsync.Ask{Kind: kind, Cursor: c.last})
	if kind != dirsync.KindChanges {
		c.last = a.cursor
	}
	var all []string
	if a.full {
		all = append(all, "all:")
	}
	for _, o := range a.objects {
		name := o.SAM
		switch {
		case o.Gone:
			name = "gone: " + o.Reason
		case o.SAM == "":
			name, _, _ = strings.Cut(o.DN, ",")
		}
		all = append(all, name)
	}
	return sorted(strings.Join(all, " "))
}

func (c *controller) expect(kind dirsync.Kind, what, want string) {
	c.t.Helper()
	if got := c.next(kind); got != sorted(want) {
		c.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func (c *controller) do(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func replace(attr string, values ...string) onprem.Change {
	return onprem.Change{Op: onprem.Replace, Attr: attr, Values: values}
}

// Each change in the domain comes as exactly that, whichever way changes are followed.
func TestADomainIsFollowedChangeByChange(t *testing.T) {
	for _, way := range []string{onprem.DirSync, onprem.USN} {
		t.Run(way, func(t *testing.T) {
			c := startController(t, way)
			ctx, synced := t.Context(), "OU=Synced,"+c.base
			c.expect(dirsync.KindDirectory, "the first read", "all: alice bob carol Pilot")
			c.expect(dirsync.KindDirectory, "nothing", "")
			c.do(c.admin.Modify(ctx, "CN=alice,"+synced, replace("displayName", "Alicé")))
			c.expect(dirsync.KindDirectory, "a new name for people to read", "alice")
			c.do(c.admin.Modify(ctx, "CN=Pilot,"+synced, replace("member", "CN=alice,"+synced, "CN=bob,"+synced)))
			c.expect(dirsync.KindDirectory, "a new member", "Pilot")
			c.do(c.admin.Move(ctx, "CN=bob,"+synced, "CN=bob", "OU=NotSynced,"+c.base))
			c.expect(dirsync.KindDirectory, "a move out of scope", "gone: OU=NotSynced,"+c.base+" is in no scope")
			c.do(c.admin.Move(ctx, "CN=bob,OU=NotSynced,"+c.base, "CN=robert", synced))
			c.expect(dirsync.KindDirectory, "a move into scope", "bob")
			c.do(c.admin.Modify(ctx, "CN=robert,"+synced, replace("userAccountControl", "514")))
			c.expect(dirsync.KindDirectory, "disabled", "bob")
			c.do(c.admin.Move(ctx, "CN=carol,"+synced, "CN=carol", "OU=Team,"+synced))
			c.expect(dirsync.KindDirectory, "a move within the scope", "carol")
			c.do(c.admin.Move(ctx, "OU=Team,"+synced, "OU=Crew", synced))
			c.expect(dirsync.KindDirectory, "a unit in scope gets another name", "carol")
			c.do(c.admin.Move(ctx, "OU=Crew,"+synced, "OU=Crew", c.base))
			c.expect(dirsync.KindDirectory, "a unit leaves the scope", "gone: OU=Crew,"+c.base+" is in no scope")
			c.do(c.admin.Delete(ctx, "CN=alice,"+synced))
			c.expect(dirsync.KindDirectory, "a deletion", "gone: deleted")
			c.expect(dirsync.KindDirectory, "nothing at the end", "")
		})
	}
}

func TestADomainsPasswordsAreFollowed(t *testing.T) {
	c := startController(t, "")
	synced := "OU=Synced," + c.base
	c.expect(dirsync.KindHash, "the first read", "all: CN=alice CN=bob CN=carol")
	c.expect(dirsync.KindHash, "nothing", "")
	c.do(c.admin.SetPassword(t.Context(), "CN=bob,"+synced, authn.NewSecret([]byte("Another-Pw-2!"))))
	c.expect(dirsync.KindChanges, "who watches hears of it", "CN=bob")
	c.expect(dirsync.KindHash, "a new password", "CN=bob")
	c.expect(dirsync.KindChanges, "and no more", "")
	c.do(c.admin.Modify(t.Context(), "CN=carol,"+synced, replace("pwdLastSet", "0")))
	a := read(t, c.from, dirsync.Ask{Kind: dirsync.KindHash, Cursor: c.last})
	if len(a.objects) != 1 || a.objects[0].Withheld != dirsync.WithheldTemporary || a.objects[0].Hash != "" {
		t.Errorf("must be changed: %+v", a.objects)
	}
	a = read(t, c.from, dirsync.Ask{Kind: dirsync.KindHash, Cursor: c.last, Temporary: true})
	if len(a.objects) != 1 || a.objects[0].Withheld != "" || a.objects[0].Hash == "" || !a.objects[0].MustChange {
		t.Errorf("must be changed, and asked for: %+v", a.objects)
	}
}

// usn is the number of the last change that the domain controller made.
func (c *controller) usn() string {
	c.t.Helper()
	at, err := c.admin.Position(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return string(at)
}

func TestADomainStaysAsItIsUnlessWriteBackIsOn(t *testing.T) {
	c := startController(t, onprem.USN)
	before := c.usn()
	c.next(dirsync.KindDirectory)
	c.next(dirsync.KindDirectory)
	if after := c.usn(); after != before {
		t.Errorf("something was written: %s, then %s", before, after)
	}

	on := startController(t, onprem.USN)
	on.from = agent.NewSource(on.admin, agent.SourceOptions{
		Kind: onprem.AD, Scope: []string{"OU=Synced," + on.base}, CloudUPN: "userPrincipalName", BindUPN: "userPrincipalName",
		WriteBack: []string{agent.CloudObjectID}, AnchorAttribute: agent.ConsistencyGUID,
	})
	first := read(t, on.from, dirsync.Ask{Kind: dirsync.KindDirectory})
	refused := read(t, on.from, dirsync.Ask{Kind: dirsync.KindWriteBack, Writes: []dirsync.Write{
		{ID: first.objects[0].ID, Attribute: agent.CloudObjectID, Value: "User_0001"}, {ID: first.objects[1].ID, Attribute: "displayName", Value: "Mallory"},
	}})
	if len(refused.objects) != 1 || refused.objects[0].ID != first.objects[1].ID {
		t.Errorf("refused: %+v", refused.objects)
	}
	then := read(t, on.from, dirsync.Ask{Kind: dirsync.KindDirectory, Cursor: first.cursor})
	if len(then.objects) != 1 || then.objects[0].Written[agent.CloudObjectID] != "User_0001" {
		t.Errorf("then: %+v", then.objects)
	}
}

func TestADirectoryThatFailsIsOneClearLine(t *testing.T) {
	c := startController(t, "")
	quick := func(change func(*onprem.Config)) error {
		cfg := onprem.Config{
			URLs: []string{"ldap://127.0.0.1:1"}, TLS: onprem.Plain, BaseDN: c.base, Timeout: 500 * time.Millisecond,
			BindDN: "CN=svc-sync,CN=Users," + c.base, BindPassword: authn.NewSecret([]byte("not-the-password")),
		}
		change(&cfg)
		d, err := onprem.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		_, err = tryRead(t, agent.NewSource(d, agent.SourceOptions{Kind: onprem.AD, CloudUPN: "mail", BindUPN: "mail"}), dirsync.Ask{Kind: dirsync.KindDirectory})
		return err
	}
	for name, change := range map[string]func(*onprem.Config){
		"nobody listens": func(*onprem.Config) {},
		"it hangs":       func(cfg *onprem.Config) { cfg.URLs = []string{"ldap://" + listener(t, "")} },
		"garbage": func(cfg *onprem.Config) {
			cfg.URLs = []string{"ldap://" + listener(t, "HTTP/1.1 400 Bad Request\r\n\r\n")}
		},
		"a wrong bind password": func(cfg *onprem.Config) {
			cfg.TLS, cfg.RootCAs, cfg.URLs = onprem.StartTLS, c.roots, []string{"ldap://" + c.address}
		},
		"an authority that nobody trusts": func(cfg *onprem.Config) {
			cfg.TLS, cfg.RootCAs, cfg.URLs = onprem.StartTLS, x509.NewCertPool(), []string{"ldap://" + c.address}
		},
	} {
		err := quick(change)
		if err == nil || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "not-the-password") || len(err.Error()) < 40 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// listener accepts connections and says one thing, whatever it hears, until the test ends.
func listener(t *testing.T, says string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
			_, _ = conn.Write([]byte(says))
		}
	}()
	return l.Addr().String()
}
