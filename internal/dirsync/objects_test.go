package dirsync

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// Groups hold people, groups and contacts, whoever is said to be in them, each once.
func TestGroupsHoldWhoeverIsSaidToBeInThem(t *testing.T) {
	supplier := Object{Kind: Contact, ID: "id-supplier", Anchor: anchor("supplier"), DisplayName: "Supplier", Mail: "s@supplier.test"}
	alice, inner := authn.AccountID(IDOf(User, anchor("alice"))), IDOf(Group, anchor("inner"))
	group := Incoming{
		Object:  Object{Kind: Group, ID: "id-outer", Anchor: anchor("outer"), DisplayName: "outer", Description: "All", Members: []string{"not looked at"}},
		Members: Members{Users: []authn.AccountID{alice, alice}, Groups: []string{inner}, Contacts: []string{IDOf(Contact, supplier.Anchor)}},
	}
	wanted := append(incomingOf(person("alice"), supplier), group)
	first := Diff(directory.Objects{}, wanted, both()).Changes("run-0", time.Unix(1, 0)).Put
	want := fmt.Sprint([]any{first.Users[0].ID}, []any{inner}, []any{first.Contacts[0].ID})
	if g := first.Groups[0]; fmt.Sprint(g.Members, g.Nested, g.Contacts) != want || g.Description != "All" {
		t.Errorf("in outer are %s %s %s, want %s", g.Members, g.Nested, g.Contacts, want)
	}
	if again := Diff(first, wanted, both()); !again.Empty() {
		t.Errorf("what is here already is planned again: %s", again)
	}

	first.Groups[0].ID = "kept"
	group.Members, group.Description = Members{Users: []authn.AccountID{alice, "bob"}}, ""
	changed := Diff(first, append(incomingOf(person("alice"), supplier), group), both())
	if len(changed.Updates) != 1 || !slices.Equal(changed.Updates[0].What, []string{`description "All" -> ""`, "members +1 -2"}) || changed.changes.Put.Groups[0].ID != "kept" {
		t.Errorf("the plan is %s", changed)
	}
}

// Only what is synchronised is the source's to delete.
func TestGroupsAndContactsGoOnlyWhenTheyAreGone(t *testing.T) {
	group, contact := Object{Kind: Group, ID: "g", Anchor: anchor("g"), DisplayName: "G"}, Object{Kind: Contact, ID: "c", Anchor: anchor("c"), DisplayName: "C"}
	now := plan(directory.Objects{}, group, contact).changes.Put
	if p := plan(now); !p.Empty() {
		t.Errorf("got %s", p)
	}
	p := plan(now, gone(group), gone(contact))
	if len(p.Deletes) != 2 || len(p.changes.Delete.Groups) != 1 || len(p.changes.Delete.Contacts) != 1 {
		t.Errorf("got %s", p)
	}
	now.Groups[0].Synced, now.Contacts[0].Synced = false, false
	if p := plan(now, gone(group), gone(contact)); !p.Empty() {
		t.Errorf("got %s", p)
	}
}
