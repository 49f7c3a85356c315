package dirsync_test

import (
	"context"
	"encoding/base64"
	"path/filepath"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/keyring"
	"github.com/fourways-id/fourways/internal/store"
)

// source is an on-premises directory that has these objects.
type source []dirsync.Object

func (s *source) Sync(_ context.Context, run string, kind dirsync.Kind, take func(dirsync.Batch) error) error {
	return take(dirsync.Batch{Run: run, Kind: kind, Objects: *s, Last: true})
}

type everyDomain struct{}

func (everyDomain) Verified(string) bool { return true }
func (everyDomain) HashSync(string) bool { return true }

// tenancy is a tenant in a real store, and what synchronises these people into it.
func tenancy(t *testing.T) (*store.DB, func(people ...dirsync.Object) directory.Run) {
	t.Helper()
	clock := authntest.NewClock(time.Unix(1e9, 0))
	ring, err := keyring.Create(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "store.db"), Ring: ring, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var from source
	e := &dirsync.Engine{
		Agents: &from, Target: db, People: db, Clock: clock,
		Domains: func(context.Context) (dirsync.Domains, error) { return everyDomain{}, nil },
		Limits:  func() dirsync.Limits { return dirsync.Limits{MaxDeletes: 500, MaxRatio: 1} },
	}
	return db, func(people ...dirsync.Object) directory.Run {
		t.Helper()
		from = people
		run, err := e.Run(t.Context(), dirsync.KindDirectory)
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
}

func named(name string) dirsync.Object {
	return dirsync.Object{Kind: dirsync.User, Anchor: base64.StdEncoding.EncodeToString([]byte(name)), UPN: name + "@phs.example", DisplayName: name, Enabled: true}
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
	group := dirsync.Object{Kind: dirsync.Group, Anchor: "Z3JvdXA=", DisplayName: "Staff", Members: []string{named("ann").Anchor, named("ben").Anchor}}
	run(named("ann"), named("ben"), group)
	mustHave(t, db, "ann@phs.example", "first-here", true)
	if _, _, err := db.ChangeUser(t.Context(), "first-here", func(u *directory.User) error { u.Blocked = true; return nil }); err != nil {
		t.Fatal(err)
	}
	run(named("ben"), group)
	if _, err := db.UserByUPN(t.Context(), "ann@phs.example"); err == nil {
		t.Fatal("she is still here")
	}
	run(named("ann"), named("ben"), group)
	if u := mustHave(t, db, "ann@phs.example", "first-here", true); !u.Blocked {
		t.Error("an administrator's block was lost")
	}
	if groups, err := db.GroupsOf(t.Context(), "first-here"); err != nil || len(groups) != 1 {
		t.Errorf("groups %v, %v", groups, err)
	}
	if again := run(named("ann"), named("ben"), group); again.Added+again.Updated+again.Deleted != 0 {
		t.Errorf("there was more to do: %+v", again)
	}
}

// Groups of the premises may have lost a member while he was away; those that are mastered here have not.
func TestWhoReturnsIsInTheGroupsThatTheirMastersSay(t *testing.T) {
	db, run := tenancy(t)
	staff := dirsync.Object{Kind: dirsync.Group, Anchor: "c3RhZmY=", DisplayName: "Staff", Members: []string{named("ann").Anchor, named("ben").Anchor}}
	run(named("ann"), named("ben"), staff)
	ann, err := db.UserByUPN(t.Context(), "ann@phs.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.PutGroup(t.Context(), directory.Group{ID: "ours", Name: "Ours", Members: []authn.AccountID{ann.ID}}); err != nil {
		t.Fatal(err)
	}
	run(named("ben"), staff)
	staff.Members = staff.Members[1:]
	run(named("ann"), named("ben"), staff)
	groups, err := db.GroupsOf(t.Context(), ann.ID)
	if err != nil || len(groups) != 1 || groups[0].ID != "ours" {
		t.Errorf("%+v, %v", groups, err)
	}
	staff.Members = []string{named("ann").Anchor, named("ben").Anchor}
	run(named("ann"), named("ben"), staff)
	if groups, err = db.GroupsOf(t.Context(), ann.ID); err != nil || len(groups) != 2 {
		t.Errorf("back in theirs: %+v, %v", groups, err)
	}
}

func TestWhoReturnsTakesOverNobodyWhoHasTheNameByNow(t *testing.T) {
	db, run := tenancy(t)
	run(named("ann"), named("ben"))
	run(named("ben"))
	if err := db.CreateUser(t.Context(), directory.User{ID: "other", UPN: "ann@phs.example", DisplayName: "Another Ann", Enabled: true}); err != nil {
		t.Fatal(err)
	}
	if r := run(named("ann"), named("ben")); len(r.Skipped) != 1 {
		t.Errorf("skipped %v", r.Skipped)
	}
	mustHave(t, db, "ann@phs.example", "other", false)
	if _, err := db.RemoveUser(t.Context(), "other", func(directory.User) error { return nil }); err != nil {
		t.Fatal(err)
	}
	run(named("ann"), named("ben"))
	if u, err := db.UserByUPN(t.Context(), "ann@phs.example"); err != nil || u.ID == "other" || !u.Synced {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestAnImmutableIDGivenByHandIsAHardMatchUnlessItIsAnAdministrators(t *testing.T) {
	db, run := tenancy(t)
	for _, u := range []directory.User{
		{ID: "ann", UPN: "ann@cloud.example", Enabled: true, Onprem: directory.Onprem{Anchor: named("ann").Anchor}},
		{ID: "root", UPN: "root@cloud.example", Enabled: true, Admin: true, Onprem: directory.Onprem{Anchor: named("root").Anchor}},
	} {
		if err := db.CreateUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	if r := run(named("ann"), named("root")); len(r.Skipped) != 1 {
		t.Errorf("skipped %v", r.Skipped)
	}
	mustHave(t, db, "ann@phs.example", "ann", true)
	mustHave(t, db, "root@cloud.example", "root", false)
}
