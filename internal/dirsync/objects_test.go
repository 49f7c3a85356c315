package dirsync

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/directory"
)

// Groups hold people, groups and contacts; what is out of scope is left out, and what is here keeps its id.
func TestGroupsHoldWhateverIsInScope(t *testing.T) {
	group := func(name string, members ...string) Object {
		o := Object{Kind: Group, Anchor: anchor(name), DisplayName: name}
		for _, m := range members {
			o.Members = append(o.Members, anchor(m))
		}
		return o
	}
	supplier := Object{Kind: Contact, Anchor: anchor("supplier"), DisplayName: "Supplier", Mail: "s@supplier.test"}
	wanted := []Object{person("alice"), supplier, group("outer", "inner", "supplier", "alice", "nick"), group("inner", "supplier", "outer")}
	first := Diff(directory.Objects{}, wanted, ours).Changes("run-0", time.Unix(1, 0)).Put
	at := func(name string) directory.Group {
		i := slices.IndexFunc(first.Groups, func(g directory.Group) bool { return g.Name == name })
		return first.Groups[i]
	}
	outer, inner := at("outer"), at("inner")
	want := fmt.Sprint([]any{first.Users[0].ID}, []any{inner.ID}, []any{first.Contacts[0].ID})
	if got := fmt.Sprint(outer.Members, outer.Nested, outer.Contacts); got != want {
		t.Errorf("in outer are %s, want %s", got, want)
	}
	if !slices.Equal(inner.Nested, []string{outer.ID}) { // a cycle is the store's to refuse
		t.Errorf("in inner are %v, want %s", inner.Nested, outer.ID)
	}

	if again := Diff(first, wanted, ours); len(again.Adds)+len(again.Updates)+len(again.Deletes) != 0 {
		t.Errorf("what is here already is planned again: %s", again)
	}
	first.Contacts[0].ID = "kept"
	wanted[2] = group("outer", "supplier", "alice")
	changed := Diff(first, wanted, ours)
	if len(changed.Updates) != 2 || changed.Updates[1].Kind != Group || !slices.Contains(append(changed.Updates[0].What, changed.Updates[1].What...), "members +1 -2") {
		t.Errorf("the plan is %s", changed)
	}
}
