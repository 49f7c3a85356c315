package matrix

import (
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/journal"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/lab/harbour"
)

func cellOf(t *testing.T, state string, path authn.Path) Cell {
	t.Helper()
	for _, c := range Cells("saml") {
		if c.State == state && c.Path == path {
			return c
		}
	}
	t.Fatalf("there is no cell %s on %s", state, path)
	return Cell{}
}

// ended is the evidence of a sign-in that came to its end on a path.
func ended(path authn.Path, v authn.Verdict, r authn.Reason, binds ...string) seen {
	record := authn.Record{ID: "a1", Realm: authn.Realm{Path: path}, Verdict: v, Reason: r, Final: true}
	row := journal.Row(record)
	s := seen{attempt: browser.Attempt{CorrelationID: "a1", Verdict: v}, trace: api.Trace{ID: "a1", Records: []authn.Record{record}}, row: &row}
	for _, data := range binds {
		s.binds = append(s.binds, dc.Event{Op: "bind", Name: "x", Data: data})
	}
	return s
}

// away is the evidence of a sign-in that stayed at the identity provider.
func away(result harbour.Result, request string, binds ...string) seen {
	s := ended(authn.PathFederated, authn.Challenged, authn.None, binds...)
	s.row = nil
	s.trace.Records[0].Steps = []authn.Step{authn.Step{ID: authn.F1}.With(authn.FactRequest, "r1")}
	s.logins = []harbour.Event{{Result: result, Request: request}}
	return s
}

func TestACellIsJudgedByItsEvidence(t *testing.T) {
	disabledPTA, disabledPHS := cellOf(t, "disabled on-premises", authn.PathPTA), cellOf(t, "disabled on-premises", authn.PathPHS)
	disabledThere, down := cellOf(t, "disabled on-premises", authn.PathFederated), cellOf(t, Outage, authn.PathFederated)
	locked := cellOf(t, "locked out in AD", authn.PathPTA)
	noOne := ended(authn.PathFederated, authn.Allowed, authn.None, "533")
	noOne.logins = []harbour.Event{{Result: harbour.SignedIn}}
	for _, c := range []struct {
		name string
		cell Cell
		seen seen
		saw  string // "" for what the cell expects
	}{
		{"refused, and the domain controller says why", disabledPTA, ended(authn.PathPTA, authn.Denied, authn.AccountDisabled, "533"), ""},
		{"refused, but the domain controller was not asked", disabledPTA, ended(authn.PathPTA, authn.Denied, authn.AccountDisabled), "50057, but the domain controller's log has no bind"},
		{"refused, but the domain controller says something else", disabledPTA, ended(authn.PathPTA, authn.Denied, authn.AccountDisabled, "775"), `50057, but the domain controller's log says "775"`},
		{"let in", disabledPTA, ended(authn.PathPTA, authn.Allowed, authn.None, "533"), "success"},
		{"by another path", disabledPHS, ended(authn.PathPTA, authn.Denied, authn.AccountDisabled), "50057 by pta"},
		{"the same answer by another path", disabledPHS, ended(authn.PathCloud, authn.Allowed, authn.None), "success by cloud"},
		{"by the hash alone", disabledPHS, ended(authn.PathPHS, authn.Allowed, authn.None), ""},
		{"by the hash, but the domain controller was asked", disabledPHS, ended(authn.PathPHS, authn.Allowed, authn.None, ""), "success, but the domain controller's log has a bind"},
		{"one code, the right reason", locked, ended(authn.PathPTA, authn.Denied, authn.OnpremLocked, "775"), ""},
		{"one code, another reason", locked, ended(authn.PathPTA, authn.Denied, authn.CloudLocked, "775"), "50053 cloud_locked"},
		{"refused there", disabledThere, away(harbour.Refused, "r1", "533"), ""},
		{"refused there, in another sign-in", disabledThere, away(harbour.Refused, "r2", "533"), "fails at the IdP, but the identity provider's log names another request than r1"},
		{"let in there", disabledThere, noOne, "success"},
		{"nobody could be asked", down, away(harbour.Unreachable, "r1"), ""},
		{"somebody could be asked", down, away(harbour.Refused, "r1", "533"), "fails at the IdP, but the domain controller's log has a bind"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r result
			r.take(c.cell, c.cell.Tries[0], c.seen)
			got := r.report(c.cell)
			if want := c.saw == ""; got.OK != want {
				t.Errorf("ok is %t, want %t: %+v", got.OK, want, got)
			}
			if c.saw == "" {
				c.saw = c.cell.Tries[0].Want.String()
			}
			if !strings.HasPrefix(got.Saw, c.saw) {
				t.Errorf("saw %q, want %q", got.Saw, c.saw)
			}
			if mark := MarkOf(got); (mark == Red) == got.OK || mark == Amber && !c.cell.Amber {
				t.Errorf("the mark is %s for %+v", mark, got)
			}
		})
	}
}

func TestATableSaysInBriefThatALogDiffers(t *testing.T) {
	for saw, want := range map[string]string{
		"success": "success", "50057, but the domain controller's log has no bind": "50057 (log differs)",
		"success / 50126, but the domain controller's log has a bind": "success / 50126 (log differs)",
	} {
		if got := Brief(api.MatrixCell{Saw: saw}); got != want {
			t.Errorf("%q in brief is %q, want %q", saw, got, want)
		}
	}
}
