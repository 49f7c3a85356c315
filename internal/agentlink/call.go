package agentlink

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// call is one open question to one agent.
type call struct {
	id    string
	agent string
	conn  uint64 // over which it was asked
	key   []byte // the agent's signing key
	hash  [sha256.Size]byte

	answer chan ending // holds one: the first counts
	claim  atomic.Bool // by whoever is first: the agent that is about to bind, or the gateway that gives the question to another
	gone   signal      // its connection went
}

// signal is raised once, by whoever comes first.
type signal struct {
	c    chan struct{}
	once sync.Once
}

func (s *signal) raise() { s.once.Do(func() { close(s.c) }) }

// endedCall remembers a question for a while after its end, so that what comes then can be told apart.
type endedCall struct {
	call     *call
	answered bool
	until    time.Time
}

const remembered = 30 * time.Second // beyond the deadline

func (l *Link) open(id string, m Member, msg []byte) *call {
	c := &call{
		id: id, agent: m.ID, key: m.Keys.Sign, hash: sha256.Sum256(msg), answer: make(chan ending, 1),
		gone: signal{c: make(chan struct{})},
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[id] = c
	conn, connected := l.connLocked(m.ID)
	if c.conn = conn; !connected { // it went between choice and here
		c.gone.raise()
	}
	return c
}

// deliver reports whether this was the first end of the call.
func (c *call) deliver(e ending) bool {
	select {
	case c.answer <- e:
		return true
	default:
		return false
	}
}

// read believes an answer only when this agent signed it for this very request.
func (c *call) read(msg []byte) (Answer, EventKind, error) {
	var a Answer
	if err := openMessage([][]byte{c.key}, kindAnswer, maxMessage, msg, &a); err != nil {
		return Answer{}, Forged, err
	}
	if err := a.validate(); err != nil {
		return Answer{}, Forged, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	unreadable := a.Request == noRequest && !a.Bound
	if a.Agent != c.agent || a.Request != c.id && !unreadable || !bytes.Equal(a.Hash, c.hash[:]) {
		return Answer{}, Foreign, fmt.Errorf("%w: it answers another request", ErrForged)
	}
	return a, Answered, nil
}

// end closes a question and remembers it until nobody can answer it any more.
func (l *Link) end(c *call, answered bool, deadline time.Time) {
	now := l.o.Clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.calls, c.id)
	old := 0
	for old < len(l.ended) && !now.Before(l.ended[old].until) {
		old++
	}
	l.ended = append(l.ended[old:], endedCall{call: c, answered: answered, until: deadline.Add(remembered)})
}

// tooLate says what an answer is that nobody waits for.
func (l *Link) tooLate(token string, msg []byte) {
	was, answered := l.wasAsked(token)
	if was == nil {
		l.o.Observe(Event{Kind: Foreign})
		l.o.Log.Warn("refused an answer to a question that nobody asked")
		return
	}
	_, kind, err := was.read(msg)
	switch {
	case err != nil:
	case answered:
		kind = Replayed
	default:
		kind = Late
	}
	l.o.Observe(Event{Agent: was.agent, Kind: kind})
	l.o.Log.Warn("refused an answer", "agent", was.agent, "request", token, "kind", string(kind), "error", err)
}

func (l *Link) wasAsked(token string) (c *call, answered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.ended {
		if l.ended[i].call.id == token {
			return l.ended[i].call, l.ended[i].answered
		}
	}
	return nil, false
}
