package endtoend_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/fourways-id/fourways/internal/realtest"
)

// journey is one person's way.
type journey struct {
	name, upn string
	via       string // what the last page calls the path
	away      bool   // the password is typed at the identity provider
}

func journeys() []journey {
	return []journey{
		{"cloud", "alice@cloud.example.test", "cloud", false},
		{"phs", "alice@phs.example.test", "password hash sync", false},
		{"pta", "alice@pta.example.test", "pass-through", false},
		{"saml", "alice@saml.example.test", "federat", true},
		{"oidc", "alice@oidc.example.test", "federat", true},
	}
}

func TestPeopleSignInWithABrowser(t *testing.T) {
	realtest.Need(t, "chromium")
	lab := upLab(t)
	for _, j := range journeys() {
		t.Run(j.name, func(t *testing.T) { withScripts(t, lab, j) })
	}
	for _, j := range journeys() {
		if j.name == "cloud" || j.name == "saml" {
			t.Run(j.name+" without scripts", func(t *testing.T) { withoutScripts(t, lab, j) })
		}
	}
	t.Run("on a phone", func(t *testing.T) { onAPhone(t, lab) })
}

func withScripts(t *testing.T, lab ready, j journey) {
	w := openWindow(t, j.name)
	w.types(lab.SignInURL, j.upn)
	if at := w.location(); strings.HasPrefix(at, lab.IdPURL) != j.away {
		t.Fatalf("the password is asked for at %s", at)
	}
	w.picture("2-password")
	w.enters("not-her-password", chromedp.WaitVisible(alertBox))
	if told := w.text(alertBox); len(told) < 10 {
		t.Errorf("the alert says only %q", told)
	}
	w.picture("3-wrong")
	w.enters(lab.password(t, j.upn), chromedp.WaitVisible(signedIn))
	w.picture("4-signed-in")
	w.ends(j)
	w.do(chromedp.Navigate(lab.SignInURL+"/app/"), chromedp.WaitVisible(signedIn))
	w.picture("5-mail")
	w.ends(j)
	w.quiet()
	w.do(chromedp.Click(`form[action="/signout"] button`), chromedp.WaitVisible(userField))
	w.picture("6-signed-out")
}

// ends fails unless the page names the person and the path.
func (w *window) ends(j journey) {
	w.t.Helper()
	if via := w.text(signedIn); !strings.Contains(strings.ToLower(via), j.via) {
		w.t.Errorf("the page says %q, want it to name %q", via, j.via)
	}
	if who := w.text(".upn"); who != j.upn {
		w.t.Errorf("the page names %q, want %s", who, j.upn)
	}
}

func withoutScripts(t *testing.T, lab ready, j journey) {
	w := openWindow(t, j.name+"-noscript")
	w.withoutScripts()
	w.types(lab.SignInURL, j.upn)
	w.picture("2-password")
	if j.away { // two pages wait for a click where a script would go on: Harbour ID's, then ours
		w.enters(lab.password(t, j.upn), chromedp.WaitVisible(`#answer button`))
		w.picture("3-carry")
		w.do(chromedp.Click(`#answer button`), chromedp.WaitVisible(`form[data-forward] button`))
		w.picture("3-carry-on")
		w.do(chromedp.Click(`form[data-forward] button`), chromedp.WaitVisible(signedIn))
	} else {
		w.enters("not-her-password", chromedp.WaitVisible(alertBox))
		w.picture("3-wrong")
		w.enters(lab.password(t, j.upn), chromedp.WaitVisible(signedIn))
	}
	w.picture("4-signed-in")
	w.ends(j)
	w.quiet()
}

// onAPhone looks at every page on the narrowest screen that people still use (WCAG 2.2, 1.4.10: 320 CSS pixels).
func onAPhone(t *testing.T, lab ready) {
	w := openWindow(t, "phone")
	w.do(chromedp.EmulateViewport(320, 640))
	saml, pta := "alice@saml.example.test", "alice@pta.example.test"
	w.do(chromedp.Navigate(lab.SignInURL), chromedp.Click(".people summary"), chromedp.WaitVisible(".people code"))
	w.fits("people")
	w.types(lab.SignInURL, saml)
	w.fits("harbour")
	w.types(lab.SignInURL+"/?switch=1", pta)
	w.enters("not-her-password", chromedp.WaitVisible(alertBox))
	w.do(chromedp.Click("#alert summary"), chromedp.WaitVisible("#alert code"))
	w.fits("alert")
	w.enters(lab.password(t, pta), chromedp.WaitVisible(signedIn))
	w.fits("signed-in")
	w.do(chromedp.Navigate(lab.SignInURL+"/app/"), chromedp.WaitVisible(signedIn))
	w.fits("mail")
	w.quiet()
}

func TestTheBrowsersComplaintsAreHeard(t *testing.T) {
	realtest.Need(t, "chromium")
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Security-Policy", "script-src 'self'; img-src *")
		_, _ = rw.Write([]byte(`<!doctype html><title>x</title><script>1</script><img src="http://elsewhere.example/x.png" alt=""><p id="p">here</p>`))
	}))
	t.Cleanup(server.Close)
	w := openWindow(t, "control")
	w.do(chromedp.Navigate(server.URL), chromedp.WaitVisible("#p"))
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.ContainsFunc(w.complaints, func(s string) bool { return strings.Contains(s, "Content Security Policy") }) {
		t.Errorf("a violation was not heard: %v", w.complaints)
	}
	if !slices.Equal(w.strayed, []string{"http://elsewhere.example/x.png"}) {
		t.Errorf("a request elsewhere was not heard: %v", w.strayed)
	}
}
