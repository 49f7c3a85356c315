package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
)

func TestPersonSignsInOnTwoPagesAndOut(t *testing.T) {
	h := newHouse(t, nil)
	b := browser.New(nil)
	p := h.submit(h.open(b, "/"), map[string]string{"username": alice})
	if p.URL.Path != "/signin/password" || !strings.Contains(p.Text(), alice) {
		t.Fatalf("second page: %s %s", p.URL, p.Text())
	}
	p = h.submit(p, map[string]string{"password": good})
	if p.URL.Path != "/session" || p.Status != 200 || !strings.Contains(p.Text(), "Signed in via PASSWORD HASH SYNCHRONISATION") {
		t.Fatalf("signed in: %s %d %s", p.URL, p.Status, p.Text())
	}
	if h.flow.signIns != 1 || h.flow.resumed != 1 {
		t.Errorf("two pages are one attempt in two steps: %d began, %d went on", h.flow.signIns, h.flow.resumed)
	}
	finals := h.world.Finals()
	if finals[0].Record.ID != finals[1].Record.ID {
		t.Error("the second page began another attempt")
	}
	if front := h.open(b, "/"); !strings.Contains(front.Text(), "You are signed in") {
		t.Errorf("front page with a session: %s", front.Text())
	}
	if again := h.open(b, "/?switch=1"); again.Title != "Sign in · fourways" {
		t.Errorf("somebody else can't sign in: %s", again.Title)
	}
	p = h.submit(p, nil)
	if p.URL.Path != "/" || p.Title != "Sign in · fourways" {
		t.Fatalf("signed out: %s %s", p.URL, p.Title)
	}
	if h.open(b, "/session").URL.Path != "/" {
		t.Error("the session outlived the sign-out")
	}
}

func TestWrongPasswordComesBackWithTheReasonAndTakesTheNextOne(t *testing.T) {
	h := newHouse(t, nil)
	b := browser.New(nil)
	p := h.submit(h.open(b, "/"), map[string]string{"username": alice})
	p = h.submit(p, map[string]string{"password": "wrong"})
	id := string(h.world.Finals()[1].Record.ID)
	if p.Status != 401 || !strings.Contains(p.Text(), "The user name or password is incorrect.") || !strings.Contains(p.Text(), id) {
		t.Fatalf("refused: %d %s", p.Status, p.Text())
	}
	if got := p.Header.Get("Fourways-Error-Code"); got != "50126" {
		t.Errorf("code header %q", got)
	}
	p = h.submit(p, map[string]string{"password": good})
	if p.URL.Path != "/session" {
		t.Fatalf("second try: %s %s", p.URL, p.Text())
	}
	finals := h.world.Finals()
	if last := finals[len(finals)-1].Record; string(last.ID) == id {
		t.Error("a second try went on with an attempt that was over")
	}
}

func TestFailurePagesOfKnownAndUnknownAreTheSame(t *testing.T) {
	h := newHouse(t, nil)
	page := func(user string) string {
		b := browser.New(nil)
		p := h.submit(h.open(b, "/"), map[string]string{"username": user})
		p = h.submit(p, map[string]string{"password": "wrong"})
		finals := h.world.Finals()
		text := strings.ReplaceAll(string(p.Body), string(finals[len(finals)-1].Record.ID), "ID")
		text = strings.ReplaceAll(text, p.Forms[0].Values.Get("formToken"), "TOKEN")
		return strings.ReplaceAll(text, user, "USER")
	}
	if known, unknown := page(alice), page("zoe@phs.example.test"); known != unknown {
		t.Errorf("the pages differ:\n%s\n%s", known, unknown)
	}
}

func TestUnknownDomainStaysOnTheFirstPage(t *testing.T) {
	h := newHouse(t, nil)
	p := h.submit(h.open(browser.New(nil), "/"), map[string]string{"username": "alice@nowhere.test"})
	if p.Status != 401 || p.Title != "Sign in · fourways" || !strings.Contains(p.Text(), "We don't know this organisation.") {
		t.Errorf("got %d %s", p.Status, p.Text())
	}
	p = h.submit(p, map[string]string{"username": alice})
	if p.URL.Path != "/signin/password" {
		t.Errorf("the name could not be mended: %s", p.URL)
	}
}

func TestEmptyUserNameComesBackAsTheForm(t *testing.T) {
	h := newHouse(t, nil)
	p := h.submit(h.open(browser.New(nil), "/"), map[string]string{"username": ""})
	if p.Status != 400 || len(p.Forms) != 1 || !strings.Contains(p.Text(), "Enter your user name") || h.flow.calls() != 0 {
		t.Errorf("got %d %s, %d calls", p.Status, p.Text(), h.flow.calls())
	}
}

func TestAnotherNameOnTheSecondPageIsAnotherSignIn(t *testing.T) {
	h := newHouse(t, nil)
	p := h.submit(h.open(browser.New(nil), "/"), map[string]string{"username": "zoe@phs.example.test"})
	p = h.submit(p, map[string]string{"username": alice, "password": good})
	if p.URL.Path != "/session" || h.flow.signIns != 2 || h.flow.resumed != 0 {
		t.Errorf("%s, %d began, %d went on", p.URL, h.flow.signIns, h.flow.resumed)
	}
}

func TestPasswordForASignInThatWaitsElsewhereBeginsAnew(t *testing.T) {
	h := newHouse(t, nil)
	b := browser.New(nil)
	front := h.open(b, "/")
	if status, err := b.PostJSON(t.Context(), h.start()+"/signin", map[string]string{"username": "alice@saml.example.test"}, nil); err != nil || status != 200 {
		t.Fatalf("%d %v", status, err)
	}
	fill := url.Values{"username": {"alice@saml.example.test"}, "password": {good}, "formToken": {front.Forms[0].Values.Get("formToken")}}
	h.idp = h.start() // any page will do
	if _, err := b.PostForm(t.Context(), h.start()+"/signin", fill); err != nil {
		t.Fatal(err)
	}
	if h.flow.signIns != 2 || h.flow.resumed != 0 {
		t.Errorf("%d began, %d went on", h.flow.signIns, h.flow.resumed)
	}
}

func TestPasswordPageNeedsAPendingSignIn(t *testing.T) {
	h := newHouse(t, nil)
	if p := h.open(browser.New(nil), "/signin/password"); p.URL.Path != "/" {
		t.Errorf("landed at %s", p.URL)
	}
}

func TestPasswordPageIsOverAfterTenMinutes(t *testing.T) {
	h := newHouse(t, nil)
	p := h.submit(h.open(browser.New(nil), "/"), map[string]string{"username": alice})
	h.world.Clock.Advance(11 * 60e9)
	p = h.submit(p, map[string]string{"password": good})
	if p.URL.Path != "/session" || h.flow.resumed != 0 {
		t.Errorf("the page names the person, so it begins anew: %s, %d went on", p.URL, h.flow.resumed)
	}
}

func TestReturnToLandsOnThisSiteOnly(t *testing.T) {
	for asked, want := range map[string]string{
		"/app/":              "/app/",
		"/session?x=1":       "/session",
		"//evil.test/":       "/",
		`/\evil.test`:        "/",
		"https://evil.test/": "/",
		"/%2f%2fevil.test":   "/",
	} {
		h := newHouse(t, nil)
		p := h.submit(h.open(browser.New(nil), "/?returnTo="+url.QueryEscape(asked)), map[string]string{"username": alice})
		p = h.submit(p, map[string]string{"password": good})
		if p.Status != 200 || p.URL.Path != want || "http://"+p.URL.Host != h.server.URL {
			t.Errorf("returnTo %q landed at %s", asked, p.URL)
		}
	}
}

func TestHarbourMailSendsToTheDoorAndBack(t *testing.T) {
	h := newHouse(t, nil)
	b := browser.New(nil)
	p := h.open(b, "/app/")
	if p.URL.Path != "/" || p.Forms[0].Values.Get("returnTo") != "/app/" {
		t.Fatalf("not signed in: %s", p.URL)
	}
	p = h.submit(h.submit(p, map[string]string{"username": alice}), map[string]string{"password": good})
	if p.URL.Path != "/app/" || !strings.Contains(p.Text(), "Signed in via PASSWORD HASH SYNCHRONISATION") || !strings.Contains(p.Text(), "Alice Arden") {
		t.Fatalf("in the application: %s %s", p.URL, p.Text())
	}
	if p = h.submit(p, nil); p.URL.Path != "/" {
		t.Fatalf("its sign-out: %s %s", p.URL, p.Text())
	}
	if p = h.open(b, "/app/"); p.URL.Path != "/" {
		t.Errorf("still in the application: %s", p.URL)
	}
}

func TestFormsNeedTheirToken(t *testing.T) {
	h := newHouse(t, nil)
	front := h.get("/")
	token := cookieNamed(front, "fourways_form").Value
	const form = "application/x-www-form-urlencoded"
	body := "username=" + url.QueryEscape(alice) + "&password=" + url.QueryEscape(good) + "&formToken="
	for name, w := range map[string]int{
		"no cookie":   h.post("/signin", form, body+token).Code,
		"no token":    h.post("/signin", form, body, as(front)).Code,
		"other token": h.post("/signin", form, body+strings.Repeat("A", len(token)), as(front)).Code,
		"sign-out":    h.post("/signout", form, "", as(front)).Code,
	} {
		if w != 403 {
			t.Errorf("%s: %d", name, w)
		}
	}
	if n := h.flow.calls(); n != 0 {
		t.Errorf("the flow was called %d times", n)
	}
	if w := h.post("/signin", form, body+token, as(front)); w.Code != 303 || w.Header().Get("Location") != "/session" {
		t.Errorf("with cookie and token: %d %s", w.Code, w.Body)
	}
}

func TestOtherSitesCanNotPost(t *testing.T) {
	h := newHouse(t, nil)
	body := `{"username":"alice@phs.example.test","password":"Spring-2025!"}`
	for name, tt := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"cross-site by Sec-Fetch-Site": {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		"another port of this host":    {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, 403},
		"cross-site by Origin":         {func(r *http.Request) { r.Header.Set("Origin", "https://evil.test") }, 403},
		"our page":                     {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }, 200},
		"our public origin by a proxy": {func(r *http.Request) { r.Header.Set("Origin", "http://localhost"); r.Host = "10.0.0.7:8400" }, 200},
		"a program":                    {func(*http.Request) {}, 200},
	} {
		if w := h.signIn(body, tt.change); w.Code != tt.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	in := h.signIn(body)
	evil := func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }
	if w := h.post("/signout", "application/json", "{}", as(in), evil); w.Code != 403 {
		t.Errorf("another site signs people out: %d", w.Code)
	}
	if w := h.post("/signout", "application/json", "{}", as(in)); w.Code != 204 {
		t.Errorf("a program signs out: %d", w.Code)
	}
	if w := h.get("/session", as(in)); w.Code != 401 {
		t.Errorf("after the sign-out: %d", w.Code)
	}
}

func TestUnavailablePageSaysWhenToTryAgain(t *testing.T) {
	h := newHouse(t, nil)
	p := h.submit(h.open(browser.New(nil), "/"), map[string]string{"username": "a@down.example.test"})
	p = h.submit(p, map[string]string{"password": good})
	if p.Status != 503 || p.Header.Get("Retry-After") == "" || !strings.Contains(p.Text(), authn.NoAgent.Public().Message) {
		t.Errorf("got %d %v %s", p.Status, p.Header, p.Text())
	}
}
