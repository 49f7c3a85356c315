package dirsync

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// Rules are what a plan is judged by, besides what is here and what is wanted.
type Rules struct {
	Verified  func(domain string) bool
	Initial   string                    // the domain of those whose UPN suffix is not verified, and of placeholders; "": such people are left out
	SoftMatch bool                      // a new object may take over an account of the cloud by UPN or primary SMTP address
	HardMatch bool                      // or by an immutable ID that was given by hand
	Taken     func(upn, by string) bool // somebody whom the plan is not about has the name, or asks for it; by is the anchor of who wants it. nil: nobody
}

// Diff plans how the tenant comes to hold what the source has of some objects. It is pure: the same arguments give the same
// plan, in whatever order the objects come.
//
// now holds what concerns these objects: accounts with their anchors, with the names that they may get (Rules.names) or with
// their addresses, deleted accounts, groups and contacts with their anchors. An object that is Gone deletes what stands for
// it here; nothing else is ever deleted. An object matches an account hard, by anchor, or softly, by UPN or primary address,
// when that is an account of the cloud only. A privileged cloud account is never matched: who can write to the on-premises
// directory must not become administrator here. Who was deleted and is in the source again is the same account as before.
func Diff(now directory.Objects, wanted []Incoming, r Rules) Plan {
	d := &differ{rules: r, limits: attributeLimits(), here: survey(now), leaving: map[string]string{}}
	good := d.sort(wanted)
	d.users(good[User])
	d.dropUsers(now.Users)
	d.groups(now.Groups, good[Group])
	d.contacts(now.Contacts, good[Contact])
	slices.SortStableFunc(d.plan.Skipped, func(a, b Skip) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Reason, b.Reason))
	})
	return d.plan
}

type differ struct {
	plan    Plan
	rules   Rules
	limits  map[string]directory.Attribute
	here    people
	leaving map[string]string // what is gone, by kind and anchor, and why
}

// entry is an object of the source and its place among what is settled.
type entry struct {
	*Incoming
	at int
}

// sort parts the objects by kind, in the order of their anchors, leaves out those that can't be anything here, and notes who
// is gone. Of two that have one anchor the first by id is taken.
func (d *differ) sort(wanted []Incoming) map[string][]entry {
	all := make([]*Incoming, len(wanted))
	for i := range wanted {
		all[i] = &wanted[i]
	}
	slices.SortStableFunc(all, func(a, b *Incoming) int {
		return cmp.Or(cmp.Compare(a.Anchor, b.Anchor), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.UPN, b.UPN), cmp.Compare(a.DN, b.DN))
	})
	good, seen := map[string][]entry{}, map[string]bool{}
	for i, o := range all {
		d.plan.Settled = append(d.plan.Settled, Settled{ID: o.ID, Anchor: o.Anchor})
		if o.Gone {
			continue
		}
		switch e := (entry{o, i}); {
		case !usable(o.Anchor):
			d.leaveOut(e, "its anchor is not base64 of 1 to 64 octets")
		case seen[o.Anchor]:
			d.leaveOut(e, "another object of the source has the same anchor")
		case o.Kind != User && o.Kind != Group && o.Kind != Contact:
			d.leaveOut(e, "it is no user, group or contact")
			seen[o.Anchor] = true
		default:
			seen[o.Anchor] = true
			good[o.Kind] = append(good[o.Kind], e)
		}
	}
	for _, o := range all {
		if o.Gone && o.Anchor != "" && !seen[o.Anchor] { // one that came back under another id is not gone
			d.leaving[leaver(o.Kind, o.Anchor)] = cmp.Or(o.Reason, "gone")
		}
	}
	return good
}

func leaver(kind, anchor string) string { return kind + " " + anchor }

// leaves says that what stands for an object here is deleted by this plan, and why.
func (d *differ) leaves(kind, anchor string, synced bool) (why string, ok bool) {
	why, ok = d.leaving[leaver(kind, anchor)]
	return why, ok && synced
}

// leaveOut lists an object that can't be taken. It stays pending.
func (d *differ) leaveOut(e entry, why string) {
	d.plan.skip(e.Object, "%s", why)
	d.plan.Settled[e.at].Error = why
}

// quarantine lists an object that was taken without one of its attributes. It stays pending for that.
func (d *differ) quarantine(e entry, why string) {
	d.plan.skip(e.Object, "%s", why)
	d.plan.Settled[e.at].Quarantined = why
}

func (d *differ) users(wanted []entry) {
	all := make([]*candidate, 0, len(wanted))
	for _, e := range wanted {
		all = append(all, d.match(e))
	}
	d.contest(all)
	d.settleNames(all)
	for _, c := range all {
		switch {
		case c.drop:
			d.leaveOut(c.entry, c.why)
			continue
		case c.why != "" && c.cur != nil:
			d.quarantine(c.entry, c.why+": it stays "+c.upn)
		case c.why != "":
			d.quarantine(c.entry, c.why+": it is "+c.upn+" until then")
		}
		d.putUser(c)
	}
}

func (d *differ) putUser(c *candidate) {
	u := directory.User{ID: cmp.Or(d.here.gone[c.Anchor], authn.AccountID(idOf(User, c.Anchor)))}
	if c.cur != nil {
		u = *c.cur
	}
	u.UPN, u.Synced, u.Enabled = c.upn, true, c.Enabled
	d.takeAttributes(c.entry, &u)
	u.Onprem.Anchor, u.Onprem.DN, u.Onprem.UPN = c.Anchor, c.DN, bindName(c.Object, c.upn)
	if c.cur == nil {
		u.UsageLocation = u.Onprem.Location
		d.plan.Adds = append(d.plan.Adds, Change{Kind: User, Name: u.UPN})
		d.plan.changes.Put.Users = append(d.plan.changes.Put.Users, u)
		return
	}
	u = u.KeepCloud(*c.cur)
	if what := userDiff(*c.cur, u); len(what) > 0 {
		d.plan.Updates = append(d.plan.Updates, Change{Kind: User, Name: c.cur.UPN, What: what})
		d.plan.changes.Put.Users = append(d.plan.changes.Put.Users, u)
	}
}

// userDiff says what changes, in words. A soft match says so first.
func userDiff(a, b directory.User) []string {
	var what []string
	if !a.Synced {
		what = append(what, "a cloud account is taken over by the source")
	}
	what = append(what, texts([][3]string{
		{"userPrincipalName", a.UPN, b.UPN},
		{"displayName", a.DisplayName, b.DisplayName},
		{"givenName", a.GivenName, b.GivenName},
		{"surname", a.Surname, b.Surname},
		{"mail", a.Mail, b.Mail},
		{"department", a.Department, b.Department},
		{"jobTitle", a.JobTitle, b.JobTitle},
		{"usageLocation", a.UsageLocation, b.UsageLocation},
	})...)
	if a.Enabled != b.Enabled {
		what = append(what, fmt.Sprintf("accountEnabled %v -> %v", a.Enabled, b.Enabled))
	}
	if a.UsageLocation == b.UsageLocation { // one that was set here hides that of the premises
		what = append(what, texts([][3]string{{"on-premises usageLocation", a.Onprem.Location, b.Onprem.Location}})...)
	}
	return append(what, onpremDiff(a.Onprem, b.Onprem)...)
}

func onpremDiff(a, b directory.Onprem) []string {
	return texts([][3]string{
		{"immutableId", a.Anchor, b.Anchor},
		{"distinguishedName", a.DN, b.DN},
		{"on-premises userPrincipalName", a.UPN, b.UPN},
		{"samAccountName", a.SAM, b.SAM},
	})
}

// texts says which of the attributes change: name, before, after.
func texts(all [][3]string) []string {
	var what []string
	for _, f := range all {
		if f[1] != f[2] {
			what = append(what, fmt.Sprintf("%s %q -> %q", f[0], shortened(f[1]), shortened(f[2])))
		}
	}
	return what
}

func (d *differ) dropUsers(now []directory.User) {
	for i := range now {
		u := &now[i]
		if why, ok := d.leaves(User, u.Onprem.Anchor, u.Synced); ok {
			d.plan.Deletes = append(d.plan.Deletes, Change{Kind: User, Name: u.UPN, What: []string{shortened(why)}})
			d.plan.changes.Delete.Users = append(d.plan.changes.Delete.Users, *u)
		}
	}
	slices.SortFunc(d.plan.Deletes, func(a, b Change) int { return cmp.Compare(a.Name, b.Name) }) // those of users are the first
	slices.SortFunc(d.plan.changes.Delete.Users, func(a, b directory.User) int { return cmp.Compare(a.UPN, b.UPN) })
}

// IDOf is the id that a new object of a kind gets.
func IDOf(kind, anchor string) string { return idOf(kind, anchor) }

// idOf makes the id of a new object from its anchor, so that one that was deleted by mistake comes back as itself
// (a UUID of version 8, RFC 9562, section 5.8).
func idOf(kind, anchor string) string {
	b := sha256.Sum256([]byte("fourways " + kind + "\x00" + anchor))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
