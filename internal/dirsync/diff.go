package dirsync

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// Diff plans how the tenant comes to hold what the source has. It is pure: the same arguments give the same plan.
//
// now holds every synchronised object, and beside them the cloud accounts whose anchor or name the source claims. An
// object matches an account hard, by anchor, or softly, by UPN, when that is an account of the cloud only. A privileged
// cloud account is never matched: who can write to the on-premises directory must not become administrator here. Who was
// deleted and is in the source again is the same account as before.
// verified says whether a domain is the tenant's.
func Diff(now directory.Objects, wanted []Incoming, r Rules) Plan {
	d := &differ{
		rules:    r,
		verified: r.Verified,
		anchors:  map[string]*directory.User{},
		names:    map[string]*directory.User{},
		ids:      map[string]authn.AccountID{},
		seen:     map[string]bool{},
		gone:     map[string]authn.AccountID{},
	}
	for _, u := range now.Deleted {
		d.gone[u.Onprem.Anchor] = u.ID
	}
	for i := range now.Users {
		u := &now.Users[i]
		d.names[u.UPN] = u
		if u.Onprem.Anchor != "" {
			d.anchors[u.Onprem.Anchor] = u
		}
	}
	good := d.sort(wanted)
	d.users(good[User])
	d.dropUsers(now.Users)
	d.groups(now.Groups, good[Group], contactIDs(now.Contacts, good[Contact]))
	d.contacts(now.Contacts, good[Contact])
	for _, o := range wanted {
		d.plan.Settled = append(d.plan.Settled, Settled{ID: o.ID, Anchor: o.Anchor, Error: d.errors[o.ID]})
	}
	return d.plan
}

// Rules are what a match and a name are judged by.
type Rules struct {
	Verified             func(domain string) bool
	Initial              string
	SoftMatch, HardMatch bool
	Taken                func(upn, by string) bool
}

func (r Rules) names(o Object) []string { return []string{authn.ParseIdentifier(o.UPN).UPN()} }

type differ struct {
	rules    Rules
	errors   map[string]string
	drop     map[string]bool // anchors that are gone
	plan     Plan
	verified func(string) bool
	anchors  map[string]*directory.User // accounts that are here, by anchor
	names    map[string]*directory.User // and by UPN
	ids      map[string]authn.AccountID // anchor -> account, of everybody who will be here, for groups
	seen     map[string]bool            // anchors that the source has, those of skipped objects too
	gone     map[string]authn.AccountID // anchor -> account, of those who were deleted and can come back
}

// sort parts the objects by kind, in the order of their anchors, and skips those that have no usable anchor. A skipped
// object still counts as seen, so that what it stands for isn't deleted.
func (d *differ) sort(wanted []Incoming) map[string][]Incoming {
	good := map[string][]Incoming{}
	d.errors, d.drop = map[string]string{}, map[string]bool{}
	for _, o := range slices.SortedStableFunc(slices.Values(wanted), func(a, b Incoming) int { return cmp.Compare(a.Anchor, b.Anchor) }) {
		if o.Gone {
			d.drop[o.Anchor] = o.Anchor != ""
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(o.Anchor)
		switch {
		case err != nil || len(raw) == 0 || len(raw) > 64:
			d.skip(o, "its anchor is not base64 of 1 to 64 octets")
		case d.seen[o.Anchor]:
			d.skip(o, "another object of the source has the same anchor")
		case o.Kind != User && o.Kind != Group && o.Kind != Contact:
			d.skip(o, "it is no user, group or contact")
			d.seen[o.Anchor] = true
		default:
			d.seen[o.Anchor] = true
			good[o.Kind] = append(good[o.Kind], o)
		}
	}
	return good
}

func (d *differ) skip(o Incoming, format string, args ...any) {
	d.plan.skip(o.Object, format, args...)
	d.errors[o.ID] = fmt.Sprintf(format, args...)
}

// candidate is a user of the source on the way into the plan.
type candidate struct {
	from Incoming
	cur  *directory.User // whom it matches; nil: a new one
	upn  string          // the name that it will have
	drop bool            // it can't be taken
}

// known reports that the account is the object's own, by anchor; a soft match is only a claim to one.
func (c *candidate) known() bool { return c.cur != nil && c.cur.Onprem.Anchor == c.from.Anchor }

func (d *differ) users(wanted []Incoming) {
	all := make([]*candidate, 0, len(wanted))
	for _, o := range wanted {
		if c := d.match(o); c != nil {
			all = append(all, c)
		}
	}
	d.settleNames(all)
	for _, c := range all {
		if !c.drop {
			d.putUser(c)
		}
	}
}

// match finds the account that an object stands for, and the name that it asks for.
func (d *differ) match(o Incoming) *candidate {
	who := authn.ParseIdentifier(o.UPN)
	c := &candidate{from: o, cur: d.anchors[o.Anchor], upn: who.UPN()}
	_, returns := d.gone[o.Anchor] // as the account that it was, and not as one that was made under its name since
	if cloud := d.names[c.upn]; c.cur == nil && cloud != nil && !cloud.Synced && !returns {
		if cloud.Onprem.Anchor != "" {
			d.skip(o, "a cloud account has that name and belongs to another anchor")
			return nil
		}
		c.cur = cloud
	}
	if c.cur != nil && !c.cur.Synced && c.cur.Admin {
		d.skip(o, "a privileged cloud account has that name or anchor, and is never taken over")
		return nil
	}
	switch {
	case c.upn == "":
		d.refuseName(c, "its user name is not one that an account can have")
	case !d.verified(who.Domain()):
		d.refuseName(c, "its domain is not one of this tenant")
	}
	return c
}

// refuseName leaves a new user out, and a known one under the name that it has: what else changed follows all the same,
// above all that it was disabled.
func (d *differ) refuseName(c *candidate, why string) {
	if !c.known() {
		d.skip(c.from, "%s", why)
		c.drop = true
		return
	}
	d.skip(c.from, "%s: it stays %s", why, c.cur.UPN)
	c.upn = c.cur.UPN
}

// settleNames sees to it that no two accounts end with one name. Who has a name keeps it against those who want it;
// when nobody has it and several want it, nobody gets it, since nothing says who is the right one.
func (d *differ) settleNames(all []*candidate) {
	for again := true; again; {
		again = false
		spokenFor := map[*directory.User]bool{}
		for _, c := range all {
			if !c.drop && c.cur != nil {
				spokenFor[c.cur] = true
			}
		}
		for upn, rivals := range d.claims(all) {
			if len(rivals) < 2 && !d.taken(upn, spokenFor) && !(d.rules.Taken != nil && d.rules.Taken(upn, rivals[0].from.Anchor)) {
				continue
			}
			for _, c := range rivals {
				if c.known() && c.cur.UPN == upn {
					continue
				}
				again = true
				d.refuseName(c, "another account has or wants the name "+upn)
			}
		}
	}
	slices.SortStableFunc(d.plan.Skipped, func(a, b Skip) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Reason, b.Reason))
	})
}

func (d *differ) claims(all []*candidate) map[string][]*candidate {
	claims := map[string][]*candidate{}
	for _, c := range all {
		if !c.drop {
			claims[c.upn] = append(claims[c.upn], c)
		}
	}
	return claims
}

// taken reports that the name stays with an account that the source doesn't speak for.
func (d *differ) taken(upn string, spokenFor map[*directory.User]bool) bool {
	holder := d.names[upn]
	if holder == nil || (holder.Synced && d.drop[holder.Onprem.Anchor]) {
		return false
	}
	return !spokenFor[holder]
}

func (d *differ) putUser(c *candidate) {
	o, u := c.from, directory.User{ID: cmp.Or(d.gone[c.from.Anchor], authn.AccountID(idOf(User, c.from.Anchor)))}
	if c.cur != nil {
		u = *c.cur
	}
	u.UPN, u.Synced, u.Enabled = c.upn, true, o.Enabled
	u.DisplayName, u.GivenName, u.Surname, u.Mail = cmp.Or(o.DisplayName, o.UPN), o.GivenName, o.Surname, o.Mail
	u.Onprem.Location = o.UsageLocation
	u.Onprem.Anchor, u.Onprem.DN, u.Onprem.SAM, u.Onprem.UPN = o.Anchor, o.DN, o.SAM, o.OnpremUPN
	if u.Onprem.UPN == "" && !sameName(o.UPN, c.upn) {
		u.Onprem.UPN = o.UPN // it stays under its old name here; its directory binds the new one
	}
	d.ids[o.Anchor] = u.ID
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

func sameName(typed, upn string) bool { return authn.ParseIdentifier(typed).UPN() == upn }

// userDiff says what changes, in words. A soft match says so first.
func userDiff(a, b directory.User) []string {
	var what []string
	if !a.Synced {
		what = append(what, "a cloud account is taken over by the source")
	}
	note := func(name, before, after string) {
		if before != after {
			what = append(what, fmt.Sprintf("%s %q -> %q", name, shortened(before), shortened(after)))
		}
	}
	note("userPrincipalName", a.UPN, b.UPN)
	note("displayName", a.DisplayName, b.DisplayName)
	note("givenName", a.GivenName, b.GivenName)
	note("surname", a.Surname, b.Surname)
	note("mail", a.Mail, b.Mail)
	note("usageLocation", a.UsageLocation, b.UsageLocation)
	if a.Enabled != b.Enabled {
		what = append(what, fmt.Sprintf("accountEnabled %v -> %v", a.Enabled, b.Enabled))
	}
	return append(what, onpremDiff(a.Onprem, b.Onprem)...)
}

func onpremDiff(a, b directory.Onprem) []string {
	var what []string
	for _, f := range [][3]string{
		{"immutableId", a.Anchor, b.Anchor},
		{"distinguishedName", a.DN, b.DN},
		{"on-premises userPrincipalName", a.UPN, b.UPN},
		{"samAccountName", a.SAM, b.SAM},
	} {
		if f[1] != f[2] {
			what = append(what, fmt.Sprintf("%s %q -> %q", f[0], shortened(f[1]), shortened(f[2])))
		}
	}
	return what
}

func (d *differ) dropUsers(now []directory.User) {
	for _, u := range slices.SortedFunc(slices.Values(now), func(a, b directory.User) int { return cmp.Compare(a.UPN, b.UPN) }) {
		if u.Synced && d.drop[u.Onprem.Anchor] {
			d.plan.Deletes = append(d.plan.Deletes, Change{Kind: User, Name: u.UPN})
			d.plan.changes.Delete.Users = append(d.plan.changes.Delete.Users, u)
		}
	}
}

// idOf makes the id of a new object from its anchor, so that one that was deleted by mistake comes back as itself
// (a UUID of version 8, RFC 9562, section 5.8).
func idOf(kind, anchor string) string {
	b := sha256.Sum256([]byte("fourways " + kind + "\x00" + anchor))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
