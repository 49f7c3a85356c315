package agent

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/onprem"
)

// MaxSkew is how far the clocks of gateway and agent may differ.
const MaxSkew = 5 * time.Second

// turnWithin bounds how long the agent waits for the gateway's word that it may bind.
const turnWithin = 2 * time.Second

// asked takes a message that asks for a bind. It never waits: requests beyond all room are answered at once.
func (a *agent) asked(msg *nats.Msg) {
	q, err := a.recv.Request(msg.Data)
	if err != nil {
		a.unreadable(msg, err)
		return
	}
	fate := a.intercepted(q)
	if fate.Drop {
		return
	}
	if reason := a.timely(q); reason != authn.None {
		a.answer(msg, q, agentlink.Answer{Reason: reason.String()})
		return
	}
	if !a.book.take(q.ID, q.Deadline.Add(MaxSkew)) {
		a.Log.Warn("dropped a request that came before", "request", q.ID)
		return
	}
	if !a.queue(msg, q, fate) {
		a.Log.Warn("no room for another request", "at most", cap(a.held))
		a.answer(msg, q, agentlink.Answer{Reason: authn.AgentError.String()})
	}
}

func (a *agent) intercepted(q *agentlink.Request) Fate {
	if a.Lab.Intercept == nil {
		return Fate{}
	}
	return a.Lab.Intercept(q)
}

// queue binds beside the caller, as soon as there is a place for one more bind.
func (a *agent) queue(msg *nats.Msg, q *agentlink.Request, fate Fate) bool {
	select {
	case a.held <- struct{}{}:
	default:
		return false
	}
	ctx, cancel := until(q)
	begun := a.begin(func() {
		defer func() { <-a.held }()
		defer cancel()
		if !a.turn(ctx, fate) {
			a.answer(msg, q, agentlink.Answer{Reason: authn.AgentLate.String()})
			return
		}
		defer func() { <-a.binds }()
		a.bind(ctx, msg, q)
	})
	if !begun {
		cancel()
		<-a.held
	}
	return begun
}

// turn waits for a place to bind; false when the request's time is over first.
func (a *agent) turn(ctx context.Context, fate Fate) bool {
	if fate.Wait > 0 {
		held := time.NewTimer(fate.Wait)
		defer held.Stop()
		select {
		case <-held.C:
		case <-fate.Until:
		case <-ctx.Done():
			return false
		}
	}
	select {
	case a.binds <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// until ends a tenth before the gateway's patience does, so that the gateway still hears where the time went. It counts from
// the arrival: clocks differ. It does not end with the agent: what was begun is finished.
func until(q *agentlink.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), q.Deadline.Sub(q.Issued)*9/10)
}

func (a *agent) unreadable(msg *nats.Msg, err error) {
	reason := authn.AgentError
	if errors.Is(err, agentlink.ErrForged) {
		reason = authn.AgentKey // most likely the gateway signs with a key that came after this agent enrolled
	}
	a.Log.Warn("refused a request", "error", err)
	b, err := a.recv.Unreadable(msg.Data, reason)
	if err == nil {
		err = msg.Respond(b)
	}
	if err != nil {
		a.Log.Warn("could not answer", "error", err)
	}
}

// timely compares the request's times with this clock. Clocks that differ too much are told apart from a request that is late.
func (a *agent) timely(q *agentlink.Request) authn.Reason {
	switch now := a.Clock.Now(); {
	case now.Before(q.Issued.Add(-MaxSkew)), now.After(q.Deadline.Add(MaxSkew)):
		return authn.TimeSkew
	case now.After(q.Deadline):
		return authn.AgentLate
	}
	return authn.None
}

// bind tries one password.
func (a *agent) bind(ctx context.Context, msg *nats.Msg, q *agentlink.Request) {
	if a.Directory == nil {
		a.Log.Warn("asked to try a password, but this agent has no pta role in its configuration")
		a.answer(msg, q, agentlink.Answer{Reason: authn.AgentError.String()})
		return
	}
	e := &evidence{clock: a.Clock, began: a.Clock.Now()}
	secret, decoy, err := a.recv.Password(q)
	defer secret.Wipe()
	if err != nil {
		reason := authn.AgentDecrypt
		if errors.Is(err, agentlink.ErrKey) {
			reason = authn.AgentKey
		}
		a.Log.Warn("could not open a password", "request", q.ID, "error", err)
		a.answer(msg, q, agentlink.Answer{Reason: reason.String(), Steps: e.opened(authn.StepRefused)})
		return
	}
	e.opened(authn.StepOK)
	if err := a.mayBind(ctx, q); err != nil {
		if !errors.Is(err, agentlink.ErrNotYours) { // the password went nowhere: another agent may be asked
			a.answer(msg, q, agentlink.Answer{Reason: authn.AgentError.String(), Steps: e.hops})
		}
		return
	}
	user := q.User
	e.decoy = decoy
	if decoy {
		user, secret = a.Decoy.UPN, clone(a.Decoy.Password)
		defer secret.Wipe()
	}
	v := a.Directory.Bind(ctx, user, secret)
	secret.Wipe()
	steps := e.bound(v)
	if decoy {
		v = a.decoyed(v)
	}
	if v.Cause != nil {
		a.Log.Info("the directory did not say yes", "request", q.ID, "attempt", string(q.Attempt), "reason", v.Reason.String(), "cause", v.Cause)
	}
	a.answer(msg, q, agentlink.Answer{Bound: !v.Unasked, Reason: v.Reason.String(), Code: v.Code, Data: v.Data, Server: v.Server, Steps: steps})
}

// mayBind asks the gateway, which may have given the request to somebody else in the meantime.
func (a *agent) mayBind(ctx context.Context, q *agentlink.Request) error {
	ctx, cancel := context.WithTimeout(ctx, turnWithin)
	defer cancel()
	err := a.recv.MayBind(ctx, a.conn, q)
	if err != nil {
		a.Log.Warn("did not bind", "request", q.ID, "error", err)
	}
	return err
}

// decoyed turns the decoy account's verdict into that of somebody who doesn't exist. An outage stays one.
func (a *agent) decoyed(v onprem.Verdict) onprem.Verdict {
	if v.Reason != authn.None {
		a.Log.Warn("the decoy account can't sign in: correct it, or strangers can tell it by the time", "reason", v.Reason.String(), "cause", v.Cause)
	}
	if v.Reason.Verdict() == authn.Unavailable {
		return v
	}
	return onprem.Verdict{Reason: authn.UnknownUser, Server: v.Server}
}

func (a *agent) answer(msg *nats.Msg, q *agentlink.Request, what agentlink.Answer) {
	b, err := a.recv.Answer(q, what)
	if err == nil {
		err = msg.Respond(b)
	}
	if err != nil {
		a.Log.Warn("could not answer", "request", q.ID, "error", err)
	}
}

func clone(s authn.Secret) authn.Secret {
	return authn.NewSecret(append([]byte(nil), s.Reveal()...))
}

// evidence is the agent's own account of a request: P5 to P8, in time since P5.
type evidence struct {
	clock authn.Clock
	began time.Time
	hops  []agentlink.Hop
	bind  time.Duration // when the bind began
	decoy bool          // the bind is the agent's own account's
}

func (e *evidence) opened(r authn.StepResult) []agentlink.Hop {
	e.bind = e.clock.Now().Sub(e.began)
	e.hops = append(e.hops, agentlink.Hop{ID: authn.P5, Result: r, Took: e.bind})
	return e.hops
}

// bound tells what the directory said, if it said anything: without its answer there is no P7.
func (e *evidence) bound(v onprem.Verdict) []agentlink.Hop {
	now := e.clock.Now().Sub(e.began)
	went := agentlink.Hop{ID: authn.P6, Result: authn.StepOK, After: e.bind, Took: now - e.bind, Facts: map[authn.Fact]string{}}
	if v.Server != "" {
		went.Facts[authn.FactServer] = v.Server
	}
	if !answered(v) {
		went.Result, went.Facts[authn.FactReason] = authn.StepRefused, v.Reason.String()
		return append(e.hops, went, e.signed(now))
	}
	said := agentlink.Hop{ID: authn.P7, Result: authn.StepOK, After: now, Facts: map[authn.Fact]string{authn.FactCode: strconv.Itoa(v.Code)}}
	if v.Data != "" {
		said.Facts[authn.FactData] = v.Data
	}
	switch {
	case e.decoy && v.Reason.Verdict() != authn.Unavailable: // said of our own account, so nothing follows from it
		said.Result = authn.StepSkipped
	case v.Reason != authn.None:
		said.Result, said.Facts[authn.FactReason] = authn.StepRefused, v.Reason.String()
	}
	return append(e.hops, went, said, e.signed(now))
}

// answered reports that the directory answered the bind: of an outage there is an LDAP code when it did.
func answered(v onprem.Verdict) bool {
	return !v.Unasked && (v.Code != 0 || v.Reason.Verdict() != authn.Unavailable)
}

func (e *evidence) signed(at time.Duration) agentlink.Hop {
	return agentlink.Hop{ID: authn.P8, Result: authn.StepOK, After: at, Facts: map[authn.Fact]string{authn.FactAlgorithm: "Ed25519"}}
}
