package storetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// testSync: a run adds, replaces and removes what is mastered on-premises, and nothing else.
func testSync(t *testing.T, b *bench) {
	ctx := t.Context()
	cloud := user("cloud", "cloud@one.test")
	b.create(t, cloud)
	first := directory.Changes{Run: "r1", Put: directory.Objects{
		Users:    []directory.User{synced("u1", "u1@one.test"), synced("u2", "u2@one.test"), synced("u3", "u3@one.test")},
		Groups:   []directory.Group{{ID: "g1", Name: "Staff", Synced: true, Members: []authn.AccountID{"u1", "u2", "cloud"}}},
		Contacts: []directory.Contact{{ID: "c1", Name: "Carol", Mail: "carol@else.test", Synced: true}},
	}, Hashes: []directory.Credential{{Account: "u1", Scheme: directory.SchemePHS, Record: []byte("h1")}, {Account: "u2", Scheme: directory.SchemePHS, Record: []byte("h2")}}}
	must(t, b.ApplySync(ctx, first))
	must(t, b.ApplySync(ctx, first)) // a run that is repeated comes to the same
	wantSynced(t, b, "u1@one.test u2@one.test u3@one.test ", "Staff[cloud u1 u2] ", "Carol ", 2)

	b.commit(t, b.final("s1", synced("u1", "u1@one.test"), authn.None))
	off := synced("u1", "u1@one.test")
	off.Enabled = false
	taken := synced("u4", "cloud@one.test")
	err := b.ApplySync(ctx, directory.Changes{Run: "r2", Put: directory.Objects{
		Users:  []directory.User{off, taken, cloud, synced("u5", "u5@one.test")},
		Groups: []directory.Group{{ID: "g1", Name: "Staff", Synced: true, Members: []authn.AccountID{"u1", "u5"}}},
	}, Delete: directory.Objects{
		Users: []directory.User{synced("u2", "u2@one.test"), cloud}, Contacts: []directory.Contact{{ID: "c1"}},
	}, Hashes: []directory.Credential{{Account: "u5", Scheme: directory.SchemePHS, Record: []byte("h5")}, {Account: "u4", Scheme: directory.SchemePHS}}})
	wantErr(t, "a user whose name belongs to another", err, directory.ErrConflict)
	wantErr(t, "a hash of nobody", err, directory.ErrNotFound)
	wantSynced(t, b, "u1@one.test u3@one.test u5@one.test ", "Staff[u1 u5] ", "", 3) // that of u2, who may come back, too
	got, err := b.UserByUPN(ctx, "cloud@one.test")
	must(t, err)
	equal(t, "the cloud account", got, cloud)
	sessions, err := b.SessionsOf(ctx, "u1")
	must(t, err)
	equal(t, "sessions of who was disabled on-premises", len(sessions), 0)
	must(t, b.ApplySync(ctx, directory.Changes{Delete: directory.Objects{Groups: []directory.Group{{ID: "g1"}}}}))
	wantSynced(t, b, "u1@one.test u3@one.test u5@one.test ", "", "", 3)
}

// testReturners: a synchronisation is told of those deleted accounts that come back with their anchor, and of no others.
func testReturners(t *testing.T, b *bench) {
	ctx := t.Context()
	ann := user("ann", "ann@one.test")
	ann.Onprem.Anchor = "by hand"
	b.create(t, ann, synced("sue", "sue@one.test"), synced("tom", "tom@one.test"))
	for _, id := range []authn.AccountID{"ann", "sue"} {
		_, err := b.RemoveUser(ctx, id, allowed)
		must(t, err)
	}
	now, err := b.Synced(ctx)
	must(t, err)
	equal(t, "synchronised", names(now.Users, upn), "tom@one.test ")
	equal(t, "who may come back", names(now.Deleted, upn), "sue@one.test ")
	must(t, b.ForgetUser(ctx, "sue"))
	now, err = b.Synced(ctx)
	must(t, err)
	equal(t, "once she is forgotten", len(now.Deleted), 0)
}

func wantSynced(t *testing.T, b *bench, users, groups, contacts string, hashes int) {
	t.Helper()
	got, err := b.Synced(t.Context())
	must(t, err)
	equal(t, "users", names(got.Users, upn), users)
	equal(t, "groups", names(got.Groups, func(g directory.Group) string { return fmt.Sprint(g.Name, g.Members) }), groups)
	equal(t, "contacts", names(got.Contacts, func(c directory.Contact) string { return c.Name }), contacts)
	n, err := b.CountCredentials(t.Context(), directory.SchemePHS, "")
	must(t, err)
	equal(t, "hashes", n, hashes)
}

// testSyncNames: names can be swapped, passed on and given up within one run; one that is refused keeps the old name.
func testSyncNames(t *testing.T, b *bench) {
	ctx := t.Context()
	put := func(users ...directory.User) error {
		return b.ApplySync(ctx, directory.Changes{Put: directory.Objects{Users: users}})
	}
	b.create(t, user("cloud", "cloud@one.test"))
	must(t, put(synced("1", "a@one.test"), synced("2", "b@one.test"), synced("3", "c@one.test")))
	must(t, put(synced("1", "b@one.test"), synced("2", "a@one.test"), synced("4", "d@one.test")))
	holds(t, b, map[string]string{"a@one.test": "2", "b@one.test": "1", "c@one.test": "3", "d@one.test": "4"})
	must(t, put(synced("5", "c@one.test"), synced("3", "e@one.test"))) // passed on to a new person
	holds(t, b, map[string]string{"c@one.test": "5", "e@one.test": "3"})
	wantErr(t, "rename to a cloud account's name", put(synced("1", "cloud@one.test"), synced("2", "f@one.test")), directory.ErrConflict)
	holds(t, b, map[string]string{"cloud@one.test": "cloud", "b@one.test": "1", "f@one.test": "2"})
	must(t, b.ApplySync(ctx, directory.Changes{
		Put:    directory.Objects{Users: []directory.User{synced("6", "f@one.test")}},
		Delete: directory.Objects{Users: []directory.User{{ID: "2"}}},
	}))
	holds(t, b, map[string]string{"f@one.test": "6"})
}

func holds(t *testing.T, b *bench, want map[string]string) {
	t.Helper()
	for name, id := range want {
		u, err := b.UserByUPN(t.Context(), name)
		must(t, err)
		equal(t, "id of "+name, string(u.ID), id)
		equal(t, "name of "+name, u.UPN, name)
	}
}

// testInterleaved: sign-ins are committed while a large run is applied, and none is lost.
func testInterleaved(t *testing.T, b *bench) {
	alice := user("alice", "alice@cloud.test")
	b.create(t, alice)
	var c directory.Changes
	for i := range 3000 {
		id := fmt.Sprintf("u%04d", i)
		c.Put.Users = append(c.Put.Users, synced(id, id+"@one.test"))
		c.Hashes = append(c.Hashes, directory.Credential{Account: authn.AccountID(id), Scheme: directory.SchemePHS, Record: []byte(id)})
	}
	ctx, applied := context.WithCancel(t.Context())
	go func() {
		defer applied()
		if err := b.ApplySync(t.Context(), c); err != nil {
			t.Error(err)
		}
	}()
	n := 0
	for ; ctx.Err() == nil; n++ {
		f := b.final(fmt.Sprint("s", n), alice, authn.BadPassword)
		f.Ticket = ticket{1 << 30, b.clock}
		b.commit(t, f)
	}
	tally, err := b.Tally(t.Context(), "account:alice")
	must(t, err)
	equal(t, "failures beside the run", tally.Failures, n)
	if n < 3000/200 { // fewer than the run has transactions: they waited for the whole of it
		t.Errorf("%d sign-ins were committed during a run of %d objects", n, len(c.Put.Users)+len(c.Hashes))
	}
	got, err := b.Synced(t.Context())
	must(t, err)
	equal(t, "users", len(got.Users), 3000)
}
