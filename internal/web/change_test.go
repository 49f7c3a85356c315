package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/client/browser"
)

const better = "A-better-one-77"

func TestAPersonChangesThePasswordBeforeComingIn(t *testing.T) {
	h := newHouse(t, nil)
	b := browser.New(nil)
	p := h.submit(h.open(b, "/?returnTo=/app/"), map[string]string{"username": grace})
	p = h.submit(p, map[string]string{"password": good})
	id := string(h.world.Finals()[1].Record.ID)
	if p.Title != "Change your password · fourways" || !strings.Contains(p.Alert(), "must be changed") || !strings.Contains(p.Alert(), id) || !strings.Contains(p.Alert(), "50055") {
		t.Fatalf("after the right password: %d %s", p.Status, p.Text())
	}
	if h.open(b, "/session").URL.Path != "/" {
		t.Fatal("there is a session before the change")
	}
	p = h.submit(p, map[string]string{"password": good, "newPassword": "short", "newPasswordAgain": "short"})
	if p.Status != 200 || !strings.Contains(p.Alert(), tooShort) {
		t.Fatalf("a short one: %d %s", p.Status, p.Text())
	}
	p = h.submit(p, map[string]string{"password": good, "newPassword": better, "newPasswordAgain": better})
	if p.URL.Path != "/app/" || p.Status != 200 {
		t.Fatalf("changed: %s %d %s", p.URL, p.Status, p.Text())
	}
	finals := h.world.Finals()
	last := finals[len(finals)-1]
	if !last.Changed || string(last.Credential) != "new record" || string(last.Checked) != "old record" || last.Session == nil || string(last.Record.ID) != id {
		t.Errorf("what was committed: changed %v, %q over %q, attempt %s", last.Changed, last.Credential, last.Checked, last.Record.ID)
	}
	for _, f := range finals[:len(finals)-1] {
		if f.Session != nil || f.Changed || f.Effect != authn.LeaveTally {
			t.Errorf("step %d: session %v, changed %v, effect %v", f.Record.Seq, f.Session != nil, f.Changed, f.Effect)
		}
	}
}

func TestAWrongCurrentPasswordIsAGuess(t *testing.T) {
	h := newHouse(t, nil)
	p := h.submit(h.open(browser.New(nil), "/signin/change"), map[string]string{"username": carol, "password": "wrong", "newPassword": better, "newPasswordAgain": better})
	if p.Status != 401 || !strings.Contains(p.Alert(), "The user name or password is incorrect.") || h.world.Tally("account:c-cloud") != 1 {
		t.Fatalf("%d %s, %d guesses", p.Status, p.Text(), h.world.Tally("account:c-cloud"))
	}
	p = h.submit(p, map[string]string{"password": good, "newPassword": better, "newPasswordAgain": better})
	if p.URL.Path != "/session" {
		t.Fatalf("second try: %s %s", p.URL, p.Text())
	}
}

func TestTheNewPasswordIsTypedTwiceTheSame(t *testing.T) {
	h := newHouse(t, nil)
	p := h.open(browser.New(nil), "/signin/change")
	for name, fill := range map[string]map[string]string{
		"not the same": {"username": carol, "password": good, "newPassword": better, "newPasswordAgain": better + "x"},
		"once":         {"username": carol, "password": good, "newPassword": better},
		"no old one":   {"username": carol, "newPassword": better, "newPasswordAgain": better},
	} {
		if again := h.submit(p, fill); again.Status != 400 || again.Title != "Change your password · fourways" || again.Alert() == "" {
			t.Errorf("%s: %d %s", name, again.Status, again.Text())
		}
	}
	if h.flow.calls() != 0 {
		t.Errorf("%d sign-ins were made of it", h.flow.calls())
	}
}

func TestAProgramChangesThePasswordInOneRequest(t *testing.T) {
	h := newHouse(t, nil)
	ask := func(user, old, fresh string) (int, map[string]any) {
		w := h.signIn(`{"username":"` + user + `","password":"` + old + `","newPassword":"` + fresh + `"}`)
		return w.Code, decode(t, w.Body)
	}
	challenge := func(m map[string]any) map[string]any { c, _ := m["challenge"].(map[string]any); return c }

	w := h.signIn(`{"username":"` + grace + `","password":"` + good + `"}`)
	if got := w.Body.String(); w.Code != 200 || !strings.Contains(got, `"challenge":{"kind":"change_password","code":50055,"name":"cloud_must_change","message":"Your password must be changed before you can sign in: choose a new one."}`) {
		t.Errorf("must change: %d %s", w.Code, got)
	}
	if cookieNamed(w, "fourways_session") != nil {
		t.Error("a session before the change")
	}
	if code, m := ask(grace, good, "short"); code != 200 || m["verdict"] != "challenged" || challenge(m)["message"] != tooShort || challenge(m)["code"] != 50055.0 {
		t.Errorf("too short: %d %v", code, m)
	}
	if code, m := ask(carol, good, "short"); code != 200 || challenge(m)["message"] != tooShort || challenge(m)["code"] != nil {
		t.Errorf("too short, unasked: %d %v", code, m)
	}
	for _, user := range []string{grace, carol} {
		if code, m := ask(user, good, better); code != 200 || m["verdict"] != "allowed" {
			t.Errorf("%s: %d %v", user, code, m)
		}
	}
	if w := h.signIn(`{"username":"` + grace + `","newPassword":"` + better + `"}`); w.Code != 400 {
		t.Errorf("a new one alone: %d %s", w.Code, w.Body)
	}
}

func TestAPasswordThatLivesElsewhereIsNotChangedHere(t *testing.T) {
	h := newHouse(t, nil)
	for user, want := range map[string]string{alice: "your organisation's own", "alice@saml.example.test": "identity provider keeps it", "zoe@phs.example.test": "your organisation's own"} {
		w := h.signIn(`{"username":"` + user + `","password":"` + good + `","newPassword":"` + better + `"}`)
		m := decode(t, w.Body)
		c, _ := m["challenge"].(map[string]any)
		if message, _ := c["message"].(string); m["verdict"] != "challenged" || !strings.Contains(message, want) || c["kind"] == "change_password" {
			t.Errorf("%s: %v", user, m)
		}
		p := h.submit(h.open(browser.New(nil), "/signin/change"), map[string]string{"username": user, "password": good, "newPassword": better, "newPasswordAgain": better})
		if !strings.Contains(p.Alert(), want) {
			t.Errorf("%s, page: %s %s", user, p.URL, p.Text())
		}
	}
	for _, f := range h.world.Finals() {
		if f.Session != nil || f.Credential != nil || f.Effect != authn.LeaveTally {
			t.Errorf("%s: session %v, credential %q, effect %v", f.Record.Who, f.Session != nil, f.Credential, f.Effect)
		}
	}
}

func TestNoPageOrRecordOfAChangeShowsAPassword(t *testing.T) {
	h := newHouse(t, nil)
	b := browser.New(nil)
	var seen strings.Builder
	p := h.submit(h.open(b, "/"), map[string]string{"username": grace})
	p = h.submit(p, map[string]string{"password": good})
	seen.Write(p.Body)
	for _, fill := range []map[string]string{
		{"password": good, "newPassword": "Cn-9", "newPasswordAgain": "Cn-9"},
		{"password": good, "newPassword": better, "newPasswordAgain": "x"},
		{"password": "wrong", "newPassword": better, "newPasswordAgain": better},
		{"password": good, "newPassword": better, "newPasswordAgain": better},
	} {
		p = h.submit(p, fill)
		seen.Write(p.Body)
		if cookies := p.Header["Set-Cookie"]; len(cookies) > 0 {
			seen.WriteString(strings.Join(cookies, "\n"))
		}
	}
	if p.URL.Path != "/session" {
		t.Fatalf("control: the change was not made: %s", p.Text())
	}
	for _, f := range h.world.Finals() {
		for _, s := range f.Record.Steps {
			seen.WriteString(string(s.ID))
			for _, v := range s.Facts {
				seen.WriteString(v)
			}
		}
		seen.WriteString(f.Record.Cause)
	}
	for _, secret := range []string{better, url.QueryEscape(good), "Cn-9"} {
		if forms := authntest.Leaks([]byte(seen.String()), secret); len(forms) > 0 {
			t.Errorf("%s is shown: %v", secret, forms)
		}
	}
}
