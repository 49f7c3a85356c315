package world

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/internal/lab/dc"
)

// Forest is everybody who is there before the first synchronisation. decoy is the password of the account that an agent
// binds for strangers.
func (s Spec) Forest(pw Passwords, decoy string) []dc.Entry {
	all := []dc.Entry{unit("Synced", BaseDN), unit("NotSynced", BaseDN)}
	all = append(all, s.people(pw, func(p person) bool { return !p.late })...)
	nobody := person{name: "decoy", surname: "Account", unsynced: true}
	all = append(all, s.entry(nobody, ForestDomain, decoy))
	return append(all, s.groups()...)
}

// Latecomers are those who join the forest after the first hashes were read.
func (s Spec) Latecomers(pw Passwords) []dc.Entry {
	return s.people(pw, func(p person) bool { return p.late })
}

func (s Spec) people(pw Passwords, who func(person) bool) []dc.Entry {
	var all []dc.Entry
	for _, d := range Hybrid() {
		for _, p := range cast() {
			if who(p) {
				all = append(all, s.entry(p, d, pw.first(p)))
			}
		}
	}
	return all
}

// Fates are the changes that befall the forest once everybody was synchronised; now is the time of the lab's clock.
func Fates(pw Passwords, now time.Time) []dc.Entry {
	var changed []dc.Entry
	for _, d := range Hybrid() {
		for _, p := range cast() {
			if p.after == nil && p.newPassword == "" {
				continue
			}
			e := dc.Entry{DN: p.dn(d)}
			if p.newPassword != "" {
				e.Password = pw.spoken(p.newPassword)
			}
			if p.after != nil {
				e.Attrs = p.after(now)
			}
			changed = append(changed, e)
		}
	}
	return changed
}

// ForestNames tells by which name in the tenant somebody goes whom the forest binds by a name. All are in lower case.
func ForestNames() map[string]string {
	names := map[string]string{}
	for _, d := range Hybrid() {
		for _, p := range cast() {
			names[strings.ToLower(p.onpremUPN(d))] = strings.ToLower(p.upn(d))
		}
	}
	return names
}

func unit(name, below string) dc.Entry {
	return dc.Entry{DN: "OU=" + name + "," + below, Attrs: map[string][]string{"objectClass": {"top", "organizationalUnit"}, "ou": {name}}}
}

// entry is the person's entry in the forest as it stands when everything is well. 66048 is an ordinary account whose
// password doesn't expire.
func (s Spec) entry(p person, domain, password string) dc.Entry {
	attrs := map[string][]string{
		"objectClass": {"top", "person", "organizationalPerson", "user"}, "cn": {p.display() + " (" + key(domain) + ")"},
		"objectGUID": {s.guid(p.upn(domain))}, "sAMAccountName": {p.name + "." + key(domain)},
		"userPrincipalName": {p.onpremUPN(domain)}, "mail": {p.upn(domain)}, "displayName": {p.display()},
		"givenName": {p.display()[:len(p.name)]}, "sn": {p.surname}, "userAccountControl": {"66048"}, "pwdLastSet": {"-1"},
	}
	if !p.nowhere {
		attrs["msExchUsageLocation"] = []string{Location}
	}
	return dc.Entry{DN: p.dn(domain), Attrs: attrs, Password: password}
}

// GroupPilot is the group that is in a staged roll-out to password hash synchronisation.
const GroupPilot = "Pilot"

// groups are the forest's groups and contacts. Pilot is for staged roll-outs, Licensed-E3 for licences by group.
func (s Spec) groups() []dc.Entry {
	return []dc.Entry{
		s.group(GroupPilot, "Synced", "rita"), s.group(GroupE3, "Synced", licensedE3()...),
		s.group("Finance", "Synced", "alice", "dave"), s.group("Onprem-only", "NotSynced", "nick"),
		s.contact("Northwind Papers", "orders@northwind.example"), s.contact("Tailspin Couriers", "desk@tailspin.example"),
	}
}

func (s Spec) group(name, unit string, people ...string) dc.Entry {
	return dc.Entry{DN: fmt.Sprintf("CN=%s,OU=%s,%s", name, unit, BaseDN), Attrs: map[string][]string{
		"objectClass": {"top", "group"}, "cn": {name}, "sAMAccountName": {name}, "displayName": {name},
		"objectGUID": {s.guid("group " + name)}, "member": members(people),
	}}
}

func members(names []string) []string {
	var dns []string
	for _, d := range Hybrid() {
		for _, p := range cast() {
			if !p.late && slices.Contains(names, p.name) {
				dns = append(dns, p.dn(d))
			}
		}
	}
	return dns
}

func (s Spec) contact(name, mail string) dc.Entry {
	return dc.Entry{DN: fmt.Sprintf("CN=%s,%s", name, PeopleDN), Attrs: map[string][]string{
		"objectClass": {"top", "person", "organizationalPerson", "contact"}, "cn": {name}, "displayName": {name},
		"mail": {mail}, "proxyAddresses": {"SMTP:" + mail}, "objectGUID": {s.guid("contact " + name)},
	}}
}
