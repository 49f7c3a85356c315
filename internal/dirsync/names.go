package dirsync

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// names are all names that a plan for the object may look at.
func (r Rules) names(o Object) []string {
	upn := authn.ParseIdentifier(o.UPN).UPN()
	other := r.derived(o)
	all := append([]string{upn, other, primaryAddress(o)}, r.placeholders(o.Anchor, upn)...)
	all = append(all, r.placeholders(o.Anchor, other)...)
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// verifiedName is the object's UPN when an account may have it as it is, else "".
func (d *differ) verifiedName(o Object) string {
	who := authn.ParseIdentifier(o.UPN)
	if who.UPN() == "" || !d.rules.Verified(who.Domain()) {
		return ""
	}
	return who.UPN()
}

// wish finds the name that a candidate asks for, and those that it falls back on. A UPN whose suffix is verified is taken as
// it is; else the name is made of the nickname and the initial domain, and made anew only when the UPN changes on the
// premises (Microsoft Entra: "UserPrincipalName population"). An account that is here keeps its name when the one that it
// wants can't be had: what else changed follows all the same, above all that it was disabled.
func (d *differ) wish(c *candidate) {
	why := ""
	c.upn = d.verifiedName(c.Object)
	switch domain := authn.ParseIdentifier(c.UPN).Domain(); {
	case c.upn != "":
	case domain != "" && d.rules.Verified(domain), domain == "" && d.rules.Initial == "":
		why = "its user name is not one that an account can have"
	case d.rules.Initial == "":
		why = "its domain is not one of this tenant"
	case c.cur != nil && !d.rules.renamed(c.Object, *c.cur):
		c.upn = c.cur.UPN
	default:
		if c.upn = d.rules.derived(c.Object); c.upn == "" {
			why = "its domain is not one of this tenant, and neither a nickname nor an address gives it a name in " + d.rules.Initial
		}
	}
	if c.cur == nil {
		c.spare = d.rules.placeholders(c.Anchor, c.upn)
	}
	if why != "" {
		d.fallBack(c, why)
	}
}

// renamed reports that a name in the initial domain is made anew for an account: its UPN changed on the premises, or it has
// only a placeholder.
func (r Rules) renamed(o Object, u directory.User) bool {
	return u.Synced && (!strings.EqualFold(bindName(o, u.UPN), u.Onprem.UPN) || r.isPlaceholder(o.Anchor, u.UPN))
}

// bindName is the name that the on-premises directory binds somebody by, when it is not the account's.
func bindName(o Object, upn string) string {
	if o.OnpremUPN == "" && authn.ParseIdentifier(o.UPN).UPN() != upn {
		return o.UPN // it is here under another name
	}
	return o.OnpremUPN
}

// derived is the name in the initial domain: of the first that can be one of the nickname, the primary address, the mail
// address, the UPN and another address, up to the @.
func (r Rules) derived(o Object) string {
	if r.Initial == "" {
		return ""
	}
	prefixes := []string{o.Nickname, before(primaryAddress(o)), before(o.Mail), before(o.UPN)}
	for _, a := range o.ProxyAddresses {
		if other, ok := strings.CutPrefix(a, "smtp:"); ok {
			prefixes = append(prefixes, before(other))
		}
	}
	for _, p := range prefixes {
		if upn := authn.ParseIdentifier(p + "@" + r.Initial).UPN(); upn != "" {
			return upn
		}
	}
	return ""
}

// before is what stands before the @.
func before(address string) string {
	at := strings.LastIndexByte(address, '@')
	return strings.TrimSpace(address[:max(at, 0)])
}

// placeholders are the names that a new account gets while somebody else has its own: prefix+digits in the initial domain
// (Microsoft Entra: "Duplicate attribute resiliency"). The digits are those of the anchor, so that the next run finds them.
func (r Rules) placeholders(anchor, upn string) []string {
	prefix := before(upn)
	if r.Initial == "" || prefix == "" {
		return nil
	}
	const longest = 64 - len("+0000")
	all := make([]string, 0, 2)
	for _, digits := range digits(anchor) {
		all = append(all, prefix[:min(len(prefix), longest)]+"+"+digits+"@"+strings.ToLower(r.Initial))
	}
	return all
}

func (r Rules) isPlaceholder(anchor, upn string) bool {
	for _, digits := range digits(anchor) {
		if r.Initial != "" && strings.HasSuffix(upn, "+"+digits+"@"+strings.ToLower(r.Initial)) {
			return true
		}
	}
	return false
}

// digits are four of an anchor's, and four others should somebody have these.
func digits(anchor string) [2]string {
	sum := sha256.Sum256([]byte("fourways placeholder\x00" + anchor))
	return [2]string{
		fmt.Sprintf("%04d", binary.BigEndian.Uint64(sum[:8])%10000),
		fmt.Sprintf("%04d", binary.BigEndian.Uint64(sum[8:16])%10000),
	}
}

// keeps reports that nobody can take the name from who has it.
func (c *candidate) keeps(upn string) bool {
	return c.cur != nil && c.cur.UPN == upn && c.found != byName
}

// fallBack gives up the name that a candidate asks for: an account that is here stays what it is, a new one gets a
// placeholder, and one that has neither is left out. Who matched an account by the name has no claim to it without.
func (d *differ) fallBack(c *candidate, why string) {
	if c.why == "" {
		c.why = why
	}
	switch {
	case c.cur != nil && c.found != byName:
		c.upn = c.cur.UPN
	case c.cur == nil && len(c.spare) > 0:
		c.upn, c.spare = c.spare[0], c.spare[1:]
	default:
		c.drop = true
	}
}

// settleNames sees to it that no two accounts end with one name. Who has a name keeps it against those who want it;
// when nobody has it and several want it, nobody gets it, since nothing says who is the right one. Who is left out still
// wants its name.
func (d *differ) settleNames(all []*candidate) {
	waiting := map[string]bool{}
	for _, c := range all {
		if c.drop {
			waiting[d.verifiedName(c.Object)] = true
		}
	}
	for again := true; again; {
		again = false
		spokenFor, claims := map[*directory.User]bool{}, map[string][]*candidate{}
		for _, c := range all {
			if c.drop {
				continue
			}
			claims[c.upn] = append(claims[c.upn], c)
			if c.cur != nil {
				spokenFor[c.cur] = true
			}
		}
		for upn, rivals := range claims {
			for _, c := range rivals {
				why := d.holder(c, upn, spokenFor)
				if why == "" {
					why = among(rivals, upn, waiting[upn])
				}
				if why != "" && !c.keeps(upn) {
					again = true
					d.fallBack(c, "userPrincipalName "+upn+" is "+why)
				}
			}
		}
	}
}

// among says who of several gets a name; "" for one alone.
func among(rivals []*candidate, upn string, waiting bool) string {
	if len(rivals) < 2 && !waiting {
		return ""
	}
	for _, c := range rivals {
		if c.keeps(upn) {
			return "taken by another object of the source, " + shortened(c.DN)
		}
	}
	return "wanted by more than one object of the source: nothing says who is the right one"
}

// holder says who has the name, or asks for it, of those whom no candidate speaks for; "" for nobody.
func (d *differ) holder(c *candidate, upn string, spokenFor map[*directory.User]bool) string {
	if u := d.here.names[upn]; u != nil && !spokenFor[u] {
		_, leaves := d.leaves(User, u.Onprem.Anchor, u.Synced)
		switch {
		case leaves:
		case u.Synced:
			return "taken by another object of the source, " + shortened(u.Onprem.DN)
		case u.Onprem.Anchor != "":
			return "taken by a cloud account with another immutable ID"
		case u.Admin:
			return "taken by a privileged cloud account, which is never taken over"
		case c.cur == nil && !d.rules.SoftMatch:
			return "taken by a cloud account, and " + softMatchOff
		default:
			return "taken by a cloud account"
		}
	}
	if d.takenOutside(c, upn) {
		return "taken or wanted by another object of the source"
	}
	return ""
}

// takenOutside reports that somebody has the name, or asks for it, whom this plan is not about.
func (d *differ) takenOutside(c *candidate, upn string) bool {
	return d.rules.Taken != nil && d.rules.Taken(upn, c.Anchor)
}
