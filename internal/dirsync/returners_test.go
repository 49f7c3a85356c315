package dirsync_test

import (
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/store"
)

// tenancy is a tenant in a real store, and what synchronises these people into it.
func tenancy(t *testing.T) (*store.DB, func(people ...dirsync.Object) directory.Run) {
	t.Helper()
	s := newSite(t, newPremises())
	return s.db, func(people ...dirsync.Object) directory.Run {
		t.Helper()
		s.objects = map[string]dirsync.Object{}
		s.put(people...)
		return s.run(dirsync.Wish{Kind: dirsync.KindDirectory, Full: true})
	}
}

func mustHave(t *testing.T, db *store.DB, upn string, id authn.AccountID, synced bool) directory.User {
	t.Helper()
	u, err := db.UserByUPN(t.Context(), upn)
	if err != nil || u.ID != id || u.Synced != synced {
		t.Fatalf("%s is account %q, synchronised %v, %v; want %q, %v", upn, u.ID, u.Synced, err, id, synced)
	}
	return u
}

// An account that was the cloud's first has another id than its anchor would give it.
func TestWhoWasTakenOverLeavesAndReturnsIsTheSameAccount(t *testing.T) {
	db, run := tenancy(t)
	if err := db.CreateUser(t.Context(), directory.User{ID: "first-here", UPN: "ann@phs.example", DisplayName: "Ann", Enabled: true}); err != nil {
		t.Fatal(err)
	}
	group := staff("Staff", "ann", "ben")
	run(person("ann"), person("ben"), group)
	mustHave(t, db, "ann@phs.example", "first-here", true)
	if _, _, err := db.ChangeUser(t.Context(), "first-here", func(u *directory.User) error { u.Blocked = true; return nil }); err != nil {
		t.Fatal(err)
	}
	run(person("ben"), group)
	if _, err := db.UserByUPN(t.Context(), "ann@phs.example"); err == nil {
		t.Fatal("she is still here")
	}
	run(person("ann"), person("ben"), group)
	if u := mustHave(t, db, "ann@phs.example", "first-here", true); !u.Blocked {
		t.Error("an administrator's block was lost")
	}
	if groups, err := db.GroupsOf(t.Context(), "first-here"); err != nil || len(groups) != 1 {
		t.Errorf("groups %v, %v", groups, err)
	}
	if again := run(person("ann"), person("ben"), group); again.Added+again.Updated+again.Deleted != 0 {
		t.Errorf("there was more to do: %+v", again)
	}
}

// Groups of the premises may have lost a member while he was away; those that are mastered here have not.
func TestWhoReturnsIsInTheGroupsThatTheirMastersSay(t *testing.T) {
	db, run := tenancy(t)
	both, one := staff("Staff", "ann", "ben"), staff("Staff", "ben")
	run(person("ann"), person("ben"), both)
	ann, err := db.UserByUPN(t.Context(), "ann@phs.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.PutGroup(t.Context(), directory.Group{ID: "ours", Name: "Ours", Members: []authn.AccountID{ann.ID}}); err != nil {
		t.Fatal(err)
	}
	run(person("ben"), both)
	run(person("ann"), person("ben"), one)
	groups, err := db.GroupsOf(t.Context(), ann.ID)
	if err != nil || len(groups) != 1 || groups[0].ID != "ours" {
		t.Errorf("%+v, %v", groups, err)
	}
	run(person("ann"), person("ben"), both)
	if groups, err = db.GroupsOf(t.Context(), ann.ID); err != nil || len(groups) != 2 {
		t.Errorf("back in theirs: %+v, %v", groups, err)
	}
}

func TestWhoReturnsTakesOverNobodyWhoHasTheNameByNow(t *testing.T) {
	db, run := tenancy(t)
	run(person("ann"), person("ben"))
	run(person("ben"))
	if err := db.CreateUser(t.Context(), directory.User{ID: "other", UPN: "ann@phs.example", DisplayName: "Another Ann", Enabled: true}); err != nil {
		t.Fatal(err)
	}
	if r := run(person("ann"), person("ben")); len(r.Skipped) != 1 {
		t.Errorf("skipped %v", r.Skipped)
	}
	mustHave(t, db, "ann@phs.example", "other", false)
	if _, err := db.RemoveUser(t.Context(), "other", func(directory.User) error { return nil }); err != nil {
		t.Fatal(err)
	}
	run(person("ann"), person("ben"))
	if u, err := db.UserByUPN(t.Context(), "ann@phs.example"); err != nil || u.ID == "other" || !u.Synced {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestAnImmutableIDGivenByHandIsAHardMatchUnlessItIsAnAdministrators(t *testing.T) {
	db, run := tenancy(t)
	for _, u := range []directory.User{
		{ID: "ann", UPN: "ann@cloud.example", Enabled: true, Onprem: directory.Onprem{Anchor: person("ann").Anchor}},
		{ID: "root", UPN: "root@cloud.example", Enabled: true, Admin: true, Onprem: directory.Onprem{Anchor: person("root").Anchor}},
	} {
		if err := db.CreateUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	if r := run(person("ann"), person("root")); len(r.Skipped) != 1 {
		t.Errorf("skipped %v", r.Skipped)
	}
	mustHave(t, db, "ann@phs.example", "ann", true)
	mustHave(t, db, "root@cloud.example", "root", false)
}
