package lab

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// Whatever is left of a lab with public passwords keeps its folder from being opened to others.
func TestPublicPasswordsAreNeverExposed(t *testing.T) {
	for name, text := range map[string]string{
		secretsFileName: `{"administrator":"a","svc_sync":"b","decoy":"c","oidc_client":"d"}`,
		forestPart:      "{}",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openWorld(dir, world.Spec{Exposed: true}); !errors.Is(err, directory.ErrConflict) {
			t.Errorf("%s of a public lab: %v", name, err)
		}
	}
	dir := t.TempDir()
	path := filepath.Join(dir, secretsFileName)
	if _, err := openSecrets(path, false); err != nil {
		t.Fatal(err)
	}
	if _, err := openSecrets(path, true); !errors.Is(err, directory.ErrConflict) {
		t.Errorf("public passwords in an exposed world: %v", err)
	}
	if _, err := openWorld(t.TempDir(), world.Spec{Exposed: true}); err != nil {
		t.Error(err)
	}
	if s, err := openSecrets(filepath.Join(t.TempDir(), secretsFileName), true); err != nil || len(s.people.Common()) != people || s.people.Common() == world.Password {
		t.Errorf("a new exposed lab: %q, %v", s.people.Common(), err)
	}
}
