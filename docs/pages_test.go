package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/config"
)

// headings are those of every page in docs/paths, in this order.
func headings() []string {
	return []string{
		"What it is", "Who decides", "What the gateway holds", "What it talks to", "Step by step", "Account states",
		"Configuration", "Metrics", "What can go wrong", "Differences from Microsoft", "Security considerations",
	}
}

func TestPathPagesHaveTheSameHeadings(t *testing.T) {
	pages, err := filepath.Glob("paths/*.md")
	if err != nil || len(pages) != 4 {
		t.Fatalf("%q, %v: want one page for each of four paths", pages, err)
	}
	for _, file := range pages {
		var have []string
		for line := range strings.Lines(read(t, file)) {
			if h, ok := strings.CutPrefix(strings.TrimSpace(line), "## "); ok {
				have = append(have, h)
			}
		}
		if !slices.Equal(have, headings()) {
			t.Errorf("%s has the headings %q, want %q", file, have, headings())
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// markdown lists the pages that this module publishes.
func markdown(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("../*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{".", "../deploy"} {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && filepath.Ext(path) == ".md" {
				all = append(all, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// Settings in a page begin with the name of the file that they belong into.
var settings = regexp.MustCompile("(?s)```toml\n# (fourways|agent)\\.toml\n.*?```\n")

func TestSettingsInPagesAreTaken(t *testing.T) {
	found := 0
	for _, page := range markdown(t) {
		for _, block := range settings.FindAllString(read(t, page), -1) {
			found++
			text := strings.TrimSuffix(strings.TrimPrefix(block, "```toml\n"), "```\n")
			if err := take(t, text); err != nil {
				t.Errorf("%s: these settings are refused: %v\n%s", page, err, text)
			}
		}
	}
	if found < 7 {
		t.Errorf("%d blocks of settings were found, at least 7 are there", found)
	}
	if take(t, "# agent.toml\nnothing = 1\n") == nil || take(t, "# fourways.toml\nnothing = 1\n") == nil {
		t.Error("settings that nobody knows are taken, so this test proves nothing")
	}
}

func take(t *testing.T, text string) error {
	t.Helper()
	if strings.HasPrefix(text, "# fourways.toml") {
		_, err := config.Load("fourways.toml", []byte(text))
		return err
	}
	file := filepath.Join(t.TempDir(), "agent.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.LoadAgent(file)
	return err
}

// link is [text](target), not an image from elsewhere.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	found := 0
	for _, page := range markdown(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			found++
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), filepath.FromSlash(target))
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
				continue
			}
			if anchor != "" && filepath.Ext(file) == ".md" && !anchors(read(t, file))[anchor] {
				t.Errorf("%s links to %s, and there is no such place on that page", page, m[1])
			}
		}
	}
	if found < 40 {
		t.Errorf("%d links were found, so this test proves little", found)
	}
}

// anchors are the places of a page that a link can name: its headings, as GitHub makes addresses of them, and named ones.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, m := range regexp.MustCompile(`<a id="([^"]+)">`).FindAllStringSubmatch(text, -1) {
		all[m[1]] = true
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			h := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
			h = regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(h, "")
			all[strings.ReplaceAll(h, " ", "-")] = true
		}
	}
	return all
}
