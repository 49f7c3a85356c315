package storetest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/store"
)

// worldless skips a part that keeps worlds where the engine keeps none, once it has said so.
func worldless(t *testing.T, b *bench) {
	t.Helper()
	if b.opts.URL == "" {
		return
	}
	path := filepath.Join(t.TempDir(), "kept.db")
	wantErr(t, "keep a world", b.KeepWorld(t.Context(), path), errors.ErrUnsupported)
	wantErr(t, "bring a world back", b.RestoreWorld(t.Context(), path), errors.ErrUnsupported)
	t.Skip("SKIPPED: worlds are a lab's, and a lab's store is SQLite")
}

// testWorlds: a kept world comes back whole, and what belongs to the operators stays.
func testWorlds(t *testing.T, b *bench) {
	worldless(t, b)
	ctx := t.Context()
	alice, bob := user("alice", "alice@cloud.test"), user("bob", "bob@cloud.test")
	b.create(t, alice)
	must(t, b.SetCredentials(ctx, []directory.Credential{{Account: "alice", Scheme: directory.SchemeCloud, Record: []byte("first")}}))
	b.commit(t, b.final("before", alice, authn.BadPassword))
	kept := filepath.Join(t.TempDir(), "kept.db")
	must(t, b.KeepWorld(ctx, kept))
	info, err := os.Stat(kept)
	must(t, err)
	equal(t, "mode of the kept world", info.Mode().Perm(), 0o600)
	wantErr(t, "keep over it", b.KeepWorld(ctx, kept), os.ErrExist)

	b.create(t, bob)
	must(t, b.SetCredentials(ctx, []directory.Credential{{Account: "alice", Scheme: directory.SchemeCloud, Record: []byte("second")}}))
	once := b.final("after", alice, authn.None)
	once.Once = []authn.Once{{Kind: "assertion", ID: "a-1", Until: b.clock.Now().AddDate(1, 0, 0)}}
	b.commit(t, once)
	swap(t, b.DB, "cloud.test", &directory.Override{Domain: "cloud.test", Path: authn.PathPTA})
	must(t, b.CreateToken(ctx, store.Token{ID: "t", Name: "ci", Role: "admin", Hash: []byte("h"), Until: b.clock.Now().AddDate(1, 0, 0)}))
	must(t, b.Audit(ctx, store.AuditEntry{At: b.clock.Now(), Action: "after"}))

	must(t, b.RestoreWorld(ctx, kept))
	_, err = b.UserByID(ctx, "bob")
	wantErr(t, "bob", err, directory.ErrNotFound)
	c, err := b.Credential(ctx, "alice", directory.SchemeCloud)
	must(t, err)
	equal(t, "credential", string(c.Record), "first")
	_, err = b.SessionByHash(ctx, []byte("after"))
	wantErr(t, "session of the other world", err, directory.ErrNotFound)
	_, err = b.Override(ctx, "cloud.test")
	wantErr(t, "override", err, directory.ErrNotFound)
	tally, err := b.Tally(ctx, "account:alice")
	must(t, err)
	equal(t, "failures", tally.Failures, 1)
	tokens, err := b.Tokens(ctx)
	must(t, err)
	equal(t, "tokens", len(tokens), 1)
	entries, err := b.AuditEntries(ctx, 0)
	must(t, err)
	equal(t, "audit entries", len(entries), 1)
	once.Record.ID = "again"
	once.Session.Hash = []byte("again")
	if !b.commit(t, once).Replayed {
		t.Error("an id that was used once is good again in the kept world")
	}
	b.reopen(t)
	_, err = b.UserByID(ctx, "alice")
	wantErr(t, "alice after reopening", err, nil)
}

// testForeignWorlds: only a world of this store's key, mark and version is taken, and a refused one changes nothing.
func testForeignWorlds(t *testing.T, b *bench) {
	worldless(t, b)
	ctx := t.Context()
	b.create(t, user("alice", "alice@cloud.test"))
	other := func(change func(*store.Options)) string {
		o := b.another(t)
		o.Ring = b.opts.Ring
		change(&o)
		db, err := b.Open(ctx, o)
		must(t, err)
		defer db.Close()
		kept := filepath.Join(t.TempDir(), "kept.db")
		must(t, db.KeepWorld(ctx, kept))
		return kept
	}
	wantErr(t, "the world of another key", b.RestoreWorld(ctx, other(func(o *store.Options) { o.Ring = ring(t, t.TempDir()) })), store.ErrOtherKey)
	wantErr(t, "the world of another mark", b.RestoreWorld(ctx, other(func(o *store.Options) { o.Lab = true })), store.ErrOtherMark)
	wantErr(t, "no file", b.RestoreWorld(ctx, filepath.Join(t.TempDir(), "none")), os.ErrNotExist)
	junk := filepath.Join(t.TempDir(), "junk")
	must(t, os.WriteFile(junk, []byte("no database, but longer than a header of one would be, so that it is looked at: 0123456789 0123456789"), 0o600))
	if b.RestoreWorld(ctx, junk) == nil {
		t.Error("a file that is no database was taken")
	}
	_, err := b.UserByID(ctx, "alice")
	wantErr(t, "alice, after what was refused", err, nil)
	must(t, b.RestoreWorld(ctx, other(func(*store.Options) {})))
	_, err = b.UserByID(ctx, "alice")
	wantErr(t, "alice, in a world without her", err, directory.ErrNotFound)
}

// testWorldsBeside: worlds are kept and brought back while people sign in; each sign-in is stored or told that it isn't.
func testWorldsBeside(t *testing.T, b *bench) {
	worldless(t, b)
	alice := user("alice", "alice@cloud.test")
	b.create(t, alice)
	kept := filepath.Join(t.TempDir(), "kept.db")
	must(t, b.KeepWorld(t.Context(), kept))
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 50 {
				f := b.final(fmt.Sprintf("%d-%d", i, n), alice, authn.None)
				if _, err := b.Commit(t.Context(), f); err != nil {
					t.Errorf("sign in beside a restore: %v", err)
				}
			}
		})
	}
	for range 10 {
		must(t, b.RestoreWorld(t.Context(), kept))
	}
	all.Wait()
	must(t, b.RestoreWorld(t.Context(), kept))
	sessions, err := b.SessionsOf(t.Context(), "alice")
	must(t, err)
	equal(t, "sessions", len(sessions), 0)
}

// testLoad: many at once, twice over, and one whose name is taken.
func testLoad(t *testing.T, b *bench) {
	ctx := t.Context()
	var users []directory.User
	var credentials []directory.Credential
	for i := range 450 {
		u := synced(fmt.Sprintf("u%03d", i), fmt.Sprintf("u%03d@phs.test", i))
		users = append(users, u)
		credentials = append(credentials, directory.Credential{Account: u.ID, Scheme: directory.SchemePHS, Record: []byte("shared"), Source: "crowd"})
	}
	for range 2 {
		must(t, b.LoadUsers(ctx, users, credentials))
		n, err := b.CountUsers(ctx)
		must(t, err)
		equal(t, "users", n, len(users))
	}
	got, err := b.UserByUPN(ctx, "u449@phs.test")
	must(t, err)
	equal(t, "user", got, users[449])
	c, err := b.Credential(ctx, "u449", directory.SchemePHS)
	must(t, err)
	equal(t, "source", c.Source, "crowd")
	for what, u := range map[string]directory.User{"name": synced("x", "u000@phs.test"), "anchor": {ID: "y", UPN: "y@phs.test", Enabled: true, Synced: true, Onprem: users[0].Onprem}} {
		if err := b.LoadUsers(ctx, []directory.User{u}, nil); !errors.Is(err, directory.ErrConflict) {
			t.Errorf("a taken %s: %v", what, err)
		}
	}
}
