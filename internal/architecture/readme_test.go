package architecture

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fourways stands in for the program: it says that it is ready and ends well on SIGINT, or not.
const fourways = `#!/bin/bash
trap 'echo interrupted; exit '"${STATUS:-0}" INT
echo "is $1, ready"
while :; do sleep 0.05; done
`

func typePage(t *testing.T, page string, env ...string) (string, error) {
	t.Helper()
	script, err := filepath.Abs(filepath.Join(root, ".ci/readme"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, text := range map[string]string{"README.md": page, "fourways": fourways} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("bash", script, "README.md")
	cmd.Dir, cmd.Env = folder, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestWhatAPageTellsPeopleToTypeIsTyped(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("SKIPPED: .ci/readme needs bash")
	}
	const mark = "<!-- ci:run -->\n"
	block := func(lines string) string { return "```sh\n" + lines + "\n```\n" }
	server := mark + block("./fourways up") + "Then:\n" + mark
	for _, c := range []struct {
		name, page string
		env        []string
		ok         bool
		says       string
	}{
		{"commands beside a running server", server + block("echo one \\\ntwo"), nil, true, "one two\nis up, ready\ninterrupted"},
		{"blocks without a mark are not typed", server + block("echo typed") + block("exit 9"), nil, true, "typed"},
		{"a page with one marked block", mark + block("echo typed"), nil, false, "at least 2"},
		{"a command that fails", server + block("false"), nil, false, "$ false"},
		{"a server that ends badly on SIGINT", server + block("echo typed"), []string{"STATUS=3"}, false, "exit status 3"},
		{"a server that is never ready", mark + block("./nothing fourways up") + mark + block("echo typed"), nil, false, "no ready line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := typePage(t, c.page, c.env...)
			if (err == nil) != c.ok || !strings.Contains(out, c.says) {
				t.Errorf("ended with %v, said:\n%s\nwant success %v and %q", err, out, c.ok, c.says)
			}
		})
	}
}
