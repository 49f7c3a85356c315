package agentlink

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fourways-id/fourways/authn"
)

// Question is a password to be tried on-premises.
type Question struct {
	Attempt authn.AttemptID
	User    string       // the name to bind
	Secret  authn.Secret // stays the caller's to wipe
	Decoy   bool         // nobody has that name: the agent works as hard, and Secret stays here
}

// Reply is what came of a Question. With Reason None the directory said yes. Err is for the operator.
type Reply struct {
	Reason    authn.Reason
	AgentID   string // the last one asked
	AgentName string
	Answer    Answer // zero when there was none that could be believed
	Tries     []Try
	Answered  time.Time
	Err       error
}

// Try is one agent that was asked.
type Try struct {
	Request   string
	AgentID   string
	AgentName string
	Chosen    time.Time
	Sealed    time.Time // zero: it did not come to that
	Sent      time.Time
	Reason    authn.Reason // why it was not this one; None for the last
	Answer    Answer       // its own account, when it gave one that could be believed
	Answered  time.Time
}

const (
	mostTries = 3
	gracePart = 4 // within a quarter of the time that is left the agent must have begun, if there is another
)

// Ask asks a live agent and hands over to another while none has begun to bind. It answers before the deadline of ctx,
// which must have one.
func (l *Link) Ask(ctx context.Context, q Question) Reply {
	var r Reply
	for len(r.Tries) < mostTries {
		m, others, ok := l.choose(r.Tries)
		if !ok {
			break
		}
		try, end := l.try(ctx, m, q, others)
		l.leave(m.ID)
		r.Reason, r.Err, r.Answer, r.Answered = end.reason, end.err, end.answer, l.o.Clock.Now()
		r.AgentID, r.AgentName = m.ID, m.Name
		try.Answer, try.Answered = r.Answer, r.Answered
		l.observe(m.ID, end)
		if !end.handOver || !others || ctx.Err() != nil {
			r.Tries = append(r.Tries, try)
			return r
		}
		try.Reason = end.reason
		r.Tries = append(r.Tries, try)
		l.o.Observe(Event{Agent: m.ID, Kind: HandedOver})
	}
	if len(r.Tries) == 0 {
		return Reply{Reason: authn.NoAgent, Answered: l.o.Clock.Now(), Err: errors.New("no pass-through agent is connected: see `fourways agent list`")}
	}
	return r
}

func (l *Link) observe(agent string, e ending) {
	switch {
	case e.reason == authn.AgentTimeout:
		l.o.Observe(Event{Agent: agent, Kind: TimedOut})
	case e.answer.Bound:
		l.o.Observe(Event{Agent: agent, Kind: Answered})
	default:
		l.o.Observe(Event{Agent: agent, Kind: Failed})
	}
}

// choose takes one of the least busy live agents, by lot, and counts it busy. others says whether one more could be asked.
func (l *Link) choose(tried []Try) (m Member, others, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var best []string
	n := 0
	for id, m := range l.members {
		if !slices.Contains(m.Roles, RolePTA) || !l.liveLocked(id) || slices.ContainsFunc(tried, func(t Try) bool { return t.AgentID == id }) {
			continue
		}
		n++
		switch {
		case len(best) == 0 || l.peers[id].inFlight < l.peers[best[0]].inFlight:
			best = []string{id}
		case l.peers[id].inFlight == l.peers[best[0]].inFlight:
			best = append(best, id)
		}
	}
	if n == 0 {
		return Member{}, false, false
	}
	id := best[rand.IntN(len(best))] //nolint:gosec // spreading load needs no secrecy
	l.peers[id].inFlight++
	return l.members[id], n > 1 && len(tried)+1 < mostTries, true
}

func (l *Link) leave(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.peers[id].inFlight--
}

// ending is how one try ended.
type ending struct {
	reason   authn.Reason
	answer   Answer
	handOver bool // another agent may be asked: this one did not bind, or nobody will ever know
	err      error
}

// try asks one agent.
func (l *Link) try(ctx context.Context, m Member, q Question, others bool) (Try, ending) {
	t := Try{AgentID: m.ID, AgentName: m.Name, Chosen: l.o.Clock.Now()}
	req, msg, err := l.request(ctx, m, q)
	if err != nil {
		return t, notSent(err)
	}
	t.Request, t.Sealed = req.ID, l.o.Clock.Now()
	c := l.open(req.ID, m, msg)
	if err := l.o.Conn.PublishRequest(Down(m.ID, toldBind), l.inbox+"."+req.ID, msg); err != nil {
		l.end(c, false, req.Deadline)
		return t, ending{reason: authn.NoAgent, handOver: true, err: fmt.Errorf("hand the request to the broker: %w", err)}
	}
	t.Sent = l.o.Clock.Now()
	e := l.await(ctx, c, others, req.Deadline.Sub(req.Issued)/gracePart)
	l.end(c, e.answer.Request != "", req.Deadline)
	return t, e
}

// notSent is the ending of a try for which no request could be made.
func notSent(err error) ending {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return ending{reason: authn.AgentTimeout, err: errors.New("no time was left to ask an agent")}
	case errors.Is(err, ErrKey):
		return ending{reason: authn.AgentKey, handOver: true, err: err}
	default:
		return ending{reason: authn.Internal, err: err}
	}
}

// request seals and signs.
func (l *Link) request(ctx context.Context, m Member, q Question) (*Request, []byte, error) {
	now := l.o.Clock.Now().UTC()
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil, nil, errors.New("a question needs a deadline")
	}
	left := min(time.Until(deadline), longestDeadline)
	if left <= 0 {
		return nil, nil, context.DeadlineExceeded
	}
	key, err := l.seal.key(m.Keys.Box, labelDown(m.ID))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: agent %s: %w", ErrKey, m.Name, err)
	}
	plain, err := packPassword(q.Secret, q.Decoy)
	if err != nil {
		return nil, nil, err
	}
	defer clear(plain)
	r := &Request{ID: newID(), Attempt: q.Attempt, Agent: m.ID, User: q.User, Issued: now, Deadline: now.Add(left), Enc: key.enc}
	r.Sealed = key.seal(plain, r.aad())
	if err := r.validate(); err != nil {
		return nil, nil, err
	}
	msg, err := signMessage(l.o.Keys.sign, kindBind, r)
	return r, msg, err
}

// await waits for the answer, for the agent to begin, or for a reason to ask another.
func (l *Link) await(ctx context.Context, c *call, others bool, grace time.Duration) ending {
	var patience <-chan time.Time
	if others {
		t := time.NewTimer(grace)
		defer t.Stop()
		patience = t.C
	}
	gone := c.gone.c
	for {
		select {
		case e := <-c.answer:
			return e
		case <-gone:
			if gone = nil; !l.markLost(c) {
				return c.lost()
			}
		case <-patience:
			if patience = nil; !c.claim.CompareAndSwap(false, true) {
				continue // the directory may have counted a wrong password by now: never a second time for slowness
			}
			return ending{reason: authn.AgentTimeout, handOver: true, err: fmt.Errorf("agent %s did not begin within %s", c.agent, grace)}
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return ending{reason: authn.AgentTimeout, err: fmt.Errorf("the sign-in was given up: %w", ctx.Err())}
			}
			return ending{reason: authn.AgentTimeout, err: fmt.Errorf("agent %s did not answer before the deadline", c.agent)}
		}
	}
}

// lostHeader is on the message by which the gateway tells itself that an agent's connection went.
const lostHeader = "Fourways-Lost"

// markLost sends the loss down the way of the answers, so that an answer which arrived before it is read before it.
func (l *Link) markLost(c *call) bool {
	msg := nats.NewMsg(l.inbox + "." + c.id)
	msg.Header.Set(lostHeader, "1")
	var err error
	if msg.Data, err = signMessage(l.o.Keys.sign, kindLost, notice{Request: c.id, Agent: c.agent}); err == nil {
		err = l.o.Conn.PublishMsg(msg)
	}
	return err == nil
}

func (c *call) lost() ending {
	return ending{reason: authn.AgentError, handOver: true, err: fmt.Errorf("the connection of agent %s is gone", c.agent)}
}
