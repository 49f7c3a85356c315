package saml

import (
	"strconv"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// trail gathers the evidence.
type trail struct {
	clock authn.Clock
	steps []authn.Step
}

// arrived notes the time away, which nobody here saw, and the arrival.
func (t *trail) arrived(x *exchange, cb authn.Callback) {
	length := 0
	for _, v := range cb.Values["SAMLResponse"] {
		length += len(v)
	}
	away := authn.Step{ID: authn.F2, From: authn.IdP, To: authn.Browser, Result: authn.StepOK, At: x.kept.Sent}.
		With(authn.FactIdP, x.p.config.ID).With(authn.FactGot, "not seen by us").Hold(authn.Browser, authn.FormAssertion)
	away.Took = max(0, t.clock.Now().Sub(x.kept.Sent))
	here := authn.StartStep(t.clock, authn.F3, authn.Browser, authn.Gateway).
		With(authn.FactIdP, x.p.config.ID).With(authn.FactProtocol, "saml").With(authn.FactBinding, cb.Binding).
		With(authn.FactRequest, x.kept.Request).With(authn.FactLength, strconv.Itoa(length)).
		Hold(authn.Browser, authn.FormNone).Hold(authn.Gateway, authn.FormAssertion)
	t.steps = append(t.steps, away, here)
}

// markArrival turns the arrival into a refusal that the identity provider spoke.
func (t *trail) markArrival(status string) {
	for i, s := range t.steps {
		if s.ID == authn.F3 {
			s.Result = authn.StepRefused
			t.steps[i] = s.With(authn.FactCode, status)
		}
	}
	t.done()
}

func (t *trail) run(c check, x *exchange) (authn.Outcome, bool) {
	step := authn.StartStep(t.clock, c.step, authn.Gateway, authn.Gateway)
	f := c.look(x)
	if f.err != nil {
		return t.refuse(c, f, step), true
	}
	t.steps = append(t.steps, f.on(step).End(t.clock, authn.StepOK))
	return authn.Outcome{}, false
}

func (t *trail) refuse(c check, f finding, step authn.Step) authn.Outcome {
	t.steps = append(t.steps, f.on(step).With(authn.FactReason, c.reason.String()).End(t.clock, authn.StepRefused))
	return authn.Deny(c.reason, c.step, f.err, t.done()...)
}

// done marks that the assertion is not held any longer.
func (t *trail) done() []authn.Step {
	last := len(t.steps) - 1
	t.steps[last] = t.steps[last].Hold(authn.Gateway, authn.FormNone)
	return t.steps
}

func (f finding) on(s authn.Step) authn.Step {
	s = s.With(authn.FactExpected, f.expected).With(authn.FactGot, f.got).With(authn.FactAlgorithm, f.algorithm)
	if !f.until.IsZero() {
		s = s.With(authn.FactUntil, f.until.Format(time.RFC3339))
	}
	return s
}
