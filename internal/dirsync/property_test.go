package dirsync

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// apply is what a store makes of changes.
func apply(now directory.Objects, c directory.Changes) directory.Objects {
	gone := map[string]bool{}
	for _, u := range slices.Concat(c.Delete.Users, c.Put.Users) {
		gone[string(u.ID)] = true
	}
	for _, g := range slices.Concat(c.Delete.Groups, c.Put.Groups) {
		gone[g.ID] = true
	}
	for _, k := range slices.Concat(c.Delete.Contacts, c.Put.Contacts) {
		gone[k.ID] = true
	}
	next := directory.Objects{Deleted: slices.Concat(now.Deleted, c.Delete.Users)}
	next.Users = append(slices.DeleteFunc(slices.Clone(now.Users), func(u directory.User) bool { return gone[string(u.ID)] }), c.Put.Users...)
	next.Groups = append(slices.DeleteFunc(slices.Clone(now.Groups), func(g directory.Group) bool { return gone[g.ID] }), c.Put.Groups...)
	next.Contacts = append(slices.DeleteFunc(slices.Clone(now.Contacts), func(k directory.Contact) bool { return gone[k.ID] }), c.Put.Contacts...)
	next.Deleted = slices.DeleteFunc(next.Deleted, func(u directory.User) bool {
		return slices.ContainsFunc(next.Users, func(n directory.User) bool { return n.ID == u.ID })
	})
	return next
}

// few are names, of anchors too, so that much collides.
func few() *rapid.Generator[string] { return rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}) }

func someObject() *rapid.Generator[Incoming] {
	return rapid.Custom(func(t *rapid.T) Incoming {
		name := few().Draw(t, "name")
		o := Object{
			Kind:        rapid.SampledFrom([]string{User, User, User, Group, Contact, "printer"}).Draw(t, "kind"),
			ID:          few().Draw(t, "id"),
			Anchor:      rapid.SampledFrom([]string{anchor(few().Draw(t, "anchor")), "", "%"}).Draw(t, "form"),
			UPN:         name + rapid.SampledFrom([]string{"@phs.example.test", "@PHS.Example.test", "@other.test", "@init.example.test", "é@phs.example.test", ""}).Draw(t, "domain"),
			Nickname:    rapid.SampledFrom([]string{"", "a", "n", "a@b"}).Draw(t, "nickname"),
			DisplayName: rapid.SampledFrom([]string{name, "", "\x00", string(make([]byte, 300))}).Draw(t, "display name"),
			Enabled:     rapid.Bool().Draw(t, "enabled"),
			Gone:        rapid.IntRange(0, 3).Draw(t, "gone") == 0,
		}
		if rapid.IntRange(0, 2).Draw(t, "addressed") == 0 {
			o.ProxyAddresses = []string{"SMTP:" + few().Draw(t, "primary") + "@phs.example.test"}
		}
		in := Incoming{Object: o}
		if o.Kind == Group {
			in.Members.Users = rapid.SliceOfN(rapid.Map(few(), func(s string) authn.AccountID { return authn.AccountID(IDOf(User, anchor(s))) }), 0, 3).Draw(t, "members")
		}
		return in
	})
}

// someCloud is a tenant of accounts of the cloud, of which b and d are privileged.
func someCloud(t *rapid.T) directory.Objects {
	var now directory.Objects
	for _, name := range []string{"a", "b", "c", "d"} {
		if !rapid.Bool().Draw(t, "has "+name) {
			continue
		}
		u := cloudOnly(name)
		u.Admin = name == "b" || name == "d"
		if rapid.IntRange(0, 2).Draw(t, "by hand") == 0 {
			u.Onprem.Anchor = anchor(few().Draw(t, "immutable ID"))
		}
		if rapid.IntRange(0, 2).Draw(t, "mailed") == 0 {
			u.Mail = few().Draw(t, "mail") + "@phs.example.test"
		}
		now.Users = append(now.Users, u)
	}
	return now
}

func someRules() *rapid.Generator[Rules] {
	return rapid.Custom(func(t *rapid.T) Rules {
		return Rules{
			Verified: ours, Initial: rapid.SampledFrom([]string{"", "init.example.test"}).Draw(t, "initial domain"),
			SoftMatch: rapid.Bool().Draw(t, "soft"), HardMatch: rapid.Bool().Draw(t, "hard"),
		}
	})
}

// mustBeSound fails when two accounts have one name or id, or a privileged account was touched.
func mustBeSound(t *rapid.T, now directory.Objects, p Plan) {
	names, ids := map[string]bool{}, map[authn.AccountID]bool{}
	for _, u := range now.Users {
		if names[u.UPN] || ids[u.ID] || authn.ParseIdentifier(u.UPN).UPN() != u.UPN || u.UPN == "" || u.DisplayName == "" {
			t.Fatalf("%q (%s) twice, or nobody's name, after\n%s", u.UPN, u.ID, p)
		}
		names[u.UPN], ids[u.ID] = true, true
		if u.Admin && (u.Synced || !u.Changed.IsZero()) {
			t.Fatalf("the administrator %s was touched by\n%s", u.UPN, p)
		}
	}
}

func TestApplyingAPlanLeavesNothingToDoButWhatItLists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now, rules := someCloud(t), someRules().Draw(t, "rules")
		for range rapid.IntRange(1, 4).Draw(t, "runs") {
			wanted := rapid.SliceOfN(someObject(), 0, 8).Draw(t, "source")
			for i := range wanted {
				wanted[i].ID = fmt.Sprintf("%s%d", wanted[i].ID, i)
			}
			p := Diff(now, wanted, rules)
			if shuffled := Diff(now, rapid.Permutation(wanted).Draw(t, "shuffled"), rules); shuffled.String() != p.String() || gocmp.Diff(settledSet(shuffled), settledSet(p)) != "" {
				t.Fatalf("the order of the source changes the plan:\n%s\n%s", p, shuffled)
			}
			mustSettle(t, wanted, p)
			mustDeleteOnlyTheGone(t, wanted, p)
			now = apply(now, p.Changes("run", time.Unix(3, 0)))
			mustBeSound(t, now, p)
			again := Diff(now, wanted, rules)
			for range 4 { // what was left pending may find its way when others have gone theirs
				if again.Empty() {
					break
				}
				if !slices.ContainsFunc(p.Settled, func(s Settled) bool { return s.Error+s.Quarantined != "" }) {
					t.Fatalf("after\n%s\nthere is still\n%s", p, again)
				}
				now = apply(now, again.Changes("run", time.Unix(4, 0)))
				mustBeSound(t, now, again)
				p, again = again, Diff(now, wanted, rules)
			}
			if !again.Empty() {
				t.Fatalf("there is no end to it: after\n%s\nthere is still\n%s", p, again)
			}
		}
	})
}

// settledSet is what is settled, in an order of its own: objects that are alike in all that counts may change places.
func settledSet(p Plan) []Settled {
	return slices.SortedFunc(slices.Values(p.Settled), func(a, b Settled) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Anchor, b.Anchor), cmp.Compare(a.Error, b.Error), cmp.Compare(a.Quarantined, b.Quarantined))
	})
}

func mustSettle(t *rapid.T, wanted []Incoming, p Plan) {
	count := map[[2]string]int{}
	for _, o := range wanted {
		count[[2]string{o.ID, o.Anchor}]++
	}
	for _, s := range p.Settled {
		count[[2]string{s.ID, s.Anchor}]--
		if s.Error != "" && s.Quarantined != "" {
			t.Fatalf("left out and taken: %+v", s)
		}
	}
	for o, n := range count {
		if n != 0 {
			t.Fatalf("%v is settled %d times too little:\n%s", o, n, p)
		}
	}
}

func mustDeleteOnlyTheGone(t *rapid.T, wanted []Incoming, p Plan) {
	gone := map[string]bool{}
	for _, o := range wanted {
		gone[o.Anchor] = gone[o.Anchor] || o.Gone
	}
	var all []directory.Onprem
	for _, u := range p.changes.Delete.Users {
		all = append(all, u.Onprem)
	}
	for _, g := range p.changes.Delete.Groups {
		all = append(all, g.Onprem)
	}
	for _, k := range p.changes.Delete.Contacts {
		all = append(all, k.Onprem)
	}
	for _, o := range all {
		if o.Anchor == "" || !gone[o.Anchor] {
			t.Fatalf("%+v is deleted, and not gone:\n%s", o, p)
		}
	}
}

// Chunks end in the tenant that one plan for all ends in, when each is told who outside of it asks for which name, and when
// what could not be had at once is tried again.
func TestChunksEndInTheSameTenant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, rules := someCloud(t), someRules().Draw(t, "rules")
		first := distinct(rapid.SliceOfN(someObject(), 0, 6).Draw(t, "first"))
		before = apply(before, Diff(before, first, rules).Changes("run", time.Unix(1, 0)))
		wanted := distinct(rapid.SliceOfN(someObject(), 0, 6).Draw(t, "source"))
		slices.SortStableFunc(wanted, func(a, b Incoming) int { return boolean(b.Gone) - boolean(a.Gone) }) // as a run has it
		size := rapid.IntRange(1, 3).Draw(t, "chunk")
		whole, parts := before, before
		for range 6 {
			whole = apply(whole, Diff(whole, wanted, rules).Changes("run", time.Unix(2, 0)))
			for chunk := range slices.Chunk(wanted, size) {
				told := rules
				told.Taken = askers(wanted, chunk)
				parts = apply(parts, Diff(parts, chunk, told).Changes("run", time.Unix(2, 0)))
				mustBeSound(t, parts, Plan{})
			}
		}
		if diff := gocmp.Diff(byID(whole), byID(parts)); diff != "" {
			t.Fatalf("as one and in chunks of %d:\n%s", size, diff)
		}
	})
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// distinct leaves one object of each anchor and of each name in the initial domain, and one that has a primary address: of
// these the connector space doesn't tell a chunk who else has them.
func distinct(all []Incoming) []Incoming {
	seen := map[string]bool{}
	for _, o := range all {
		seen["derived "+authn.ParseIdentifier(o.UPN).UPN()] = true
	}
	return slices.DeleteFunc(slices.Clone(all), func(o Incoming) bool {
		keys := []string{o.Anchor}
		if p := primaryAddress(o.Object); p != "" {
			keys = append(keys, "primary")
		}
		if !ours(authn.ParseIdentifier(o.UPN).Domain()) {
			keys = append(keys, "derived "+placing().derived(o.Object))
		}
		again := slices.ContainsFunc(keys, func(k string) bool { return seen[k] })
		for _, k := range keys {
			seen[k] = true
		}
		return again
	})
}

// askers tells a chunk who outside asks for a name, as the connector space does.
func askers(all, chunk []Incoming) func(upn, by string) bool {
	return func(upn, by string) bool {
		return slices.ContainsFunc(all, func(o Incoming) bool {
			inside := slices.ContainsFunc(chunk, func(c Incoming) bool { return c.Anchor == o.Anchor })
			return !inside && !o.Gone && o.Anchor != by && o.Kind == User && usable(o.Anchor) && authn.ParseIdentifier(o.UPN).UPN() == upn
		})
	}
}

func byID(o directory.Objects) directory.Objects {
	slices.SortFunc(o.Users, func(a, b directory.User) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(o.Groups, func(a, b directory.Group) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(o.Contacts, func(a, b directory.Contact) int { return cmp.Compare(a.ID, b.ID) })
	o.Deleted = nil
	return o
}
