package matrix

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/harbour"
	"github.com/fourways-id/fourways/internal/trace"
)

// Want is what must come of a sign-in. The zero value is nothing at all: the cell is not applicable.
type Want struct {
	ending ending
	reason authn.Reason // of a refusal or an outage
}

type ending uint8

const (
	endsIn          ending = iota + 1 // a session
	endsRefused                       // by us, with a reason
	endsUnavailable                   // we could not look, with a reason
	endsThere                         // the identity provider refused, and nobody came back
	endsInterrupted                   // the identity provider could not look, and nobody came back
)

// What cells want.
var (
	success     = Want{ending: endsIn}
	failsThere  = Want{ending: endsThere}
	interrupted = Want{ending: endsInterrupted}
)

func denied(r authn.Reason) Want      { return Want{endsRefused, r} }
func unavailable(r authn.Reason) Want { return Want{endsUnavailable, r} }

// String is how a table says it.
func (w Want) String() string {
	switch w.ending {
	case endsIn:
		return "success"
	case endsThere:
		return "fails at the IdP"
	case endsInterrupted:
		return "interrupted"
	case endsRefused, endsUnavailable:
		return strconv.Itoa(w.reason.Code())
	}
	return "n/a"
}

// saw reads from the evidence how the sign-in ended. The zero Want is an ending that no cell wants; words say it then.
func (s seen) saw() (Want, string) {
	records := s.trace.Records
	last := records[len(records)-1]
	switch {
	case s.row != nil && s.row.Fourways.Outcome == authn.Allowed.MetricOutcome() && s.attempt.Verdict == authn.Allowed:
		return success, ""
	case s.row != nil && last.Verdict == authn.Denied:
		return denied(last.Reason), ""
	case s.row != nil && last.Verdict == authn.Unavailable:
		return unavailable(last.Reason), ""
	case s.row == nil && last.Verdict == authn.Challenged && s.attempt.Verdict != authn.Allowed && len(s.logins) > 0:
		switch s.logins[len(s.logins)-1].Result {
		case harbour.WrongPassword, harbour.Refused:
			return failsThere, ""
		case harbour.Unreachable:
			return interrupted, ""
		case harbour.SignedIn, harbour.ForeignDomain, harbour.Issued:
		}
	}
	return Want{}, fmt.Sprintf("%s at the door, %s in the trace", s.attempt.Verdict, last.Verdict)
}

// Between two tries of a cell, and before what a log says otherwise.
const (
	and = " / "
	but = ", but "
)

// result is what came of a cell.
type result struct {
	saw, evidence, wrong []string
	traces               []api.Trace
}

// take judges one try.
func (r *result) take(c Cell, try Try, s seen) {
	got, words := s.saw()
	if words == "" {
		words = got.String()
	}
	if got != try.Want {
		if got.String() == try.Want.String() { // one code, two reasons
			words += " " + got.reason.String()
		}
		r.wrong = append(r.wrong, words)
	}
	if by := s.trace.Records[0].Path(); by != c.Path {
		words += " by " + string(by)
		r.wrong = append(r.wrong, "by "+string(by))
	}
	r.saw = append(r.saw, words)
	r.traces = append(r.traces, s.trace)
	for _, missing := range r.witnesses(c, try, s) {
		r.wrong = append(r.wrong, missing)
		r.saw[len(r.saw)-1] += but + missing
	}
}

// witnesses writes down what the premises say, and gives what they should say and don't.
func (r *result) witnesses(c Cell, try Try, s seen) (missing []string) {
	for _, e := range s.binds {
		line := fmt.Sprintf("domain controller: bind %s: result %d", e.Name, e.Result)
		if e.Data != "" {
			line += ", data " + e.Data
		}
		r.evidence = append(r.evidence, line)
	}
	for _, e := range s.logins {
		r.evidence = append(r.evidence, fmt.Sprintf("Harbour ID: %s: %s (request %s)", e.Who, e.Result, e.Request))
	}
	if s.attempt.Shown != "" {
		r.evidence = append(r.evidence, "Harbour ID showed: "+s.attempt.Shown)
	}
	asks := (c.Path == authn.PathPTA || c.Path == authn.PathFederated) && c.State != Outage
	switch {
	case asks && len(s.binds) == 0:
		missing = append(missing, "the domain controller's log has no bind")
	case asks && s.binds[len(s.binds)-1].Data != dataOf(c, try):
		missing = append(missing, fmt.Sprintf("the domain controller's log says %q", s.binds[len(s.binds)-1].Data))
	case !asks && len(s.binds) > 0:
		missing = append(missing, "the domain controller's log has a bind")
	case !asks:
		r.evidence = append(r.evidence, "domain controller: no bind of "+c.UPN)
	}
	return append(missing, joined(c, s)...)
}

// dataOf is the sub-code that the domain controller must have logged.
func dataOf(c Cell, try Try) string {
	if try.Want == success {
		return ""
	}
	return c.Data
}

// joined gives what keeps the identity provider's log from belonging to this very sign-in.
func joined(c Cell, s seen) []string {
	if c.Path != authn.PathFederated {
		return nil
	}
	if len(s.logins) == 0 {
		return []string{"the identity provider's log has no login"}
	}
	var steps []authn.Step
	for _, record := range s.trace.Records[:1] { // the one that sent the person away
		steps = append(steps, record.Steps...)
	}
	if request := trace.Fact(steps, authn.FactRequest); s.logins[len(s.logins)-1].Request != request {
		return []string{"the identity provider's log names another request than " + request}
	}
	return nil
}

// report is the cell as it is told.
func (r *result) report(c Cell) api.MatrixCell {
	cell := api.MatrixCell{State: c.State, Path: c.Path, Live: c.Live(), OK: true}
	if !c.Live() {
		return cell
	}
	var expected []string
	for _, try := range c.Tries {
		expected = append(expected, try.Want.String())
	}
	cell.UPN, cell.Amber, cell.Source, cell.Evidence = c.UPN, c.Amber, c.Source, r.evidence
	cell.Expected, cell.Saw, cell.OK = strings.Join(expected, and), strings.Join(r.saw, and), len(r.wrong) == 0
	cell.TraceID = r.traces[0].ID
	if len(r.traces) > 1 {
		cell.Second = r.traces[1].ID
	}
	return cell
}
