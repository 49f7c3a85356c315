package lab

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/world"
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
	err = l.Premises().RunAgents(t.Context(), "tls://127.0.0.1:1", nil, 1)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "remove that file") {
		t.Errorf("got %v", err)
	}
}

// An edit of the lab's file survives a restart: a swapped path, a domain of one's own, an identity provider of one's own.
func TestWhatSomebodyWroteIntoTheFileStays(t *testing.T) {
	l, err := startIn(t, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := config.Default()
	if err := l.Configure(c); err != nil {
		t.Fatal(err)
	}
	domains, idps := len(c.Domain), len(c.IdP)
	for i := range c.Domain {
		if c.Domain[i].Name == world.LabDomain {
			c.Domain[i].Path = authn.PathPTA
		}
	}
	c.Domain = append(c.Domain, config.Domain{Name: "mine.example.test", Path: authn.PathFederated, IdP: "mine"})
	c.IdP = append(c.IdP, config.IdP{ID: "mine", Protocol: "oidc", Domains: []string{"mine.example.test"}})
	if err := l.Configure(c); err != nil {
		t.Fatal(err)
	}
	if len(c.Domain) != domains+1 || len(c.IdP) != idps+1 {
		t.Fatalf("%d domains and %d identity providers, want %d and %d", len(c.Domain), len(c.IdP), domains+1, idps+1)
	}
	found := map[string]authn.Path{}
	for _, d := range c.Domain {
		found[d.Name] = d.Path
	}
	if found[world.LabDomain] != authn.PathPTA || found["mine.example.test"] != authn.PathFederated || found[world.PHSDomain] != authn.PathPHS {
		t.Errorf("%v", found)
	}
}
