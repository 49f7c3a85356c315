package trace

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
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

// heard is what a browser asked for, and what it complained of.
type heard struct {
	mu                 sync.Mutex
	asked, complaining []string
}

func (h *heard) hear(event any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "data:") {
			h.asked = append(h.asked, e.Request.URL)
		}
	case *log.EventEntryAdded:
		h.complaining = append(h.complaining, e.Entry.Text)
	case *runtime.EventExceptionThrown:
		h.complaining = append(h.complaining, e.ExceptionDetails.Text)
	}
}

// A real browser opens the page from a file: it asks for nothing else, has nothing to complain of, and nothing sticks out.
func TestThePageOpensFromAFile(t *testing.T) {
	tab := realtest.Chromium(t)
	var h heard
	if err := chromedp.Listen(tab, h.hear); err != nil {
		t.Fatal(err)
	}
	for _, command := range []cdp.Command[cdp.Empty, cdp.Empty]{log.Enable, runtime.Enable} {
		if _, err := chromedp.Call(tab, command, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := chromedp.Call(tab, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	hostile := withEverywhere(stories(t)["pta-hand-over"], `"><img src=http://127.0.0.1:9/ onerror=alert(1)><script src=http://127.0.0.1:9/></script>`)
	pages := map[string]Attempt{"hostile": hostile}
	for _, name := range []string{"cloud-denied", "phs-two-pages", "pta-hand-over", "pta-unavailable", "pta-dc-hangs", "pta-unknown-user", "federated-allowed", "federated-denied", "federated-abandoned"} {
		pages[name] = stories(t)[name]
	}
	for name, a := range pages {
		file := filepath.Join(t.TempDir(), "trace.html")
		if err := os.WriteFile(file, []byte(drawn(t, drawings()["html"], a)), 0o600); err != nil {
			t.Fatal(err)
		}
		h.asked = nil
		for _, width := range []int64{1280, 390} {
			for _, scheme := range []string{"light", "dark"} {
				look(t, tab, width, scheme)
				if err := chromedp.Do(tab, chromedp.Navigate((&url.URL{Scheme: "file", Path: file}).String())); err != nil {
					t.Fatal(err)
				}
				realtest.Screenshot(t, tab, fmt.Sprintf("trace-%s-%d-%s", name, width, scheme))
				outside, err := chromedp.Run(tab, chromedp.Evaluate[int](`document.documentElement.scrollWidth - innerWidth`))
				if err != nil || outside > 0 {
					t.Errorf("%s at %d px sticks out by %d px (%v)", name, width, outside, err)
				}
			}
		}
		shown, err := chromedp.Run(tab, chromedp.Evaluate[int](`document.querySelector(".replay button").click(); document.querySelectorAll("g.row.later").length`))
		if err != nil || shown == 0 {
			t.Errorf("%s: the replay hides nothing at its beginning (%v)", name, err)
		}
		if len(h.asked) != 4 {
			t.Errorf("%s asked for %q", name, h.asked)
		}
	}
	if len(h.complaining) > 0 {
		t.Errorf("the browser complained: %q", h.complaining)
	}
}

// look sets the window's width and what its owner prefers.
func look(t *testing.T, tab context.Context, width int64, scheme string) {
	t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if err := chromedp.Do(tab, chromedp.EmulateViewport(width, 900)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(tab, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
}
