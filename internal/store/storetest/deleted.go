package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

func asItIs(*directory.User) error { return nil }
func allowed(directory.User) error { return nil }
func rename(to string) func(*directory.User) error {
	return func(u *directory.User) error { u.UPN = to; return nil }
}

// testUserChanges: a change sees what the one before it left, a refused one leaves nothing, and somebody always administers.
func testUserChanges(t *testing.T, b *bench) {
	ctx := t.Context()
	ann, ben := user("ann", "ann@one.test"), user("ben", "ben@one.test")
	ann.Admin = true
	b.create(t, ann, ben)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			_, _, err := b.ChangeUser(ctx, "ben", func(u *directory.User) error {
				u.JobTitle += "x"
				u.Department = fmt.Sprint(i)
				return nil
			})
			must(t, err)
		})
	}
	all.Wait()
	got, err := b.UserByID(ctx, "ben")
	must(t, err)
	equal(t, "changes that were made", len(got.JobTitle), 20)

	no := errors.New("no")
	_, _, err = b.ChangeUser(ctx, "ben", func(u *directory.User) error { u.Mail = "x"; return no })
	wantErr(t, "a rule that refuses", err, no)
	_, _, err = b.ChangeUser(ctx, "ben", rename("ann@one.test"))
	wantErr(t, "a name that is taken", err, directory.ErrConflict)
	_, _, err = b.ChangeUser(ctx, "nobody", asItIs)
	wantErr(t, "nobody", err, directory.ErrNotFound)
	got, err = b.UserByID(ctx, "ben")
	must(t, err)
	equal(t, "what refused changes left", got.Mail+got.UPN, "ben@one.test")

	testKeptOut(t, b, ann, ben)
}

// testKeptOut: who is blocked is out, an immutable ID is one account's, and somebody always administers.
func testKeptOut(t *testing.T, b *bench, ann, ben directory.User) {
	t.Helper()
	ctx := t.Context()
	_, _, err := b.ChangeUser(ctx, "ann", func(u *directory.User) error { u.Onprem.Anchor = "by hand"; return nil })
	must(t, err)
	_, _, err = b.ChangeUser(ctx, "ben", func(u *directory.User) error { u.Onprem.Anchor = "by hand"; return nil })
	wantErr(t, "an immutable ID that is taken", err, directory.ErrConflict)
	taker, claimer := synced("zed", "zed@one.test"), ann
	taker.Onprem.Anchor = "by hand"
	wantErr(t, "a synchronised account with an immutable ID that is taken", b.ApplySync(ctx, directory.Changes{Put: directory.Objects{Users: []directory.User{taker}}}), directory.ErrConflict)
	claimer.Synced, claimer.Onprem.Anchor = true, "by hand"
	if b.ApplySync(ctx, directory.Changes{Put: directory.Objects{Users: []directory.User{claimer}}}) == nil {
		t.Error("a synchronisation that was planned earlier took an administrator's account over")
	}
	if got, err := b.UserByID(ctx, "ann"); err != nil || got.Synced {
		t.Errorf("the administrator: synchronised %v, %v", got.Synced, err)
	}

	move := func(to string) error {
		_, _, err := b.ChangeUser(ctx, "ben", func(u *directory.User) error { u.UsageLocation = to; return nil })
		return err
	}
	must(t, move("NL"))
	must(t, b.CreatePlan(ctx, plan("E3", 1)))
	must(t, b.Assign(ctx, "E3", "ben", seated))
	wantErr(t, "clear the usage location of who has a licence", move(""), directory.ErrLicensed)
	wantErr(t, "another usage location", move("DE"), nil)
	must(t, b.Revoke(ctx, "E3", "ben"))
	wantErr(t, "clear that of who has none", move(""), nil)

	b.commit(t, b.final("s1", ben, authn.None))
	_, _, err = b.ChangeUser(ctx, "ben", func(u *directory.User) error { u.Blocked = true; return nil })
	must(t, err)
	sessions, err := b.SessionsOf(ctx, "ben")
	must(t, err)
	equal(t, "sessions of who was blocked", len(sessions), 0)
	if _, err := b.Commit(ctx, b.final("s2", ben, authn.None)); err == nil {
		t.Error("a session of a blocked person was stored")
	}
	for what, lose := range map[string]func(*directory.User) error{
		"demote":  func(u *directory.User) error { u.Admin = false; return nil },
		"disable": func(u *directory.User) error { u.Enabled = false; return nil },
		"block":   func(u *directory.User) error { u.Blocked = true; return nil },
	} {
		_, _, err := b.ChangeUser(ctx, "ann", lose)
		wantErr(t, what+" the last administrator", err, directory.ErrLastAdmin)
	}
	_, err = b.RemoveUser(ctx, "ann", allowed)
	wantErr(t, "delete the last administrator", err, directory.ErrLastAdmin)
	b.create(t, directory.User{ID: "eve", UPN: "eve@one.test", Enabled: true, Admin: true})
	_, err = b.RemoveUser(ctx, "ann", allowed)
	wantErr(t, "delete one of two", err, nil)
}

// testDeleted: a deleted account is out at once and comes back with its groups and its password, until it is forgotten.
func testDeleted(t *testing.T, b *bench) {
	ctx := t.Context()
	ann := user("ann", "ann@one.test")
	b.create(t, ann)
	must(t, b.SetCredentials(ctx, []directory.Credential{
		{Account: "ann", Scheme: directory.SchemeCloud, Record: []byte("x")}, {Account: "ann", Scheme: directory.SchemePHS, Record: []byte("x")},
	}))
	must(t, b.PutGroup(ctx, directory.Group{ID: "g", Name: "g", Members: []authn.AccountID{"ann"}}))
	b.commit(t, b.final("s1", ann, authn.None))
	no := errors.New("no")
	_, err := b.RemoveUser(ctx, "ann", func(directory.User) error { return no })
	wantErr(t, "a rule that refuses", err, no)
	_, err = b.RemoveUser(ctx, "ann", allowed)
	must(t, err)
	_, err = b.UserByUPN(ctx, "ann@one.test")
	wantErr(t, "a deleted account", err, directory.ErrNotFound)
	_, err = b.SessionByHash(ctx, []byte("s1"))
	wantErr(t, "its session", err, directory.ErrNotFound)
	gone, err := b.DeletedUser(ctx, "Ann@one.test")
	must(t, err)
	equal(t, "found among the deleted ones", fmt.Sprint(len(gone), gone[0].Groups, gone[0].Deleted.Equal(b.clock.Now())), "1 [g] true")

	n, err := b.DropCredentials(ctx, directory.SchemePHS, "one.test") // the switch of a domain reaches who may come back
	must(t, err)
	equal(t, "hashes of deleted accounts that were dropped", n, 1)

	b.create(t, user("new", "ann@one.test")) // her name is free
	_, err = b.RestoreUser(ctx, "ann", asItIs)
	wantErr(t, "restore under a name that is taken", err, directory.ErrConflict)
	got, err := b.RestoreUser(ctx, "ann", rename("ann2@one.test"))
	must(t, err)
	equal(t, "restored", got.UPN, "ann2@one.test")
	groups, err := b.GroupsOf(ctx, "ann")
	must(t, err)
	equal(t, "groups", len(groups), 1)
	_, err = b.Credential(ctx, "ann", directory.SchemeCloud)
	wantErr(t, "her password", err, nil)
	_, err = b.Credential(ctx, "ann", directory.SchemePHS)
	wantErr(t, "the hash that was dropped", err, directory.ErrNotFound)
	_, err = b.RestoreUser(ctx, "ann", asItIs)
	wantErr(t, "restore again", err, directory.ErrNotFound)
	testForgotten(ctx, t, b)
}

func testForgotten(ctx context.Context, t *testing.T, b *bench) {
	t.Helper()
	_, err := b.RemoveUser(ctx, "ann", allowed)
	must(t, err)
	_, err = b.RemoveUser(ctx, "new", allowed)
	must(t, err)
	n, err := b.PurgeDeleted(ctx, b.clock.Now())
	must(t, err)
	equal(t, "forgotten too early", n, 0)
	must(t, b.ForgetUser(ctx, "new"))
	b.clock.Advance(directory.DeletedFor)
	n, err = b.PurgeDeleted(ctx, b.clock.Now().Add(1))
	must(t, err)
	equal(t, "forgotten", n, 1)
	_, err = b.Credential(ctx, "ann", directory.SchemeCloud)
	wantErr(t, "the password of who is forgotten", err, directory.ErrNotFound)

	// Who leaves the scope of the synchronisation and comes back is the same account, with what the cloud said of it.
	tom := synced("tom", "tom@one.test")
	must(t, b.ApplySync(ctx, directory.Changes{Put: directory.Objects{Users: []directory.User{tom}}}))
	_, _, err = b.ChangeUser(ctx, "tom", func(u *directory.User) error { u.Blocked, u.UsageLocation = true, "NL"; return nil })
	must(t, err)
	must(t, b.ApplySync(ctx, directory.Changes{Put: directory.Objects{Users: []directory.User{tom}}})) // read before the change
	must(t, b.ApplySync(ctx, directory.Changes{Delete: directory.Objects{Users: []directory.User{tom}}}))
	must(t, b.ApplySync(ctx, directory.Changes{Put: directory.Objects{Users: []directory.User{tom}}}))
	got, err := b.UserByID(ctx, "tom")
	must(t, err)
	equal(t, "what the cloud masters", fmt.Sprintf("%v %s", got.Blocked, got.UsageLocation), "true NL")
	left, err := b.DeletedUsers(ctx, directory.Query{})
	must(t, err)
	equal(t, "deleted ones", len(left), 0)
}
