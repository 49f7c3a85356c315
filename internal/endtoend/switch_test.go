package endtoend_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// The swaps of a domain under load: how many, how many sign-ins end between two, and how many people come at once.
const (
	swaps       = 20
	betweenTwo  = 15
	peopleAtOne = 8
)

// crowd signs healthy people of the domain to switch in, one after the other in each of several lines, until it is sent away.
func crowd(ctx context.Context, h *house, ended chan<- browser.Attempt) (wait func()) {
	names := []string{"alice", "ivan", "judy", "rita"}
	var lines sync.WaitGroup
	for line := range peopleAtOne {
		lines.Go(func() {
			for i := line; ctx.Err() == nil; i++ {
				o := browser.SignInOptions{Door: h.url, UPN: names[i%len(names)] + "@" + world.LabDomain, Password: authn.NewSecret([]byte(world.Password))}
				did, err := browser.SignIn(context.WithoutCancel(ctx), o)
				if err != nil {
					h.t.Errorf("%s: %v", o.UPN, err)
				}
				ended <- did
			}
		})
	}
	return lines.Wait
}

// An attempt that began before a swap ends on its path, one that begins after it takes the new one, and none fails.
func TestNoSignInFailsBecauseOfASwap(t *testing.T) {
	h := openHouse(t, func(c *config.Config) { c.Hashing.QueueLimit = 1000 })
	h.populate()
	ctx, away := context.WithCancel(t.Context())
	ended := make(chan browser.Attempt, 1024)
	wait := crowd(ctx, h, ended)
	targets := []api.ModeChange{
		{Path: authn.PathPTA}, {Path: authn.PathCloud}, {Path: authn.PathFederated, IdP: "saml"}, {Path: authn.PathPHS}, {Path: authn.PathFederated, IdP: "oidc"},
	}
	var all []browser.Attempt
	for i := range swaps {
		for range betweenTwo {
			all = append(all, <-ended)
		}
		ask := targets[i%len(targets)]
		by := strings.TrimSpace(string(ask.Path) + " " + ask.IdP) // so that the rule names the path
		if _, err := h.gateway.SetMode(t.Context(), world.LabDomain, ask, by, ""); err != nil {
			t.Fatal(err)
		}
	}
	away()
	wait()
	close(ended)
	for did := range ended {
		all = append(all, did)
	}
	if len(all) < swaps*betweenTwo {
		t.Fatalf("%d sign-ins: the test shows too little", len(all))
	}
	taken := map[authn.Path]int{}
	for _, did := range all {
		if did.Verdict != authn.Allowed {
			t.Errorf("%s: %s by %s: %+v (%s)", did.User, did.Verdict, did.Path, did.Public, did.Note)
			continue
		}
		taken[h.decided(did.CorrelationID)]++
	}
	for _, path := range []authn.Path{authn.PathCloud, authn.PathPHS, authn.PathPTA, authn.PathFederated} {
		if taken[path] == 0 {
			t.Errorf("nobody signed in by %s: %v", path, taken)
		}
	}
}

// decided is the path of an attempt; every one of its records must have it, and the rule that decided names it.
func (h *house) decided(id authn.AttemptID) authn.Path {
	h.t.Helper()
	trace, err := h.console.Trace(h.t.Context(), id)
	if err != nil || len(trace.Records) == 0 {
		h.t.Fatalf("%s: %+v, %v", id, trace, err)
	}
	path, rule := trace.Records[0].Path(), trace.Records[0].Realm.Rule
	by, swapped := strings.CutPrefix(rule, "override of "+world.LabDomain+" by ")
	if !swapped {
		by = string(authn.PathPHS) // as the file has it
	}
	if rule == "" || strings.Fields(by)[0] != string(path) || strings.HasSuffix(by, "saml") != strings.HasSuffix(trace.Records[0].Realm.IdP, "saml") {
		h.t.Errorf("%s: %q decided, and the path is %s at %q", id, rule, path, trace.Records[0].Realm.IdP)
	}
	for _, r := range trace.Records {
		if r.Path() != path || r.Realm.Rule != rule {
			h.t.Errorf("%s began by %q and went on by %q (%s)", id, rule, r.Realm.Rule, r.Path())
		}
	}
	return path
}

func TestNobodysCredentialIsKeptWhereTheSwitchIsOff(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	store := h.gateway.Operator().Store
	count := func(scheme, domain string) int {
		n, err := store.CountCredentials(t.Context(), scheme, domain)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, domain := range []string{world.PTADomain, world.SAMLDomain, world.OIDCDomain} {
		people, err := store.Users(t.Context(), directory.Query{Domain: domain})
		if err != nil || len(people) == 0 {
			t.Fatalf("%s: %d people, %v", domain, len(people), err)
		}
		for _, scheme := range []string{directory.SchemeCloud, directory.SchemePHS} {
			if n := count(scheme, domain); n != 0 {
				t.Errorf("%s: the store holds %d records of the kind %s", domain, n, scheme)
			}
		}
	}
	if count(directory.SchemePHS, world.PHSDomain) == 0 || count(directory.SchemeCloud, world.CloudDomain) == 0 {
		t.Error("control: no record at all")
	}
	// The switch on, and off again: what was fetched is gone at once.
	swtch := func(how string) api.DomainChanged {
		t.Helper()
		d, err := h.console.ChangeDomain(t.Context(), world.PTADomain, "", api.DomainChange{HashSync: &how})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	swtch("on")
	if _, err := h.console.SyncRun(t.Context(), "hash"); err != nil {
		t.Fatal(err)
	}
	kept := count(directory.SchemePHS, world.PTADomain)
	if d := swtch("file"); kept == 0 || d.Dropped != kept || count(directory.SchemePHS, world.PTADomain) != 0 {
		t.Errorf("%d were kept, %d dropped, and %d are left", kept, d.Dropped, count(directory.SchemePHS, world.PTADomain))
	}
}

func TestARolloutAsksForThePasswordHere(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	if err := h.lab.RollOut(t.Context(), h.gateway.Operator()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.console.SetMode(t.Context(), world.LabDomain, "", api.ModeChange{Path: authn.PathFederated}); err != nil {
		t.Fatal(err)
	}
	rita, alice := "rita@"+world.LabDomain, "alice@"+world.LabDomain
	for upn, here := range map[string]bool{rita: true, alice: false, "nobody@" + world.LabDomain: false} {
		page := newPerson(t, h.url).types(upn)
		if asked := slices.ContainsFunc(page.Forms, func(f browser.Form) bool { return f.Values.Has("password") }); !asked || strings.HasPrefix(page.URL.String(), h.url) != here {
			t.Errorf("%s is asked for a password at %s: %v", upn, page.URL, asked)
		}
	}
	p := newPerson(t, h.url)
	if page := p.fill(p.types(rita), map[string]string{"password": world.Password}); p.session() != rita {
		t.Errorf("rita is not signed in: %d %s", page.Status, page.Text())
	}
	h.allowed(h.signIn(rita, world.Password), rita, authn.PathPHS)
	var ids []string
	for _, upn := range []string{rita, alice} { // the realm is told by domain alone
		ids = append(ids, string(h.post("/realm", jsonType, []byte(`{"username":"`+upn+`"}`)).Raw))
	}
	if ids[0] != ids[1] || !strings.Contains(ids[0], "Federated") {
		t.Errorf("realm discovery: %q", ids)
	}
	h.lab.StopIdP()
	h.allowed(h.signIn(rita, world.Password), rita, authn.PathPHS)
}
