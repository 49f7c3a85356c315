package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/store"
)

// twoAdministrators are two who work on the store at once: at two gateways where that can be.
func (b *bench) twoAdministrators(t *testing.T) [2]*store.DB {
	t.Helper()
	if b.opts.URL == "" {
		return [2]*store.DB{b.DB, b.DB}
	}
	other, err := b.Open(t.Context(), b.opts)
	must(t, err)
	t.Cleanup(func() { must(t, other.Close()) })
	return [2]*store.DB{b.DB, other}
}

// both does two things at once and gives their errors.
func both(one, two func() error) [2]error {
	var errs [2]error
	var at sync.WaitGroup
	for i, do := range []func() error{one, two} {
		at.Go(func() { errs[i] = do() })
	}
	at.Wait()
	return errs
}

// testRaces: of two administrators who can't both have their way, one has it.
func testRaces(t *testing.T, b *bench) {
	who := b.twoAdministrators(t)
	t.Run("each nests the other's group", func(t *testing.T) {
		for i := range 20 {
			first, second := fmt.Sprint("a", i), fmt.Sprint("b", i)
			b.nest(t, first)
			b.nest(t, second)
			into := func(db *store.DB, group, member string) func() error {
				return func() error {
					_, err := db.AddMembers(t.Context(), group, []directory.MemberRef{groupRef(member)}, anyGroup)
					return err
				}
			}
			oneWins(t, both(into(who[0], first, second), into(who[1], second, first)), directory.ErrConflict)
		}
	})
	t.Run("each gives the last seat", func(t *testing.T) {
		must(t, b.ApplySync(t.Context(), directory.Changes{Put: directory.Objects{Users: []directory.User{located("x"), located("y")}}}))
		for i := range 20 {
			last := fmt.Sprint("P", i)
			must(t, b.CreatePlan(t.Context(), plan(last, 1)))
			give := func(db *store.DB, id authn.AccountID) func() error {
				return func() error { return db.Assign(t.Context(), last, id, seated) }
			}
			oneWins(t, both(give(who[0], "x"), give(who[1], "y")), errFull)
		}
	})
	t.Run("one leaves while licences are dealt", func(t *testing.T) { leaveWhileDealing(t, b, who) })
}

// oneWins wants that one succeeded, and what the other heard.
func oneWins(t *testing.T, errs [2]error, loses error) {
	t.Helper()
	if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs[0], errs[1]), loses) {
		t.Errorf("got %v and %v, want one success and %v", errs[0], errs[1], loses)
	}
}

func leaveWhileDealing(t *testing.T, b *bench, who [2]*store.DB) {
	t.Helper()
	const people, seats = 600, 400
	ctx := context.WithoutCancel(t.Context())
	users, refs := make([]directory.User, people), make([]directory.MemberRef, people)
	for i := range users {
		users[i] = located(fmt.Sprintf("m%03d", i))
		refs[i] = directory.MemberRef{Kind: directory.UserMember, ID: string(users[i].ID)}
	}
	must(t, b.ApplySync(ctx, directory.Changes{Put: directory.Objects{Users: users}}))
	must(t, b.CreateGroup(ctx, directory.Group{ID: "crowd", Name: "crowd"}))
	for i := 0; i < people; i += 200 {
		_, err := b.AddMembers(ctx, "crowd", refs[i:i+200], anyGroup)
		must(t, err)
	}
	must(t, b.CreatePlan(ctx, plan("Crowd", seats)))
	errs := both(
		func() error { return who[0].AssignGroup(ctx, "Crowd", "crowd") },
		func() (err error) {
			for i := 0; i < people; i += 3 { // a third of them
				err = errors.Join(err, who[1].RemoveMembers(ctx, "crowd", refs[i:i+1], anyGroup))
			}
			return err
		})
	must(t, errors.Join(errs[0], errs[1]))
	u, err := b.Plan(ctx, "Crowd")
	must(t, err)
	equal(t, "used, and who waits", [2]int{u.Used, u.Refused}, [2]int{seats, 0})
}
