package lab

import (
	"context"
	"crypto/tls"
	"strings"
	"sync"
	"time"

	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/lab/fault"
)

// premises is what the faults of the premises break: agents, wires and the domain controller's socket.
type premises struct {
	names    map[string]string // a person's name in the forest, where it is another -> in the tenant; both in lower case
	idp      *wire             // Harbour ID's way to the domain controller
	dc       dcSwitch
	stranger func() (*tls.Config, error) // a certificate that nobody trusts

	mu     sync.Mutex
	agents []*worker
	now    map[string]fault.Active // what is broken as a whole in an agent: also those that are hired later
}

// newPremises has everything as it should be.
func newPremises() *premises {
	p := &premises{names: map[string]string{}, now: map[string]fault.Active{}, stranger: sync.OnceValues(strangersTLS)}
	for _, d := range hybrid() {
		for _, who := range cast() {
			p.names[strings.ToLower(who.onpremUPN(d))] = strings.ToLower(who.upn(d))
		}
	}
	return p
}

// target says whom a message is about, by the name that it bears.
func (p *premises) target(name, agent string) fault.Target {
	name = strings.ToLower(name)
	if upn, ok := p.names[name]; ok {
		name = upn
	}
	_, domain, _ := strings.Cut(name, "@")
	return fault.Target{User: name, Domain: domain, Agent: agent}
}

// breakPremises joins the board with what its faults break.
func (l *Lab) breakPremises() {
	l.faults.Watch("dc-down", func(on bool, a fault.Active) {
		if a.Total() {
			l.mended(l.premises.dc.broken(l.dc, on))
		}
		if on {
			l.dc.Drop() // whoever kept a connection meets the fault too
		}
	})
	l.faults.Watch("dc-tls-bad", func(on bool, _ fault.Active) {
		if on {
			l.dc.Drop() // a kept connection shows no certificate
		}
	})
	l.faults.Watch("network-partition", func(on bool, a fault.Active) {
		if a.Total() {
			l.premises.idp.stall(on)
		}
	})
	for _, name := range []string{"agent-down", "agent-clock-skew", "network-partition"} {
		l.faults.Watch(name, l.premises.breakAgents)
	}
}

func (l *Lab) mended(err error) {
	if err != nil {
		l.log.Error("mend what was broken on purpose", "error", err)
	}
}

// dcSwitch is the domain controller's socket. Two may want it off: an operator and a fault.
type dcSwitch struct {
	mu              sync.Mutex
	operator, fault bool
}

func (s *dcSwitch) broken(d *dc.Server, on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = on
	return s.apply(d)
}

func (s *dcSwitch) apply(d *dc.Server) error {
	if s.operator || s.fault {
		d.Outage()
		return nil
	}
	return d.Recover(context.Background())
}

// atDC decides what becomes of a request at the domain controller. Only people are hit: those who sign in by a name.
func (l *Lab) atDC(op dc.Op) dc.Fate {
	if op.Kind != "bind" || !strings.Contains(op.Name, "@") {
		return dc.Fate{}
	}
	t := l.premises.target(op.Name, "")
	if l.faults.On("dc-down") {
		if op.Again { // whoever kept a connection asks once more on a new one, and it is the new one that counts
			return dc.Fate{HangUp: true}
		}
		if _, hit := l.faults.Strikes("dc-down", t); hit {
			return dc.Fate{HangUp: true}
		}
	}
	slow, _ := l.faults.Strikes("dc-slow", t)
	return dc.Fate{Wait: slow.Wait, Until: slow.Over}
}

// certificateShown shows a stranger's certificate, or (nil) the domain controller's own.
func (l *Lab) certificateShown(*tls.ClientHelloInfo) (*tls.Config, error) {
	if _, hit := l.faults.Strikes("dc-tls-bad", fault.Target{}); hit {
		return l.premises.stranger()
	}
	return nil, nil
}

// whole reports that a fault breaks all of an agent, not this or that message.
func whole(a fault.Active) bool {
	return a.Rate == 1 && a.Next == 0 && (a.Scope == "" || strings.HasPrefix(a.Scope, "agent="))
}

// breakAgents kills agents, stalls their wires, or turns their clocks.
func (p *premises) breakAgents(on bool, a fault.Active) {
	if !whole(a) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if on {
		p.now[a.Name] = a
	} else {
		delete(p.now, a.Name)
	}
	for _, w := range p.agents {
		w.broken(on, a)
	}
}

// hire takes agents that begin to work; the returned function lets them go.
func (p *premises) hire(all []*worker) (leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.agents = all
	for _, a := range p.now {
		for _, w := range all {
			w.broken(true, a)
		}
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.agents = nil
	}
}

// broken breaks this agent as a whole, if it is the one that is meant, or mends it.
func (w *worker) broken(on bool, a fault.Active) {
	if a.Scope != "" && a.Scope != "agent="+w.name {
		return
	}
	switch a.Name {
	case "agent-down":
		w.die(on)
	case "network-partition":
		w.stall(on)
	case "agent-clock-skew":
		ahead, err := time.ParseDuration(a.Param)
		if err != nil || !on {
			ahead = 0
		}
		w.skew.Store(int64(ahead))
	}
}

// arrived breaks a request that has reached this agent: it is lost with its connection, or on its way, or its seal is
// damaged, or it lies about.
func (w *worker) arrived(q *agentlink.Request) agent.Fate {
	t := w.lab.premises.target(q.User, w.name)
	strikes := func(name string) (fault.Strike, bool) { return w.lab.faults.Strikes(name, t) }
	if _, hit := strikes("agent-down"); hit {
		w.cut()
		return agent.Fate{Drop: true}
	}
	for _, name := range []string{"network-partition", "agent-hang"} {
		if _, hit := strikes(name); hit {
			return agent.Fate{Drop: true}
		}
	}
	if s, hit := strikes("agent-clock-skew"); hit && w.skew.Load() == 0 { // for this one request the clock is ahead
		q.Issued, q.Deadline = q.Issued.Add(-s.Wait), q.Deadline.Add(-s.Wait)
	}
	if _, hit := strikes("agent-bad-key"); hit {
		q.Sealed[len(q.Sealed)-1] ^= 1
	}
	late, _ := strikes("agent-late")
	return agent.Fate{Wait: late.Wait, Until: late.Over}
}
