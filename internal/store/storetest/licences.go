package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

var errFull = errors.New("no seats left")

// seated lets everybody with a seat have a licence.
func seated(_ directory.User, _ directory.Plan, free int) error {
	if free <= 0 {
		return errFull
	}
	return nil
}

func plan(id string, seats int) directory.Plan {
	return directory.Plan{ID: id, Name: id, Seats: seats, Services: []string{"mail"}}
}

// located makes a synchronised user with a usage location.
func located(id string) directory.User {
	u := synced(id, id+"@one.test")
	u.UsageLocation, u.Onprem.Location = "NL", "NL"
	return u
}

// staff is a synchronised group of these people, who are there.
func (b *bench) staff(t *testing.T, ids ...string) {
	t.Helper()
	g := directory.Group{ID: "g1", Name: "Staff", Synced: true}
	for _, id := range ids {
		g.Members = append(g.Members, authn.AccountID(id))
	}
	must(t, b.ApplySync(t.Context(), directory.Changes{Put: directory.Objects{Groups: []directory.Group{g}}}))
}

// licensed checks all licences at once: "a E3 g1 active; b E3 - refused: no seats left; ".
func (b *bench) licensed(t *testing.T, what, want string) {
	t.Helper()
	rows, err := b.Licences(t.Context(), directory.LicenceQuery{})
	must(t, err)
	got := ""
	for _, l := range rows {
		source := l.Group
		if source == "" {
			source = "-"
		}
		got += fmt.Sprintf("%s %s %s %s", l.Account, l.Plan, source, l.State)
		if l.Why != "" {
			got += ": " + l.Why
		}
		got += "; "
	}
	equal(t, what, got, want)
}

// testLicences: a group's direct members get its plan, wait for seats and locations, and lose it with the group.
func testLicences(t *testing.T, b *bench) {
	ctx := t.Context()
	must(t, b.CreatePlan(ctx, plan("E3", 2)))
	wantErr(t, "a plan twice", b.CreatePlan(ctx, plan("E3", 1)), directory.ErrConflict)
	people := []directory.User{located("a"), located("b"), located("c"), synced("d", "d@one.test")}
	must(t, b.ApplySync(ctx, directory.Changes{Put: directory.Objects{Users: people}}))
	b.staff(t, "a", "b", "c", "d")
	wantErr(t, "an unknown group", b.AssignGroup(ctx, "E3", "nobody"), directory.ErrNotFound)
	wantErr(t, "an unknown plan", b.AssignGroup(ctx, "E9", "g1"), directory.ErrNotFound)
	for range 2 { // it can be repeated
		must(t, b.AssignGroup(ctx, "E3", "g1"))
	}
	b.licensed(t, "two seats for four", "a E3 g1 active; b E3 g1 active; c E3 g1 refused: no seats left; d E3 g1 refused: no usage location; ")

	wantErr(t, "a direct licence without a seat", b.Assign(ctx, "E3", "c", seated), errFull)
	must(t, b.Assign(ctx, "E3", "a", seated)) // has a seat already
	b.clock.Advance(time.Hour)
	b.staff(t, "b", "c", "d")
	b.licensed(t, "a second source keeps the seat", "a E3 - active; a E3 g1 suspended: the group no longer gives it; b E3 g1 active; c E3 g1 refused: no seats left; d E3 g1 refused: no usage location; ")
	must(t, b.Revoke(ctx, "E3", "a"))
	b.licensed(t, "a seat comes free", "a E3 g1 suspended: the group no longer gives it; b E3 g1 active; c E3 g1 active; d E3 g1 refused: no usage location; ")
	wantErr(t, "revoke what comes from a group", b.Revoke(ctx, "E3", "b"), directory.ErrNotFound)

	must(t, b.SetUsageLocation(ctx, "DE"))
	b.licensed(t, "the tenant's location", "a E3 g1 suspended: the group no longer gives it; b E3 g1 active; c E3 g1 active; d E3 g1 refused: no seats left; ")
	_, _, err := b.ChangePlan(ctx, "E3", func(p *directory.Plan, used int) error {
		equal(t, "used", used, 2)
		p.Seats = 3
		return nil
	})
	must(t, err)
	b.staff(t, "a", "b", "c", "d")
	b.licensed(t, "one more seat, and a comes back", "a E3 g1 refused: no seats left; b E3 g1 active; c E3 g1 active; d E3 g1 active; ")
	must(t, b.ApplySync(ctx, directory.Changes{Delete: directory.Objects{Users: []directory.User{{ID: "b"}}}}))
	b.licensed(t, "who is deleted leaves a seat", "a E3 g1 active; b E3 g1 suspended: the account is deleted; c E3 g1 active; d E3 g1 active; ")

	must(t, b.ForgetUser(ctx, "b"))
	b.licensed(t, "who is gone has nothing", "a E3 g1 active; c E3 g1 active; d E3 g1 active; ")
	u, err := b.Plan(ctx, "E3")
	must(t, err)
	equal(t, "usage", fmt.Sprint(u.Used, u.Refused, u.Suspended, u.Groups), "3 0 0 [g1]")
	kept := errors.New("kept")
	wantErr(t, "a plan in use", b.DeletePlan(ctx, "E3", func(_ directory.Plan, licences, groups int) error {
		equal(t, "licences and groups", [2]int{licences, groups}, [2]int{3, 1})
		return kept
	}), kept)
	must(t, b.ApplySync(ctx, directory.Changes{Delete: directory.Objects{Groups: []directory.Group{{ID: "g1"}}}}))
	b.licensed(t, "the group is gone", "a E3 g1 suspended: the group no longer gives it; c E3 g1 suspended: the group no longer gives it; d E3 g1 suspended: the group no longer gives it; ")
	must(t, b.DeletePlan(ctx, "E3", func(_ directory.Plan, licences, groups int) error {
		equal(t, "licences and groups", [2]int{licences, groups}, [2]int{})
		return nil
	}))
	b.licensed(t, "the plan is gone", "")
}

// testRevokeGroup: revoking a group's plan takes its licences away, and deals the seats.
func testRevokeGroup(t *testing.T, b *bench) {
	ctx := t.Context()
	must(t, b.CreatePlan(ctx, plan("E3", 1)))
	must(t, b.ApplySync(ctx, directory.Changes{Put: directory.Objects{Users: []directory.User{located("a"), located("b")}}}))
	b.staff(t, "a")
	must(t, b.AssignGroup(ctx, "E3", "g1"))
	must(t, b.PutGroup(ctx, directory.Group{ID: "g2", Name: "Others", Members: []authn.AccountID{"b"}}))
	must(t, b.AssignGroup(ctx, "E3", "g2"))
	b.licensed(t, "one seat", "a E3 g1 active; b E3 g2 refused: no seats left; ")
	must(t, b.RevokeGroup(ctx, "E3", "g1"))
	b.licensed(t, "the seat is dealt", "b E3 g2 active; ")
	wantErr(t, "once more", b.RevokeGroup(ctx, "E3", "g1"), directory.ErrNotFound)
	found, err := b.GroupsNamed(ctx, "Others")
	must(t, err)
	equal(t, "groups of that name", len(found), 1)
}

// testLicencePurge: a suspended licence is forgotten when it is as old as what retention keeps; others stay.
func testLicencePurge(t *testing.T, b *bench) {
	ctx := t.Context()
	must(t, b.CreatePlan(ctx, plan("E3", 5)))
	must(t, b.ApplySync(ctx, directory.Changes{Put: directory.Objects{Users: []directory.User{located("a"), located("b"), located("c")}}}))
	b.staff(t, "a", "b", "c")
	must(t, b.AssignGroup(ctx, "E3", "g1"))
	b.staff(t, "b", "c")
	must(t, b.ApplySync(ctx, directory.Changes{Delete: directory.Objects{Users: []directory.User{{ID: "c"}}}}))
	kept := "a E3 g1 suspended: the group no longer gives it; b E3 g1 active; c E3 g1 suspended: the account is deleted; "
	_, err := b.Purge(ctx, b.clock.Now(), 0)
	must(t, err)
	b.licensed(t, "as young as that", kept)
	_, err = b.Purge(ctx, b.clock.Now().Add(time.Second), 0)
	must(t, err)
	b.licensed(t, "older", "b E3 g1 active; c E3 g1 suspended: the account is deleted; ")
}

// testSeats: of many who ask at once, as many get a licence as there are seats.
func testSeats(t *testing.T, b *bench) {
	const seats, asking = 7, 40
	must(t, b.CreatePlan(t.Context(), plan("E5", seats)))
	var users []directory.User
	for i := range asking {
		users = append(users, located(fmt.Sprintf("u%02d", i)))
	}
	must(t, b.ApplySync(t.Context(), directory.Changes{Put: directory.Objects{Users: users}}))
	var all sync.WaitGroup
	var got, full atomic.Int32
	for _, u := range users {
		all.Go(func() {
			switch err := b.Assign(context.WithoutCancel(t.Context()), "E5", u.ID, seated); {
			case err == nil:
				got.Add(1)
			case errors.Is(err, errFull):
				full.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	equal(t, "got one", got.Load(), seats)
	equal(t, "found it full", full.Load(), asking-seats)
	u, err := b.Plan(t.Context(), "E5")
	must(t, err)
	equal(t, "used", u.Used, seats)
}

// testLargeGroup: a group larger than a write is licensed whole, and pages of licences come to all of them.
func testLargeGroup(t *testing.T, b *bench) {
	const people, seats = 450, 430
	ctx := t.Context()
	must(t, b.CreatePlan(ctx, plan("E3", seats-5)))
	var users []directory.User
	var ids []string
	for i := range people {
		ids = append(ids, fmt.Sprintf("u%03d", i))
		users = append(users, located(ids[i]))
	}
	must(t, b.ApplySync(ctx, directory.Changes{Put: directory.Objects{Users: users}}))
	b.staff(t, ids...)
	must(t, b.AssignGroup(ctx, "E3", "g1"))
	_, _, err := b.ChangePlan(ctx, "E3", func(p *directory.Plan, _ int) error { p.Seats = seats; return nil })
	must(t, err)
	states, after := map[directory.LicenceState]int{}, ""
	for n := 1; n > 0; {
		rows, err := b.Licences(ctx, directory.LicenceQuery{Plan: "E3", After: after, Limit: 101})
		must(t, err)
		for _, l := range rows {
			states[l.State]++
			after = l.Cursor()
			if (l.State == directory.LicenceActive) != (string(l.Account) < ids[seats]) {
				t.Errorf("%s is %s: seats are dealt in order", l.Account, l.State)
			}
		}
		n = len(rows)
	}
	equal(t, "active", states[directory.LicenceActive], seats)
	equal(t, "refused", states[directory.LicenceRefused], people-seats)
}

// testApps: applications and who is assigned to them, themselves and by their groups.
func testApps(t *testing.T, b *bench) {
	ctx := t.Context()
	app := directory.App{ID: "mail", Name: "Mail", Service: "mail", Assigned: true, Roles: []string{"user", "admin"}}
	must(t, b.CreateApp(ctx, app))
	wantErr(t, "an application twice", b.CreateApp(ctx, app), directory.ErrConflict)
	must(t, b.CreatePlan(ctx, plan("E3", 5)))
	must(t, b.ApplySync(ctx, directory.Changes{Put: directory.Objects{Users: []directory.User{located("a"), located("b")}}}))
	b.staff(t, "a")
	granted := func(id authn.AccountID) string {
		access, err := b.Access(ctx, "mail", id)
		must(t, err)
		g := access.MayUse()
		return fmt.Sprintf("%s%v%v", g.Reason, g.Roles, g.Plans)
	}
	role := func(want string) func(directory.App) (string, error) {
		return func(a directory.App) (string, error) { return a.Role(want) }
	}
	equal(t, "before anything", granted("a"), "not_assigned[][]")
	_, err := b.AssignApp(ctx, directory.Assignment{App: "mail", Group: "g1"}, role(""))
	must(t, err)
	equal(t, "assigned by the group", granted("a"), "not_licensed[user][]")
	must(t, b.AssignGroup(ctx, "E3", "g1"))
	for range 2 { // it can be repeated
		_, err = b.AssignApp(ctx, directory.Assignment{App: "mail", Account: "a"}, role("admin"))
		must(t, err)
	}
	equal(t, "both, and licensed", granted("a"), "none[user admin][E3]")
	equal(t, "somebody else", granted("b"), "not_assigned[][]")
	_, err = b.AssignApp(ctx, directory.Assignment{App: "mail", Account: "nobody"}, role(""))
	wantErr(t, "assign nobody", err, directory.ErrNotFound)
	_, err = b.Access(ctx, "books", "a")
	wantErr(t, "an unknown application", err, directory.ErrNotFound)
	_, _, err = b.ChangeApp(ctx, "mail", func(_ *directory.App, assigned []string) error {
		equal(t, "roles in use", fmt.Sprint(assigned), "[admin user]")
		return nil
	})
	must(t, err)
	rows, err := b.Assignments(ctx, "mail")
	must(t, err)
	equal(t, "assignments", names(rows, func(r directory.AssignmentRow) string { return r.Name + ":" + r.Role }), "Staff:user a@one.test:admin ")
	must(t, b.UnassignApp(ctx, directory.Assignment{App: "mail", Account: "a"}))
	wantErr(t, "once more", b.UnassignApp(ctx, directory.Assignment{App: "mail", Account: "a"}), directory.ErrNotFound)
	b.staff(t, "b")
	equal(t, "who left the group", granted("a"), "not_assigned[][]")
	equal(t, "who joined it", granted("b"), "none[user][E3]")
	must(t, b.DeleteApp(ctx, "mail", func(directory.App) error { return nil }))
	_, err = b.App(ctx, "mail")
	wantErr(t, "deleted", err, directory.ErrNotFound)
}
