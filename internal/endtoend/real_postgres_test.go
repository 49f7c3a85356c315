package endtoend_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/client/browser"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/realtest"
)

const peggy = "peggy@" + cloudDomain

// pair is two gateways on one database, with one root key.
type pair struct {
	one, two *production
	server   *realtest.PostgresServer
}

func openPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{server: realtest.NewPostgres(t)}
	dir := t.TempDir()
	url := filepath.Join(dir, "store.url")
	if err := os.WriteFile(url, []byte(p.server.URL+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	shared := func(c *config.Config, _ string) {
		c.Store.Driver, c.Store.Path, c.Store.URLFile, c.Store.RootKeyFile = config.DriverPostgres, "", url, filepath.Join(dir, "root.key")
	}
	p.one = openProduction(t, shared)
	p.two = openTenant(t, shared)
	return p
}

// within gives both doors to a subtest.
func (p *pair) within(t *testing.T) { p.one.t, p.two.t = t, t }

func TestTwoGatewaysOnOnePostgreSQLDatabaseAreOneTenant(t *testing.T) {
	p := openPair(t)
	for _, story := range []struct {
		name string
		tell func(*testing.T, *pair)
	}{
		{"a path that is set at one is taken by the next sign-in at the other", sharedMode},
		{"a domain that is added and verified at one is served at the other", sharedDomain},
		{"a session of one is good at the other, and ends at both", sharedSession},
		{"a password that is changed at one is the password at the other", sharedPassword},
		{"a burst over both gets no further than the threshold and two", sharedLockout},
		{"tokens and the audit log are shared", sharedBooks},
		{"a name that no database takes is a name of nobody", sharedOddNames},
		{"a database that stops costs a 503, and both come back by themselves", sharedOutage},
	} {
		t.Run(story.name, func(t *testing.T) {
			p.within(t)
			story.tell(t, p)
		})
	}
	for name, g := range map[string]*production{"one": p.one, "two": p.two} {
		if found := authntest.Leaks(g.log.bytes(), p.server.Password); len(found) > 0 {
			t.Errorf("the log of gateway %s holds the database's password: %v", name, found)
		}
	}
}

func sharedMode(t *testing.T, p *pair) {
	p.one.cloudGoesOn()
	p.two.cloudGoesOn()
	for _, way := range []struct{ set, next *production }{{p.one, p.two}, {p.two, p.one}} {
		if _, err := way.set.console.SetMode(t.Context(), cloudDomain, "", api.ModeChange{Path: authn.PathPTA}); err != nil {
			t.Fatal(err)
		}
		row := way.next.refused(way.next.signIn(peggy, cloudPassword), http.StatusServiceUnavailable, authn.NoAgent)
		if !strings.Contains(row.Fourways.Rule, "override") {
			t.Errorf("the rule that decided: %q", row.Fourways.Rule)
		}
		if _, err := way.next.console.ResetMode(t.Context(), cloudDomain, ""); err != nil {
			t.Fatal(err)
		}
		way.set.cloudGoesOn()
	}
}

func sharedDomain(t *testing.T, p *pair) {
	const domain, ada = "quay.example.test", "ada@quay.example.test"
	ctx := t.Context()
	if _, err := p.one.console.AddDomain(ctx, domain); err != nil {
		t.Fatal(err)
	}
	if _, err := p.two.console.CreateUser(ctx, api.NewUser{UPN: ada, Password: cloudPassword}); err == nil {
		t.Error("an account is made in a domain that is not verified")
	}
	if _, err := p.one.console.VerifyDomain(ctx, domain, true); err != nil {
		t.Fatal(err)
	}
	if _, err := p.two.console.CreateUser(ctx, api.NewUser{UPN: ada, Password: cloudPassword}); err != nil {
		t.Fatal(err)
	}
	p.two.allowed(p.two.signIn(ada, cloudPassword), ada, authn.PathCloud)
	month := "30d"
	if _, err := p.one.console.ChangeDomain(ctx, domain, "", api.DomainChange{Expiry: &month}); err != nil {
		t.Fatal(err)
	}
	if d, err := p.two.console.Domain(ctx, domain); err != nil || d.Object.Expiry != 30*24*time.Hour {
		t.Errorf("the second sees %+v, %v", d, err)
	}
}

// has tells whether whoever has these cookies is signed in at the door.
func (d *door) has(cookies []*http.Cookie) (status int) {
	d.t.Helper()
	return d.with(cookies, http.MethodGet, "/session")
}

// with sends cookies as a browser does.
func (d *door) with(cookies []*http.Cookie, method, path string) (status int) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Content-Type", jsonType)
	for _, c := range cookies {
		req.AddCookie(c)
	}
	res, err := (&http.Client{Timeout: hang}).Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// session signs peggy in and gives the cookies of it.
func (p *production) session(password string) []*http.Cookie {
	p.t.Helper()
	a := p.signIn(peggy, password)
	p.allowed(a, peggy, authn.PathCloud)
	return (&http.Response{Header: a.Header}).Cookies()
}

func sharedSession(t *testing.T, p *pair) {
	cookies := p.one.session(cloudPassword)
	if one, two := p.one.has(cookies), p.two.has(cookies); one != http.StatusOK || two != http.StatusOK {
		t.Fatalf("a session of the first gateway: %d there, %d at the second", one, two)
	}
	if status := p.two.with(cookies, http.MethodPost, "/signout"); status != http.StatusOK && status != http.StatusNoContent {
		t.Fatalf("sign out: %d", status)
	}
	if one, two := p.one.has(cookies), p.two.has(cookies); one != http.StatusUnauthorized || two != http.StatusUnauthorized {
		t.Errorf("after the sign-out at the second: %d at the first, %d there", one, two)
	}
}

// newPassword is peggy's from sharedPassword on.
const newPassword = "Kestrel+Quince*81"

func sharedPassword(t *testing.T, p *pair) {
	before := p.two.session(cloudPassword)
	body, err := json.Marshal(map[string]string{"username": peggy, "password": cloudPassword, "newPassword": newPassword})
	if err != nil {
		t.Fatal(err)
	}
	p.one.allowed(p.one.post("/signin", jsonType, body), peggy, authn.PathCloud)
	for _, g := range []*production{p.two, p.one} {
		g.refused(g.signIn(peggy, cloudPassword), http.StatusUnauthorized, authn.BadPassword)
		g.allowed(g.signIn(peggy, newPassword), peggy, authn.PathCloud)
	}
	if status := p.two.has(before); status != http.StatusUnauthorized {
		t.Errorf("a session from before the change: %d", status)
	}
}

// sharedLockout guesses at peggy through both gateways at once.
func sharedLockout(t *testing.T, p *pair) {
	most := p.one.config.Lockout.Threshold + 2
	doors := []*production{p.one, p.two}
	var guessing sync.WaitGroup
	for i := range 3 * most {
		guessing.Go(func() {
			g := doors[i%len(doors)]
			ask := map[string]string{"username": peggy, "password": "guess"}
			if status, err := browser.New(&http.Client{Timeout: hang}).PostJSON(t.Context(), g.url+"/signin", ask, nil); err != nil || status == http.StatusOK {
				t.Errorf("guess %d: %d %v", i, status, err)
			}
		})
	}
	guessing.Wait()
	rows, err := p.two.console.SignIns(t.Context(), 3*most)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, row := range rows {
		if row.Fourways.Reason == authn.BadPassword.String() {
			checked++
		}
	}
	if checked < most-2 || checked > most {
		t.Errorf("%d guesses were checked, with a threshold of %d", checked, most-2)
	}
	for _, g := range doors {
		g.refused(g.signIn(peggy, newPassword), http.StatusUnauthorized, authn.CloudLocked)
	}
	if err := p.one.console.Unlock(t.Context(), peggy); err != nil {
		t.Fatal(err)
	}
	for _, g := range doors {
		g.allowed(g.signIn(peggy, newPassword), peggy, authn.PathCloud)
	}
}

func sharedBooks(t *testing.T, p *pair) {
	made, err := p.one.console.NewToken(t.Context(), api.NewToken{Name: "shared", Role: console.Operator})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := client.New(p.two.api, made.Secret)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := elsewhere.Audit(t.Context(), 50)
	if err != nil || !slices.ContainsFunc(entries, func(e api.AuditEntry) bool { return e.Action == "Create token" && strings.Contains(e.Target, "shared") }) {
		t.Errorf("the second's audit log of what was done at the first: %+v %v", entries, err)
	}
	if _, err := p.two.console.RevokeToken(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	here, err := client.New(p.one.api, made.Secret)
	if err != nil {
		t.Fatal(err)
	}
	var refused api.Problem
	if _, err := here.Modes(t.Context()); !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
		t.Errorf("a token that was revoked at the second, at the first: %v", err)
	}
}

// sharedOddNames asks for what PostgreSQL refuses to be asked: a NUL, and bytes that are no text.
func sharedOddNames(t *testing.T, p *pair) {
	ctx, one := t.Context(), p.one
	for _, odd := range []string{"alice\x00@" + cloudDomain, "alice@" + cloudDomain + "\x00", "\x00"} {
		one.refused(one.signIn(odd, "guess"), http.StatusUnauthorized, authn.UnknownUser, authn.DomainUnknown)
	}
	for _, odd := range []string{"a\x00b", "\xff"} {
		asked := map[string]error{}
		_, asked["group"] = one.console.Group(ctx, odd)
		_, asked["contact"] = one.console.Contact(ctx, odd)
		_, asked["user"] = one.console.User(ctx, odd)
		_, asked["plan"] = one.console.Plan(ctx, odd)
		_, asked["application"] = one.console.App(ctx, odd)
		_, asked["assignment"] = one.console.Assign(ctx, odd, odd)
		_, asked["member"] = one.console.AddMembers(ctx, odd, api.MemberChange{Users: []string{peggy}})
		_, asked["restore"] = one.console.RestoreUser(ctx, odd, api.Restore{})
		asked["unlock"] = one.console.Unlock(ctx, odd)
		for what, err := range asked {
			var problem api.Problem
			if !errors.As(err, &problem) || problem.Status != http.StatusNotFound {
				t.Errorf("%s %q: %v, want 404", what, odd, err)
			}
		}
		if _, err := one.console.Groups(ctx, directory.GroupQuery{Prefix: odd}); err != nil {
			t.Errorf("groups that begin with %q: %v", odd, err)
		}
		if _, err := one.console.CreateGroup(ctx, api.NewGroup{Name: "a\x00b"}); err == nil {
			t.Errorf("a group called %q is made", odd)
		}
	}
}

func sharedOutage(t *testing.T, p *pair) {
	doors := []*production{p.one, p.two}
	cookies := p.one.session(newPassword)
	p.server.Stop()
	for _, g := range doors {
		for who, password := range map[string]string{peggy: newPassword, "nobody@" + cloudDomain: "guess"} {
			a := g.signIn(who, password)
			if a.Status != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || hasSession(a.Header) {
				t.Errorf("%s without a database: want 503, Retry-After and no session, got %d %v %s", who, a.Status, a.Header, a.Raw)
			}
			if found := authntest.Leaks(a.Raw, p.server.Host); len(found) > 0 {
				t.Errorf("the answer names the database: %s", a.Raw)
			}
		}
		if status := g.has(cookies); status < http.StatusInternalServerError {
			t.Errorf("a session without a database: %d", status)
		}
	}
	p.server.Start(t)
	for _, g := range doors {
		eventually(t, "a gateway comes back", func() bool { return g.signIn(peggy, newPassword).Status == http.StatusOK })
		if status := g.has(cookies); status != http.StatusOK {
			t.Errorf("a session from before: %d", status)
		}
		if _, err := g.console.Modes(t.Context()); err != nil {
			t.Errorf("the console: %v", err)
		}
	}
}
