package admin

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/keyring"
	"github.com/fourways-id/fourways/internal/store"
)

// A new password is often the answer to a stolen one: it must put the thief out, and nobody else.
func TestANewPasswordEndsTheAccountsSessions(t *testing.T) {
	ctx, clock := t.Context(), authntest.NewClock(time.Unix(1e9, 0))
	ring, err := keyring.Create(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(ctx, store.Options{Path: filepath.Join(t.TempDir(), "store.db"), Ring: ring, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	conf := &config.Config{
		Domain:  []config.Domain{{Name: "cloud.example", Path: authn.PathCloud}},
		Hashing: config.Hashing{Argon2Memory: 8, Argon2Time: 1, Argon2Parallelism: 1}, Tenant: config.Tenant{InitialDomain: "cloud.example"},
	}
	people := &People{Base: Base{Store: db, Clock: clock, Config: func() *config.Config { return conf }}}
	for _, name := range []string{"ann", "ben"} {
		u, err := people.CreateUser(ctx, api.NewUser{UPN: name, Password: "Spring-2025!"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Commit(ctx, authn.Final{
			Record:  authn.Record{ID: authn.AttemptID("of " + name), At: clock.Now(), Final: true, Verdict: authn.Allowed, Account: u.ID},
			Session: &authn.Session{Hash: []byte(name), Account: u.ID, Began: clock.Now(), Until: clock.Now().Add(time.Hour)},
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := people.SetPassword(ctx, "Ann@cloud.example", authn.NewSecret([]byte("Summer-2025!"))); err != nil {
		t.Fatal(err)
	}
	if _, err := db.SessionByHash(ctx, []byte("ann")); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("the session from before the new password: %v, want none", err)
	}
	if _, err := db.SessionByHash(ctx, []byte("ben")); err != nil {
		t.Errorf("control: somebody else's session: %v", err)
	}
}
