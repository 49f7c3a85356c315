package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/store"
)

// testOpen: what was stored is there after reopening; another key, and the other mark, are refused with what to do.
func testOpen(t *testing.T, b *bench) {
	alice := user("alice", "alice@cloud.test")
	b.create(t, alice)
	b.commit(t, b.final("a1", alice, authn.BadPassword))
	b.commit(t, b.final("a2", alice, authn.BadPassword))
	must(t, b.Ping(t.Context()))
	b.reopen(t)

	got, err := b.UserByUPN(t.Context(), alice.UPN)
	must(t, err)
	equal(t, "user after reopening", got.DisplayName, "alice")
	tally, err := b.Tally(t.Context(), "account:alice")
	must(t, err)
	equal(t, "failures after reopening", tally.Failures, 2)

	t.Run("another root key is refused", func(t *testing.T) {
		o := b.opts
		o.Ring = ring(t, t.TempDir())
		refused(t, b, o, store.ErrOtherKey, "key file that belongs to it")
	})
	t.Run("a production store is refused to the lab", func(t *testing.T) {
		o := b.opts
		o.Lab = true
		refused(t, b, o, store.ErrOtherMark, "data directory of its own")
	})
	t.Run("a lab's store is refused to production", func(t *testing.T) {
		o := b.another(t)
		o.Lab = true
		for range 2 { // once new, once as it was
			db, err := b.Open(t.Context(), o)
			must(t, err)
			must(t, db.Close())
		}
		o.Lab = false
		refused(t, b, o, store.ErrOtherMark, "marked lab")
	})
	t.Run("after closing nothing is stored", func(t *testing.T) {
		must(t, b.Close())
		wantErr(t, "create", b.CreateUser(t.Context(), user("bob", "bob@cloud.test")), store.ErrClosed)
		must(t, b.Close())
	})
}

// testClose: closing waits for what was accepted; each write is stored or told that it isn't.
func testClose(t *testing.T, b *bench) {
	const writes = 200
	var stored [writes]bool
	var all sync.WaitGroup
	for i := range writes {
		all.Go(func() {
			err := b.CreateUser(t.Context(), user(fmt.Sprint(i), fmt.Sprintf("u%d@cloud.test", i)))
			if stored[i] = err == nil; err != nil && !errors.Is(err, store.ErrClosed) {
				t.Error(err)
			}
		})
		if i == writes/2 {
			all.Go(func() {
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	b.reopen(t)
	for i, want := range stored {
		_, err := b.UserByID(t.Context(), authn.AccountID(fmt.Sprint(i)))
		equal(t, fmt.Sprintf("user %d is stored", i), err == nil, want)
	}
}

func refused(t *testing.T, b *bench, o store.Options, want error, says string) {
	t.Helper()
	db, err := b.Open(t.Context(), o)
	if err == nil {
		_ = db.Close()
	}
	wantErr(t, "open", err, want)
	if err != nil && !strings.Contains(err.Error(), says) {
		t.Errorf("the error does not say %q: %v", says, err)
	}
}

// testCredentials: sealed at rest, replaced and dropped by domain, of existing accounts only.
func testCredentials(t *testing.T, b *bench) {
	ctx := t.Context()
	ann, ben := user("ann", "ann@one.test"), user("ben", "ben@two.test")
	b.create(t, ann, ben)
	const canary = "v1;PPH1_MD4,canary0123456789,1000,deadbeef;"
	creds := []directory.Credential{
		{Account: "ann", Scheme: directory.SchemePHS, Record: []byte(canary), Source: "run-1", Changed: began()},
		{Account: "ben", Scheme: directory.SchemePHS, Record: []byte("malformed, the provider's to judge")},
		{Account: "ann", Scheme: directory.SchemeCloud, Record: []byte("$argon2id$" + canary)},
	}
	must(t, b.SetCredentials(ctx, creds))

	got, err := b.Credential(ctx, "ann", directory.SchemePHS)
	must(t, err)
	equal(t, "record", string(got.Record), canary)
	equal(t, "source", got.Source, "run-1")
	equal(t, "changed", got.Changed, began())
	equal(t, "stored", got.Stored, b.clock.Now())
	for domain, want := range map[string]int{"": 2, "one.test": 1, "three.test": 0} {
		n, err := b.CountCredentials(ctx, directory.SchemePHS, domain)
		must(t, err)
		equal(t, "credentials of "+domain, n, want)
		if some, err := b.AnyCredential(ctx, directory.SchemePHS, domain); domain != "" && (err != nil || some != (want > 0)) {
			t.Errorf("any of %s: %v, %v", domain, some, err)
		}
	}
	mixed := []directory.Credential{{Account: "ben", Scheme: directory.SchemePHS, Record: []byte("new")}, {Account: "nobody", Scheme: directory.SchemePHS, Record: []byte("x")}}
	wantErr(t, "credential of nobody", b.SetCredentials(ctx, mixed), directory.ErrNotFound)
	got, err = b.Credential(ctx, "ben", directory.SchemePHS)
	must(t, err)
	if string(got.Record) == "new" {
		t.Error("half of a refused change was stored")
	}
	if b.SetCredentials(ctx, []directory.Credential{{Account: "ann", Scheme: "plain", Record: []byte("x")}}) == nil {
		t.Error("an unknown scheme was taken")
	}

	unsealedNowhere(t, b, canary)

	n, err := b.DropCredentials(ctx, directory.SchemePHS, "one.test")
	must(t, err)
	equal(t, "dropped", n, 1)
	_, err = b.Credential(ctx, "ann", directory.SchemePHS)
	wantErr(t, "dropped credential", err, directory.ErrNotFound)
	_, err = b.Credential(ctx, "ann", directory.SchemeCloud)
	wantErr(t, "credential of another scheme", err, nil)
	_, err = b.Credential(ctx, "ben", directory.SchemePHS)
	wantErr(t, "credential of another domain", err, nil)

	_, err = b.RemoveUser(ctx, "ann", func(directory.User) error { return nil })
	must(t, err)
	domains, err := b.PeopleDomains(ctx)
	must(t, err)
	equal(t, "domains of people", strings.Join(domains, " "), "one.test two.test")
}

// unsealedNowhere greps all that the engine holds, for a name that must be there and a record that must not.
func unsealedNowhere(t *testing.T, b *bench, canary string) {
	t.Helper()
	all := b.Bytes(t, b.opts)
	if len(authntest.Leaks(all, "ann@one.test")) == 0 {
		t.Fatal("it holds no user name either, so this looks in the wrong place")
	}
	if found := authntest.Leaks(all, canary); len(found) > 0 {
		t.Errorf("an unsealed credential stands in the store, as %v", found)
	}
}
