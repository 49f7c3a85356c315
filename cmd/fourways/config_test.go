package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
)

func TestConfigInitWritesWhatCheckAccepts(t *testing.T) {
	s := newShell(t)
	file := filepath.Join(t.TempDir(), "fourways.toml")
	says(t, s.want(exitOK, "config", "init", "-c", file).out, "written", "config check")
	says(t, s.want(exitOK, "config", "check", "-c", file).out, "valid", "1 domain", "0 identity providers")
	says(t, s.want(exitConflict, "config", "init", "-c", file).err, "would be overwritten", "--force")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.want(exitOK, "config", "init", "-c", file, "--force")
	raw, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(raw, config.Example()) {
		t.Errorf("--force did not write the example: %v", err)
	}
	if out := s.want(exitOK, "config", "init", "-c", "-").out; out != string(config.Example()) {
		t.Error("-c - does not write the example to stdout")
	}
}

func TestConfigCheckComplainsOfEverythingAtOnce(t *testing.T) {
	s := newShell(t)
	file := filepath.Join(t.TempDir(), "bad.toml")
	if err := os.WriteFile(file, []byte("[server]\npublic_ur = \"x\"\n[lockout]\nthreshold = -1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := s.want(exitConfig, "config", "check", "-c", file)
	says(t, got.err, "bad.toml:2:", "server.public_ur", "bad.toml:4:", "lockout.threshold")
	list := parse[[]config.Complaint](t, s.want(exitConfig, "config", "check", "-c", file, "-o", "json").out)
	if len(list) < 2 || list[0].Line != 2 {
		t.Errorf("%+v", list)
	}
}

func TestConfigShowSaysWhereASettingComesFrom(t *testing.T) {
	s := newShell(t)
	file := filepath.Join(t.TempDir(), "f.toml")
	if err := os.WriteFile(file, []byte("[lockout]\nthreshold = 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	found := map[string]setting{}
	for _, l := range parse[[]setting](t, s.want(exitOK, "config", "show", "-c", file, "-o", "json").out) {
		found[l.Key] = l
	}
	if got := found["lockout.threshold"]; got.Value != "7" || got.Origin != "file" {
		t.Errorf("%+v", got)
	}
	if got := found["server.public_url"]; got.Value != `"http://localhost:8400"` || got.Origin != "default" {
		t.Errorf("%+v", got)
	}
	url, _ := pretend(t, routes{"GET /api/v1/config": map[string]string{"text": "lockout.threshold  9  file\n"}})
	if out := s.at(url).want(exitOK, "config", "show").out; out != "lockout.threshold  9  file\n" {
		t.Errorf("the running gateway's: %q", out)
	}
}

func TestConfigReloadSaysWhatAnOverrideHides(t *testing.T) {
	report := api.Reload{Live: []string{`domain "a.test" path`}, Restart: []string{"server.public_url"}, Overrides: []string{"a.test stays on pta: `fourways mode reset --domain a.test`"}}
	url, _ := pretend(t, routes{"POST /api/v1/config": report})
	says(t, newShell(t).at(url).want(exitOK, "config", "reload").out, `in force now: domain "a.test" path`, "after a restart: server.public_url", "overridden: a.test stays on pta", "mode reset")
	url, _ = pretend(t, routes{"POST /api/v1/config": api.Reload{}})
	says(t, newShell(t).at(url).want(exitOK, "config", "reload").out, "nothing has changed")
}

func TestVersionNamesTheBuild(t *testing.T) {
	s := newShell(t)
	says(t, s.want(exitOK, "version").out, "fourways ", "go1.")
	if b := parse[build](t, s.want(exitOK, "version", "-o", "json").out); b.Version == "" || !strings.Contains(b.Platform, "/") {
		t.Errorf("%+v", b)
	}
}
