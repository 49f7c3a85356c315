package deploy_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/realtest"
)

// hang is a guard against a directory that never answers, not a measure of speed.
const hang = 30 * time.Second

// directory starts the trial's OpenLDAP as its container does, on loopback, and returns its address.
func directory(t *testing.T, folder string) string {
	t.Helper()
	home := filepath.Join(folder, "ldap")
	for name, target := range map[string]string{"secrets": "secrets", "data": filepath.Join("data", "ldap")} {
		if err := os.Symlink(filepath.Join(folder, target), filepath.Join(home, name)); err != nil {
			t.Fatal(err)
		}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("./start.sh")
	cmd.Dir, cmd.Env = home, append(os.Environ(), "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LISTEN=ldaps://"+address)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { defer close(over); _ = cmd.Wait() }() // how it ends is no matter
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-over
	})
	for deadline := time.Now().Add(hang); ; {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return address
		}
		select {
		case <-over:
			t.Fatalf("the directory ended: %s", said.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("the directory does not answer")
		}
	}
}

func TestTheAgentSignsPeopleInAtTheTrialsDirectory(t *testing.T) {
	realtest.Need(t, "openldap")
	folder := prepared(t)
	address := directory(t, folder)
	agent := filepath.Join(t.TempDir(), "fourways-agent")
	run(t, "..", "go", "build", "-o", agent, "./cmd/fourways-agent")
	right, err := os.ReadFile(filepath.Join(folder, "secrets", "alice.password"))
	if err != nil {
		t.Fatal(err)
	}
	const denied = 7 // exit code
	for _, c := range []struct {
		name, password string
		code           int
	}{
		{"alice@corp.example.com", string(right), 0},
		{"alice@corp.example.com", "wrong", denied},
		{"nobody@corp.example.com", string(right), denied},
	} {
		cmd := exec.Command(agent, "test", c.name, "--password-stdin", "-c", "agent.toml")
		cmd.Dir, cmd.Stdin = folder, strings.NewReader(c.password)
		cmd.Env = append(os.Environ(), "FOURWAYS_AGENT_DIRECTORY__URLS=ldaps://"+address)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if code := cmd.ProcessState.ExitCode(); code != c.code || err != nil && !errors.As(err, &exit) {
			t.Errorf("%s with %d bytes of password: exit code %d, want %d\n%s", c.name, len(c.password), code, c.code, out)
		}
	}
}
