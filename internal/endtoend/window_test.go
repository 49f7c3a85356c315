package endtoend_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
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

// fits fails when the page has to be scrolled sideways.
func (w *window) fits(name string) {
	w.t.Helper()
	w.picture(name)
	over, err := chromedp.Run(w.tab, chromedp.Evaluate[int]("document.documentElement.scrollWidth - window.innerWidth"))
	if err != nil || over > 0 {
		w.t.Errorf("%s is %d pixels too wide: %v", name, over, err)
	}
}
