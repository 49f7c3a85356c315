package lab

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/dc"
)

// Password is the password of nearly everybody in the demo world. It is public.
const Password = "Spring-2025!"

// The passwords of the people for whom another one works.
const (
	heidiNew  = "Summer-2025!"  // on-premises, not synchronised
	graceTemp = "Welcome-2025!" // on-premises, good only for being changed
	malloryPW = "Password1"     // spray bait
)

// The domains of the demo world. LabDomain is the one to switch.
const (
	CloudDomain = "cloud.example.test"
	PHSDomain   = "phs.example.test"
	PTADomain   = "pta.example.test"
	SAMLDomain  = "saml.example.test"
	OIDCDomain  = "oidc.example.test"
	LabDomain   = "lab.example.test"
	forest      = "corp.example.test"
)

// hybrid lists the domains whose people live in the forest.
func hybrid() []string { return []string{PHSDomain, PTADomain, SAMLDomain, OIDCDomain, LabDomain} }

// person is one character of the demo world, with one state. after is what happens to the entry once everything was
// synchronised; nil when nothing does.
type person struct {
	name, surname string
	password      string // "" is Password
	late          bool   // joins the directory after the hash cycle
	unsynced      bool   // lives outside the synchronised unit
	alias         bool   // is called otherwise on-premises
	nowhere       bool   // has no usage location
	after         func(now time.Time) map[string][]string
	newPassword   string // set with after
}

func cast() []person {
	return []person{
		{name: "alice", surname: "Adams"},
		{name: "bob", surname: "Berger", after: fixed("userAccountControl", "66050")},
		{name: "carol", surname: "Costa", after: func(now time.Time) map[string][]string {
			return map[string][]string{"lockoutTime": {filetime(now)}}
		}},
		{name: "dave", surname: "Dupont", after: func(now time.Time) map[string][]string {
			return map[string][]string{"userAccountControl": {"512"}, "pwdLastSet": {filetime(now.AddDate(-2, 0, 0))}}
		}},
		{name: "erin", surname: "Eriksen", after: func(now time.Time) map[string][]string {
			return map[string][]string{"accountExpires": {filetime(now.AddDate(0, 0, -7))}}
		}},
		{name: "frank", surname: "Fischer", after: fixed("logonHours", string(make([]byte, 21)))},
		{name: "grace", surname: "Garcia", newPassword: graceTemp, after: func(time.Time) map[string][]string {
			return map[string][]string{"userAccountControl": {"512"}, "pwdLastSet": {"0"}} // must change, and of a kind that can expire
		}},
		{name: "heidi", surname: "Horvat", newPassword: heidiNew},
		{name: "ivan", surname: "Ivanov"},
		{name: "judy", surname: "Jansen", nowhere: true},
		{name: "mallory", surname: "Moreau", password: malloryPW},
		{name: "nick", surname: "Novak", unsynced: true},
		{name: "olga", surname: "Olsen", alias: true},
		{name: "quinn", surname: "Quist", late: true},
		{name: "rita", surname: "Rossi"},
	}
}

func fixed(attr, value string) func(time.Time) map[string][]string {
	return func(time.Time) map[string][]string { return map[string][]string{attr: {value}} }
}

// cloudOnly are the people of cloud.example.test.
func cloudOnly() []person {
	return []person{
		{name: "alice", surname: "Adams"},
		{name: "ivan", surname: "Ivanov"},
		{name: "mallory", surname: "Moreau", password: malloryPW},
		{name: "peggy", surname: "Park"},
		{name: "sybil", surname: "Sato"},
	}
}

// pw is the person's password in a lab whose passwords are public.
func (p person) pw() string {
	if p.password != "" {
		return p.password
	}
	return Password
}

func (p person) display() string { return strings.ToUpper(p.name[:1]) + p.name[1:] + " " + p.surname }

func (p person) upn(domain string) string { return p.name + "@" + domain }

// key is the first label of a domain: it tells a person's accounts apart in the forest.
func key(domain string) string { label, _, _ := strings.Cut(domain, "."); return label }

// onpremUPN is the name that the forest binds.
func (p person) onpremUPN(domain string) string {
	if p.alias {
		return p.name + "." + strings.ToLower(p.surname) + "." + key(domain) + "@" + forest
	}
	return p.upn(domain)
}

func (p person) dn(domain, base string) string {
	unit := "Synced"
	if p.unsynced {
		unit = "NotSynced"
	}
	return fmt.Sprintf("CN=%s (%s),OU=%s,%s", p.display(), key(domain), unit, base)
}

// entry is the person's entry in the forest as it stands when everything is well. 66048 is an ordinary account whose
// password doesn't expire.
func (p person) entry(seed int, domain, base, password string) dc.Entry {
	attrs := map[string][]string{
		"objectClass": {"top", "person", "organizationalPerson", "user"}, "cn": {p.display() + " (" + key(domain) + ")"},
		"objectGUID": {guid(seed, p.upn(domain))}, "sAMAccountName": {p.name + "." + key(domain)},
		"userPrincipalName": {p.onpremUPN(domain)}, "mail": {p.upn(domain)}, "displayName": {p.display()},
		"givenName": {p.display()[:len(p.name)]}, "sn": {p.surname}, "userAccountControl": {"66048"}, "pwdLastSet": {"-1"},
	}
	if !p.nowhere {
		attrs["msExchUsageLocation"] = []string{"NL"}
	}
	return dc.Entry{DN: p.dn(domain, base), Attrs: attrs, Password: password}
}

// guid makes the octets of an objectGUID, the same for the same seed and name.
func guid(seed int, name string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "objectGUID %d %s", seed, name))
	sum[7], sum[8] = sum[7]&0x0f|0x40, sum[8]&0x3f|0x80 // version 4; the third field is stored little-endian
	return string(sum[:16])
}

// filetime is a time as Active Directory writes it: units of 100 ns since 1601.
func filetime(t time.Time) string { return strconv.FormatInt(ticks(t), 10) }

// Account is one account of the demo world that signs in, for the sign-in page and the ready-file.
type Account struct {
	UPN      string
	Password string // what works now
	Path     authn.Path
}

// Accounts lists them: the cloud's, then the hybrid domains' in their order. nick is unknown to the tenant and not here.
func (l *Lab) Accounts() []Account {
	var all []Account
	for _, p := range cloudOnly() {
		all = append(all, Account{p.upn(CloudDomain), l.secrets.spoken(p.pw()), authn.PathCloud})
	}
	for _, d := range hybrid() {
		for _, p := range cast() {
			if !p.unsynced {
				all = append(all, Account{p.upn(d), l.secrets.spoken(p.worksOn(pathOf(d))), pathOf(d)})
			}
		}
	}
	return all
}

// Password is the password of nearly everybody in this lab.
func (l *Lab) Password() string { return l.secrets.spoken(Password) }

// worksOn is the password that the path would take: phs knows the synchronised one, the others the directory's.
func (p person) worksOn(path authn.Path) string {
	if p.newPassword != "" && path != authn.PathPHS && path != authn.PathCloud {
		return p.newPassword
	}
	return p.pw()
}

func pathOf(domain string) authn.Path {
	switch domain {
	case CloudDomain:
		return authn.PathCloud
	case PTADomain:
		return authn.PathPTA
	case SAMLDomain, OIDCDomain:
		return authn.PathFederated
	default:
		return authn.PathPHS
	}
}

// groups of the forest. Pilot is for staged roll-outs, Licensed-E3 for licences by group.
func groups(seed int, base string) []dc.Entry {
	members := func(names ...string) []string {
		var dns []string
		for _, d := range hybrid() {
			for _, p := range cast() {
				if !p.late && slices.Contains(names, p.name) {
					dns = append(dns, p.dn(d, base))
				}
			}
		}
		return dns
	}
	group := func(name, unit string, people ...string) dc.Entry {
		return dc.Entry{DN: fmt.Sprintf("CN=%s,OU=%s,%s", name, unit, base), Attrs: map[string][]string{
			"objectClass": {"top", "group"}, "cn": {name}, "sAMAccountName": {name}, "displayName": {name},
			"objectGUID": {guid(seed, "group "+name)}, "member": members(people...),
		}}
	}
	contact := func(name, mail string) dc.Entry {
		return dc.Entry{DN: fmt.Sprintf("CN=%s,OU=Synced,%s", name, base), Attrs: map[string][]string{
			"objectClass": {"top", "person", "organizationalPerson", "contact"}, "cn": {name}, "displayName": {name},
			"mail": {mail}, "proxyAddresses": {"SMTP:" + mail}, "objectGUID": {guid(seed, "contact "+name)},
		}}
	}
	return []dc.Entry{
		group("Pilot", "Synced", "rita"), group("Licensed-E3", "Synced", "alice", "bob", "heidi", "rita"),
		group("Finance", "Synced", "alice", "dave"), group("Onprem-only", "NotSynced", "nick"),
		contact("Northwind Papers", "orders@northwind.example"), contact("Tailspin Couriers", "desk@tailspin.example"),
	}
}
