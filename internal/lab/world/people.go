package world

import (
	"fmt"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// person is one character of the demo world, with one state. after is what happens to the entry once everything was
// synchronised; nil when nothing does.
type person struct {
	name, surname string
	password      string // "" is Password
	late          bool   // joins the directory after the hash cycle
	unsynced      bool   // lives outside the synchronised unit
	alias         bool   // is called otherwise on-premises
	nowhere       bool   // has no usage location
	admin         bool   // administers the tenant
	locked        bool   // out of the cloud, for ever
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
		{name: "peggy", surname: "Park", admin: true},
		{name: "sybil", surname: "Sato", locked: true},
	}
}

func (p person) display() string { return strings.ToUpper(p.name[:1]) + p.name[1:] + " " + p.surname }

func (p person) upn(domain string) string { return p.name + "@" + domain }

// key is the first label of a domain: it tells a person's accounts apart in the forest.
func key(domain string) string { label, _, _ := strings.Cut(domain, "."); return label }

// onpremUPN is the name that the forest binds.
func (p person) onpremUPN(domain string) string {
	if p.alias {
		return p.name + "." + strings.ToLower(p.surname) + "." + key(domain) + "@" + ForestDomain
	}
	return p.upn(domain)
}

func (p person) dn(domain string) string {
	unit := "Synced"
	if p.unsynced {
		unit = "NotSynced"
	}
	return fmt.Sprintf("CN=%s (%s),OU=%s,%s", p.display(), key(domain), unit, BaseDN)
}

// Account is one account of the demo world that signs in, for the sign-in page and the ready-file.
type Account struct {
	UPN      string
	Password string // what works now
	Path     authn.Path
}

// Accounts lists them: the cloud's, then the hybrid domains' in their order. nick is unknown to the tenant and not here.
func Accounts(pw Passwords) []Account {
	var all []Account
	for _, p := range cloudOnly() {
		all = append(all, Account{p.upn(CloudDomain), pw.first(p), authn.PathCloud})
	}
	for _, d := range Hybrid() {
		for _, p := range cast() {
			if !p.unsynced {
				all = append(all, Account{p.upn(d), pw.worksOn(PathOf(d), p), PathOf(d)})
			}
		}
	}
	return all
}

// CloudPerson is somebody whom an operator makes in the tenant.
type CloudPerson struct {
	UPN, Display, Password string
	Admin                  bool
	Locked                 bool // out, for ever
}

// CloudPeople are the people of CloudDomain.
func CloudPeople(pw Passwords) []CloudPerson {
	var all []CloudPerson
	for _, p := range cloudOnly() {
		all = append(all, CloudPerson{UPN: p.upn(CloudDomain), Display: p.display(), Password: pw.first(p), Admin: p.admin, Locked: p.locked})
	}
	return all
}

// CloudPasswords are the people of LabDomain with the password that each has in the cloud beside their synchronised hash.
func CloudPasswords(pw Passwords) []Account {
	var all []Account
	for _, p := range cast() {
		if !p.unsynced {
			all = append(all, Account{p.upn(LabDomain), pw.first(p), authn.PathCloud})
		}
	}
	return all
}
