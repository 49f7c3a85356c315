package endtoend_test

import (
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/realtest"
)

func TestNamesOfAllKindsArriveAndASuffixThatIsNotVerifiedStopsNobodyElse(t *testing.T) {
	dc := realtest.NewSamba(t)
	dc.LetSeeDeleted(t, dc.Service)
	stray := dc.AddUser(t, "stray", dc.Synced())
	dc.Modify(t, stray.DN, "userPrincipalName", "stray@elsewhere.example")
	odd := dc.Rename(t, dc.AddUser(t, "odd", dc.Synced()).DN, `CN=Ångström\, Ö. \"\+# 日本`)
	dc.Modify(t, odd, "displayName", "Ö. Ångström, 日本 🚀")
	dc.Modify(t, odd, "givenName", "Ö.")
	group := "CN=Gruppe Süd," + dc.Synced()
	dc.Add(t, group, map[string][]string{"objectClass": {"group"}, "sAMAccountName": {"süd"}, "displayName": {"Gruppe Süd"}, "member": {odd}})
	umlaut := dc.AddUser(t, "jorg", dc.Synced())
	dc.Modify(t, umlaut.DN, "userPrincipalName", "jörg@"+corp)
	p := openCorp(t, dc, nil)

	r := p.syncsDirectory()
	if r.Read != 10 || r.Added != 8 || len(r.Skipped) != 2 {
		t.Errorf("the first run: %s", outcome(r))
	}
	p.complainsOf("stray@elsewhere.example", "its domain is not one of this tenant")
	p.complainsOf("jörg@"+corp, "not one that an account can have")
	if got := p.person("odd@" + corp); got == nil || got.DisplayName != "Ö. Ångström, 日本 🚀" || got.Onprem.DN == "" {
		t.Errorf("the odd one is %+v", got)
	}
	if got := p.members("Gruppe Süd"); got != "Ö. Ångström, 日本 🚀" {
		t.Errorf("the group has %q", got)
	}
	// What can't be taken is tried again each time, and taken once it can be.
	if r := p.syncsDirectory(); r.Mode != "delta" || r.Read != 0 || len(r.Skipped) != 2 {
		t.Errorf("the second run: %s", outcome(r))
	}
	dc.Modify(t, stray.DN, "userPrincipalName", "stray@"+corp)
	dc.Modify(t, umlaut.DN, "userPrincipalName", "joerg@"+corp)
	p.does("both names are corrected", "delta: 2 read, 2 added, 0 updated, 0 deleted")
	if got := p.people(corp); got != "dora emil frida joerg odd stray" {
		t.Errorf("in the end the domain has %q", got)
	}
	if page, err := p.console.SyncErrors(t.Context(), "", 10); err != nil || len(page.Items) != 0 {
		t.Errorf("complaints in the end: %+v (%v)", page.Items, err)
	}
}

// complainsOf fails unless the list of what can't be taken has that name with that reason, and explain says so too.
func (p *production) complainsOf(name, reason string) {
	p.t.Helper()
	page, err := p.console.SyncErrors(p.t.Context(), "", 100)
	if err != nil {
		p.t.Fatal(err)
	}
	found := false
	for _, e := range page.Items {
		found = found || strings.EqualFold(e.Name, name) && strings.Contains(e.Reason, reason)
	}
	explained, err := p.console.SyncExplain(p.t.Context(), name)
	if err != nil {
		p.t.Fatal(err)
	}
	told := false
	for _, tick := range explained.Ticks {
		told = told || !tick.OK && strings.Contains(tick.Reason, reason)
	}
	if !found || !told {
		p.t.Errorf("%s: nowhere is it said that %q: %+v; %+v", name, reason, page.Items, explained.Ticks)
	}
}
