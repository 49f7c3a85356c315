package oidc_test

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/providers/oidc"
)

func TestPromisesOfEveryProvider(t *testing.T) {
	i := newIssuer(t)
	authntest.TestProvider(t, authntest.Harness{Provider: open(t, i.config(), &clock{}), Account: account(), Realm: realm(i.URL)})
}

func TestRequestAsksForAllThatProtectsTheAnswer(t *testing.T) {
	i := newIssuer(t)
	p := open(t, i.config(), &clock{})
	query := func(w authn.Want) url.Values {
		u, err := url.Parse(p.Step(t.Context(), attempt(w)).Challenge.URL)
		if err != nil {
			t.Fatal(err)
		}
		return u.Query()
	}
	q := query(authn.Want{})
	for name, want := range map[string]string{
		"response_type": "code", "client_id": clientID, "scope": "openid profile email", "code_challenge_method": "S256",
		"redirect_uri": i.config().RedirectURL, "login_hint": upn, "prompt": "", "max_age": "", "acr_values": "",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	again := query(authn.Want{})
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(q.Get(name)) < 26 || q.Get(name) == again.Get(name) {
			t.Errorf("%s is short or the same twice: %q, %q", name, q.Get(name), again.Get(name))
		}
	}
	fresh := query(authn.Want{Fresh: true, Context: []string{"a", "b"}, LoginHint: "someone"})
	for name, want := range map[string]string{"prompt": "login", "max_age": "0", "acr_values": "a b", "login_hint": "someone"} {
		if fresh.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, fresh.Get(name), want)
		}
	}
	if aged := query(authn.Want{MaxAge: time.Hour}); aged.Get("max_age") != "3600" {
		t.Errorf("max_age is %q", aged.Get("max_age"))
	}
}

func TestStepsOfASignIn(t *testing.T) {
	i := newIssuer(t)
	p := open(t, i.config(), &clock{})
	a := attempt(authn.Want{})
	first := p.Step(t.Context(), a)
	out := p.Step(t.Context(), back(a, first, i.authorize(t, first)))
	mustAllow(t, out)
	var ids []authn.StepID
	for _, s := range slices.Concat(first.Steps, out.Steps) {
		if s.Result != authn.StepOK {
			t.Errorf("step %s is %s", s.ID, s.Result)
		}
		ids = append(ids, s.ID)
	}
	want := []authn.StepID{
		authn.F1, authn.F2, authn.F3, authn.F5, authn.F4Structure, authn.F4Signature, authn.F4Issuer, authn.F4Audience, authn.F4InResponse, authn.F4Time, authn.F4Subject,
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if asked, answered := first.Steps[0].Facts[authn.FactRequest], out.Steps[7].Facts[authn.FactRequest]; asked == "" || asked != answered {
		t.Errorf("request %q, answer to %q", asked, answered)
	}
}

// TestCallbackThatDoesNotBelong: each change to a good callback is refused before the code is spent, and the good one
// goes through afterwards.
func TestCallbackThatDoesNotBelong(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(a *authn.Attempt, cb *authn.Callback)
		reason authn.Reason
		check  authn.StepID
	}{
		{"nothing kept", func(a *authn.Attempt, _ *authn.Callback) { a.Kept = nil }, authn.StateMismatch, authn.F4InResponse},
		{"kept is another path's", func(a *authn.Attempt, _ *authn.Callback) { a.Kept = []byte(`{"id":"x"}`) }, authn.StateMismatch, authn.F4InResponse},
		{"kept is not JSON", func(a *authn.Attempt, _ *authn.Callback) { a.Kept = []byte("\x00") }, authn.StateMismatch, authn.F4InResponse},
		{"another IdP's callback address", func(_ *authn.Attempt, cb *authn.Callback) { cb.IdP = "other" }, authn.StateMismatch, authn.F4InResponse},
		{"another state", func(_ *authn.Attempt, cb *authn.Callback) { cb.Values["state"] = []string{"other"} }, authn.StateMismatch, authn.F4InResponse},
		{"an error with another state", func(_ *authn.Attempt, cb *authn.Callback) {
			cb.Values = map[string][]string{"state": {"other"}, "error": {"access_denied"}}
		}, authn.StateMismatch, authn.F4InResponse},
		{"no state", func(_ *authn.Attempt, cb *authn.Callback) { delete(cb.Values, "state") }, authn.JWTInvalid, authn.F4Structure},
		{"no code", func(_ *authn.Attempt, cb *authn.Callback) { delete(cb.Values, "code") }, authn.JWTInvalid, authn.F4Structure},
		{"two codes", func(_ *authn.Attempt, cb *authn.Callback) { cb.Values["code"] = append(cb.Values["code"], "x") }, authn.JWTInvalid, authn.F4Structure},
		{"two states", func(_ *authn.Attempt, cb *authn.Callback) {
			cb.Values["state"] = append(cb.Values["state"], cb.Values["state"][0])
		}, authn.JWTInvalid, authn.F4Structure},
		{"code and error", func(_ *authn.Attempt, cb *authn.Callback) { cb.Values["error"] = []string{"x"} }, authn.JWTInvalid, authn.F4Structure},
		{"a parameter without a value", func(_ *authn.Attempt, cb *authn.Callback) { cb.Values["iss"] = nil }, authn.JWTInvalid, authn.F4Structure},
		{"an over-long code", func(_ *authn.Attempt, cb *authn.Callback) { cb.Values["code"] = []string{strings.Repeat("c", 5000)} }, authn.JWTInvalid, authn.F4Structure},
		{"a token through the browser", func(_ *authn.Attempt, cb *authn.Callback) { cb.Values["id_token"] = []string{"x.y.z"} }, authn.JWTInvalid, authn.F4Structure},
		{"by post", func(_ *authn.Attempt, cb *authn.Callback) { cb.Binding = "post" }, authn.JWTInvalid, authn.F4Structure},
		{"another iss (mix-up)", func(_ *authn.Attempt, cb *authn.Callback) { cb.Values["iss"] = []string{"http://other.example.test"} }, authn.IssuerMismatch, authn.F4Issuer},
		{"an empty iss", func(_ *authn.Attempt, cb *authn.Callback) { cb.Values["iss"] = []string{""} }, authn.IssuerMismatch, authn.F4Issuer},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t)
			p := open(t, i.config(), &clock{})
			a := attempt(authn.Want{})
			first := p.Step(t.Context(), a)
			good := back(a, first, i.authorize(t, first))
			bad, cb := good, good.Answer.(authn.Callback)
			cb.Values = maps.Clone(cb.Values)
			c.change(&bad, &cb)
			bad.Answer = cb
			mustRefuse(t, p.Step(t.Context(), bad), c.reason, c.check)
			mustAllow(t, p.Step(t.Context(), good))
		})
	}
}

func TestIssuerThatPromisesIssMustSendIt(t *testing.T) {
	i := newIssuer(t)
	i.set(func(i *issuer) {
		i.metadata = func(m map[string]any) { m["authorization_response_iss_parameter_supported"] = true }
	})
	p := open(t, i.config(), &clock{})
	mustRefuse(t, signIn(t, p, i, authn.Want{}), authn.IssuerMismatch, authn.F4Issuer)
	a := attempt(authn.Want{})
	first := p.Step(t.Context(), a)
	values := i.authorize(t, first)
	values["iss"] = []string{i.URL}
	mustAllow(t, p.Step(t.Context(), back(a, first, values)))
}

func TestWhatTheIssuerSaysInsteadOfACode(t *testing.T) {
	for failure, reason := range map[string]authn.Reason{
		"access_denied": authn.IdPError, "login_required": authn.IdPError, "made up": authn.IdPError,
		"temporarily_unavailable": authn.IdPUnreachable, "server_error": authn.IdPUnreachable,
	} {
		i := newIssuer(t)
		p := open(t, i.config(), &clock{})
		a := attempt(authn.Want{})
		first := p.Step(t.Context(), a)
		values := map[string][]string{"error": {failure}, "state": i.authorize(t, first)["state"]}
		mustRefuse(t, p.Step(t.Context(), back(a, first, values)), reason, authn.F3)
	}
}

// TestCodeOfAnotherRequest: a code that was stolen, or slipped into another browser, is bound to its own request twice:
// by PKCE at an issuer that holds to it, and by the nonce at one that doesn't.
func TestCodeOfAnotherRequest(t *testing.T) {
	i := newIssuer(t)
	p := open(t, i.config(), &clock{})
	a := attempt(authn.Want{})
	victims := p.Step(t.Context(), a)
	stolen := i.authorize(t, victims)["code"]
	mine := p.Step(t.Context(), a)
	values := i.authorize(t, mine)
	values["code"] = stolen
	mustRefuse(t, p.Step(t.Context(), back(a, mine, values)), authn.IdPError, authn.F5)

	victims = p.Step(t.Context(), a)
	asked := i.authorize(t, victims)
	i.set(func(i *issuer) { // an issuer that ignores PKCE
		request := i.codes[asked["code"][0]]
		i.token = func(w http.ResponseWriter, _ *http.Request) { i.grant(w, request) }
	})
	values["code"] = asked["code"]
	mustRefuse(t, p.Step(t.Context(), back(a, mine, values)), authn.StateMismatch, authn.F4InResponse)
	mustAllow(t, p.Step(t.Context(), back(a, victims, asked)))
}

// TestCodeIsGoodOnce: the issuer refuses it a second time, and the outcome names it for the store in either case.
func TestCodeIsGoodOnce(t *testing.T) {
	i := newIssuer(t)
	c := &clock{}
	p := open(t, i.config(), c)
	a := attempt(authn.Want{})
	first := p.Step(t.Context(), a)
	second := back(a, first, i.authorize(t, first))
	used := p.Step(t.Context(), second)
	mustAllow(t, used)
	replayed := p.Step(t.Context(), second)
	mustRefuse(t, replayed, authn.IdPError, authn.F5)
	if len(used.Once) != 1 || len(replayed.Once) != 1 || used.Once[0].ID != replayed.Once[0].ID || used.Once[0].Kind != "code" {
		t.Errorf("once ids %+v and %+v", used.Once, replayed.Once)
	}
	if !used.Once[0].Until.After(c.Now().Add(10 * time.Minute)) {
		t.Errorf("forgotten at %s", used.Once[0].Until)
	}
	if code := second.Answer.(authn.Callback).Values["code"][0]; strings.Contains(used.Once[0].ID, code) {
		t.Error("the id shows the code itself")
	}
}

func TestTokenRequestProvesClientAndVerifier(t *testing.T) {
	i := newIssuer(t)
	mustAllow(t, signIn(t, open(t, i.config(), &clock{}), i, authn.Want{}))
	asked := i.asked[0]
	for name, want := range map[string]string{
		"grant_type": "authorization_code", "client_id": clientID, "client_secret": clientSecret, "redirect_uri": i.config().RedirectURL,
	} {
		if asked.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, asked.Get(name), want)
		}
	}
	if len(asked.Get("code_verifier")) < 43 { // RFC 7636, 4.1
		t.Errorf("code_verifier %q", asked.Get("code_verifier"))
	}
	c := i.config()
	c.Client.AuthMethod = oidc.Basic
	var user, password string
	i.set(func(i *issuer) {
		i.token = func(w http.ResponseWriter, r *http.Request) {
			user, password, _ = r.BasicAuth()
			writeJSON(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		}
	})
	out := signIn(t, open(t, c, &clock{}), i, authn.Want{})
	if user != clientID || password != clientSecret {
		t.Errorf("basic credentials %q, %q", user, password)
	}
	// A client that the issuer does not know is our mistake, not the person's.
	mustRefuse(t, out, authn.IdPUnreachable, authn.F5)
}

func TestSecretsStayOutOfErrorsAndSteps(t *testing.T) {
	i := newIssuer(t)
	p := open(t, i.config(), &clock{})
	a := attempt(authn.Want{})
	first := p.Step(t.Context(), a)
	values := i.authorize(t, first)
	values["code"] = []string{rand.Text()} // unknown: the issuer repeats the verifier in its refusal
	out := p.Step(t.Context(), back(a, first, values))
	mustRefuse(t, out, authn.IdPError, authn.F5)
	verifier := i.asked[0].Get("code_verifier")
	for _, secret := range []string{verifier, clientSecret, values["state"][0]} {
		if secret == "" || strings.Contains(fmt.Sprintf("%+v", out), secret) || strings.Contains(out.Err.Error(), secret) {
			t.Errorf("%q is told", secret)
		}
	}
}

// TestPolicyTimeDoesNotMoveProtocolTime: the lab may move policy time, the issuer's clock stays.
func TestPolicyTimeDoesNotMoveProtocolTime(t *testing.T) {
	for _, ahead := range []time.Duration{48 * time.Hour, -48 * time.Hour} {
		i := newIssuer(t)
		c := &clock{}
		c.advance(ahead)
		p := open(t, i.config(), c)
		mustAllow(t, signIn(t, p, i, authn.Want{Fresh: true}))
		i.set(claim("exp", c.Now().Add(-time.Hour).Unix()))
		if ahead < 0 {
			mustRefuse(t, signIn(t, p, i, authn.Want{Fresh: true}), authn.AssertionTime, authn.F4Time)
		} else {
			mustAllow(t, signIn(t, p, i, authn.Want{Fresh: true}))
		}
	}
}
