package agentlink

import (
	"slices"
	"strings"
	"time"
)

// Presence tells of agents' connections. The embedded broker knows them; without one, signs of life must do.
type Presence interface {
	// Watch calls see for every connection that is there, then for every one that comes or goes, until stop. A connection
	// is told before its agent can say anything over it.
	Watch(see func(agentID string, conn uint64, connected bool)) (stop func())
}

// peer is what the link sees of one agent.
type peer struct {
	conns    []uint64  // open connections, the newest last; only with Presence
	seen     time.Time // last sign of life
	noted    time.Time // last one that was written down
	skew     time.Duration
	version  string
	leaving  bool
	inFlight int
}

// presence hears the broker. A connection that went takes with it whatever was asked over it.
func (l *Link) presence(id string, conn uint64, connected bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.peerLocked(id)
	if connected {
		p.conns = append(p.conns, conn)
		p.seen, p.leaving = time.Time{}, false // not yet listening
		return
	}
	p.conns = slices.DeleteFunc(p.conns, func(c uint64) bool { return c == conn })
	for _, c := range l.calls {
		if c.agent == id && c.conn == conn {
			c.gone.raise()
		}
	}
	for _, r := range l.runs {
		if r.agent == id && r.conn == conn {
			r.gone.raise()
		}
	}
}

// connLocked is the connection over which an agent is asked; false when the broker knows none.
func (l *Link) connLocked(id string) (uint64, bool) {
	p := l.peers[id]
	if p == nil || len(p.conns) == 0 {
		return 0, l.o.Presence == nil
	}
	return p.conns[len(p.conns)-1], true
}

func (l *Link) peerLocked(id string) *peer {
	p, ok := l.peers[id]
	if !ok {
		p = &peer{}
		l.peers[id] = p
	}
	return p
}

// AgentState is what is known of one enrolled agent now.
type AgentState struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Roles    []string  `json:"roles"`
	Live     bool      `json:"live"`
	LastSeen time.Time `json:"lastSeen,omitzero"`
	InFlight int       `json:"inFlight"`
	Version  string    `json:"version,omitempty"`
	// Skew is how far the agent's clock is ahead of ours.
	Skew time.Duration `json:"skew"`
}

// Agents lists the enrolled agents by name; revoked ones are not among them.
func (l *Link) Agents() []AgentState {
	l.mu.Lock()
	defer l.mu.Unlock()
	states := make([]AgentState, 0, len(l.members))
	for id, m := range l.members {
		s := AgentState{ID: id, Name: m.Name, Roles: m.Roles, Live: l.liveLocked(id)}
		if p := l.peers[id]; p != nil {
			s.LastSeen, s.InFlight, s.Version, s.Skew = p.seen, p.inFlight, p.version, p.skew
		}
		states = append(states, s)
	}
	slices.SortFunc(states, func(a, b AgentState) int {
		return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID)
	})
	return states
}

// Live reports whether any agent of that role could be asked now.
func (l *Link) Live(role string) bool {
	return slices.ContainsFunc(l.Agents(), func(a AgentState) bool { return a.Live && slices.Contains(a.Roles, role) })
}

func (l *Link) liveLocked(id string) bool {
	p := l.peers[id]
	if _, connected := l.connLocked(id); p == nil || p.leaving || p.seen.IsZero() || !connected {
		return false
	}
	return l.o.Clock.Now().Sub(p.seen) < deadAfter
}
