package storetest

import (
	"fmt"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// testUsers: names and anchors are unique, found in all ways, and listed page by page.
func testUsers(t *testing.T, b *bench) {
	ctx := t.Context()
	ann, ben, sue, tom := user("1", "ann@one.test"), user("2", "ben@two.test"), synced("3", "sue@one.test"), synced("4", "tom@one.test")
	b.create(t, tom, ben, ann, sue)
	for name, find := range map[string]func() (directory.User, error){
		"by name":   func() (directory.User, error) { return b.UserByUPN(ctx, "sue@one.test") },
		"by id":     func() (directory.User, error) { return b.UserByID(ctx, "3") },
		"by anchor": func() (directory.User, error) { return b.UserByAnchor(ctx, "anchor-3") },
	} {
		got, err := find()
		must(t, err)
		equal(t, name, got, sue)
	}
	for name, find := range map[string]func() (directory.User, error){
		"by name":         func() (directory.User, error) { return b.UserByUPN(ctx, "") },
		"by id":           func() (directory.User, error) { return b.UserByID(ctx, "9") },
		"by empty anchor": func() (directory.User, error) { return b.UserByAnchor(ctx, "") },
	} {
		_, err := find()
		wantErr(t, name, err, directory.ErrNotFound)
	}
	for q, want := range map[directory.Query]string{
		{}:                      "ann@one.test ben@two.test sue@one.test tom@one.test ",
		{Limit: 2}:              "ann@one.test ben@two.test ",
		{After: "ben@two.test"}: "sue@one.test tom@one.test ",
		{Domain: "one.test"}:    "ann@one.test sue@one.test tom@one.test ",
		{Domain: "one.test", After: "ann@one.test", Limit: 1}: "sue@one.test ",
		{Domain: "none.test"}: "",
	} {
		got, err := b.Users(ctx, q)
		must(t, err)
		equal(t, fmt.Sprintf("users %+v", q), names(got, upn), want)
	}
	refuseUsers(t, b, ann, sue)
}

func refuseUsers(t *testing.T, b *bench, ann, sue directory.User) {
	t.Helper()
	ctx := t.Context()
	wantErr(t, "create with a taken id", b.CreateUser(ctx, user("1", "new@one.test")), directory.ErrConflict)
	wantErr(t, "create with a taken name", b.CreateUser(ctx, user("9", "ann@one.test")), directory.ErrConflict)
	twin := synced("9", "twin@one.test")
	twin.Onprem.Anchor = sue.Onprem.Anchor
	wantErr(t, "create with a taken anchor", b.CreateUser(ctx, twin), directory.ErrConflict)
	twin.Synced = false
	wantErr(t, "the same anchor by hand", b.CreateUser(ctx, twin), directory.ErrConflict)
	twin.Onprem.Anchor = "anchor of its own"
	wantErr(t, "an anchor of its own by hand", b.CreateUser(ctx, twin), nil)
	byHand, err := b.UserByAnchor(ctx, twin.Onprem.Anchor)
	must(t, err)
	equal(t, "by that anchor", byHand.ID, twin.ID)
	ann.UPN = "ben@two.test"
	wantErr(t, "rename to a taken name", b.update(ctx, ann), directory.ErrConflict)
	wantErr(t, "update of nobody", b.update(ctx, user("99", "x@one.test")), directory.ErrNotFound)
	for _, name := range []string{"", "Ann@one.test", "ann", " ann@one.test", "änn@one.test"} {
		if b.CreateUser(ctx, user("8", name)) == nil {
			t.Errorf("the name %q was stored, which no sign-in could find", name)
		}
	}
	ann.UPN = "ann@two.test"
	must(t, b.update(ctx, ann))
	got, err := b.Users(ctx, directory.Query{Domain: "two.test"})
	must(t, err)
	equal(t, "users of the other domain after the rename", names(got, upn), "ann@two.test ben@two.test ")
	_, err = b.UserByUPN(ctx, "ann@one.test")
	wantErr(t, "old name", err, directory.ErrNotFound)
	wantErr(t, "old name for somebody new", b.CreateUser(ctx, user("8", "ann@one.test")), nil)
}

// testUserSessions: who is disabled or deleted is out at once; a deleted account leaves nothing for the next of its id.
func testUserSessions(t *testing.T, b *bench) {
	ctx := t.Context()
	ann, ben := user("ann", "ann@one.test"), user("ben", "ben@one.test")
	b.create(t, ann, ben)
	open := func(u directory.User, hash string) { b.commit(t, b.final(hash, u, authn.None)) }
	count := func(u directory.User) int {
		all, err := b.SessionsOf(ctx, u.ID)
		must(t, err)
		return len(all)
	}
	open(ann, "a1")
	open(ann, "a2")
	open(ben, "b1")
	ann.DisplayName = "Ann"
	must(t, b.update(ctx, ann))
	equal(t, "sessions after another change", count(ann), 2)
	ann.Enabled = false
	must(t, b.update(ctx, ann))
	equal(t, "sessions after disabling", count(ann), 0)
	equal(t, "sessions of somebody else", count(ben), 1)

	must(t, b.SetCredentials(ctx, []directory.Credential{{Account: "ben", Scheme: directory.SchemeCloud, Record: []byte("x")}}))
	must(t, b.SetTally(ctx, "account:ben", authn.Tally{Failures: 2}))
	must(t, b.PutGroup(ctx, directory.Group{ID: "g", Name: "g", Members: []authn.AccountID{"ben", "ann"}}))
	must(t, b.erase(ctx, "ben"))
	wantErr(t, "delete again", b.erase(ctx, "ben"), directory.ErrNotFound)
	b.create(t, ben) // the same id and name, another person
	equal(t, "sessions", count(ben), 0)
	_, err := b.Credential(ctx, "ben", directory.SchemeCloud)
	wantErr(t, "credential", err, directory.ErrNotFound)
	tally, err := b.Tally(ctx, "account:ben")
	must(t, err)
	equal(t, "tally", tally, authn.Tally{})
	groups, err := b.GroupsOf(ctx, "ben")
	must(t, err)
	equal(t, "groups", len(groups), 0)
	groups, err = b.GroupsOf(ctx, "ann")
	must(t, err)
	equal(t, "groups of who stayed", len(groups), 1)
}
