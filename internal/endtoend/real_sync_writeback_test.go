package endtoend_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/realtest"
)

func TestTheCloudsObjectIDReachesTheDirectoryWhenWriteBackIsOn(t *testing.T) {
	dc := realtest.NewSamba(t)
	dc.LetSeeDeleted(t, dc.Service)
	dc.LetWriteCloudID(t, dc.Service, dc.Synced())
	p := openCorp(t, dc, func(at *premises) { at.source.WriteBack = []string{agent.CloudObjectID} })
	if r := p.syncsDirectory(); r.Added != 6 || r.WroteBack != 6 || len(r.Skipped) != 0 {
		t.Errorf("the first run: %s, and wrote %d back", outcome(r), r.WroteBack)
	}
	written := func(dn string) string { return strings.Join(dc.Values(t, dn, agent.CloudObjectID), " ") }
	for _, name := range []string{"dora", "emil", "frida"} {
		if got, want := written(dc.DN(name)), "User_"+string(p.person(name+"@"+corp).ID); got != want {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
	if got := written("CN=crew," + dc.Synced()); !strings.HasPrefix(got, "Group_") {
		t.Errorf("the crew has %q", got)
	}
	if got := written(dc.DN("hugo")); got != "" {
		t.Errorf("hugo is out of scope, and has %q", got)
	}
	// What was written is a change of its own, and the last.
	if r := p.syncsDirectory(); r.Mode != "delta" || r.Added+r.Updated+r.Deleted+r.WroteBack != 0 {
		t.Errorf("the run after it: %s, and wrote %d back", outcome(r), r.WroteBack)
	}
	if r := p.syncsDirectory(); outcome(r) != "delta: 0 read, 0 added, 0 updated, 0 deleted" {
		t.Errorf("the run after that: %s", outcome(r))
	}
	dc.Modify(t, dc.DN("dora"), agent.CloudObjectID, "somebody else's")
	if r := p.syncsDirectory(); r.WroteBack != 1 || written(dc.DN("dora")) != "User_"+string(p.person("dora@"+corp).ID) {
		t.Errorf("what was overwritten is %q after a run that wrote %d back", written(dc.DN("dora")), r.WroteBack)
	}
}

func TestWithoutWriteBackNothingOnThePremisesEverMoves(t *testing.T) {
	dc := realtest.NewSamba(t)
	dc.LetSeeDeleted(t, dc.Service)
	dc.LetWriteCloudID(t, dc.Service, dc.Synced()) // it could
	p := openTenant(t, func(c *config.Config, _ string) {
		on := true
		c.Domain = append(c.Domain, config.Domain{Name: corp, Path: authn.PathPTA, PasswordHashSync: &on})
	})
	// Active Directory shows unicodePwd to nobody: a hash run reads all the same.
	p.startAgent(corpPremises(t, dc, func(at *premises) { at.source.HashAttribute = "unicodePwd" }))
	dc.USN(t) // an account's first logon changes it, the administrator's too
	before, all := dc.USN(t), dc.USNs(t)

	p.does("a full run", "full: 6 read, 6 added, 0 updated, 0 deleted")
	p.does("a delta", "delta: 0 read, 0 added, 0 updated, 0 deleted")
	if r := p.syncs(api.SyncRequest{Kinds: []string{"directory"}, Full: true}); r.Mode != "full" {
		t.Errorf("all was asked for: %s", outcome(r))
	}
	for range 2 {
		if r := p.syncsHashes(); r.Hashes != 0 {
			t.Errorf("Active Directory gave %d hashes", r.Hashes)
		}
	}
	if _, err := p.console.SyncPreview(t.Context(), api.SyncPreviewRequest{Full: true}); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"dora@" + corp, "hugo@" + corp} {
		if _, err := p.console.SyncExplain(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	if after := dc.USN(t); after != before {
		t.Errorf("the domain controller's last change was %d, and is %d", before, after)
	}
	now := dc.USNs(t)
	maps.DeleteFunc(now, func(dn, number string) bool { return all[dn] == number })
	if len(now) > 0 {
		t.Errorf("these objects were changed: %v", now)
	}
	dc.Modify(t, dc.DN("dora"), "displayName", "Dora")
	if after := dc.USN(t); after == before {
		t.Error("a change by hand has no number: the numbers prove nothing")
	}
}

func TestWriteBackWithoutTheRightIsSaidOfEachObjectAndDoneOnceItIsGiven(t *testing.T) {
	dc := realtest.NewSamba(t)
	dc.LetSeeDeleted(t, dc.Service)
	p := openCorp(t, dc, func(at *premises) { at.source.WriteBack = []string{agent.CloudObjectID} })
	if r := p.syncsDirectory(); r.Added != 6 || r.WroteBack != 0 {
		t.Errorf("without the right: %s, and wrote %d back", outcome(r), r.WroteBack)
	}
	page, err := p.console.SyncErrors(t.Context(), "", 100)
	said := map[string]bool{}
	for _, e := range page.Items {
		said[e.Name] = strings.HasPrefix(e.Reason, "write-back: ") && strings.Contains(e.Reason, "isn't allowed")
	}
	if err != nil || !said["dora@"+corp] || !said["The Crew"] || !said["Grete Guest"] {
		t.Errorf("what could not be written back: %+v (%v)", page.Items, err)
	}
	dc.LetWriteCloudID(t, dc.Service, dc.Synced())
	if r := p.syncsDirectory(); r.WroteBack != 6 || r.Added+r.Updated+r.Deleted != 0 {
		t.Errorf("with the right: %s, and wrote %d back", outcome(r), r.WroteBack)
	}
	if page, err := p.console.SyncErrors(t.Context(), "", 100); err != nil || len(page.Items) != 0 {
		t.Errorf("complaints in the end: %+v (%v)", page.Items, err)
	}
}
