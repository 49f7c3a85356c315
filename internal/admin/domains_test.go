package admin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// registry is an office with a tenant of two domains of the file, reached over the console.
type registry struct {
	*client.Console
	base   Base
	tenant *directory.Tenant
	conf   *config.Config
	opened int // how often the agent link was looked after
}

func newRegistry(t *testing.T) *registry {
	t.Helper()
	on := true
	r := &registry{base: office(t), conf: &config.Config{
		Tenant:  config.Tenant{InitialDomain: "initial.example"},
		Hashing: config.Hashing{Argon2Memory: 8, Argon2Time: 1, Argon2Parallelism: 1},
		Domain:  []config.Domain{{Name: "cloud.example", Path: authn.PathCloud}, {Name: "phs.example", Path: authn.PathPHS, PasswordHashSync: &on}},
	}}
	r.base.Config = func() *config.Config { return r.conf }
	r.tenant = directory.New(r.base.Store, r.conf.Domains(), nil)
	ensure := func(context.Context) error {
		r.opened++
		return nil
	}
	h := console.New(console.Ports{Access: everybody{}, Tenant: console.TenantPorts{
		Domains: &Domains{r.base, r.tenant, ensure}, Rollouts: &Rollouts{r.base, r.tenant, ensure}, People: &People{Base: r.base, Realms: r.tenant},
	}}, r.base.Clock)
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	var err error
	if r.Console, err = client.New(s.URL, "token"); err != nil {
		t.Fatal(err)
	}
	return r
}

// add adds a domain and gives its TXT record.
func (r *registry) add(t *testing.T, name string) string {
	t.Helper()
	d, err := r.AddDomain(t.Context(), name)
	if err != nil || d.Verified || d.Source != "tenant" || !strings.HasPrefix(d.Record, "fourways-domain-verification=") {
		t.Fatalf("%+v, %v", d, err)
	}
	return d.Record
}

// serves makes an account there, which only a verified domain has.
func (r *registry) serves(t *testing.T, domain string) bool {
	t.Helper()
	_, err := r.CreateUser(t.Context(), api.NewUser{UPN: "ada@" + domain, Password: "Quay-9-lantern"})
	if err != nil && refusal(err).Status != http.StatusBadRequest {
		t.Fatal(err)
	}
	r2, err2 := r.tenant.Of(t.Context(), authn.ParseIdentifier("ada@"+domain), authn.Account{})
	if err2 != nil || (r2.Path != authn.PathNone) != (err == nil) {
		t.Errorf("%s: an account can be made: %v; its path is %s (%v)", domain, err, r2.Path, err2)
	}
	return err == nil
}

func TestADomainIsVerifiedByItsTXTRecord(t *testing.T) {
	r, z := newRegistry(t), newZone(t)
	r.conf.Tenant.Resolver = z.at
	record := r.add(t, "contoso.example")
	verify := func() (directory.DomainDetail, error) { return r.VerifyDomain(t.Context(), "contoso.example", false) }
	for what, texts := range map[string][]string{
		"other records":     {"v=spf1 -all", "x"},
		"another's token":   {"fourways-domain-verification=aaaa"},
		"half of the token": {record[:len(record)-1]},
		"more than it":      {record + "a"},
	} {
		z.set("contoso.example.", texts...)
		if _, err := verify(); refusal(err).Status != http.StatusConflict || !strings.Contains(refusal(err).Detail, record) {
			t.Errorf("%s: %v", what, err)
		}
	}
	z.breaks(dnsmessage.RCodeServerFailure)
	if _, err := verify(); refusal(err).Status != http.StatusBadGateway || !strings.Contains(refusal(err).Detail, "--vouch") {
		t.Errorf("a DNS server that fails: %v", err)
	}
	z.breaks(dnsmessage.RCodeSuccess)
	if r.serves(t, "contoso.example") {
		t.Error("an unverified domain is served")
	}
	z.set("contoso.example.", "v=spf1 -all", record)
	if d, err := verify(); err != nil || !d.Verified || d.VerifiedBy != "dns" || d.Path != authn.PathCloud || d.Record != "" {
		t.Errorf("%+v, %v", d, err)
	}
	if !r.serves(t, "contoso.example") {
		t.Error("a verified domain is not served")
	}
	z.set("contoso.example.")
	if d, err := verify(); err != nil || !d.Verified {
		t.Errorf("what is verified stays so: %+v, %v", d, err)
	}
}

func TestADomainWithoutRecordIsNotVerified(t *testing.T) {
	r, z := newRegistry(t), newZone(t)
	r.conf.Tenant.Resolver = z.at
	r.add(t, "contoso.example")
	if _, err := r.VerifyDomain(t.Context(), "contoso.example", false); refusal(err).Status != http.StatusConflict {
		t.Errorf("a name that DNS does not know: %v", err)
	}
	if d, err := r.VerifyDomain(t.Context(), "contoso.example", true); err != nil || !d.Verified || d.VerifiedBy != "test" {
		t.Errorf("vouched for: %+v, %v", d, err)
	}
	if _, err := r.VerifyDomain(t.Context(), "other.example", true); refusal(err).Status != http.StatusNotFound {
		t.Errorf("a domain that nobody added: %v", err)
	}
}

func TestADomainIsAddedOnceAndRemovedWhenNobodyLivesThere(t *testing.T) {
	r := newRegistry(t)
	for _, bad := range []string{"", "localhost", "two words.example", "-.example", "a@b.example", "ünï.example"} {
		if _, err := r.AddDomain(t.Context(), bad); refusal(err).Status != http.StatusBadRequest {
			t.Errorf("%q: %v", bad, err)
		}
	}
	r.add(t, "contoso.example")
	r.add(t, "initial.example")
	for _, again := range []string{"Contoso.example", "phs.example"} {
		if _, err := r.AddDomain(t.Context(), again); refusal(err).Status != http.StatusConflict {
			t.Errorf("%q: %v", again, err)
		}
	}
	for name, kind := range map[string]string{"phs.example": console.MasteredType, "initial.example": console.GuardType} {
		if err := r.RemoveDomain(t.Context(), name, ""); refusal(err).Type != kind {
			t.Errorf("%s: %v, want %s", name, err, kind)
		}
	}
	seen, err := r.Domain(t.Context(), "contoso.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.VerifyDomain(t.Context(), "contoso.example", true); err != nil {
		t.Fatal(err)
	}
	if err := r.RemoveDomain(t.Context(), "contoso.example", seen.Tag); refusal(err).Type != console.ChangedType {
		t.Errorf("it was verified since it was read: %v", err)
	}
	if !r.serves(t, "contoso.example") {
		t.Fatal("the domain is not served")
	}
	if err := r.RemoveDomain(t.Context(), "contoso.example", ""); refusal(err).Type != console.GuardType {
		t.Errorf("ada lives there: %v", err)
	}
	if all, err := r.Domains(t.Context()); err != nil || len(all) != 4 || all[2].Name != "contoso.example" || !all[3].Initial {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestSettingsOfRunTimeWinUntilTheyAreGivenBack(t *testing.T) {
	r := newRegistry(t)
	ctx := t.Context()
	change := func(name string, ask api.DomainChange) (api.DomainChanged, error) {
		return r.ChangeDomain(ctx, name, "", ask)
	}
	say := func(s string) *string { return &s }
	for _, bad := range []api.DomainChange{{HashSync: say("yes")}, {Expiry: say("0d")}, {Expiry: say("731d")}, {Expiry: say("59m")}, {Expiry: say("soon")}, {Expiry: say("")}, {Expiry: say("-5d")}} {
		if _, err := change("cloud.example", bad); refusal(err).Status != http.StatusBadRequest {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for text, want := range map[string]time.Duration{"90d": 90 * 24 * time.Hour, "36h": 36 * time.Hour, "none": 0} {
		d, err := change("cloud.example", api.DomainChange{Expiry: say(text)})
		served, err2 := r.tenant.Domain(ctx, "cloud.example")
		if err := errors.Join(err, err2); err != nil || d.Expiry != want || d.ExpiryFrom != "run time" || served.Expiry != want {
			t.Errorf("%s: %+v, served %+v, %v", text, d, served, err)
		}
	}
	if d, err := change("cloud.example", api.DomainChange{Expiry: say("file")}); err != nil || d.ExpiryFrom != "file" {
		t.Errorf("%+v, %v", d, err)
	}
	if kept, err := r.base.Store.Domains(ctx); err != nil || len(kept) != 0 {
		t.Errorf("given back, and still kept: %+v, %v", kept, err)
	}
	if _, err := change("other.example", api.DomainChange{Expiry: say("none")}); refusal(err).Status != http.StatusNotFound {
		t.Errorf("no such domain: %v", err)
	}

	seen, err := r.Domain(ctx, "cloud.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.ChangeDomain(ctx, "cloud.example", seen.Tag, api.DomainChange{HashSync: say("on")}); err != nil {
		t.Error(err)
	}
	if _, err := r.ChangeDomain(ctx, "cloud.example", seen.Tag, api.DomainChange{HashSync: say("off")}); refusal(err).Type != console.ChangedType {
		t.Errorf("the second of two: %v", err)
	}
	if on, err := r.tenant.PHS(ctx, "cloud.example"); !on || err != nil || r.opened == 0 {
		t.Errorf("the switch is %v, %v; the agent link was looked after %d times", on, err, r.opened)
	}
}

func TestTheSwitchOffDropsTheHashesAtOnceAndNotUnderAnybodysFeet(t *testing.T) {
	r := newRegistry(t)
	ctx, off := t.Context(), "off"
	u := directory.User{ID: "id-phil", UPN: "phil@phs.example", Synced: true, Enabled: true, Onprem: directory.Onprem{Anchor: "YQ=="}}
	if err := r.base.Store.ApplySync(ctx, directory.Changes{Put: directory.Objects{Users: []directory.User{u}}, Hashes: []directory.Credential{{Account: u.ID, Scheme: directory.SchemePHS, Record: []byte("x")}}}); err != nil {
		t.Fatal(err)
	}
	count := func() int {
		n, err := r.base.Store.CountCredentials(ctx, directory.SchemePHS, "phs.example")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if _, err := r.ChangeDomain(ctx, "phs.example", "", api.DomainChange{HashSync: &off}); refusal(err).Type != console.GuardType || count() != 1 {
		t.Errorf("the domain's people sign in by them: %v, %d hashes", err, count())
	}
	if _, err := r.base.Store.ChangeMode(ctx, "phs.example", func(*directory.Override, []directory.ModeChange) (*directory.Change, error) {
		return &directory.Change{Override: &directory.Override{Domain: "phs.example", Path: authn.PathPTA}}, nil
	}); err != nil {
		t.Fatal(err)
	}
	if d, err := r.ChangeDomain(ctx, "phs.example", "", api.DomainChange{HashSync: &off}); err != nil || d.Dropped != 1 || d.PHS || count() != 0 {
		t.Errorf("%+v, %v, %d hashes", d, err, count())
	}
}

// The switch may be on before the domain is verified: from then on an agent has work.
func TestADomainThatIsVerifiedMayNeedTheAgentLink(t *testing.T) {
	r := newRegistry(t)
	ctx, on := t.Context(), "on"
	r.add(t, "contoso.example")
	if _, err := r.ChangeDomain(ctx, "contoso.example", "", api.DomainChange{HashSync: &on}); err != nil {
		t.Fatal(err)
	}
	looked := r.opened
	if _, err := r.VerifyDomain(ctx, "contoso.example", true); err != nil || r.opened == looked {
		t.Errorf("the agent link was looked after %d times, then %d: %v", looked, r.opened, err)
	}
}

// The file may have lost a domain whose path was swapped: whoever adds one of that name does not get the swap with it.
func TestADomainThatIsAddedBeginsWithoutAnOldSwap(t *testing.T) {
	r := newRegistry(t)
	ctx := t.Context()
	for _, name := range []string{"contoso.example", "phs.example"} {
		_, err := r.base.Store.ChangeMode(ctx, name, func(*directory.Override, []directory.ModeChange) (*directory.Change, error) {
			return &directory.Change{Override: &directory.Override{Domain: name, Path: authn.PathPTA, By: "ann"}, Entry: directory.ModeChange{Kind: directory.ModeSet}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	r.add(t, "contoso.example")
	if d, err := r.VerifyDomain(ctx, "contoso.example", true); err != nil || d.Path != authn.PathCloud {
		t.Errorf("added: %+v, %v", d, err)
	}
	if old, err := r.base.Store.ModeChanges(ctx, "contoso.example", 0, 0); err != nil || len(old) != 0 {
		t.Errorf("its history: %+v, %v", old, err)
	}
	on := "on" // control: settings of a domain leave its swap
	if d, err := r.ChangeDomain(ctx, "phs.example", "", api.DomainChange{HashSync: &on}); err != nil || d.Path != authn.PathPTA {
		t.Errorf("changed: %+v, %v", d, err)
	}
}

// Whatever one gateway writes, the next sign-in at another one of the store goes by.
func TestAnotherGatewayOfTheStoreKnowsAtOnce(t *testing.T) {
	r := newRegistry(t)
	ctx, on, month := t.Context(), "on", "30d"
	domains := []directory.Domain{{Name: "cloud.example", Path: authn.PathCloud}, {Name: "phs.example", Path: authn.PathFederated, IdP: "harbour", PHS: true}}
	other := directory.New(r.base.Store, domains, nil)
	ann := authn.Account{ID: "id-ann", Synced: true}
	by := func(name string) authn.Path {
		t.Helper()
		realm, err := other.Of(ctx, authn.ParseIdentifier("ann@"+name), ann)
		if err != nil {
			t.Fatal(err)
		}
		return realm.Path
	}
	r.add(t, "contoso.example")
	if err := r.base.Store.ApplySync(ctx, directory.Changes{Put: directory.Objects{Users: []directory.User{{ID: ann.ID, UPN: "ann@phs.example", Synced: true, Enabled: true}}}}); err != nil {
		t.Fatal(err)
	}
	r.group(t, "Pilot", ann.ID)
	if p, q := by("contoso.example"), by("phs.example"); p != authn.PathNone || q != authn.PathFederated {
		t.Fatalf("control: %s and %s", p, q)
	}
	if _, err := r.VerifyDomain(ctx, "contoso.example", true); err != nil || by("contoso.example") != authn.PathCloud {
		t.Errorf("a domain that was verified elsewhere: %s, %v", by("contoso.example"), err)
	}
	if _, err := r.ChangeDomain(ctx, "cloud.example", "", api.DomainChange{HashSync: &on, Expiry: &month}); err != nil {
		t.Error(err)
	}
	if d, err := other.Domain(ctx, "cloud.example"); err != nil || !d.PHS || d.Expiry != 30*24*time.Hour {
		t.Errorf("settings that were changed elsewhere: %+v, %v", d, err)
	}
	if _, err := r.AddRollout(ctx, "Pilot", authn.PathPHS); err != nil || by("phs.example") != authn.PathPHS {
		t.Errorf("a roll-out that began elsewhere: %s, %v", by("phs.example"), err)
	}
	if _, err := r.RemoveRollout(ctx, "Pilot"); err != nil || by("phs.example") != authn.PathFederated {
		t.Errorf("and ended: %s, %v", by("phs.example"), err)
	}
}

func FuzzParseExpiry(f *testing.F) {
	for _, seed := range []string{"90d", "36h", "none", "file", "0d", "-1d", "1e3d", "99999999999999999999d", "1h0m0.5s", "d", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseExpiry(&text)
		switch {
		case err != nil && refusal(err).Status != http.StatusBadRequest:
			t.Errorf("%q: %v", text, err)
		case err != nil, text == "file":
		case *d == 0:
			if text != "none" {
				t.Errorf("%q is taken for none", text)
			}
		case *d < shortestExpiry || *d > longestExpiry:
			t.Errorf("%q: %s", text, *d)
		}
	})
}
