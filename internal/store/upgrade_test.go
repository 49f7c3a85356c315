package store_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/keyring"
	"github.com/fourways-id/fourways/internal/store"
)

// kept makes the store that an earlier release left, from its dump. It was always SQLite: schema 3 knew no PostgreSQL.
func kept(t *testing.T) store.Options {
	t.Helper()
	dir := t.TempDir()
	key, err := os.ReadFile("testdata/schema-3.key")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "root.key"), key, 0o600))
	ring, err := keyring.Open(filepath.Join(dir, "root.key"))
	must(t, err)
	dump, err := os.ReadFile("testdata/schema-3.sql")
	must(t, err)
	path := filepath.Join(dir, "store.db")
	db, err := sql.Open("sqlite", path)
	must(t, err)
	_, err = db.ExecContext(t.Context(), string(dump))
	must(t, err)
	must(t, db.Close())
	return store.Options{Path: path, Ring: ring, Clock: authntest.NewClock(time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC))}
}

func TestAStoreOfThePreviousReleaseIsUpgradedWithAllThatIsInIt(t *testing.T) {
	o := kept(t)
	if schema, err := store.Look(t.Context(), o); err != nil || schema != 3 {
		t.Fatalf("before: schema %d, %v", schema, err)
	}
	var db *store.DB
	for range 2 { // upgraded once, and opened again as it then is
		if db != nil {
			must(t, db.Close())
		}
		var err error
		db, err = store.Open(t.Context(), o)
		must(t, err)
	}
	t.Cleanup(func() { must(t, db.Close()) })
	if schema, err := db.Inspect(t.Context()); err != nil || schema <= 3 {
		t.Errorf("after: schema %d, %v", schema, err)
	}
	for upn, want := range map[string]directory.User{
		"alice@cloud.test":  {ID: "alice", DisplayName: "Alice Álvarez", Enabled: true, Admin: true},
		"bob@hybrid.test":   {ID: "bob", DisplayName: "Bob O'Neil", Enabled: true, Synced: true, Onprem: directory.Onprem{Anchor: "anchor-bob"}},
		"carol@hybrid.test": {ID: "carol", DisplayName: "Carol", Synced: true, Onprem: directory.Onprem{Anchor: "anchor-carol"}},
	} {
		u, err := db.UserByUPN(t.Context(), upn)
		must(t, err)
		if u.ID != want.ID || u.DisplayName != want.DisplayName || u.Enabled != want.Enabled || u.Admin != want.Admin || u.Synced != want.Synced || u.Onprem.Anchor != want.Onprem.Anchor {
			t.Errorf("%s: %+v", upn, u)
		}
	}
	for _, c := range []struct {
		id             authn.AccountID
		scheme, record string
	}{{"alice", directory.SchemeCloud, "the cloud record of alice"}, {"bob", directory.SchemePHS, "the synchronised record of bob"}} {
		got, err := db.Credential(t.Context(), c.id, c.scheme)
		if must(t, err); string(got.Record) != c.record {
			t.Errorf("credential of %s: %q", c.id, got.Record)
		}
	}
	upgradedLogs(t, db)
	upgradedTenant(t, db)
}

func upgradedLogs(t *testing.T, db *store.DB) {
	t.Helper()
	log, err := db.SignIns(t.Context(), store.SignInQuery{})
	must(t, err)
	if len(log) != 3 || log[2].Who != "alice@cloud.test" || log[2].Verdict != authn.Allowed || log[0].Reason != authn.BadPassword {
		t.Errorf("the sign-in log has %d rows: %+v", len(log), log)
	}
	steps, err := db.Records(t.Context(), "attempt-0")
	if must(t, err); len(steps) != 1 || len(steps[0].Steps) != 1 {
		t.Errorf("the trace: %+v", steps)
	}
	s, err := db.SessionByHash(t.Context(), []byte{0, 1, 254, 255})
	if must(t, err); s.Account != "alice" {
		t.Errorf("the session is of %q", s.Account)
	}
	again := authn.Final{Record: authn.Record{ID: "again", Who: "x", Final: true}, Once: []authn.Once{{Kind: "assertion", ID: "used", Until: time.Now().Add(time.Hour)}}}
	if r, err := db.Commit(t.Context(), again); err != nil || !r.Replayed {
		t.Errorf("an id that was used is good again: %+v, %v", r, err)
	}
	tally, err := db.Tally(t.Context(), "account:alice")
	if must(t, err); tally.Failures != 0 {
		t.Errorf("tally of alice: %+v", tally)
	}
}

func upgradedTenant(t *testing.T, db *store.DB) {
	t.Helper()
	o, err := db.Override(t.Context(), "hybrid.test")
	if must(t, err); o.Path != authn.PathPHS {
		t.Errorf("the override: %+v", o)
	}
	groups, err := db.Groups(t.Context())
	if must(t, err); len(groups) != 1 || len(groups[0].Members) != 2 {
		t.Errorf("the groups: %+v", groups)
	}
	if uses, err := db.GroupUses(t.Context(), groups[0].ID); err != nil || uses.Members != 2 {
		t.Errorf("the group's size: %+v, %v", uses, err)
	}
	token, err := db.TokenByHash(t.Context(), []byte("hash"))
	if must(t, err); token.Name != "ci" {
		t.Errorf("the token: %+v", token)
	}
	entries, err := db.AuditEntries(t.Context(), 0)
	if must(t, err); len(entries) != 1 || entries[0].Target != "alice@cloud.test" {
		t.Errorf("the audit log: %+v", entries)
	}
	v, err := db.Meta(t.Context(), "note")
	if must(t, err); v != "kept" {
		t.Errorf("the value: %q", v)
	}
	if _, err := db.Meta(t.Context(), "none"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("a value that was never kept: %v", err)
	}
}
