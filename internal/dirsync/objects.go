package dirsync

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fourways-id/fourways/internal/directory"
)

// groups plans the groups, whose members are people, groups and contacts. Members out of scope are left out: they are not
// here. contacts are the ids of those that will be, by anchor.
func (d *differ) groups(now []directory.Group, wanted []Incoming, contacts map[string]string) {
	here := map[string]directory.Group{}
	for _, g := range now {
		if g.Synced {
			here[g.Onprem.Anchor] = g
		}
	}
	for _, o := range wanted {
		g, known := here[o.Anchor]
		before := g
		if !known {
			g.ID = idOf(Group, o.Anchor)
		}
		g.Name, g.Synced, g.Members = cmp.Or(o.DisplayName, o.SAM, o.DN), true, o.Members.Users
		g.Nested, g.Contacts = o.Members.Groups, o.Members.Contacts
		g.Onprem = directory.Onprem{Anchor: o.Anchor, DN: o.DN, SAM: o.SAM, SyncedAt: g.Onprem.SyncedAt}
		d.put(Group, g.Name, known, groupDiff(before, g), func() { d.plan.changes.Put.Groups = append(d.plan.changes.Put.Groups, g) })
	}
	for _, g := range slices.SortedFunc(slices.Values(now), func(a, b directory.Group) int { return cmp.Compare(a.Name, b.Name) }) {
		if g.Synced && d.drop[g.Onprem.Anchor] {
			d.plan.Deletes = append(d.plan.Deletes, Change{Kind: Group, Name: g.Name})
			d.plan.changes.Delete.Groups = append(d.plan.changes.Delete.Groups, g)
		}
	}
}

// ofAnchors are those of the members that will be here as one kind of object, by id.
func ofAnchors[T ~string](members []string, here map[string]T) []T {
	ids := []T{}
	for _, a := range members {
		if id, ok := here[a]; ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// idsOf are the ids that objects of the source will have: those that are here keep theirs.
func idsOf(kind string, wanted []Incoming, here func(anchor string) string) map[string]string {
	ids := make(map[string]string, len(wanted))
	for _, o := range wanted {
		ids[o.Anchor] = cmp.Or(here(o.Anchor), idOf(kind, o.Anchor))
	}
	return ids
}

func groupDiff(a, b directory.Group) []string {
	var what []string
	if a.Name != b.Name {
		what = append(what, fmt.Sprintf("displayName %q -> %q", shortened(a.Name), shortened(b.Name)))
	}
	joined := missing(b.Members, a.Members) + missing(b.Nested, a.Nested) + missing(b.Contacts, a.Contacts)
	left := missing(a.Members, b.Members) + missing(a.Nested, b.Nested) + missing(a.Contacts, b.Contacts)
	if joined+left > 0 {
		what = append(what, fmt.Sprintf("members +%d -%d", joined, left))
	}
	return append(what, onpremDiff(a.Onprem, b.Onprem)...)
}

// missing counts the ids of all that are not in some.
func missing[T comparable](all, some []T) int {
	in := make(map[T]bool, len(some))
	for _, id := range some {
		in[id] = true
	}
	n := 0
	for _, id := range all {
		if !in[id] {
			n++
		}
	}
	return n
}

// contactIDs are the ids that the contacts of the source will have, by anchor.
func contactIDs(now []directory.Contact, wanted []Incoming) map[string]string {
	here := map[string]string{}
	for _, k := range now {
		if k.Synced {
			here[k.Onprem.Anchor] = k.ID
		}
	}
	return idsOf(Contact, wanted, func(anchor string) string { return here[anchor] })
}

func (d *differ) contacts(now []directory.Contact, wanted []Incoming) {
	here := map[string]directory.Contact{}
	for _, k := range now {
		if k.Synced {
			here[k.Onprem.Anchor] = k
		}
	}
	for _, o := range wanted {
		k, known := here[o.Anchor]
		before := k
		if !known {
			k.ID = idOf(Contact, o.Anchor)
		}
		k.Name, k.Mail, k.Synced = cmp.Or(o.DisplayName, o.Mail, o.DN), o.Mail, true
		k.Onprem = directory.Onprem{Anchor: o.Anchor, DN: o.DN, SAM: o.SAM, SyncedAt: k.Onprem.SyncedAt}
		d.put(Contact, k.Name, known, contactDiff(before, k), func() { d.plan.changes.Put.Contacts = append(d.plan.changes.Put.Contacts, k) })
	}
	for _, k := range slices.SortedFunc(slices.Values(now), func(a, b directory.Contact) int { return cmp.Compare(a.Name, b.Name) }) {
		if k.Synced && d.drop[k.Onprem.Anchor] {
			d.plan.Deletes = append(d.plan.Deletes, Change{Kind: Contact, Name: k.Name})
			d.plan.changes.Delete.Contacts = append(d.plan.changes.Delete.Contacts, k)
		}
	}
}

func contactDiff(a, b directory.Contact) []string {
	var what []string
	if a.Name != b.Name {
		what = append(what, fmt.Sprintf("displayName %q -> %q", shortened(a.Name), shortened(b.Name)))
	}
	if a.Mail != b.Mail {
		what = append(what, fmt.Sprintf("mail %q -> %q", shortened(a.Mail), shortened(b.Mail)))
	}
	return append(what, onpremDiff(a.Onprem, b.Onprem)...)
}

// put plans an object that is new or differs.
func (d *differ) put(kind, name string, known bool, what []string, take func()) {
	switch {
	case !known:
		d.plan.Adds = append(d.plan.Adds, Change{Kind: kind, Name: shortened(name)})
		take()
	case len(what) > 0:
		d.plan.Updates = append(d.plan.Updates, Change{Kind: kind, Name: shortened(name), What: what})
		take()
	}
}
