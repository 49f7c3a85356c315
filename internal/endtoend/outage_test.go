package endtoend_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// soon has the gateway give up on an agent quickly.
func soon(c *config.Config) { c.PTA.RequestTimeout = config.Duration(3 * time.Second) }

// healthy signs alice in by every path but those named.
func (h *house) healthy(except ...authn.Path) {
	h.t.Helper()
	skip := map[authn.Path]bool{}
	for _, p := range except {
		skip[p] = true
	}
	for domain, path := range managedDomains() {
		if !skip[path] {
			h.allowed(h.signIn("alice@"+domain, world.Password), "alice@"+domain, path)
		}
	}
	if skip[authn.PathFederated] {
		return
	}
	for _, domain := range []string{world.SAMLDomain, world.OIDCDomain} {
		upn := "alice@" + domain
		p := newPerson(h.t, h.url)
		if page := p.signsIn(upn, upn, world.Password); p.session() != upn {
			h.t.Errorf("%s is not signed in: %d %s", upn, page.Status, page.Text())
		}
	}
}

func TestADeadDomainControllerIsNoWrongPasswordAndHeals(t *testing.T) {
	h := openHouse(t, soon)
	h.populate()
	h.healthy()
	h.lab.Premises().StopDC()
	for range 3 {
		a := h.signIn("alice@"+world.PTADomain, world.Password)
		h.refused(a, http.StatusServiceUnavailable, authn.ADUnreachable, authn.AgentTimeout)
		if a.Header.Get("Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
	}
	// Nobody learns from an outage who exists.
	if got, want := appears(h.signIn("nobody@"+world.PTADomain, "x")), appears(h.signIn("alice@"+world.PTADomain, "x")); got != want {
		t.Errorf("the outage tells a stranger apart:\n%+v\n%+v", got, want)
	}
	h.healthy(authn.PathPTA, authn.PathFederated) // Harbour ID asks the same domain controller
	if err := h.lab.Premises().StartDC(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "pass-through authentication heals", func() bool {
		return h.signIn("alice@"+world.PTADomain, world.Password).Status == http.StatusOK
	})
	h.healthy()
}

func TestADeadAgentIsSaidToBeOneAndTheOtherPathsGoOn(t *testing.T) {
	h := openHouse(t, soon)
	h.populate()
	h.stopAgent()
	a := h.signIn("alice@"+world.PTADomain, world.Password)
	h.refused(a, http.StatusServiceUnavailable, authn.NoAgent)
	h.healthy(authn.PathPTA)
	h.startAgent()
	h.healthy()
}

func TestADeadIdentityProviderIsSaidToBeOneAndTheOtherPathsGoOn(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	upn := "alice@" + world.OIDCDomain
	p := newPerson(t, h.url)
	form := p.types(upn) // at Harbour ID before it dies
	h.lab.StopIdP()
	if page, err := form.Submit(t.Context(), map[string]string{"username": upn, "password": world.Password}); err == nil {
		t.Fatalf("a dead identity provider answered: %s", page.Text())
	}
	if p.session() != "" {
		t.Error("somebody is signed in by a dead identity provider")
	}
	h.healthy(authn.PathFederated)
	if err := h.lab.StartIdP(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.healthy()
}

func TestAFreshGatewaySaysThatTheIdentityProviderIsDead(t *testing.T) {
	h := openHouse(t, nil) // no discovery document was read yet
	h.populate()
	h.lab.StopIdP()
	upn := "alice@" + world.OIDCDomain
	h.refused(h.post("/signin", jsonType, []byte(`{"username":"`+upn+`"}`)), http.StatusServiceUnavailable, authn.IdPUnreachable)
	h.healthy(authn.PathFederated)
	if err := h.lab.StartIdP(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the identity provider is found again", func() bool {
		return h.post("/signin", jsonType, []byte(`{"username":"`+upn+`"}`)).Status == http.StatusOK
	})
	h.healthy()
}

func TestPHSAndTheCloudNeedNothingOfThePremises(t *testing.T) {
	h := openHouse(t, soon)
	h.populate()
	h.stopAgent()
	h.lab.StopIdP()
	h.lab.Premises().StopDC()
	h.refused(h.signIn("alice@"+world.PTADomain, world.Password), http.StatusServiceUnavailable, authn.NoAgent) // control: they are down
	h.allowed(h.signIn("alice@"+world.PHSDomain, world.Password), "alice@"+world.PHSDomain, authn.PathPHS)
	const peggy = "peggy@" + world.CloudDomain
	h.allowed(h.signIn(peggy, world.Password), peggy, authn.PathCloud)
	if u, err := h.console.User(t.Context(), peggy); err != nil || !u.Object.Admin || u.Object.Synced {
		t.Errorf("peggy is no cloud-only administrator: %+v, %v", u, err)
	}
}
