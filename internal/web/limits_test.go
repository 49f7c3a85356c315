package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/web"
)

func from(addr string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = addr + ":4000" }
}

func TestOneAddressIsSlowedDownAndTheOthersAreNot(t *testing.T) {
	h := newHouse(t, func(_ *house, o *web.Options) {
		o.Site.Limits = web.Limits{PerSecond: 0.000001, Burst: 3}
		o.Site.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	body := `{"username":"alice@phs.example.test","password":"Spring-2025!"}`
	forge := func(i int) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i)) }
	}
	for i := range 3 {
		if w := h.signIn(body, from("198.51.100.7"), forge(i)); w.Code != 200 {
			t.Fatalf("request %d: %d", i, w.Code)
		}
	}
	calls := h.flow.calls()
	w := h.signIn(body, from("198.51.100.7"), forge(9))
	if w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Fatalf("a forged header got past: %d", w.Code)
	}
	if a := decode(t, w.Body); a["verdict"] != "unavailable" {
		t.Errorf("body %v", a)
	}
	if h.flow.calls() != calls {
		t.Error("the flow was called all the same")
	}
	if w := h.signIn(body, from("198.51.100.8")); w.Code != 200 {
		t.Errorf("another address: %d", w.Code)
	}
	if w := h.signIn(body, from("10.0.0.1"), forge(1)); w.Code != 200 {
		t.Errorf("another client of a trusted proxy: %d", w.Code)
	}
}

func TestSignInsBeyondTheirPlacesAreShedAtOnce(t *testing.T) {
	var mu sync.Mutex
	var shed []authn.Path
	h := newHouse(t, func(_ *house, o *web.Options) {
		o.Site.Limits = web.Limits{InFlight: 1, Shed: func(p authn.Path) { mu.Lock(); shed = append(shed, p); mu.Unlock() }}
	})
	h.flow.block, h.flow.entered = make(chan struct{}), make(chan struct{}, 1)
	body := `{"username":"alice@phs.example.test","password":"Spring-2025!"}`
	done := make(chan int)
	go func() { done <- h.signIn(body).Code }()
	<-h.flow.entered
	w := h.signIn(body)
	if w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("no place: %d %s", w.Code, w.Body)
	}
	if w := h.get("/"); w.Code != 200 {
		t.Errorf("the page itself: %d", w.Code)
	}
	close(h.flow.block)
	if got := <-done; got != 200 {
		t.Errorf("the one inside: %d", got)
	}
	if len(shed) != 1 || shed[0] != authn.PathNone {
		t.Errorf("shed %v", shed)
	}
	if w := h.signIn(body); w.Code != 200 {
		<-h.flow.entered
		t.Errorf("afterwards: %d", w.Code)
	}
}

// A flood must cost less to turn away than to serve: nobody is looked up, and the domain alone decides.
func TestAPathWithoutPlacesShedsPasswordsBeforeAnybodyIsLookedUp(t *testing.T) {
	var shed []authn.Path
	h := newHouse(t, func(_ *house, o *web.Options) {
		o.Site.Limits = web.Limits{
			Busy: func(_ context.Context, domain string) (authn.Path, bool) {
				return authn.PathPHS, domain == "phs.example.test"
			},
			Shed: func(p authn.Path) { shed = append(shed, p) },
		}
	})
	var bodies []string
	for _, name := range []string{"alice", "nobody"} {
		w := h.signIn(`{"username":"` + name + `@PHS.example.test.","password":"Spring-2025!"}`)
		if w.Code != 503 || w.Header().Get("Retry-After") == "" || len(w.Result().Cookies()) > 0 {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
		bodies = append(bodies, w.Body.String())
	}
	if bodies[0] != bodies[1] {
		t.Errorf("alice and nobody are told apart: %q", bodies)
	}
	if n := h.flow.calls(); n != 0 || len(shed) != 2 || shed[0] != authn.PathPHS {
		t.Errorf("%d calls of the flow, shed %v, want none and two of phs", n, shed)
	}
	if w := h.signIn(`{"username":"alice@phs.example.test"}`); w.Code != 200 {
		t.Errorf("control: a step without a password: %d", w.Code)
	}
	if w := h.signIn(`{"username":"nobody@elsewhere.example.test","password":"x"}`); w.Code != 401 {
		t.Errorf("control: another domain: %d", w.Code)
	}
}
