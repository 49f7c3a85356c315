package realtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	browserWithin      = 2 * time.Minute // a hang guard for all that one test does in its browser
	screenshotVariable = "FOURWAYS_SCREENSHOTS"
)

// Chromium gives the context of an empty tab in a headless browser of the test's own, with an empty profile.
// It reaches loopback and nothing else: any other name doesn't resolve. Use it with chromedp.Do and chromedp.Run.
func Chromium(t testing.TB) context.Context {
	t.Helper()
	Need(t, "chromium")
	path, err := program("chromium")
	if err != nil {
		t.Fatal(err)
	}
	profile, err := (&stage{cleanup: t.Cleanup}).folder("chromium")
	if err != nil {
		t.Fatal(err)
	}
	guard, cancelGuard := context.WithTimeout(context.Background(), browserWithin)
	t.Cleanup(cancelGuard)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // root has no other way; every page comes from this test
		chromedp.UserDataDir(profile),
		chromedp.WindowSize(1280, 900),
		chromedp.Flag("lang", "en-US"),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.*"),
	)
	machine, cancelMachine := chromedp.NewExecAllocator(guard, options...)
	t.Cleanup(cancelMachine)
	tab, cancelTab := chromedp.NewContext(machine)
	t.Cleanup(cancelTab)
	if err := chromedp.Do(tab); err != nil { // no steps: only starts it
		t.Fatalf("chromium did not start: %v", err)
	}
	return tab
}

// Screenshot writes the whole page as name.png and gives its path. The file stays when FOURWAYS_SCREENSHOTS names
// a folder; otherwise it goes with the test.
func Screenshot(t testing.TB, tab context.Context, name string) string {
	t.Helper()
	folder := os.Getenv(screenshotVariable)
	if folder == "" {
		folder = t.TempDir()
	}
	path, err := screenshot(tab, folder, name)
	if err != nil {
		t.Fatalf("screenshot %s: %v", name, err)
	}
	return path
}

func screenshot(tab context.Context, folder, name string) (string, error) {
	png, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return "", fmt.Errorf("folder for screenshots: %w", err)
	}
	path := filepath.Join(folder, name+".png")
	return path, os.WriteFile(path, png, 0o600)
}
