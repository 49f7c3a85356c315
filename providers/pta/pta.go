// Package pta signs people in by pass-through authentication: an agent on the premises tries the password at the
// organisation's own directory, and says what the directory said.
//
// In comes an Attempt with a Password; out comes the directory's verdict and the evidence of every hop. The package holds
// no password, no hash and no network connection of its own: Agents seals, sends and waits. For somebody the tenant doesn't
// know it has the agent do decoy work, so that neither the time nor the answer tells a stranger anything, and so that
// neither the typed password nor an unsynchronised person reaches the directory.
package pta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agentlink"
)

// Agents asks an agent. agentlink.Link is one.
type Agents interface {
	// Ask answers before the deadline of ctx, with a Reply whatever happens.
	Ask(ctx context.Context, q agentlink.Question) agentlink.Reply
}

// Options are what may be set.
type Options struct {
	Timeout time.Duration // for one sign-in; 0: DefaultTimeout
}

// DefaultTimeout is how long a person waits for the premises.
const DefaultTimeout = 10 * time.Second

// decoyName is whom a decoy request names when what was typed can't be a user principal name.
const decoyName = "nobody"

type provider struct {
	agents  Agents
	clock   authn.Clock
	timeout time.Duration
}

// New is the provider over a set of agents.
func New(a Agents, c authn.Clock, o Options) authn.Provider {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	return provider{agents: a, clock: c, timeout: o.Timeout}
}

// Step implements authn.Provider.
func (p provider) Step(ctx context.Context, a authn.Attempt) authn.Outcome {
	switch answer := a.Answer.(type) {
	case authn.Nothing:
		return authn.Ask(authn.Challenge{Kind: authn.AskPassword}, nil)
	case authn.Password:
		return p.password(ctx, a, answer.Secret)
	default:
		return authn.Fail(authn.Internal, authn.P1, fmt.Errorf("pass-through authentication takes a password, not a %T", a.Answer))
	}
}

func (p provider) password(ctx context.Context, a authn.Attempt, secret authn.Secret) authn.Outcome {
	posted := authn.Step{ID: authn.P1, From: authn.Browser, To: authn.Gateway, Result: authn.StepOK, At: p.clock.Now()}.
		Hold(authn.Browser, authn.FormClear).Hold(authn.Gateway, authn.FormClear)
	// Never a bind without a password: LDAP takes that for an anonymous one (RFC 4513, section 5.1.2). To a directory that
	// reads up to the first NUL, one that has a NUL may be empty. Refused here, it takes as long whether the name exists or not.
	if secret.Empty() || bytes.IndexByte(secret.Reveal(), 0) >= 0 {
		return authn.Deny(authn.BadPassword, authn.P1, nil, posted)
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return authn.Fail(authn.AgentTimeout, authn.P2, fmt.Errorf("no time is left to ask an agent: %w", err), posted)
	}
	decoy := !a.Account.Exists()
	reply := p.agents.Ask(ctx, agentlink.Question{Attempt: a.ID, User: userOf(a), Secret: secret, Decoy: decoy})
	now := p.clock.Now()
	steps := append([]authn.Step{posted}, evidence(byOurClock(reply, now), decoy, now)...)
	return p.outcome(a, reply, steps)
}

// userOf is the name that the agent is given.
func userOf(a authn.Attempt) string {
	if a.Account.Exists() {
		return a.Account.BindName()
	}
	if upn := a.Who.UPN(); upn != "" {
		return upn
	}
	return decoyName
}

// outcome keeps "the directory says no" and "nobody could ask" apart.
func (p provider) outcome(a authn.Attempt, r agentlink.Reply, steps []authn.Step) authn.Outcome {
	check := checkOf(r.Reason, steps)
	switch {
	case r.Reason == authn.None && r.Answer.Bound && a.Account.Exists():
		proof := authn.Proof{Methods: []string{"pwd"}, At: p.clock.Now()} // RFC 8176
		return authn.Allow(authn.Subject{Account: a.Account.ID}, proof, steps...)
	case r.Reason == authn.None:
		return authn.Fail(authn.AgentBadResponse, authn.P9, errors.New("the agent says yes to a request that can't have one"), steps...)
	case !r.Reason.On(authn.PathPTA):
		return authn.Fail(authn.AgentBadResponse, authn.P9, fmt.Errorf("the agent gives the reason %s, which this path doesn't have", r.Reason), steps...)
	case r.Reason.Verdict() == authn.Unavailable:
		return authn.Fail(r.Reason, check, r.Err, steps...)
	case !a.Account.Exists():
		return authn.Deny(authn.UnknownUser, check, r.Err, steps...)
	default:
		return authn.Deny(r.Reason, check, r.Err, steps...)
	}
}

// checkOf is the step at which it ended: one that the steps tell of, if they tell where.
func checkOf(reason authn.Reason, steps []authn.Step) authn.StepID {
	switch {
	case reason == authn.NoAgent:
		return authn.P2
	case reason == authn.AgentBadResponse:
		return authn.P9
	case reason.Verdict() != authn.Unavailable:
		return authn.P7
	}
	for _, s := range slices.Backward(steps) {
		if s.Result == authn.StepRefused && s.ID != authn.P2 { // a refused P2 is of an agent that another one took over from
			return s.ID
		}
	}
	return authn.P4
}
