package agent

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

// terms are the rules of a scope. They are pure: all they look at is an entry.
type terms struct {
	ad      bool
	scope   []branch
	exclude []branch
	filter  string              // that everybody must match; "": none
	groups  []string            // DNs, as configured
	members map[string]struct{} // Refs of the direct members of the groups; looked at when there are groups
}

// branch is a part of the directory: one DN and what is below it.
type branch struct{ dn, normal string }

func termsOf(o SourceOptions) terms {
	return terms{
		ad: o.Kind != onprem.LDAP, scope: branches(o.Scope), exclude: branches(o.Narrow.Exclude),
		filter: o.Narrow.Filter, groups: o.Narrow.Groups,
	}
}

func branches(dns []string) []branch {
	all := make([]branch, 0, len(dns))
	for _, dn := range dns {
		all = append(all, branch{dn, onprem.NormalDN(dn)})
	}
	return all
}

// holds reports that a DN, spelled by onprem.NormalDN, is the branch's own or below it.
func (b branch) holds(normal string) bool {
	above, found := strings.CutSuffix(normal, b.normal)
	if !found || b.normal == "" {
		return found
	}
	if above == "" {
		return true
	}
	above, found = strings.CutSuffix(above, ",")
	escapes := len(above) - len(strings.TrimRight(above, `\`))
	return found && escapes%2 == 0 // a comma of a value is no step up
}

// bases are where searches begin: the scopes that are below no other.
func (t *terms) bases() []string {
	if len(t.scope) == 0 {
		return []string{""}
	}
	var bases []string
	for i, b := range t.scope {
		inside := slices.ContainsFunc(t.scope[:i], func(o branch) bool { return o.holds(b.normal) }) ||
			slices.ContainsFunc(t.scope[i+1:], func(o branch) bool { return o.holds(b.normal) && o.normal != b.normal })
		if !inside {
			bases = append(bases, b.dn)
		}
	}
	return bases
}

// kinds finds who can be in scope at all. In Active Directory a computer is a user too, and never is.
func (t *terms) kinds() string {
	if t.ad {
		return "(|(&(objectClass=user)(!(objectClass=computer)))(objectClass=contact)(objectClass=group))"
	}
	return "(|(objectClass=person)(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))"
}

// people is kinds for people alone.
func (t *terms) people() string {
	if t.ad {
		return "(&(objectClass=user)(!(objectClass=computer)))"
	}
	return "(objectClass=person)"
}

// matching adds the filter that everybody must match.
func (t *terms) matching(filter string) string {
	if t.filter == "" {
		return filter
	}
	return "(&" + filter + t.filter + ")"
}

// kindOf is what an entry is; "" for what is never synchronised. OpenLDAP lists the classes of an entry as they were
// written, so there everything that the filter found and is no group is a person.
func (t *terms) kindOf(e onprem.Entry) string {
	is := func(names ...string) bool {
		return slices.ContainsFunc(e.Get("objectClass"), func(c []byte) bool {
			return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, string(c)) })
		})
	}
	switch {
	case !t.ad && is("groupOfNames", "groupOfUniqueNames"):
		return dirsync.Group
	case !t.ad:
		return dirsync.User
	case is("computer"):
		return ""
	case is("user", "inetOrgPerson"):
		return dirsync.User
	case is("contact"):
		return dirsync.Contact
	case is("group"):
		return dirsync.Group
	}
	return ""
}

// ruleAttributes are what judge looks at.
func (t *terms) ruleAttributes() []string {
	if !t.ad {
		return []string{"objectClass"}
	}
	return []string{"objectClass", "isCriticalSystemObject", "sAMAccountName", "mailNickname", "msExchRecipientTypeDetails", "mail", "proxyAddresses"}
}

// judge says why an entry is not in scope; "" when it is. The kinds of rules are looked at in Microsoft's order:
// organisational unit, group, attribute, and then what is never synchronised. Whether the filter matches is the server's word.
func (t *terms) judge(e onprem.Entry, matches bool) (reason string) {
	if reason = t.place(e.DN); reason != "" {
		return reason
	}
	if len(t.groups) > 0 {
		if _, ok := t.members[dirsync.Ref(onprem.NormalDN(e.DN))]; !ok {
			return "is no direct member of " + strings.Join(t.groups, " or ")
		}
	}
	if !matches {
		return "does not match the filter of the rules, " + t.filter
	}
	if t.ad {
		return never(t.kindOf(e), e)
	}
	return ""
}

// place judges a DN. The longest branch that holds it decides, so a unit below an excluded one can be in scope again.
func (t *terms) place(dn string) (reason string) {
	normal := onprem.NormalDN(dn)
	in, out := longest(t.scope, normal), longest(t.exclude, normal)
	switch {
	case len(t.scope) > 0 && in == nil:
		return parent(dn) + " is in no scope"
	case out != nil && (in == nil || len(out.normal) >= len(in.normal)):
		return fmt.Sprintf("%s is excluded by %s", parent(dn), out.dn)
	}
	return ""
}

func longest(all []branch, normal string) *branch {
	var best *branch
	for i, b := range all {
		if b.holds(normal) && (best == nil || len(b.normal) > len(best.normal)) {
			best = &all[i]
		}
	}
	return best
}

// parent is the DN one step up; the DN itself when there is none.
func parent(dn string) string {
	escaped := false
	for i, c := range dn {
		switch {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == ',':
			return strings.TrimSpace(dn[i+1:])
		}
	}
	return dn
}

// Recipient types of Exchange that have no place in the cloud: arbitration and discovery mailboxes and the like (Microsoft:
// knowledge base 3066176), and role groups.
const (
	exchangeSystem    = 0x21C07000
	exchangeRoleGroup = 0x40000000
)

// never says why an object of Active Directory is never synchronised (Microsoft: Entra Connect Sync, "Understanding the
// default configuration"). Of a contact that has a mail address or a proxy address one of the two is enough.
func never(kind string, e onprem.Entry) (reason string) {
	sam, nick := e.First("sAMAccountName"), e.First("mailNickname")
	recipient, _ := strconv.ParseInt(e.First("msExchRecipientTypeDetails"), 10, 64)
	begins := func(s, prefix string) bool {
		return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
	}
	switch {
	case strings.EqualFold(e.First("isCriticalSystemObject"), "TRUE"):
		return "is an object of the system itself (isCriticalSystemObject)"
	case strings.Contains(strings.ToUpper(e.DN), `\0ACNF:`):
		return "lost its name to another object in a replication conflict (CNF)"
	case kind == dirsync.User && sam == "":
		return "has no sAMAccountName"
	case kind == dirsync.User && (begins(sam, "AAD_") || begins(sam, "MSOL_") || strings.EqualFold(sam, "SUPPORT_388945a0")):
		return "is a service account that is never synchronised: " + sam
	case kind != dirsync.Group && (begins(nick, "SystemMailbox{") || begins(nick, "CAS_") && strings.Contains(nick, "}")):
		return "is a system mailbox of Exchange: " + nick
	case kind != dirsync.Group && recipient&exchangeSystem != 0, kind == dirsync.Group && recipient&exchangeRoleGroup != 0:
		return fmt.Sprintf("is of a kind that Exchange keeps to itself (msExchRecipientTypeDetails %#x)", recipient)
	case kind == dirsync.Contact && e.First("mail") == "" && len(e.Get("proxyAddresses")) == 0:
		return "is a contact without mail and proxyAddresses"
	}
	return ""
}
