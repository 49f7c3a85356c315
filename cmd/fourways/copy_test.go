package main

import (
	"path/filepath"
	"testing"

	"github.com/fourways-id/fourways/internal/config"
)

// An exposed lab's file says where its agents dial. Those of a copy that dialled there would never come to the copy.
func TestACopysAgentsDoNotDialTheLab(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "lab.toml"), filepath.Join(dir, "copy.toml")
	c := config.Default()
	c.Server.PublicURL, c.Server.AgentURL, c.Sync.MaxDeletes = "http://localhost:1", "tls://127.0.0.1:8403", 7
	if err := writeConfig(from, c); err != nil {
		t.Fatal(err)
	}
	if err := copyRules(from, to); err != nil {
		t.Fatal(err)
	}
	got, err := config.LoadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if got.Server.AgentURL != "" || !got.Sync.Paused || got.Sync.MaxDeletes != 7 {
		t.Errorf("agents dial %q, the schedule is paused: %v, %d deletions at most", got.Server.AgentURL, got.Sync.Paused, got.Sync.MaxDeletes)
	}
}
