package store

import (
	"fmt"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

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
	must(b, db.applyMembers(b.Context(), []directory.Group{{ID: "g", Members: ids}}))
	return db, ids
}

// BenchmarkGroup measures what must not take longer in a large group than in a small one.
func BenchmarkGroup(b *testing.B) {
	for _, members := range []int{1_000, 100_000} {
		db, ids := crowded(b, members)
		in := []directory.MemberRef{{Kind: directory.UserMember, ID: string(ids[members/2])}}
		anyGroup := func(directory.Group) error { return nil }
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
