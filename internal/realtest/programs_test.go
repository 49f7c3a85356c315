package realtest

import (
	"bytes"
	"context"
	"image/png"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestPostgresGivesEachTestADatabaseOfItsOwn(t *testing.T) {
	one, two := Postgres(t), Postgres(t)
	ask := func(d *Database, statement string) (string, error) {
		return tool("/", statement, "psql", "-qtAX", "--set=ON_ERROR_STOP=1", "--dbname="+d.URL)
	}
	if got, err := ask(one, "CREATE TABLE mine (n int); INSERT INTO mine VALUES (42); SELECT n FROM mine;"); err != nil || strings.TrimSpace(got) != "42" {
		t.Fatalf("first database: %q, %v; want 42", got, err)
	}
	if _, err := ask(two, "SELECT n FROM mine;"); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("second database sees the first one's table: %v", err)
	}
	two.URL = strings.Replace(two.URL, two.Password, "wrong", 1)
	if _, err := ask(two, "SELECT 1;"); err == nil || !strings.Contains(err.Error(), "password authentication failed") {
		t.Errorf("a wrong password: %v, want a refusal", err)
	}
}

func TestPostgresThatWasStoppedComesBackWithWhatItHad(t *testing.T) {
	p := NewPostgres(t)
	if _, err := p.psql(p.Name, "CREATE TABLE mine (n int); INSERT INTO mine VALUES (42);"); err != nil {
		t.Fatal(err)
	}
	p.Stop()
	if got, err := p.psql(p.Name, "SELECT n FROM mine"); err == nil {
		t.Errorf("a server that was stopped answers %q", got)
	}
	p.Start(t)
	if got, err := p.psql(p.Name, "SELECT n FROM mine"); err != nil || strings.TrimSpace(got) != "42" {
		t.Errorf("%q, %v; want 42", got, err)
	}
}

func TestChromiumShowsALoopbackPageAndReachesNothingElse(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`<!doctype html><title>Hello</title><h1 id="h">before</h1><script>h.textContent = "after"</script>`))
	}))
	t.Cleanup(server.Close)
	tab := Chromium(t)
	if err := chromedp.Do(tab, chromedp.Navigate(server.URL)); err != nil {
		t.Fatal(err)
	}
	if got, err := chromedp.Run(tab, chromedp.Text("#h")); err != nil || got != "after" {
		t.Errorf("the page says %q, %v; want its script's text", got, err)
	}
	picture, err := os.ReadFile(Screenshot(t, tab, "hello"))
	if err != nil {
		t.Fatal(err)
	}
	shape, err := png.DecodeConfig(bytes.NewReader(picture))
	if err != nil || shape.Width < 1000 || shape.Height < 500 {
		t.Errorf("screenshot: %+v, %v", shape, err)
	}
	if err := chromedp.Do(tab, chromedp.Navigate("http://example.com/")); err == nil || !strings.Contains(err.Error(), "ERR_NAME_NOT_RESOLVED") {
		t.Errorf("a name off the machine: %v, want one that doesn't resolve", err)
	}
}

func TestPromtoolTakesAGoodExpositionAndRefusesABadOne(t *testing.T) {
	tool := Promtool(t)
	const good = "# HELP fourways_signins_total Sign-ins.\n# TYPE fourways_signins_total counter\nfourways_signins_total 1\n"
	if err := tool.CheckMetrics([]byte(good)); err != nil {
		t.Errorf("good: %v", err)
	}
	if err := tool.CheckMetrics([]byte(strings.Replace(good, "# HELP", "# HELPLESS", 1))); err == nil {
		t.Error("an exposition without help text passed")
	}
	if err := tool.CheckMetrics(nil); err == nil {
		t.Error("an empty exposition passed")
	}
}

func TestAServerThatEndsBeforeItAnswersIsReportedWithItsLastWords(t *testing.T) {
	on := &stage{cleanup: t.Cleanup}
	p, err := on.start(t.TempDir(), exec.Command("/bin/sh", "-c", "echo the disk is on fire; exit 3"))
	if err != nil {
		t.Skipf("no /bin/sh on this system: %v", err)
	}
	err = p.ready(func(context.Context) error { return net.ErrClosed })
	if err == nil || !strings.Contains(err.Error(), "the disk is on fire") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v, want the exit status and what the server said", err)
	}
}

func TestStopEndsTheServerAndWhatItForked(t *testing.T) {
	var ends []func()
	on := &stage{cleanup: func(end func()) { ends = append(ends, end) }}
	folder := t.TempDir()
	// The child ignores SIGTERM and holds a pipe open, so reading to its end proves that it is gone.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command("/bin/sh", "-c", `(trap "" TERM; echo ready >&3; while :; do sleep 1; done) & wait`)
	cmd.ExtraFiles = []*os.File{w}
	p, err := on.start(folder, cmd)
	if err != nil {
		t.Skipf("no /bin/sh on this system: %v", err)
	}
	_ = w.Close()
	if _, err := r.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	for _, end := range ends {
		end()
	}
	select {
	case <-p.done:
	default:
		t.Error("the server still runs")
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("the server's child still runs: read %d, %v", n, err)
	}
}
