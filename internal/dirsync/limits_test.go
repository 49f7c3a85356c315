package dirsync

import (
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// One value that can't be taken is left as it is here, and keeps nobody from the rest.
func TestAnAttributeThatCantBeTakenIsLeftAsItIs(t *testing.T) {
	here := person("alice")
	here.DisplayName, here.GivenName, here.Surname, here.Mail, here.Department, here.JobTitle, here.UsageLocation = "Alice", "A", "B", "a@phs.example.test", "C", "D", "NL"
	for name, c := range map[string]struct {
		set  func(*Object)
		line string
		at   func(directory.User) string
		put  string // what a new account has
	}{
		"displayName":    {func(o *Object) { o.DisplayName = strings.Repeat("ä", 300) }, "displayName has 300 characters, 256 is the most: left out", func(u directory.User) string { return u.DisplayName }, "alice@phs.example.test"},
		"givenName":      {func(o *Object) { o.GivenName = strings.Repeat("g", 65) }, "givenName has 65 characters, 64 is the most: left out", func(u directory.User) string { return u.GivenName }, ""},
		"surname":        {func(o *Object) { o.Surname = "a\nb" }, "surname is not one line of printable characters: left out", func(u directory.User) string { return u.Surname }, ""},
		"mail":           {func(o *Object) { o.Mail = "nobody" }, `mail "nobody" is no mail address: left out`, func(u directory.User) string { return u.Mail }, ""},
		"department":     {func(o *Object) { o.Department = strings.Repeat("d", 65) }, "department has 65 characters, 64 is the most: left out", func(u directory.User) string { return u.Department }, ""},
		"jobTitle":       {func(o *Object) { o.JobTitle = "a\xffb" }, "jobTitle is not one line of printable characters: left out", func(u directory.User) string { return u.JobTitle }, ""},
		"sAMAccountName": {func(o *Object) { o.SAM = strings.Repeat("s", 21) }, "sAMAccountName has 21 characters, 20 is the most: left out", func(u directory.User) string { return u.Onprem.SAM }, ""},
		"usageLocation":  {func(o *Object) { o.UsageLocation = "Holland" }, `usageLocation "Holland" is no country of ISO 3166-1: left out`, func(u directory.User) string { return u.UsageLocation + u.Onprem.Location }, ""},
	} {
		o := here
		c.set(&o)
		added := plan(directory.Objects{}, o)
		put := putUsers(added)
		if len(put) != 1 || c.at(put[0]) != c.put || len(added.Skipped) != 1 || added.Skipped[0].Reason != c.line {
			t.Errorf("%s of a new one: %s", name, added)
		}
		before := putUsers(plan(directory.Objects{}, here))[0]
		o.Enabled = false
		changed := plan(tenantOf(before), o)
		put = putUsers(changed)
		if len(put) != 1 || put[0].Enabled || c.at(put[0]) != c.at(before) || c.at(before) == "" || len(changed.Skipped) != 1 || changed.Skipped[0].Reason != c.line {
			t.Errorf("%s of one who is here: %s", name, changed)
		}
		if s := settledOf(t, changed, "id-alice"); s.Error+s.Quarantined != "" {
			t.Errorf("%s: the object was taken, and still %+v", name, s)
		}
	}
}

func TestValuesAtTheLimitAreTaken(t *testing.T) {
	o := person("alice")
	o.DisplayName, o.GivenName, o.SAM, o.ProxyAddresses = strings.Repeat("ä", 256), strings.Repeat("g", 64), strings.Repeat("s", 20), []string{"SMTP:" + strings.Repeat("p", 251)}
	p := plan(directory.Objects{}, o)
	if put := putUsers(p); len(p.Skipped) != 0 || put[0].DisplayName != o.DisplayName || put[0].Onprem.SAM != o.SAM {
		t.Errorf("got %s", p)
	}
	o.ProxyAddresses[0] += "p"
	if p := plan(directory.Objects{}, o); len(p.Adds) != 1 || len(p.Skipped) != 1 || p.Skipped[0].Reason != "one of proxyAddresses has 257 characters, 256 is the most: left out" {
		t.Errorf("got %s", p)
	}
}

func TestAGroupOfTooManyKeepsWhatItHas(t *testing.T) {
	few := Incoming{Object: Object{Kind: Group, ID: "id-g", Anchor: anchor("g"), DisplayName: "Everybody"}, Members: Members{Users: []authn.AccountID{"a"}}}
	now := directory.Objects{Groups: Diff(directory.Objects{}, []Incoming{few}, both()).changes.Put.Groups}
	many := few
	many.Members = Members{Users: make([]authn.AccountID, directory.MostMembers-1), Groups: []string{"g"}, Contacts: []string{"c"}}
	p := Diff(now, []Incoming{many}, both())
	if !p.Empty() || settledOf(t, p, "id-g").Error != "it has 250001 members, 250000 is the most" {
		t.Errorf("got %s", p)
	}
	many.Members.Contacts = nil
	if p := Diff(now, []Incoming{many}, both()); len(p.Updates) != 1 || len(p.Skipped) != 0 {
		t.Errorf("with as many as may be: %s", p)
	}
}

func TestAGroupOrContactWithAnImpossibleNameGetsAnotherOfItsOwn(t *testing.T) {
	long := strings.Repeat("n", 257)
	p := plan(directory.Objects{},
		Object{Kind: Group, ID: "1", Anchor: anchor("1"), DisplayName: long, SAM: "short", Description: strings.Repeat("d", 1025)},
		Object{Kind: Contact, ID: "2", Anchor: anchor("2"), DisplayName: long, Mail: "c@x.test"},
		Object{Kind: Contact, ID: "3", Anchor: anchor("3"), DN: long})
	put := p.changes.Put
	if len(p.Skipped) != 4 || put.Groups[0].Name != "short" || put.Groups[0].Description != "" || put.Contacts[0].Name != "c@x.test" || put.Contacts[1].Name != anchor("3") {
		t.Errorf("%+v\n%s", put, p)
	}
}
