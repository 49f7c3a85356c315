package endtoend_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/fourways-id/fourways/internal/realtest"
)

// window is a real browser with somebody before it, and what it complained of.
type window struct {
	t     *testing.T
	tab   context.Context //nolint:containedctx // chromedp's handle of a tab
	shots string          // what the pictures' names begin with

	mu         sync.Mutex
	complaints []string // console errors, violations of the content security policy, exceptions
	strayed    []string // requests that would have left this machine
}

func openWindow(t *testing.T, shots string) *window {
	t.Helper()
	w := &window{t: t, tab: realtest.Chromium(t), shots: shots}
	if err := chromedp.Listen(w.tab, w.hear); err != nil {
		t.Fatal(err)
	}
	for _, command := range []cdp.Command[cdp.Empty, cdp.Empty]{log.Enable, runtime.Enable} {
		if _, err := chromedp.Call(w.tab, command, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := chromedp.Call(w.tab, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	return w
}

// withoutScripts is the browser of somebody who runs none.
func (w *window) withoutScripts() {
	w.t.Helper()
	if _, err := chromedp.Call(w.tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *window) hear(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !onLoopback(e.Request.URL) {
			w.strayed = append(w.strayed, e.Request.URL)
		}
	case *log.EventEntryAdded:
		if e.Entry.Source == "network" && strings.Contains(e.Entry.Text, "status of 401") {
			return // the browser's own word for a refused sign-in
		}
		if e.Entry.Level == "error" || e.Entry.Level == "warning" {
			w.complaints = append(w.complaints, fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *runtime.EventExceptionThrown:
		w.complaints = append(w.complaints, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" || e.Type == "assert" {
			w.complaints = append(w.complaints, "console."+string(e.Type))
		}
	}
}

func onLoopback(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "data" || u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// quiet fails when the browser complained, or wanted to go elsewhere.
func (w *window) quiet() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.complaints) > 0 {
		w.t.Errorf("the browser complained:\n%s", strings.Join(w.complaints, "\n"))
	}
	if len(w.strayed) > 0 {
		w.t.Errorf("it wanted to go to:\n%s", strings.Join(w.strayed, "\n"))
	}
}

func (w *window) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	if err := chromedp.Do(w.tab, steps...); err != nil {
		at, _ := chromedp.Run(w.tab, chromedp.Location())
		w.t.Fatalf("at %s: %v; %s", at, err, realtest.Screenshot(w.t, w.tab, w.shots+"-failed"))
	}
}

func (w *window) picture(name string) { realtest.Screenshot(w.t, w.tab, w.shots+"-"+name) }

func (w *window) text(selector string) string {
	w.t.Helper()
	text, err := chromedp.Run(w.tab, chromedp.Text(selector))
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

func (w *window) location() string {
	w.t.Helper()
	at, err := chromedp.Run(w.tab, chromedp.Location())
	if err != nil {
		w.t.Fatal(err)
	}
	return at
}

const (
	userField, passwordField = "#username", "#password"
	next                     = `form[action="/signin"] button[type=submit]`
	anySubmit                = `form button[type=submit]`
	alertBox                 = `[role=alert]`
	signedIn                 = `.via` // on our own page and in the application alike
)

// types enters the name on the first page and goes on to the one that asks for the password.
func (w *window) types(base, upn string) {
	w.t.Helper()
	w.do(chromedp.Navigate(base), chromedp.SendKeys(userField, upn))
	w.picture("1-name")
	w.do(chromedp.Click(next), chromedp.WaitVisible(passwordField))
}

// enters types the password and sends it.
func (w *window) enters(password string, then chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	w.do(chromedp.SendKeys(passwordField, password), chromedp.Click(anySubmit), then)
}

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
