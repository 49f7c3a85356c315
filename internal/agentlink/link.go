package agentlink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fourways-id/fourways/authn"
)

// Event is something worth counting. Agent is "" when nobody proved who said it.
type Event struct {
	Agent string
	Kind  EventKind
}

// EventKind is a closed list.
type EventKind string

// The events.
const (
	Answered   EventKind = "answered"    // the directory was asked, whatever it said
	Failed     EventKind = "failed"      // the agent answered that it could not ask
	TimedOut   EventKind = "timeout"     // no answer before the deadline
	HandedOver EventKind = "handed_over" // before it bound, or because its connection was gone
	Late       EventKind = "late"        // a good answer to a question that was given up
	Replayed   EventKind = "replayed"    // a second answer to one question
	Forged     EventKind = "forged"      // unsigned, signed by another key, or malformed
	Foreign    EventKind = "foreign"     // well signed, but about another question
)

// LinkOptions assemble a Link. Conn, Registry, Keys, Clock and Log must be set.
type LinkOptions struct {
	Conn     *nats.Conn // may publish pta.> and gw.>, subscribe up.> and gw.>
	Registry Registry
	Keys     *GatewayKeys
	Presence Presence    // nil: an agent lives as long as it says so
	Clock    authn.Clock // real time: requests carry it
	Log      *slog.Logger
	Observe  func(Event) // may be nil; must not block
}

// Signs of life.
const (
	AliveEvery = 2 * time.Second // how often an agent gives one
	deadAfter  = 3 * AliveEvery  // without one it is not asked any more
	noteEvery  = time.Minute     // how often one is written down
	refreshing = 10 * time.Second
)

// Link is the gateway's end: it knows which agents live, and asks them.
type Link struct {
	o      LinkOptions
	seal   *sealer
	unseal *unsealer
	inbox  string // gw.<instance>

	mu      sync.Mutex
	members map[string]Member
	peers   map[string]*peer
	calls   map[string]*call
	ended   []endedCall
	runs    map[string]*run

	stop func()
	wg   sync.WaitGroup
}

// NewLink starts a link; Close ends it.
func NewLink(ctx context.Context, o LinkOptions) (*Link, error) {
	if o.Observe == nil {
		o.Observe = func(Event) {}
	}
	l := &Link{
		o: o, seal: newSealer(o.Clock), unseal: newUnsealer(o.Keys.box), inbox: "gw." + newID(),
		members: map[string]Member{}, peers: map[string]*peer{}, calls: map[string]*call{}, runs: map[string]*run{},
	}
	if err := l.Refresh(ctx); err != nil {
		return nil, err
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unwatch := func() {}
	if o.Presence != nil {
		unwatch = o.Presence.Watch(l.presence)
	}
	subs, err := l.subscribe(map[string]nats.MsgHandler{
		l.inbox + ".*":        l.answered,
		"up.*." + saidBinding: l.binding,
		"up.*." + saidAlive:   l.alive,
		"up.*." + saidFrame:   l.frame,
	})
	l.stop = sync.OnceFunc(func() {
		cancel()
		unwatch()
		for _, s := range subs {
			_ = s.Unsubscribe()
		}
		l.wg.Wait()
	})
	if err != nil {
		l.stop()
		return nil, err
	}
	l.wg.Go(func() { l.refreshLoop(background) })
	return l, nil
}

func (l *Link) subscribe(to map[string]nats.MsgHandler) ([]*nats.Subscription, error) {
	var subs []*nats.Subscription
	for subject, handle := range to {
		s, err := l.o.Conn.Subscribe(subject, handle)
		if err != nil {
			return subs, fmt.Errorf("listen for agents on %s: %w", subject, err)
		}
		subs = append(subs, s)
	}
	if err := l.o.Conn.Flush(); err != nil {
		return subs, fmt.Errorf("listen for agents: %w", err)
	}
	return subs, nil
}

// Close stops listening. Questions that are open end with their deadlines; the connection stays the caller's.
func (l *Link) Close() { l.stop() }

// Refresh reads the registry again: after an agent was enrolled or revoked. The link does so by itself every ten seconds.
func (l *Link) Refresh(ctx context.Context) error {
	all, err := l.o.Registry.Agents(ctx)
	if err != nil {
		return fmt.Errorf("read the enrolled agents: %w", err)
	}
	members := make(map[string]Member, len(all))
	for _, m := range all {
		if !m.Revoked {
			members[m.ID] = m
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.members = members
	return nil
}

func (l *Link) refreshLoop(ctx context.Context) {
	t := time.NewTicker(refreshing)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := l.Refresh(ctx); err != nil && ctx.Err() == nil {
				l.o.Log.Warn("the agent registry can't be read; going on with what is known", "error", err)
			}
		}
	}
}

// member finds an enrolled agent.
func (l *Link) member(id string) (Member, bool) {
	l.mu.Lock()
	m, ok := l.members[id]
	l.mu.Unlock()
	return m, ok
}

// agentOf is the id in a subject up.<id>.x, which the broker lets that agent alone publish.
func agentOf(subject string) string {
	parts := strings.Split(subject, ".")
	if len(parts) != 3 {
		return ""
	}
	return parts[1]
}

// alive takes a sign of life.
func (l *Link) alive(msg *nats.Msg) {
	id := agentOf(msg.Subject)
	m, ok := l.member(id)
	if !ok {
		if err := l.Refresh(context.Background()); err != nil {
			l.o.Log.Warn("the agent registry can't be read", "error", err)
		}
		if m, ok = l.member(id); !ok {
			l.refuse("a sign of life", id, errors.New("no such agent is enrolled"))
			return
		}
	}
	var a Alive
	err := openMessage([][]byte{m.Keys.Sign}, kindAlive, maxMessage, msg.Data, &a)
	if err == nil {
		err = a.validate()
	}
	now := l.o.Clock.Now()
	if err == nil && a.Agent != id {
		err = ErrForged
	}
	if err != nil {
		l.refuse("a sign of life", id, err)
		return
	}
	if !l.saw(id, a, now) {
		return
	}
	if err := l.o.Registry.Seen(context.Background(), id, now); err != nil {
		l.o.Log.Warn("an agent's sign of life could not be written down", "agent", id, "error", err)
	}
}

// saw takes a sign of life over and reports whether it is time to write one down.
func (l *Link) saw(id string, a Alive, now time.Time) (note bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.peerLocked(id)
	p.seen, p.skew, p.version, p.leaving = now, a.At.Sub(now), a.Version, a.Leaving
	if now.Sub(p.noted) < noteEvery {
		return false
	}
	p.noted = now
	return true
}

// refuse counts and logs a message that was not believed.
func (l *Link) refuse(what, agent string, err error) {
	l.o.Observe(Event{Agent: agent, Kind: Forged})
	l.o.Log.Warn("refused "+what, "agent", agent, "error", err)
}
