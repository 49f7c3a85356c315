package endtoend_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/onprem"
	"github.com/fourways-id/fourways/internal/realtest"
)

// A domain controller tells what changed in two ways: DirSync, and the numbers of changes. Samba names deleted objects to
// nobody who may not see them.
func TestActiveDirectoryArrivesAndThenEachChangeAsADeltaOfItsOwn(t *testing.T) {
	for _, changes := range []string{onprem.DirSync, onprem.USN} {
		t.Run(changes, func(t *testing.T) {
			dc := realtest.NewSamba(t)
			dc.LetSeeDeleted(t, dc.Service)
			followActiveDirectory(t, dc, changes)
		})
	}
}

func followActiveDirectory(t *testing.T, dc *realtest.SambaDC, changes string) {
	dc.USN(t) // an account's first logon changes it, the administrator's too
	p := openCorp(t, dc, func(at *premises) { at.Changes = changes })
	p.does("the first run", "full: 6 read, 6 added, 0 updated, 0 deleted")
	p.hasEverythingOfCorp(dc)
	p.does("nothing has changed", "delta: 0 read, 0 added, 0 updated, 0 deleted")

	dora, before := dc.DN("dora"), p.person("dora@"+corp)
	dc.Modify(t, dora, "displayName", "Dora Dörfler-Ångström")
	p.does("a change", "delta: 1 read, 0 added, 1 updated, 0 deleted")
	if got := p.person("dora@" + corp); got.DisplayName != "Dora Dörfler-Ångström" || got.ID != before.ID {
		t.Errorf("after the change she is %+v", got)
	}

	dc.Modify(t, dc.DN("hugo"), "displayName", "Hugo, who is nobody's business")
	p.does("a change out of scope", "delta: 1 read, 0 added, 0 updated, 0 deleted") // that it is gone, and was never here

	dora = dc.Move(t, dora, dc.NotSynced())
	p.does("a move out of scope", "delta: 1 read, 0 added, 0 updated, 1 deleted")
	if got := p.people(corp); got != "emil frida" {
		t.Errorf("after the move the domain has %q", got)
	}
	p.moreOfActiveDirectory(dc, dora, *before)
}

// moreOfActiveDirectory goes on when dora has left the scope.
func (p *production) moreOfActiveDirectory(dc *realtest.SambaDC, dora string, before directory.User) {
	t := p.t
	dora = dc.Move(t, dora, dc.Synced())
	p.does("back into the scope", "delta: 1 read, 1 added, 1 updated, 0 deleted") // and the crew has her again
	if got := p.person("dora@" + corp); got == nil || got.ID != before.ID || got.Onprem.Anchor != before.Onprem.Anchor {
		t.Errorf("she came back as %+v, and was %+v", got, before)
	}
	if got := p.members("The Crew"); got != "Dora Dörfler-Ångström emil" {
		t.Errorf("the crew has %q after she came back", got)
	}

	dora = dc.Rename(t, dora, "CN=Theodora")
	p.does("a rename", "delta: 2 read, 0 added, 1 updated, 0 deleted") // she, and the crew, which knows her by her place
	if got := p.person("dora@" + corp); got == nil || got.Onprem.DN != dora || got.ID != before.ID {
		t.Errorf("after the rename she is %+v, want the DN %s", got, dora)
	}
	if got := p.members("The Crew"); got != "Dora Dörfler-Ångström emil" {
		t.Errorf("the crew has %q after the rename", got)
	}

	crew := "CN=crew," + dc.Synced()
	dc.AddMember(t, crew, dc.DN("frida"))
	p.does("a new member", "delta: 1 read, 0 added, 1 updated, 0 deleted")
	dc.RemoveMember(t, crew, dc.DN("emil"))
	p.does("a member less", "delta: 1 read, 0 added, 1 updated, 0 deleted")
	if got := p.members("The Crew"); got != "Dora Dörfler-Ångström frida" {
		t.Errorf("the crew has %q", got)
	}

	dc.Disable(t, dc.DN("frida"))
	p.does("somebody is disabled", "delta: 1 read, 0 added, 1 updated, 0 deleted")
	if got := p.person("frida@" + corp); got == nil || got.Enabled {
		t.Errorf("frida was disabled, and is %+v", got)
	}

	dc.Delete(t, dc.DN("emil"))
	p.does("somebody is deleted", "delta: 1 read, 0 added, 0 updated, 1 deleted")
	dc.Delete(t, crew)
	p.does("a group is deleted", "delta: 1 read, 0 added, 0 updated, 1 deleted")
	if got := p.members("company"); got != "frida" {
		t.Errorf("the company has %q without the crew", got)
	}
	dc.AddUser(t, "nora", dc.Synced())
	p.does("somebody is new", "delta: 1 read, 1 added, 0 updated, 0 deleted")
	if got := p.people(corp); got != "dora frida nora" {
		t.Errorf("in the end the domain has %q", got)
	}
	p.does("nothing more", "delta: 0 read, 0 added, 0 updated, 0 deleted")
}

// hasEverythingOfCorp looks at each kind of object, and at how they belong together.
func (p *production) hasEverythingOfCorp(dc *realtest.SambaDC) {
	p.t.Helper()
	if got := p.people(corp); got != "dora emil frida" {
		p.t.Errorf("the domain has %q", got)
	}
	for group, want := range map[string]string{"The Crew": "dora emil", "company": "The Crew frida"} {
		if got := p.members(group); got != want {
			p.t.Errorf("the group %s has %q, want %q", group, got, want)
		}
	}
	frida := p.person("frida@" + corp)
	if frida == nil || !frida.Enabled || !frida.Synced || frida.Onprem.DN != dc.DN("frida") || !strings.HasSuffix(frida.Onprem.DN, "OU=Berlin,"+dc.Synced()) {
		p.t.Errorf("frida is %+v", frida)
	}
	contacts, err := p.console.Contacts(p.t.Context(), directory.GroupQuery{})
	if err != nil || !slices.ContainsFunc(contacts.Items, func(c directory.Contact) bool {
		return c.Name == "Grete Guest" && c.Mail == "grete@partner.example" && c.Synced
	}) {
		p.t.Errorf("the contacts are %+v (%v)", contacts.Items, err)
	}
}
