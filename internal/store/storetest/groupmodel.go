package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// nests is what the store's groups must come to, kept in maps.
type nests struct {
	*bench
	inside  map[string]map[string]bool // group -> groups that are members
	members map[string]map[string]bool // group -> accounts
	refused int
}

// testNestingModel: however groups are nested and taken apart, none contains itself, and what is in each is what the maps
// say.
func testNestingModel(t *testing.T, b *bench) {
	groups := []string{"A", "B", "C", "D", "E"}
	people := []string{"x", "y", "z"}
	for _, p := range people {
		b.create(t, user(p, p+"@one.test"))
	}
	runs, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		n := &nests{bench: b, inside: map[string]map[string]bool{}, members: map[string]map[string]bool{}}
		for _, g := range groups {
			_, err := b.DeleteGroup(rt.Context(), g, mayGo)
			if !errors.Is(err, directory.ErrNotFound) {
				ok(rt, err)
			}
			ok(rt, b.CreateGroup(rt.Context(), directory.Group{ID: g, Name: g}))
			n.inside[g], n.members[g] = map[string]bool{}, map[string]bool{}
		}
		of := func(all []string, what string) string { return rapid.SampledFrom(all).Draw(rt, what) }
		rt.Repeat(map[string]func(*rapid.T){
			"nest":   func(rt *rapid.T) { n.addGroup(rt, of(groups, "group"), of(groups, "member")) },
			"unnest": func(rt *rapid.T) { n.remove(rt, n.inside, of(groups, "group"), groupRef(of(groups, "member"))) },
			"join": func(rt *rapid.T) {
				g, p := of(groups, "group"), of(people, "person")
				_, err := b.AddMembers(rt.Context(), g, []directory.MemberRef{userRef(p)}, anyGroup)
				ok(rt, err)
				n.members[g][p] = true
			},
			"leave": func(rt *rapid.T) { n.remove(rt, n.members, of(groups, "group"), userRef(of(people, "person"))) },
			"":      func(rt *rapid.T) { n.check(rt, groups, of(groups, "whose members"), of(people, "whose groups")) },
		})
		refused += n.refused
	})
	if runs == 0 || refused == 0 {
		t.Fatalf("%d runs, %d cycles refused: nothing was tried", runs, refused)
	}
}

// below are the groups that a group contains, itself too.
func (n *nests) below(group string, seen map[string]bool) map[string]bool {
	seen[group] = true
	for g := range n.inside[group] {
		if !seen[g] {
			n.below(g, seen)
		}
	}
	return seen
}

func (n *nests) addGroup(t *rapid.T, group, member string) {
	cycle := n.below(member, map[string]bool{})[group]
	_, err := n.AddMembers(t.Context(), group, []directory.MemberRef{groupRef(member)}, anyGroup)
	var told directory.CycleError
	if cycle != errors.As(err, &told) || !cycle && err != nil {
		t.Fatalf("%s into %s: a cycle is %v, got %v", member, group, cycle, err)
	}
	if !cycle {
		n.inside[group][member] = true
		return
	}
	n.refused++
	if way := told.Way; way[0] != group || way[1] != member || way[len(way)-1] != group {
		t.Fatalf("%s into %s: the way is told as %v", member, group, way)
	}
	for i := 1; i+1 < len(told.Way); i++ {
		if !n.inside[told.Way[i]][told.Way[i+1]] {
			t.Fatalf("%s into %s: %v is no way", member, group, told.Way)
		}
	}
}

func (n *nests) remove(t *rapid.T, from map[string]map[string]bool, group string, m directory.MemberRef) {
	has := from[group][m.ID]
	err := n.RemoveMembers(t.Context(), group, []directory.MemberRef{m}, anyGroup)
	if has != (err == nil) || !has && !errors.Is(err, directory.ErrNotFound) {
		t.Fatalf("%s out of %s: it is a member: %v, got %v", m.ID, group, has, err)
	}
	delete(from[group], m.ID)
}

// check compares one group, and the groups of one person.
func (n *nests) check(t *rapid.T, groups []string, group, person string) {
	want := map[string]bool{}
	for b := range n.below(group, map[string]bool{}) {
		for p := range n.members[b] {
			want["user "+p] = n.members[group][p]
		}
		if b != group {
			want["group "+b] = n.inside[group][b]
		}
	}
	got := map[string]bool{}
	for _, m := range everyMember(t, n.DB, group, directory.MemberQuery{Transitive: true}) {
		got[m.Cursor()] = m.Direct
	}
	if !maps.Equal(got, want) {
		t.Fatalf("in %s are %v, want %v", group, got, want)
	}
	u, err := n.GroupUses(t.Context(), group)
	ok(t, err)
	if u.Members != len(n.inside[group])+len(n.members[group]) {
		t.Fatalf("%s has %d members, want %d groups and %d people", group, u.Members, len(n.inside[group]), len(n.members[group]))
	}
	n.checkGroupsOf(t, groups, person)
}

func (n *nests) checkGroupsOf(t *rapid.T, groups []string, person string) {
	var want, got []string
	for _, g := range groups {
		for b := range n.below(g, map[string]bool{}) {
			if n.members[b][person] {
				want = append(want, fmt.Sprint(g, n.members[g][person]))
				break
			}
		}
	}
	of, err := n.AllGroupsOf(t.Context(), authn.AccountID(person))
	ok(t, err)
	for _, m := range of {
		got = append(got, fmt.Sprint(m.Name, m.Direct))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%s is in %v, want %v", person, got, want)
	}
}
