package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
	"github.com/fourways-id/fourways/internal/web"
)

const formType = "application/x-www-form-urlencoded"

// away begins a federated sign-in and returns the answer with its pending cookie.
func away(t *testing.T, h *house, user string) *httptest.ResponseRecorder {
	t.Helper()
	w := h.signIn(`{"username":"` + user + `","returnTo":"/app/"}`)
	if w.Code != 200 || cookieNamed(w, "fourways_pending") == nil {
		t.Fatalf("no challenge: %d %s", w.Code, w.Body)
	}
	return w
}

func TestChallengeIsDataForAProgram(t *testing.T) {
	h := newHouse(t, nil)
	c, _ := decode(t, away(t, h, "alice@saml.example.test").Body)["challenge"].(map[string]any)
	if c["kind"] != "redirect" || c["url"] != "https://idp.example.test/sso?SAMLRequest=cmVx" {
		t.Errorf("redirect: %v", c)
	}
	c, _ = decode(t, away(t, h, "poster@saml.example.test").Body)["challenge"].(map[string]any)
	form, _ := c["form"].(map[string]any)
	if c["kind"] != "post" || c["url"] != "https://idp.example.test/sso" || form["SAMLRequest"] != "cmVx" {
		t.Errorf("post: %v", c)
	}
}

func TestBrowserIsSentAwayByRedirectOrForm(t *testing.T) {
	h := newHouse(t, nil)
	front := h.get("/")
	token := cookieNamed(front, "fourways_form").Value
	send := func(user string) *httptest.ResponseRecorder {
		return h.post("/signin", formType, "username="+url.QueryEscape(user)+"&formToken="+token, as(front))
	}
	if w := send("alice@saml.example.test"); w.Code != 303 || w.Header().Get("Location") != "https://idp.example.test/sso?SAMLRequest=cmVx" {
		t.Errorf("redirect: %d %v", w.Code, w.Header())
	}
	w := send("poster@saml.example.test")
	body := w.Body.String()
	if w.Code != 200 || !strings.Contains(body, `action="https://idp.example.test/sso"`) || !strings.Contains(body, `<button type="submit">Continue</button>`) {
		t.Errorf("post: %d %s", w.Code, body)
	}
	if strings.Contains(body, `"><script>`) {
		t.Error("the form's values are not escaped")
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://idp.example.test") {
		t.Errorf("the form can't leave: %s", csp)
	}
}

func TestCallbackWithItsCookieSignsIn(t *testing.T) {
	h := newHouse(t, nil)
	for name, tt := range map[string]struct {
		user string
		call func(pending *httptest.ResponseRecorder) *httptest.ResponseRecorder
	}{
		"saml post": {"alice@saml.example.test", func(p *httptest.ResponseRecorder) *httptest.ResponseRecorder {
			return h.post("/federation/saml/saml/acs", formType, "SAMLResponse=good", as(p))
		}},
		"oidc redirect": {"alice@oidc.example.test", func(p *httptest.ResponseRecorder) *httptest.ResponseRecorder {
			return h.get("/federation/oidc/oidc/callback?code=good&state=s", as(p))
		}},
		"oidc form_post": {"alice@oidc.example.test", func(p *httptest.ResponseRecorder) *httptest.ResponseRecorder {
			return h.post("/federation/oidc/oidc/callback", formType, "SAMLResponse=good", as(p), func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
		}},
	} {
		w := tt.call(away(t, h, tt.user))
		if w.Code != 303 || w.Header().Get("Location") != "/app/" || cookieNamed(w, "fourways_session") == nil {
			t.Errorf("%s: %d %v %s", name, w.Code, w.Header(), w.Body)
		}
		if c := cookieNamed(w, "fourways_pending"); c == nil || c.MaxAge >= 0 {
			t.Errorf("%s: the pending cookie stays: %v", name, c)
		}
	}
}

func TestRefusedCallbackIsOnePublicSentence(t *testing.T) {
	h := newHouse(t, nil)
	w := h.post("/federation/saml/saml/acs", formType, "SAMLResponse=forged", as(away(t, h, "alice@saml.example.test")))
	body := w.Body.String()
	if w.Code != 401 || !strings.Contains(body, "identity provider could not be accepted") || !strings.Contains(body, "Start again") {
		t.Errorf("got %d %s", w.Code, body)
	}
	if strings.Contains(body, "signature") || cookieNamed(w, "fourways_session") != nil {
		t.Error("the precise reason or a session came out")
	}
	if !strings.Contains(body, `href="/?switch=1&amp;returnTo=%2Fapp%2F"`) {
		t.Error("starting again forgets where the person wanted to go")
	}
}

// A browser that posts from the identity provider's page leaves Lax cookies behind; our own page posts once more.
func TestCrossSitePostIsPostedOnceMoreFromHere(t *testing.T) {
	h := newHouse(t, nil)
	pending := away(t, h, "alice@saml.example.test")
	fromIdP := func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Origin", "http://127.0.0.1:8404")
	}
	w := h.post("/federation/saml/saml/acs", formType, "SAMLResponse=good&RelayState=r", fromIdP)
	if w.Code != 200 || h.flow.resumed != 0 {
		t.Fatalf("first post: %d, the flow went on %d times", w.Code, h.flow.resumed)
	}
	for _, part := range []string{`action="/federation/saml/saml/acs"`, `name="SAMLResponse" value="good"`, `name="RelayState" value="r"`, `name="fourways_repost" value="1"`, "data-forward"} {
		if !strings.Contains(w.Body.String(), part) {
			t.Errorf("the page lacks %s", part)
		}
	}
	w = h.post("/federation/saml/saml/acs", formType, "SAMLResponse=good&RelayState=r&fourways_repost=1", as(pending))
	if w.Code != 303 || cookieNamed(w, "fourways_session") == nil {
		t.Errorf("second post: %d %s", w.Code, w.Body)
	}
}

func TestCallbackOfAnotherBrowserIsRefused(t *testing.T) {
	h := newHouse(t, nil)
	away(t, h, "alice@saml.example.test")
	for name, w := range map[string]*httptest.ResponseRecorder{
		"saml": h.post("/federation/saml/saml/acs", formType, "SAMLResponse=good&fourways_repost=1"),
		"oidc": h.get("/federation/oidc/oidc/callback?code=good"),
		"another provider's": h.post("/federation/saml/other/acs", formType, "SAMLResponse=good",
			as(away(t, h, "alice@saml.example.test"))),
	} {
		if w.Code != 401 || cookieNamed(w, "fourways_session") != nil {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	for _, f := range h.world.Finals() {
		if f.Record.Final && f.Record.Reason != authn.StateMismatch {
			t.Errorf("reason %s", f.Record.Reason)
		}
	}
}

// The whole walk as a browser without scripts does it, with an identity provider on another host name.
func TestWalkThroughAnotherHost(t *testing.T) {
	h := newHouse(t, nil)
	idp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<form method="post" action="` + strings.Replace(h.server.URL, "127.0.0.1", "localhost", 1) + `/federation/saml/saml/acs"><input type="hidden" name="SAMLResponse" value="good"></form>`))
	}))
	defer idp.Close()
	h.idp = idp.URL
	b := browser.New(nil)
	door := strings.Replace(h.start(), "127.0.0.1", "localhost", 1)
	p, err := b.Get(t.Context(), door+"/")
	if err != nil {
		t.Fatal(err)
	}
	p = h.submit(p, map[string]string{"username": "alice@saml.example.test"})
	if !strings.HasPrefix(p.URL.String(), idp.URL) {
		t.Fatalf("not at the provider: %s", p.URL)
	}
	p = h.submit(p, nil)
	if p.URL.Path != "/session" || !strings.Contains(p.Text(), "Signed in via FEDERATION") {
		t.Fatalf("came back to %s: %s", p.URL, p.Text())
	}
}

func TestCallbackLimits(t *testing.T) {
	h := newHouse(t, nil)
	acs := func(contentType, body string) int {
		return h.post("/federation/saml/saml/acs", contentType, body, as(away(t, h, "alice@saml.example.test"))).Code
	}
	if got := acs(formType, "SAMLResponse="+strings.Repeat("A", 100<<10)); got != 401 {
		t.Errorf("100 KiB go to the provider: %d", got)
	}
	if got := acs(formType, "SAMLResponse="+strings.Repeat("A", 128<<10)); got != 413 {
		t.Errorf("more than 128 KiB: %d", got)
	}
	if got := acs("application/json", "{}"); got != 415 {
		t.Errorf("JSON: %d", got)
	}
	if got := acs(formType, "SAMLResponse=%zz"); got != 400 {
		t.Errorf("bad encoding: %d", got)
	}
	if got := acs(formType, strings.Repeat("a=b&", 40)); got != 400 {
		t.Errorf("40 parameters: %d", got)
	}
	if got := acs(formType, "SAMLResponse=good&SAMLResponse=good"); got != 401 {
		t.Errorf("a doubled parameter is the provider's to refuse: %d", got)
	}
}

func TestMetadata(t *testing.T) {
	h := newHouse(t, nil)
	if w := h.get("/federation/saml/saml/metadata"); w.Code != 200 || w.Header().Get("Content-Type") != "application/samlmetadata+xml" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
	if w := h.get("/federation/saml/other/metadata"); w.Code != 404 {
		t.Errorf("unknown: %d", w.Code)
	}
	bare := newHouse(t, func(_ *house, o *web.Options) { o.Federation = nil })
	if w := bare.get("/federation/saml/saml/metadata"); w.Code != 404 {
		t.Errorf("no federation: %d", w.Code)
	}
}

func TestHTTPSCookies(t *testing.T) {
	h := newHouse(t, func(_ *house, o *web.Options) {
		o.Site.PublicURL = &url.URL{Scheme: "https", Host: "login.example.com"}
	})
	for user, want := range map[string]http.SameSite{
		"alice@saml.example.test": http.SameSiteNoneMode, // its answer is posted from another site
		"alice@oidc.example.test": http.SameSiteLaxMode,
		alice:                     http.SameSiteLaxMode,
	} {
		c := cookieNamed(h.signIn(`{"username":"`+user+`"}`), "__Host-fourways_pending")
		if c == nil || c.SameSite != want || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" {
			t.Errorf("%s: %v", user, c)
		}
	}
	w := h.signIn(`{"username":"alice@phs.example.test","password":"Spring-2025!"}`)
	if c := cookieNamed(w, "__Host-fourways_session"); c == nil || !c.Secure || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("session: %v", c)
	}
	if w.Header().Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS on https")
	}
}
