package gateway

import (
	"errors"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/keyring"
	"github.com/fourways-id/fourways/internal/store"
)

func openBooks(t *testing.T) (*Access, *authntest.Clock) {
	t.Helper()
	dir := t.TempDir()
	ring, err := keyring.Create(filepath.Join(dir, "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	clock := authntest.NewClock(time.Now())
	db, err := store.Open(t.Context(), store.Options{Path: filepath.Join(dir, "store.db"), Ring: ring, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &Access{Store: db, Clock: clock}, clock
}

func TestATokenEndsAndIsThenSaidToBeOver(t *testing.T) {
	a, clock := openBooks(t)
	made, err := a.NewToken(t.Context(), api.NewToken{Name: "ops", Role: console.Operator, Valid: "1h"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.Token(t.Context(), made.Secret); err != nil || got.Name != "ops" || got.Secret != "" {
		t.Fatalf("%+v %v", got, err)
	}
	clock.Advance(time.Hour)
	if _, err := a.Token(t.Context(), made.Secret); !errors.Is(err, console.ErrExpired) {
		t.Errorf("after its end: %v", err)
	}
	if _, err := a.RevokeToken(t.Context(), made.ID); err != nil {
		t.Error(err)
	}
	if _, err := a.Token(t.Context(), made.Secret); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("after it was revoked: %v", err)
	}
}

func TestRevokingTellsHowManyAdministratorsAreLeft(t *testing.T) {
	a, _ := openBooks(t)
	var ids []string
	for _, role := range []string{console.Admin, console.Admin, console.Reader} {
		made, err := a.NewToken(t.Context(), api.NewToken{Name: role, Role: role})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, made.ID)
	}
	for i, want := range []int{1, 0, 0} {
		if got, err := a.RevokeToken(t.Context(), ids[i]); err != nil || got.AdminsLeft != want || got.ID != ids[i] {
			t.Errorf("the %d. token: %+v %v, want %d left", i+1, got, err, want)
		}
	}
	if _, err := a.RevokeToken(t.Context(), ids[0]); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("a token that is gone: %v", err)
	}
}

func TestTheAuditLogIsReadPageByPage(t *testing.T) {
	a, clock := openBooks(t)
	for i := range 5 {
		if err := a.Audit(t.Context(), console.Entry{At: clock.Now(), Action: strconv.Itoa(i), Result: "success"}); err != nil {
			t.Fatal(err)
		}
	}
	var read string
	before := ""
	for range 3 {
		page, err := a.AuditEntries(t.Context(), before, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			read, before = read+e.Action, e.ID
		}
	}
	if read != "43210" {
		t.Errorf("read %s", read)
	}
	if _, err := a.AuditEntries(t.Context(), "x", 2); err == nil {
		t.Error("no entry has the id x, and nobody said so")
	}
}
