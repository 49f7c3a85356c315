package dirsync

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fourways-id/fourways/internal/directory"
)

// groups plans the groups. Their members are known by id already; those out of scope are not here.
func (d *differ) groups(now []directory.Group, wanted []entry) {
	here := map[string]directory.Group{}
	for _, g := range now {
		if g.Synced {
			here[g.Onprem.Anchor] = g
		}
	}
	for _, e := range wanted {
		members := e.Incoming.Members
		if n := len(members.Users) + len(members.Groups) + len(members.Contacts); n > directory.MostMembers {
			d.leaveOut(e, fmt.Sprintf("it has %d members, %d is the most", n, directory.MostMembers))
			continue
		}
		g, known := here[e.Anchor]
		before := g
		if !known {
			g.ID = idOf(Group, e.Anchor)
		}
		g.Synced, g.Name = true, d.title(e, g.Name, e.DisplayName, e.SAM, e.DN)
		g.Description = d.take(e, "description", e.Description, g.Description)
		g.Members, g.Nested, g.Contacts = sorted(members.Users), sorted(members.Groups), sorted(members.Contacts)
		g.Onprem = directory.Onprem{Anchor: e.Anchor, DN: e.DN, SAM: e.SAM, SyncedAt: g.Onprem.SyncedAt}
		d.put(Group, g.Name, known, groupDiff(before, g), func() { d.plan.changes.Put.Groups = append(d.plan.changes.Put.Groups, g) })
	}
	for _, g := range slices.SortedFunc(slices.Values(now), func(a, b directory.Group) int { return cmp.Compare(a.Name+" "+a.ID, b.Name+" "+b.ID) }) {
		if why, ok := d.leaves(Group, g.Onprem.Anchor, g.Synced); ok {
			d.plan.Deletes = append(d.plan.Deletes, Change{Kind: Group, Name: shortened(g.Name), What: []string{shortened(why)}})
			d.plan.changes.Delete.Groups = append(d.plan.changes.Delete.Groups, g)
		}
	}
}

// sorted are ids in order, each once.
func sorted[T ~string](ids []T) []T {
	return slices.Compact(slices.Sorted(slices.Values(ids)))
}

func groupDiff(a, b directory.Group) []string {
	what := texts([][3]string{{"displayName", a.Name, b.Name}, {"description", a.Description, b.Description}})
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

func (d *differ) contacts(now []directory.Contact, wanted []entry) {
	here := map[string]directory.Contact{}
	for _, k := range now {
		if k.Synced {
			here[k.Onprem.Anchor] = k
		}
	}
	for _, e := range wanted {
		k, known := here[e.Anchor]
		before := k
		if !known {
			k.ID = idOf(Contact, e.Anchor)
		}
		k.Synced, k.Name = true, d.title(e, k.Name, e.DisplayName, e.Mail, e.DN)
		k.Mail = d.take(e, "mail", e.Mail, k.Mail)
		k.Onprem = directory.Onprem{Anchor: e.Anchor, DN: e.DN, SAM: e.SAM, SyncedAt: k.Onprem.SyncedAt}
		d.put(Contact, k.Name, known, contactDiff(before, k), func() { d.plan.changes.Put.Contacts = append(d.plan.changes.Put.Contacts, k) })
	}
	for _, k := range slices.SortedFunc(slices.Values(now), func(a, b directory.Contact) int { return cmp.Compare(a.Name+" "+a.ID, b.Name+" "+b.ID) }) {
		if why, ok := d.leaves(Contact, k.Onprem.Anchor, k.Synced); ok {
			d.plan.Deletes = append(d.plan.Deletes, Change{Kind: Contact, Name: shortened(k.Name), What: []string{shortened(why)}})
			d.plan.changes.Delete.Contacts = append(d.plan.changes.Delete.Contacts, k)
		}
	}
}

func contactDiff(a, b directory.Contact) []string {
	what := texts([][3]string{{"displayName", a.Name, b.Name}, {"mail", a.Mail, b.Mail}})
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
