package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/gateway"
)

// ownStore writes a configuration with a store of its own.
func ownStore(t *testing.T) (file string) {
	t.Helper()
	dir := t.TempDir()
	text := "[store]\npath = \"" + filepath.Join(dir, "fourways.db") + "\"\nroot_key_file = \"" + filepath.Join(dir, "root.key") + "\"\n" +
		"[[domain]]\nname = \"cloud.example.com\"\npath = \"cloud\"\n"
	file = filepath.Join(dir, "fourways.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFirstAdministratorIsMadeOnTheStoreFile(t *testing.T) {
	file := ownStore(t)
	s := newShell(t)
	s.env["PW"] = "A long passage by sea 7"
	made := parse[directory.User](t, s.want(exitOK, "user", "create", "Admin@cloud.example.com", "--admin", "--password-env", "PW", "-c", file, "-o", "json").out)
	if made.UPN != "admin@cloud.example.com" || !made.Admin || made.ID == "" {
		t.Errorf("%+v", made)
	}
	says(t, s.want(exitConflict, "user", "create", "admin@cloud.example.com", "--password-env", "PW", "-c", file).err, "exists already")
	s.want(exitOK, "user", "set-password", "admin@cloud.example.com", "--password-env", "PW", "-c", file)
	s.want(exitNotFound, "user", "set-password", "nobody@cloud.example.com", "--password-env", "PW", "-c", file)
	says(t, s.want(exitFailed, "user", "create", "x@elsewhere.test", "--password-env", "PW", "-c", file).err, "no verified domain")
	says(t, s.want(exitOK, "user", "list", "-c", file).out, "admin@cloud.example.com", "yes")

	token := parse[api.Token](t, s.want(exitOK, "admin", "token", "create", "-c", file, "-o", "json").out)
	if !strings.HasPrefix(token.Secret, "fw_") || token.Role != "admin" {
		t.Errorf("%+v", token)
	}
	refused := s.want(exitGuard, "user", "create", "second@cloud.example.com", "--password-env", "PW", "-c", file)
	says(t, refused.err, "--server and --token")
	s.want(exitGuard, "user", "list", "-c", file)
	again := s.want(exitOK, "admin", "token", "create", "--name", "second", "--role", "reader", "-c", file) // the root key's owner may always
	if out := strings.TrimSpace(again.out); !strings.HasPrefix(out, "fw_") || strings.ContainsAny(out, " \n") {
		t.Errorf("the token stands alone on stdout: %q", again.out)
	}
	says(t, again.err, "reader", "shown this once")
	audited(t, file, "Create user", "Reset user password", "Create token")
}

// audited wants an entry of each action by the store file's owner, and the failures beside the successes.
func audited(t *testing.T, file string, actions ...string) {
	t.Helper()
	conf, err := config.LoadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	db, err := gateway.OpenStore(t.Context(), conf)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	entries, err := db.AuditEntries(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	good, bad := map[string]int{}, 0
	for _, e := range entries {
		if e.Who != "local" || e.From != "store file" || e.Target == "" {
			t.Errorf("%+v", e)
		}
		if e.Result == success {
			good[e.Action]++
		} else {
			bad++
		}
	}
	for _, a := range actions {
		if good[a] == 0 {
			t.Errorf("%q is not in the audit log: %v", a, good)
		}
	}
	if bad != 3 {
		t.Errorf("%d failures in the audit log, want 3", bad)
	}
}

func TestStoreFileNeedsAValidConfiguration(t *testing.T) {
	s := newShell(t)
	missing := filepath.Join(t.TempDir(), "none.toml")
	says(t, s.want(exitConfig, "user", "list", "-c", missing).err, "no such file", "config init")
	says(t, s.want(exitConfig, "admin", "token", "create", "-c", missing).err, "no such file")
}
