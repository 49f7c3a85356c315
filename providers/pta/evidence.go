package pta

import (
	"maps"
	"slices"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agentlink"
)

// sameClock is how far two readings of one clock can be apart that were taken one after the other.
const sameClock = time.Second

// byOurClock moves the times of a reply that came just now, when the link's clock (real time) is not this provider's.
func byOurClock(r agentlink.Reply, now time.Time) agentlink.Reply {
	off := now.Sub(r.Answered)
	if off.Abs() < sameClock {
		return r
	}
	r.Answered = now
	r.Tries = slices.Clone(r.Tries)
	for i := range r.Tries {
		for _, t := range []*time.Time{&r.Tries[i].Chosen, &r.Tries[i].Sealed, &r.Tries[i].Sent, &r.Tries[i].Answered} {
			if !t.IsZero() {
				*t = t.Add(off)
			}
		}
	}
	return r
}

// evidence draws what happened from the reply: the agents that were tried, and their own accounts of it.
func evidence(r agentlink.Reply, decoy bool, now time.Time) []authn.Step {
	if len(r.Tries) == 0 {
		refused := authn.Step{ID: authn.P2, From: authn.Gateway, To: authn.Gateway, Result: authn.StepRefused, At: now}
		return []authn.Step{refused.With(authn.FactReason, r.Reason.String())}
	}
	var steps []authn.Step
	for i, t := range r.Tries {
		steps = append(steps, asked(t, decoy)...)
		if i < len(r.Tries)-1 && t.Answer.Request != "" && !t.Sent.IsZero() { // it may have had the password in its memory
			steps = append(steps, place(agentlink.Reply{AgentName: t.AgentName, Answer: t.Answer, Answered: t.Answered}, t.Sent, decoy)...)
		}
	}
	last := r.Tries[len(r.Tries)-1]
	if last.Sealed.IsZero() {
		unsealed := authn.Step{ID: authn.P3, From: authn.Gateway, To: authn.Gateway, Result: authn.StepRefused, At: last.Chosen}
		return append(steps, unsealed.With(authn.FactReason, told(r.Reason)))
	}
	if r.Answer.Request == "" || last.Sent.IsZero() {
		return steps
	}
	own := place(r, last.Sent, decoy)
	steps = append(steps, own...)
	checked := authn.Step{ID: authn.P9, From: authn.Gateway, To: authn.Gateway, Result: authn.StepOK, At: r.Answered, Took: max(now.Sub(r.Answered), 0)}
	if r.Reason == authn.AgentBadResponse {
		checked.Result = authn.StepRefused
	}
	if !decoy && !tells(own, authn.P5) { // whoever answers has taken it
		checked = checked.Hold(authn.Queue, authn.FormNone)
	}
	return append(steps, checked.With(authn.FactRequest, last.Request).With(authn.FactReason, told(r.Reason)))
}

// asked is P2 to P4 of one try.
func asked(t agentlink.Try, decoy bool) []authn.Step {
	chosen := authn.Step{ID: authn.P2, From: authn.Gateway, To: authn.Gateway, Result: authn.StepOK, At: t.Chosen}
	if t.Reason != authn.None {
		chosen.Result = authn.StepRefused
	}
	steps := []authn.Step{chosen.With(authn.FactAgent, t.AgentName).With(authn.FactReason, told(t.Reason))}
	if t.Sealed.IsZero() {
		return steps
	}
	sealed := authn.Step{ID: authn.P3, From: authn.Gateway, To: authn.Gateway, Result: authn.StepOK, At: t.Chosen, Took: t.Sealed.Sub(t.Chosen)}
	form := authn.SealedFor(t.AgentName)
	if decoy { // nothing of what was typed leaves the gateway
		form, sealed.Result = authn.FormNone, authn.StepSkipped
	}
	steps = append(steps, sealed.With(authn.FactAlgorithm, "HPKE MLKEM768-X25519, AES-256-GCM").With(authn.FactRequest, t.Request))
	if t.Sent.IsZero() {
		return steps
	}
	queued := authn.Step{ID: authn.P4, From: authn.Gateway, To: authn.Queue, Result: authn.StepOK, At: t.Sealed, Took: t.Sent.Sub(t.Sealed)}
	return append(steps, queued.With(authn.FactAgent, t.AgentName).Hold(authn.Queue, form))
}

func tells(steps []authn.Step, id authn.StepID) bool {
	return slices.ContainsFunc(steps, func(s authn.Step) bool { return s.ID == id })
}

// lanes are the steps that an agent may report, and between whom each runs.
func lanes(id authn.StepID) (from, to authn.Lane, ok bool) {
	switch id {
	case authn.P5:
		return authn.Queue, authn.Agent, true
	case authn.P6:
		return authn.Agent, authn.OnpremDir, true
	case authn.P7:
		return authn.OnpremDir, authn.Agent, true
	case authn.P8:
		return authn.Agent, authn.Gateway, true
	default:
		return "", "", false
	}
}

// agentFacts are the facts that an agent may state.
func agentFacts() []authn.Fact {
	return []authn.Fact{authn.FactServer, authn.FactCode, authn.FactData, authn.FactReason, authn.FactWait, authn.FactAlgorithm}
}

// place puts the agent's own steps between the moment the request left and the moment the answer came. Its clock is not
// ours, so its times count from its P5; whatever lies outside, or isn't one of P5 to P8 in order, is not taken over.
func place(r agentlink.Reply, sent time.Time, decoy bool) []authn.Step {
	room := max(r.Answered.Sub(sent), 0)
	var worked time.Duration // by the agent's clock
	for _, h := range r.Answer.Steps {
		worked = max(worked, within(h.After, room)+within(h.Took, room))
	}
	start := sent.Add(max(room-worked, 0) / 2) // as long on the way there as on the way back
	var steps []authn.Step
	last := authn.StepID("")
	for _, h := range r.Answer.Steps {
		from, to, ok := lanes(h.ID)
		if !ok || h.ID <= last {
			continue
		}
		last = h.ID
		at := within(h.After, r.Answered.Sub(start))
		s := authn.Step{ID: h.ID, From: from, To: to, Result: resultOf(h.Result), At: start.Add(at), Took: within(h.Took, r.Answered.Sub(start)-at)}
		for _, k := range slices.Sorted(maps.Keys(h.Facts)) {
			if slices.Contains(agentFacts(), k) {
				s = s.With(k, h.Facts[k])
			}
		}
		steps = append(steps, custody(s.With(authn.FactAgent, r.AgentName), decoy, r.Answer.Bound))
	}
	return steps
}

func within(d, room time.Duration) time.Duration { return min(max(d, 0), max(room, 0)) }

func resultOf(r authn.StepResult) authn.StepResult {
	if r == authn.StepOK || r == authn.StepSkipped {
		return r
	}
	return authn.StepRefused
}

// custody says who holds the typed password after a step. Of a decoy request nothing leaves the gateway; a directory that
// could not be reached, or not be trusted, was sent nothing.
func custody(s authn.Step, decoy, sent bool) authn.Step {
	if decoy && s.ID == authn.P6 {
		return s.With(authn.FactDecoy, "decoy account")
	}
	if decoy {
		return s
	}
	switch s.ID {
	case authn.P5:
		s = s.Hold(authn.Queue, authn.FormNone)
		if s.Result == authn.StepOK {
			s = s.Hold(authn.Agent, authn.FormClear)
		}
	case authn.P6:
		if sent {
			s = s.Hold(authn.OnpremDir, authn.FormClear)
		}
	case authn.P7:
		s = s.Hold(authn.OnpremDir, authn.FormNone)
	case authn.P8:
		s = s.Hold(authn.Agent, authn.FormNone)
	default: // no other step moves it
	}
	return s
}

func told(r authn.Reason) string {
	if r == authn.None {
		return ""
	}
	return r.String()
}
