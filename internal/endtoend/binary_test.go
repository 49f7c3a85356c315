package endtoend_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// ready is what the lab writes into its ready-file.
type ready struct {
	SignInURL string `json:"signin_url"`
	Console   string `json:"console_url"`
	Token     string `json:"token"`
	IdPURL    string `json:"idp_url"`
	Users     []struct {
		UPN, Password, Path string
	} `json:"users"`
}

// upLab builds the command and runs `fourways up` until the test ends, as somebody does who tries it out.
func upLab(t *testing.T) ready {
	t.Helper()
	dir := t.TempDir()
	binary, file := filepath.Join(dir, "fourways"), filepath.Join(dir, "ready.json")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "github.com/fourways-id/fourways/cmd/fourways")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	up := exec.Command(binary, "up", "--ephemeral", "--port", "0", "--quiet", "--ready-file", file)
	up.Dir, up.Env = dir, append(os.Environ(), "TMPDIR="+dir)
	log := &logBook{}
	up.Stdout, up.Stderr = log, log
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- up.Wait() }()
	t.Cleanup(func() {
		_ = up.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("`fourways up` should end with exit 0 when it is told to: %v\n%s", err, log.bytes())
			}
		case <-time.After(hang):
			_ = up.Process.Kill()
			t.Errorf("`fourways up` did not end:\n%s", log.bytes())
		}
	})
	var r ready
	eventually(t, "`fourways up` is ready", func() bool {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("it ended: %v\n%s", err, log.bytes())
		default:
		}
		body, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(body, &r) == nil && r.SignInURL != ""
	})
	return r
}

// password is what works for somebody now.
func (r ready) password(t *testing.T, upn string) string {
	t.Helper()
	for _, u := range r.Users {
		if u.UPN == upn {
			return u.Password
		}
	}
	t.Fatalf("the ready-file knows nobody called %s", upn)
	return ""
}
