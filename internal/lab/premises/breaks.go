package premises

import (
	"crypto/tls"
	"strings"
	"time"

	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/lab/fault"
)

// target says whom a message is about, by the name that it bears.
func (p *Premises) target(name, agent string) fault.Target {
	name = strings.ToLower(name)
	if upn, ok := p.names[name]; ok {
		name = upn
	}
	_, domain, _ := strings.Cut(name, "@")
	return fault.Target{User: name, Domain: domain, Agent: agent}
}

// joinBoard joins the board with what its faults break.
func (p *Premises) joinBoard() {
	p.with.Faults.Watch("dc-down", func(on bool, a fault.Active) {
		if a.Total() {
			p.mended(p.off.broken(p.dc, on))
		}
		if on {
			p.dc.Drop() // whoever kept a connection meets the fault too
		}
	})
	p.with.Faults.Watch("dc-tls-bad", func(on bool, _ fault.Active) {
		if on {
			p.dc.Drop() // a kept connection shows no certificate
		}
	})
	p.with.Faults.Watch("network-partition", func(on bool, a fault.Active) {
		if a.Total() {
			p.way.stall(on)
		}
	})
	for _, name := range []string{"agent-down", "agent-clock-skew", "network-partition"} {
		p.with.Faults.Watch(name, p.breakAgents)
	}
}

func (p *Premises) mended(err error) {
	if err != nil {
		p.with.Log.Error("mend what was broken on purpose", "error", err)
	}
}

// atDC decides what becomes of a request at the domain controller. Only people are hit: those who sign in by a name.
func (p *Premises) atDC(op dc.Op) dc.Fate {
	if op.Kind != "bind" || !strings.Contains(op.Name, "@") {
		return dc.Fate{}
	}
	t := p.target(op.Name, "")
	if p.with.Faults.On("dc-down") {
		if op.Again { // whoever kept a connection asks once more on a new one, and it is the new one that counts
			return dc.Fate{HangUp: true}
		}
		if _, hit := p.with.Faults.Strikes("dc-down", t); hit {
			return dc.Fate{HangUp: true}
		}
	}
	slow, _ := p.with.Faults.Strikes("dc-slow", t)
	return dc.Fate{Wait: slow.Wait, Until: slow.Over}
}

// certificateShown shows a stranger's certificate, or (nil) the domain controller's own.
func (p *Premises) certificateShown(*tls.ClientHelloInfo) (*tls.Config, error) {
	if _, hit := p.with.Faults.Strikes("dc-tls-bad", fault.Target{}); hit {
		return p.stranger()
	}
	return nil, nil
}

// whole reports that a fault breaks all of an agent, not this or that message.
func whole(a fault.Active) bool {
	return a.Rate == 1 && a.Next == 0 && (a.Scope == "" || strings.HasPrefix(a.Scope, "agent="))
}

// breakAgents kills agents, stalls their wires, or turns their clocks.
func (p *Premises) breakAgents(on bool, a fault.Active) {
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
func (p *Premises) hire(all []*worker) (leave func()) {
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
	t := w.of.target(q.User, w.name)
	strikes := func(name string) (fault.Strike, bool) { return w.of.with.Faults.Strikes(name, t) }
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
