package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

func anyGroup(directory.Group) error { return nil }

func TestAGroupTakesNoMoreThanItsMostMembers(t *testing.T) {
	db, path := newSQLite(t)
	ctx := t.Context()
	must(t, db.CreateGroup(ctx, directory.Group{ID: "g", Name: "g"}))
	var refs []directory.MemberRef
	for i := range 3 {
		id := fmt.Sprint(i)
		must(t, db.CreateContact(ctx, directory.Contact{ID: id, Name: id, Mail: id + "@one.test"}))
		refs = append(refs, directory.MemberRef{Kind: directory.ContactMember, ID: id})
	}
	_, err := db.AddMembers(ctx, "g", refs[:1], anyGroup)
	must(t, err)
	_, err = raw(t, path).ExecContext(ctx, `UPDATE group_sizes SET members = $1`, directory.MostMembers-1) // as if they were there
	must(t, err)
	if _, err := db.AddMembers(ctx, "g", refs[1:], anyGroup); !errors.Is(err, directory.ErrConflict) {
		t.Errorf("one too many: %v", err)
	}
	for _, fits := range [][]directory.MemberRef{refs[1:2], refs[:2]} {
		if _, err := db.AddMembers(ctx, "g", fits, anyGroup); err != nil {
			t.Errorf("the last one that fits, or one that is there: %v", err)
		}
	}
}

// A world that comes back brings its memberships; how many they are is counted anew.
func TestAGroupsSizeIsRightAfterAWorldCameBack(t *testing.T) {
	db, _ := newSQLite(t)
	ctx := t.Context()
	must(t, db.CreateUser(ctx, directory.User{ID: "ann", UPN: "ann@one.test", Enabled: true}))
	must(t, db.CreateUser(ctx, directory.User{ID: "ben", UPN: "ben@one.test", Enabled: true}))
	must(t, db.PutGroup(ctx, directory.Group{ID: "g", Name: "g", Members: []authn.AccountID{"ann", "ben"}}))
	kept := filepath.Join(t.TempDir(), "kept.db")
	must(t, db.KeepWorld(ctx, kept))
	must(t, db.PutGroup(ctx, directory.Group{ID: "g", Name: "g", Members: []authn.AccountID{"ann"}}))
	must(t, db.PutGroup(ctx, directory.Group{ID: "later", Name: "later", Members: []authn.AccountID{"ann"}}))
	for range 2 {
		must(t, db.RestoreWorld(ctx, kept))
		for group, want := range map[string]int{"g": 2, "later": 0} {
			if u, err := db.GroupUses(ctx, group); err != nil || u.Members != want {
				t.Errorf("%s has %d members, want %d (%v)", group, u.Members, want, err)
			}
		}
	}
}

// crowded is a group of so many members.
func crowded(b *testing.B, members int) (*DB, []authn.AccountID) {
	b.Helper()
	db, _ := newSQLite(b)
	users, ids := make([]directory.User, members), make([]authn.AccountID, members)
	for i := range members {
		ids[i] = authn.AccountID(fmt.Sprintf("%08d", i))
		users[i] = directory.User{ID: ids[i], UPN: fmt.Sprintf("u%d@one.test", i), Enabled: true, UsageLocation: "NL"}
	}
	must(b, db.LoadUsers(b.Context(), users, nil))
	must(b, db.CreateGroup(b.Context(), directory.Group{ID: "g", Name: "g", Synced: true}))
	must(b, db.applyMembers(b.Context(), 0, []directory.Group{{ID: "g", Members: ids}}))
	return db, ids
}

// BenchmarkGroup measures what must not take longer in a large group than in a small one.
func BenchmarkGroup(b *testing.B) {
	for _, members := range []int{1_000, 100_000} {
		db, ids := crowded(b, members)
		in := []directory.MemberRef{{Kind: directory.UserMember, ID: string(ids[members/2])}}
		b.Run(fmt.Sprintf("leave and join/%d", members), func(b *testing.B) {
			for b.Loop() {
				must(b, db.RemoveMembers(b.Context(), "g", in, anyGroup))
				_, err := db.AddMembers(b.Context(), "g", in, anyGroup)
				must(b, err)
			}
		})
		b.Run(fmt.Sprintf("page/%d", members), func(b *testing.B) {
			q := directory.MemberQuery{After: directory.MemberRef{Kind: directory.UserMember, ID: string(ids[members/2])}.Cursor(), Limit: 100}
			for b.Loop() {
				page, err := db.Members(b.Context(), "g", q)
				must(b, err)
				if len(page) != q.Limit {
					b.Fatalf("a page of %d", len(page))
				}
			}
		})
		b.Run(fmt.Sprintf("size/%d", members), func(b *testing.B) {
			for b.Loop() {
				u, err := db.GroupUses(b.Context(), "g")
				must(b, err)
				if u.Members != members {
					b.Fatalf("%d members", u.Members)
				}
			}
		})
		must(b, db.CreatePlan(b.Context(), directory.Plan{ID: "E3", Name: "E3", Seats: directory.MostSeats, Services: []string{"mail"}}))
		must(b, db.AssignGroup(b.Context(), "E3", "g"))
		b.Run(fmt.Sprintf("leave and join with a licence/%d", members), func(b *testing.B) {
			for b.Loop() {
				must(b, db.RemoveMembers(b.Context(), "g", in, anyGroup))
				_, err := db.AddMembers(b.Context(), "g", in, anyGroup)
				must(b, err)
			}
		})
	}
}
