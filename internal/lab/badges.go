package lab

import (
	"slices"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// mark says where a fault shows in a trace.
type mark struct {
	steps  []authn.StepID // the hop's own, the likeliest first: one of them gets the badge
	checks []authn.StepID // when none of them came about: where a sign-in then ends
	failed bool           // it shows only where a sign-in ended: it may find nothing to break, or what it breaks lets nobody through
	each   bool           // it strikes several steps of one sign-in, each of which gets the badge
	waited bool           // it shows only where somebody waited
}

func markOf(name string) (mark, bool) {
	premises := []authn.StepID{authn.P4, authn.P8, authn.P9}
	away := []authn.StepID{
		authn.F1, authn.F3, authn.F4Structure, authn.F4Signature, authn.F4Issuer, authn.F4Realm, authn.F4Audience, authn.F4Recipient,
		authn.F4InResponse, authn.F4Time, authn.F4Replay, authn.F4Subject, authn.F5,
	}
	idp := func(steps ...authn.StepID) mark { return mark{steps: steps, checks: away} }
	refused := func(step authn.StepID) mark { return mark{steps: []authn.StepID{step}, checks: away, failed: true} }
	m, ok := map[string]mark{
		"store-slow":      {steps: []authn.StepID{authn.C2, authn.C3, authn.K2, authn.H0, authn.C9}, each: true},
		"store-down":      {steps: []authn.StepID{authn.C2, authn.C3, authn.K2, authn.H0, authn.C9}, each: true},
		"hash-pool-small": {steps: []authn.StepID{authn.K3, authn.H5}, checks: []authn.StepID{authn.K3, authn.H5}, waited: true},
		"hash-missing":    {steps: []authn.StepID{authn.K2, authn.H0}, failed: true},

		"agent-down":        {steps: []authn.StepID{authn.P2, authn.P4}, checks: []authn.StepID{authn.P2, authn.P4}, failed: true},
		"agent-hang":        {steps: []authn.StepID{authn.P4}, checks: premises, failed: true},
		"agent-late":        {steps: []authn.StepID{authn.P5, authn.P4}, checks: premises},
		"agent-bad-key":     {steps: []authn.StepID{authn.P5}, checks: []authn.StepID{authn.P5}, failed: true},
		"agent-clock-skew":  {steps: []authn.StepID{authn.P5, authn.P4}, checks: []authn.StepID{authn.P4, authn.P5}, failed: true},
		"network-partition": {steps: []authn.StepID{authn.P4, authn.P2}, checks: []authn.StepID{authn.P2, authn.P4}, failed: true},

		"dc-down":    {steps: []authn.StepID{authn.P6, authn.P7}, checks: premises, failed: true},
		"dc-slow":    {steps: []authn.StepID{authn.P6, authn.P7}, checks: premises},
		"dc-tls-bad": {steps: []authn.StepID{authn.P6, authn.P7}, checks: premises, failed: true},

		"idp-down":              idp(authn.F2, authn.F5),
		"idp-slow":              idp(authn.F2, authn.F5),
		"idp-wrong-signature":   refused(authn.F4Signature),
		"idp-expired-assertion": refused(authn.F4Time),
		"idp-wrong-audience":    refused(authn.F4Audience),
		"idp-replay":            {steps: []authn.StepID{authn.F4Replay, authn.F4InResponse}, checks: away, failed: true},
		"idp-wrong-subject":     refused(authn.F4Subject),
		"idp-cert-rotated":      idp(authn.F4Signature),

		"sync-paused":       {steps: []authn.StepID{authn.H0}},
		"sync-empty-result": {steps: []authn.StepID{authn.H0}},
		"sync-mass-delete":  {steps: []authn.StepID{authn.H0}},
		"sync-bad-object":   {steps: []authn.StepID{authn.H0}},
	}[name]
	return m, ok
}

// badges are the steps of a record while they are being marked.
type badges struct {
	record authn.Record
	steps  []authn.Step
}

// ended reports that the sign-in ended without a session.
func (b *badges) ended() bool {
	return b.record.Verdict == authn.Denied || b.record.Verdict == authn.Unavailable
}

// put marks one step: a refused one of the hop, else any of the hop, else, when it never came to the hop's own steps, the
// step at which it ended.
func (b *badges) put(name string, m mark) {
	ended := b.ended() && (slices.Contains(m.steps, b.record.Check) || slices.Contains(m.checks, b.record.Check))
	if m.failed && !ended {
		return
	}
	for _, good := range []func(authn.Step) bool{
		func(s authn.Step) bool { return s.Result == authn.StepRefused },
		func(authn.Step) bool { return true },
	} {
		for _, id := range m.steps {
			for i, s := range b.steps {
				if s.ID == id && good(s) && (!m.waited || waited(s)) {
					b.badge(i, name)
					return
				}
			}
		}
	}
	if ended {
		b.badgeEnd(name)
	}
}

// each marks every step of the hop in whose time the fault struck. The last one is written down as long as it lasts.
func (b *badges) each(name string, m mark, struck func(from, to time.Time) bool) {
	found := false
	for i, s := range b.steps {
		end := s.At.Add(s.Took)
		if s.ID == authn.C9 {
			end = s.At.Add(time.Hour) // to the end of time: it is being written now
		}
		if slices.Contains(m.steps, s.ID) && struck(s.At, end) {
			b.badge(i, name)
			found = true
		}
	}
	if !found && b.ended() {
		b.badgeEnd(name)
	}
}

// badgeEnd marks the step at which the sign-in ended.
func (b *badges) badgeEnd(name string) {
	if len(b.steps) == 0 {
		return
	}
	at := slices.IndexFunc(b.steps, func(s authn.Step) bool { return s.ID == b.record.Check })
	if at < 0 {
		at = len(b.steps) - 1
	}
	b.badge(at, name)
}

func (b *badges) badge(i int, name string) {
	if b.steps[i].Fault != "" {
		name = b.steps[i].Fault + ", " + name
	}
	b.steps[i].Fault = name
}

// waited reports that a step found no worker at once.
func waited(s authn.Step) bool {
	wait, err := time.ParseDuration(s.Facts[authn.FactWait])
	return s.Result == authn.StepSkipped || err == nil && wait >= time.Millisecond
}
