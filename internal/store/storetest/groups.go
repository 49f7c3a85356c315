package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/store"
)

// testGroups: members are accounts that exist, in order.
func testGroups(t *testing.T, b *bench) {
	ctx := t.Context()
	b.create(t, user("2", "b@one.test"), user("1", "a@one.test"))
	must(t, b.PutGroup(ctx, directory.Group{ID: "y", Name: "Staff", Members: []authn.AccountID{"2", "nobody", "1", "2"}}))
	must(t, b.PutGroup(ctx, directory.Group{ID: "x", Name: "Admins", Members: []authn.AccountID{"1"}}))
	got, err := b.Groups(ctx)
	must(t, err)
	equal(t, "groups", fmt.Sprint(names(got, func(g directory.Group) string { return fmt.Sprint(g.Name, g.Members) })), "Admins[1] Staff[1 2] ")
	must(t, b.PutGroup(ctx, directory.Group{ID: "y", Name: "Staff", Members: []authn.AccountID{"2"}}))
	of, err := b.GroupsOf(ctx, "1")
	must(t, err)
	equal(t, "groups of 1", names(of, groupName), "Admins ")
	_, err = b.DeleteGroup(ctx, "x", mayGo)
	must(t, err)
	_, err = b.DeleteGroup(ctx, "x", mayGo)
	wantErr(t, "delete again", err, directory.ErrNotFound)
	of, err = b.GroupsOf(ctx, "1")
	must(t, err)
	equal(t, "groups of 1 after the deletion", len(of), 0)
}

func groupName(g directory.Group) string { return g.Name }

func mayGo(directory.Group, directory.GroupUses) error { return nil }

func anyGroup(directory.Group) error { return nil }

func userRef(id string) directory.MemberRef {
	return directory.MemberRef{Kind: directory.UserMember, ID: id}
}

func groupRef(id string) directory.MemberRef {
	return directory.MemberRef{Kind: directory.GroupMember, ID: id}
}

func contactRef(id string) directory.MemberRef {
	return directory.MemberRef{Kind: directory.ContactMember, ID: id}
}

// nest makes groups by name, each with members: its id is its name.
func (b *bench) nest(t *testing.T, group string, members ...directory.MemberRef) {
	t.Helper()
	if err := b.CreateGroup(t.Context(), directory.Group{ID: group, Name: group}); !errors.Is(err, directory.ErrConflict) {
		must(t, err)
	}
	_, err := b.AddMembers(t.Context(), group, members, anyGroup)
	must(t, err)
}

// testMembers: what belongs to a group is added whole or not at all, and leaves with what it was.
func testMembers(t *testing.T, b *bench) {
	ctx := t.Context()
	b.create(t, user("ann", "ann@one.test"), user("ben", "ben@one.test"))
	must(t, b.CreateContact(ctx, directory.Contact{ID: "c", Name: "Carol", Mail: "Carol@Else.Test"}))
	b.nest(t, "inner", userRef("ann"), contactRef("c"))
	b.nest(t, "outer", groupRef("inner"), userRef("ben"), userRef("ann"))
	wantMembers(t, b, "outer", directory.MemberQuery{}, "inner+ ann+ ben+ ")
	wantMembers(t, b, "outer", directory.MemberQuery{Transitive: true}, "Carol- inner+ ann+ ben+ ")
	wantMembers(t, b, "outer", directory.MemberQuery{Transitive: true, Kind: directory.UserMember}, "ann+ ben+ ")
	wantUses(t, b, "outer", 3)

	added, err := b.AddMembers(ctx, "inner", []directory.MemberRef{userRef("ann"), userRef("ben")}, anyGroup)
	must(t, err)
	equal(t, "new members", added, 1)
	for _, unknown := range []directory.MemberRef{userRef("nobody"), groupRef("nothing"), contactRef("no")} {
		_, err := b.AddMembers(ctx, "outer", []directory.MemberRef{contactRef("c"), unknown}, anyGroup)
		wantErr(t, "add "+unknown.ID, err, directory.ErrNotFound)
		wantErr(t, "remove "+unknown.ID, b.RemoveMembers(ctx, "outer", []directory.MemberRef{userRef("ben"), unknown}, anyGroup), directory.ErrNotFound)
	}
	_, err = b.AddMembers(ctx, "nothing", []directory.MemberRef{userRef("ann")}, anyGroup)
	wantErr(t, "add to an unknown group", err, directory.ErrNotFound)
	refusal := errors.New("no")
	_, err = b.AddMembers(ctx, "outer", []directory.MemberRef{contactRef("c")}, func(directory.Group) error { return refusal })
	wantErr(t, "add to a group that refuses", err, refusal)
	wantMembers(t, b, "outer", directory.MemberQuery{}, "inner+ ann+ ben+ ") // of what failed nothing is left

	must(t, b.RemoveMembers(ctx, "outer", []directory.MemberRef{userRef("ann"), groupRef("inner")}, anyGroup))
	wantMembers(t, b, "outer", directory.MemberQuery{}, "ben+ ")
	must(t, b.erase(ctx, "ben"))
	must(t, b.DeleteContact(ctx, "c", func(directory.Contact) error { return nil }))
	wantMembers(t, b, "outer", directory.MemberQuery{}, "")
	wantMembers(t, b, "inner", directory.MemberQuery{}, "ann+ ")
	wantUses(t, b, "outer", 0)
	wantUses(t, b, "inner", 1)
}

// testMembersLicences: a licence comes with the membership and is suspended with it, in the same write.
func testMembersLicences(t *testing.T, b *bench) {
	ctx := t.Context()
	must(t, b.CreatePlan(ctx, directory.Plan{ID: "E3", Name: "E3", Seats: 5, Services: []string{"mail"}}))
	ann := user("ann", "ann@one.test")
	ann.UsageLocation = "NL"
	b.create(t, ann)
	b.nest(t, "g")
	must(t, b.AssignGroup(ctx, "E3", "g"))
	for _, step := range []struct {
		change func() error
		want   string
	}{
		{func() error { return nil }, ""},
		{func() error {
			_, err := b.AddMembers(ctx, "g", []directory.MemberRef{userRef("ann")}, anyGroup)
			return err
		}, "active "},
		{func() error { return b.RemoveMembers(ctx, "g", []directory.MemberRef{userRef("ann")}, anyGroup) }, "suspended "},
		{func() error {
			return b.PutGroup(ctx, directory.Group{ID: "g", Name: "g", Members: []authn.AccountID{"ann"}})
		}, "active "},
		{func() error { return b.PutGroup(ctx, directory.Group{ID: "g", Name: "g"}) }, "suspended "},
	} {
		must(t, step.change())
		held, err := b.LicencesOf(ctx, "ann")
		must(t, err)
		equal(t, "the licence", names(held, func(h directory.Held) string { return string(h.State) }), step.want)
	}
}

func wantMembers(t *testing.T, b *bench, group string, q directory.MemberQuery, want string) {
	t.Helper()
	equal(t, "members of "+group, names(everyMember(t, b.DB, group, q), func(m directory.Member) string {
		return m.Name + map[bool]string{true: "+", false: "-"}[m.Direct]
	}), want)
}

// everyMember reads page after page, of two members each.
func everyMember(t interface {
	Helper()
	Fatal(args ...any)
	Context() context.Context
}, db *store.DB, group string, q directory.MemberQuery,
) []directory.Member {
	t.Helper()
	var all []directory.Member
	for q.Limit = 2; len(all) < 1000; {
		some, err := db.Members(t.Context(), group, q)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, some...); len(some) == 0 {
			return all
		}
		q.After = some[len(some)-1].Cursor()
	}
	t.Fatal("the pages have no end")
	return nil
}

func wantUses(t *testing.T, b *bench, group string, members int) {
	t.Helper()
	u, err := b.GroupUses(t.Context(), group)
	must(t, err)
	equal(t, "members of "+group, u.Members, members)
}

// testCycles: a group never contains itself, and the refusal names the way.
func testCycles(t *testing.T, b *bench) {
	b.nest(t, "D")
	b.nest(t, "C", groupRef("D"))
	b.nest(t, "B", groupRef("C"))
	b.nest(t, "A", groupRef("B"), groupRef("D")) // twice one group is no cycle
	for _, try := range []struct{ group, member, way string }{
		{"A", "A", "A -> A"}, {"B", "A", "B -> A -> B"}, {"D", "A", "D -> A -> D"}, {"D", "B", "D -> B -> C -> D"},
	} {
		_, err := b.AddMembers(t.Context(), try.group, []directory.MemberRef{groupRef(try.member)}, anyGroup)
		wantErr(t, try.member+" into "+try.group, err, directory.ErrConflict)
		var cycle directory.CycleError
		if !errors.As(err, &cycle) || strings.Join(cycle.Way, " -> ") != try.way {
			t.Errorf("%s into %s: %v, want the way %s", try.member, try.group, err, try.way)
		}
	}
	_, err := b.AddMembers(t.Context(), "C", []directory.MemberRef{groupRef("D")}, anyGroup)
	must(t, err) // what is there already is none
	must(t, b.RemoveMembers(t.Context(), "A", []directory.MemberRef{groupRef("B"), groupRef("D")}, anyGroup))
	b.nest(t, "D", groupRef("A")) // what was a cycle is none any more
}

// testGroupPages: names are paged by name and id, and found by how they begin.
func testGroupPages(t *testing.T, b *bench) {
	ctx := t.Context()
	for id, name := range map[string]string{"3": "Staff", "1": "Staff", "2": "Sales 10%", "4": "sales", "5": "Überseehafen", "6": "Sales_"} {
		must(t, b.CreateGroup(ctx, directory.Group{ID: id, Name: name}))
		must(t, b.CreateContact(ctx, directory.Contact{ID: id, Name: name, Mail: id + "@Else.test"}))
	}
	wantErr(t, "an id that is taken", b.CreateGroup(ctx, directory.Group{ID: "1", Name: "x"}), directory.ErrConflict)
	for prefix, want := range map[string]string{"": "2 6 1 3 4 5 ", "Sa": "2 6 ", "Staff": "1 3 ", "Staffs": "", "Ü": "5 ", "Sales_": "6 ", "Sales%": ""} {
		var groups []directory.Group
		var contacts []directory.Contact
		for q := (directory.GroupQuery{Prefix: prefix, Limit: 1}); ; {
			some, err := b.GroupPage(ctx, q)
			must(t, err)
			if len(some) == 0 {
				break
			}
			more, err := b.ContactPage(ctx, q)
			must(t, err)
			groups, contacts = append(groups, some...), append(contacts, more...)
			q.After = some[0].Cursor()
		}
		equal(t, "groups that begin with "+prefix, names(groups, func(g directory.Group) string { return g.ID }), want)
		equal(t, "contacts that begin with "+prefix, names(contacts, func(c directory.Contact) string { return c.ID }), want)
	}
	two, err := b.GroupsNamed(ctx, "Staff")
	must(t, err)
	equal(t, "groups called Staff", len(two), 2)
	byMail, err := b.ContactsNamed(ctx, "4@ELSE.test")
	must(t, err)
	equal(t, "contacts of an address", names(byMail, func(c directory.Contact) string { return c.ID }), "4 ")
}

// testGroupChange: of two changes at once the second sees the first, and one that is refused stores nothing.
func testGroupChange(t *testing.T, b *bench) {
	ctx := t.Context()
	b.create(t, user("ann", "ann@one.test"))
	b.nest(t, "g", userRef("ann"))
	before, after, err := b.ChangeGroup(ctx, "g", func(g *directory.Group) error {
		g.Description = "first"
		return nil
	})
	must(t, err)
	equal(t, "before and after", before.Description+" "+after.Description, " first")
	if before.Tag() == after.Tag() {
		t.Error("a change leaves the version as it was")
	}
	_, _, err = b.ChangeGroup(ctx, "g", func(g *directory.Group) error {
		equal(t, "what the second sees", g.Description, "first")
		g.Description = "second"
		return directory.ErrChanged
	})
	wantErr(t, "the second", err, directory.ErrChanged)
	got, err := b.Group(ctx, "g")
	must(t, err)
	equal(t, "the description", got.Description, "first")
	wantMembers(t, b, "g", directory.MemberQuery{}, "ann+ ")
	_, _, err = b.ChangeGroup(ctx, "none", func(*directory.Group) error { return nil })
	wantErr(t, "a group that isn't there", err, directory.ErrNotFound)
}

// testGroupDeletion: with a group goes all that names it, a large one in several writes; one that may not go stays whole.
func testGroupDeletion(t *testing.T, b *bench) {
	ctx := t.Context()
	const many = 450
	must(t, b.CreatePlan(ctx, directory.Plan{ID: "E3", Name: "E3", Seats: 1000, Services: []string{"mail"}}))
	must(t, b.SetUsageLocation(ctx, "NL"))
	var users []directory.User
	var ids []authn.AccountID
	for i := range many {
		u := user(fmt.Sprintf("u%03d", i), fmt.Sprintf("u%03d@one.test", i))
		users, ids = append(users, u), append(ids, u.ID)
	}
	must(t, b.LoadUsers(ctx, users, nil))
	must(t, b.PutGroup(ctx, directory.Group{ID: "g", Name: "g", Members: ids}))
	b.nest(t, "above", groupRef("g"))
	b.nest(t, "below")
	b.nest(t, "g", groupRef("below"))
	must(t, b.AssignGroup(ctx, "E3", "g"))
	wantUses(t, b, "g", many+1)

	refusal := errors.New("no")
	_, err := b.DeleteGroup(ctx, "g", func(_ directory.Group, u directory.GroupUses) error {
		equal(t, "what it is good for", fmt.Sprint(u.Members, u.Plans, u.Apps, u.Rollout), fmt.Sprint(many+1, " [E3] [] false"))
		return refusal
	})
	wantErr(t, "a group that may not go", err, refusal)
	wantUses(t, b, "g", many+1)

	_, err = b.DeleteGroup(ctx, "g", mayGo)
	must(t, err)
	held, err := b.LicencesOf(ctx, "u007")
	must(t, err)
	equal(t, "licences that came of it", fmt.Sprint(names(held, func(h directory.Held) string { return string(h.State) + " " + h.Why })), "suspended "+directory.WhyLeft+" ")
	wantMembers(t, b, "above", directory.MemberQuery{Transitive: true}, "")
	must(t, b.CreateGroup(ctx, directory.Group{ID: "g", Name: "again"}))
	wantMembers(t, b, "g", directory.MemberQuery{}, "")
	wantUses(t, b, "g", 0)
}

// testSyncedNestings: a synchronisation brings groups in groups and contacts in them; a cycle is left out and told.
func testSyncedNestings(t *testing.T, b *bench) {
	ctx := t.Context()
	group := func(id string, nested []string, contacts ...string) directory.Group {
		return directory.Group{ID: id, Name: id, Synced: true, Nested: nested, Contacts: contacts}
	}
	put := func(groups ...directory.Group) error {
		return b.ApplySync(ctx, directory.Changes{Put: directory.Objects{Groups: groups, Contacts: []directory.Contact{{ID: "c", Name: "c", Synced: true}}}})
	}
	must(t, put(group("A", []string{"B", "gone"}, "c"), group("B", nil)))
	wantMembers(t, b, "A", directory.MemberQuery{}, "c+ B+ ")
	must(t, put(group("A", nil), group("B", []string{"A"}, "c"))) // they change places
	wantMembers(t, b, "A", directory.MemberQuery{}, "")
	wantMembers(t, b, "B", directory.MemberQuery{}, "c+ A+ ")
	wantErr(t, "a cycle", put(group("A", []string{"B"}, "c"), group("B", []string{"A"}, "c")), directory.ErrConflict)
	wantMembers(t, b, "A", directory.MemberQuery{}, "c+ ") // the rest is done
	all, err := b.Synced(ctx)
	must(t, err)
	equal(t, "what a synchronisation sees", names(all.Groups, func(g directory.Group) string { return fmt.Sprint(g.Name, g.Nested, g.Contacts) }), "A[] [c] B[A] [c] ")
	b.nest(t, "cloud", groupRef("A"), contactRef("c"))
	must(t, b.ApplySync(ctx, directory.Changes{Delete: directory.Objects{
		Groups: []directory.Group{{ID: "A"}, {ID: "cloud"}, {ID: "unknown"}}, Contacts: []directory.Contact{{ID: "c"}},
	}}))
	wantMembers(t, b, "B", directory.MemberQuery{}, "")
	wantMembers(t, b, "cloud", directory.MemberQuery{}, "") // it is mastered here, and stays
	_, err = b.Group(ctx, "cloud")
	must(t, err)
}
