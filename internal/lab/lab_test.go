package lab

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/directory"
)

func startIn(t *testing.T, dir string) (*Lab, error) {
	t.Helper()
	return Start(t.Context(), Options{
		Dir: dir, Seed: 1, PublicURL: "http://localhost:1", LDAPListen: "127.0.0.1:0", IdPListen: "127.0.0.1:0", Clock: wallClock{}, Log: slog.New(slog.DiscardHandler),
	})
}

func TestTwoLabsDoNotShareAFolder(t *testing.T) {
	dir := t.TempDir()
	first, err := startIn(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := startIn(t, dir); !errors.Is(err, directory.ErrConflict) {
		if err == nil {
			second.Close()
		}
		t.Errorf("a second lab started beside the first: %v", err)
	}
	first.Close()
	third, err := startIn(t, dir)
	if err != nil {
		t.Fatalf("the first has ended: %v", err)
	}
	third.Close()
}

func TestADamagedKeyFileOfTheAgentSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	l, err := startIn(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	path := filepath.Join(dir, agentlink.IdentityFile)
	if err := os.WriteFile(path, []byte(`{"half`), 0o600); err != nil {
		t.Fatal(err)
	}
	err = l.RunAgent(t.Context(), "tls://127.0.0.1:1", nil)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "remove that file") {
		t.Errorf("got %v", err)
	}
}
