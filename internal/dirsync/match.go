package dirsync

import (
	"fmt"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// people are the accounts that a plan is about, by what they are found by.
type people struct {
	synced map[string]*directory.User   // by anchor
	byHand map[string][]*directory.User // accounts of the cloud that were given an immutable ID, by it
	names  map[string]*directory.User   // by UPN
	mails  map[string][]*directory.User // accounts of the cloud, by mail address
	gone   map[string]authn.AccountID   // those who were deleted and can come back, by anchor
}

func survey(now directory.Objects) people {
	p := people{
		synced: map[string]*directory.User{}, byHand: map[string][]*directory.User{}, names: map[string]*directory.User{},
		mails: map[string][]*directory.User{}, gone: map[string]authn.AccountID{},
	}
	for i := range now.Users {
		u := &now.Users[i]
		p.names[u.UPN] = u
		switch {
		case u.Synced:
			p.synced[u.Onprem.Anchor] = u
			continue
		case u.Onprem.Anchor != "":
			p.byHand[u.Onprem.Anchor] = append(p.byHand[u.Onprem.Anchor], u)
		}
		if u.Mail != "" {
			p.mails[strings.ToLower(u.Mail)] = append(p.mails[strings.ToLower(u.Mail)], u)
		}
	}
	for _, u := range now.Deleted {
		p.gone[u.Onprem.Anchor] = u.ID
	}
	return p
}

// candidate is a person of the source on the way into the plan.
type candidate struct {
	entry
	cur   *directory.User // whom it matches; nil: a new one
	found matchedBy
	upn   string   // the name that it will have
	spare []string // names that it falls back on, in this order
	why   string   // why it doesn't get the name that it wants, or, with drop, why it can't be taken
	drop  bool
}

// matchedBy is how an object found its account.
type matchedBy int

const (
	byAnchor matchedBy = iota
	byName
	byAddress
)

// What people read about matches that are not made.
const (
	privileged   = "a privileged cloud account has that name or anchor, and is never taken over"
	hardMatchOff = "the cloud account %s has its immutable ID, and taking over by that is switched off (sync.hard_match)"
	softMatchOff = "soft matching is switched off (sync.soft_match)"
)

// match finds the account that an object stands for, and the name that it asks for.
func (d *differ) match(e entry) *candidate {
	c := &candidate{entry: e, cur: d.here.synced[e.Anchor]}
	_, returns := d.here.gone[e.Anchor] // as the account that it was, and not as one that was made under its name since
	if c.cur == nil {
		d.matchHard(c)
	}
	if c.cur == nil && !c.drop && !returns {
		d.matchSoft(c)
	}
	if !c.drop {
		d.wish(c)
	}
	return c
}

func (c *candidate) refuse(format string, args ...any) {
	c.drop, c.why = true, fmt.Sprintf(format, args...)
}

// matchHard looks for an account of the cloud that was given the object's anchor by hand.
func (d *differ) matchHard(c *candidate) {
	switch all := d.here.byHand[c.Anchor]; {
	case len(all) == 0:
	case len(all) > 1:
		c.refuse("more than one cloud account has its immutable ID: nothing says which one it is")
	case all[0].Admin:
		c.refuse(privileged)
	case !d.rules.HardMatch:
		c.refuse(hardMatchOff, all[0].UPN)
	default:
		c.cur, c.found = all[0], byAnchor
	}
}

// matchSoft looks for an account of the cloud that has the object's name, else its primary address. One that has an
// immutable ID is somebody else. An account that only shares the address and can't be taken over keeps nobody out: people
// may share a mail address here.
func (d *differ) matchSoft(c *candidate) {
	switch cloud := d.here.names[d.verifiedName(c.Object)]; {
	case cloud == nil || cloud.Synced:
	case cloud.Admin:
		c.refuse(privileged)
		return
	case cloud.Onprem.Anchor == "" && d.rules.SoftMatch:
		c.cur, c.found = cloud, byName
		return
	case cloud.Onprem.Anchor == "":
		return // the name is taken, which is said where names are settled
	}
	all := d.withAddress(primaryAddress(c.Object))
	if len(all) == 0 {
		return
	}
	const apart = "the cloud account %s has its primary address and is not taken over, since %s: it is an account of its own"
	switch {
	case len(all) > 1:
		c.refuse("more than one cloud account has its primary address: nothing says which one it is")
	case all[0].Admin:
		d.plan.skip(c.Object, apart, all[0].UPN, "it is privileged")
	case !d.rules.SoftMatch:
		d.plan.skip(c.Object, apart, all[0].UPN, softMatchOff)
	default:
		c.cur, c.found = all[0], byAddress
	}
}

// withAddress are the accounts of the cloud that have an address as name or mail, and no immutable ID.
func (d *differ) withAddress(address string) []*directory.User {
	if address == "" {
		return nil
	}
	var all []*directory.User
	if u := d.here.names[address]; u != nil && !u.Synced && u.Onprem.Anchor == "" {
		all = append(all, u)
	}
	for _, u := range d.here.mails[address] {
		if u.Onprem.Anchor == "" && u.UPN != address {
			all = append(all, u)
		}
	}
	return all
}

// contest leaves out all that match an account of the cloud softly and may mean different people: two by its name, two by its
// address, and one by its address when another asks for its name.
func (d *differ) contest(all []*candidate) {
	claims, asked := map[*directory.User]int{}, map[string]int{}
	for _, c := range all {
		asked[d.verifiedName(c.Object)]++
		if c.cur != nil && c.found == byAddress {
			claims[c.cur]++
		}
	}
	const contested = "another object of the source stands for the cloud account %s too: nothing says who is the right one"
	for _, c := range all {
		if c.cur == nil || c.found == byAnchor {
			continue
		}
		upn := c.cur.UPN
		others := asked[upn]
		if d.verifiedName(c.Object) == upn {
			others--
		}
		if others > 0 || d.takenOutside(c, upn) || c.found == byAddress && claims[c.cur] > 1 {
			c.refuse(contested, upn)
		}
	}
}

// primaryAddress is the object's own address, lower case: the one of proxyAddresses that is marked SMTP.
func primaryAddress(o Object) string {
	for _, a := range o.ProxyAddresses {
		if primary, ok := strings.CutPrefix(a, "SMTP:"); ok {
			return strings.ToLower(strings.TrimSpace(primary))
		}
	}
	return ""
}
