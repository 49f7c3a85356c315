package trace

import (
	"slices"

	"github.com/fourways-id/fourways/authn"
)

// Gap is a step that must have left its evidence, and did not.
type Gap struct {
	Step  authn.StepID `json:"step"`
	Since authn.StepID `json:"since,omitempty"` // the step that can't be without it; "" when the outcome can't
}

// missing names the steps that this path and this outcome must leave and that are not there. Nothing is said of what may or
// may not be there: an overloaded gateway, say, ends a sign-in before the step that it would have been.
func missing(records []authn.Record) []Gap {
	g := &gaps{}
	for _, r := range inOrder(records) {
		if r.Shed == 0 && (len(r.Steps) > 0 || !leavesNothing(r)) {
			g.record(r)
		}
		g.before = append(g.before, r.Steps...)
	}
	return g.found
}

// leavesNothing reports an end without a step of its own: nobody came back, or a stranger's callback came.
func leavesNothing(r authn.Record) bool {
	return r.Verdict == authn.Challenged || r.Reason == authn.StateMismatch || r.Reason == authn.Internal
}

type gaps struct {
	before []authn.Step // of the earlier Records
	found  []Gap
}

// need notes step as missing unless one of steps is it.
func (g *gaps) need(steps []authn.Step, step, since authn.StepID) {
	gap := Gap{step, since}
	if !slices.ContainsFunc(steps, func(s authn.Step) bool { return s.ID == step }) && !slices.Contains(g.found, gap) {
		g.found = append(g.found, gap)
	}
}

func (g *gaps) record(r authn.Record) {
	if r.Seq == 0 {
		g.need(r.Steps, authn.C1, "")
		if !(r.Reason == authn.Internal && r.Check == authn.C2) { // nobody could look
			g.need(r.Steps, authn.C2, "")
		}
	}
	all := slices.Concat(g.before, r.Steps)
	for i, s := range r.Steps {
		g.neededBy(all[:len(g.before)+i], s)
	}
	g.exchange(r)
	g.agentsOwn(r.Steps)
	g.wiped(r.Steps)
	g.outcome(r)
}

// neededBy holds a step to the one that must come before it. A hand-over repeats P2 to P4: each P3 needs a P2 of its own.
func (g *gaps) neededBy(before []authn.Step, s authn.Step) {
	for _, need := range map[authn.StepID][]authn.StepID{
		authn.C3: {authn.C2},
		authn.K1: {authn.C3}, authn.K2: {authn.K1}, authn.K3: {authn.K2},
		authn.H1: {authn.C3}, authn.H2: {authn.H0, authn.H1}, authn.H3: {authn.H2}, authn.H4: {authn.H3}, authn.H5: {authn.H4}, authn.H6: {authn.H5},
		authn.P1: {authn.C3}, authn.P2: {authn.P1}, authn.P3: {authn.P2}, authn.P4: {authn.P3}, authn.P5: {authn.P4}, authn.P6: {authn.P5},
		authn.P7: {authn.P6}, authn.P8: {authn.P5}, authn.P9: {authn.P4},
		authn.F2: {authn.F1}, authn.F5: {authn.F3},
	}[s.ID] {
		since := 0
		if s.ID == authn.P3 || s.ID == authn.P4 {
			since = 1 + lastIndex(before, s.ID)
		}
		g.need(before[since:], need, s.ID)
	}
	if s.ID == authn.F3 && s.Facts[authn.FactRequest] != "" { // else it arrived at nothing that was asked
		g.need(before, authn.F2, s.ID)
	}
}

func lastIndex(steps []authn.Step, id authn.StepID) int {
	for i, s := range slices.Backward(steps) {
		if s.ID == id {
			return i
		}
	}
	return -1
}

// exchange holds the checks of an identity provider's answer to their order.
func (g *gaps) exchange(r authn.Record) {
	order := []authn.StepID{
		authn.F3, authn.F4Structure, authn.F4Signature, authn.F4Issuer, authn.F4Audience, authn.F4Recipient, authn.F4InResponse, authn.F4Time,
		authn.F4Replay, authn.F4Subject,
	}
	if r.Realm.Protocol == "oidc" {
		order = []authn.StepID{authn.F3, authn.F5, authn.F4Structure, authn.F4Signature, authn.F4Issuer, authn.F4Audience, authn.F4InResponse, authn.F4Time, authn.F4Subject}
	}
	last := -1 // the furthest check that was passed
	for _, s := range r.Steps {
		if s.Result == authn.StepOK && s.ID != authn.F3 {
			last = max(last, slices.Index(order, s.ID))
		}
	}
	if r.Verdict == authn.Allowed && r.Path() == authn.PathFederated {
		last = len(order) - 1
	}
	for _, id := range order[:last+1] {
		g.need(r.Steps, id, "")
	}
}

// agentsOwn holds an agent that opened the request, and whose answer came, to its own account.
func (g *gaps) agentsOwn(steps []authn.Step) {
	opened := slices.ContainsFunc(steps, func(s authn.Step) bool { return s.ID == authn.P5 && s.Result == authn.StepOK })
	if opened && Has(steps, authn.P9) {
		g.need(steps, authn.P6, authn.P9)
		g.need(steps, authn.P8, authn.P9)
		if slices.ContainsFunc(steps, func(s authn.Step) bool { return s.ID == authn.P6 && s.Result == authn.StepOK }) {
			g.need(steps, authn.P7, authn.P8)
		}
	}
}

// wiped holds a Record in which a password came to its end.
func (g *gaps) wiped(steps []authn.Step) {
	for _, s := range steps {
		if s.Held[authn.Gateway] == authn.FormClear || s.ID == authn.C3 && s.Result == authn.StepOK {
			g.need(steps, authn.C10, s.ID)
			return
		}
	}
}

func (g *gaps) outcome(r authn.Record) {
	switch r.Verdict {
	case authn.Allowed:
		for _, id := range []authn.StepID{authn.C7, authn.C9} {
			g.need(r.Steps, id, "")
		}
		g.decided(r)
	case authn.Denied:
		if r.Check != "" && !Has(refusals(r.Steps), authn.C7) { // which speaks for a check of the provider's word
			g.need(r.Steps, r.Check, "")
		}
	case authn.Unavailable:
		tried := r.Reason != authn.Overloaded && r.Reason != authn.Internal && r.Reason != authn.AgentTimeout && r.Reason != authn.AgentLate
		if tried && r.Check != "" {
			g.need(r.Steps, r.Check, "")
		}
	case authn.Challenged:
		if r.Challenge == authn.Redirect || r.Challenge == authn.Post {
			g.need(r.Steps, authn.F1, "")
		}
	case authn.Undecided:
	}
}

// decided holds a yes to the step that said so.
func (g *gaps) decided(r authn.Record) {
	switch r.Path() {
	case authn.PathCloud:
		g.need(r.Steps, authn.K3, "")
	case authn.PathPHS:
		g.need(r.Steps, authn.H6, "")
	case authn.PathPTA:
		g.need(r.Steps, authn.P7, "")
		g.need(r.Steps, authn.P9, "")
	case authn.PathFederated, authn.PathNone:
	}
}

func refusals(steps []authn.Step) []authn.Step {
	return slices.DeleteFunc(slices.Clone(steps), func(s authn.Step) bool { return s.Result != authn.StepRefused })
}
