package agentlink

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/fourways-id/fourways/authn"
)

// answered takes whatever arrives at our inbox.
func (l *Link) answered(msg *nats.Msg) {
	token := msg.Subject[strings.LastIndexByte(msg.Subject, '.')+1:]
	l.mu.Lock()
	c := l.calls[token]
	l.mu.Unlock()
	if c == nil {
		if msg.Header.Get(lostHeader) == "" {
			l.tooLate(token, msg.Data)
		}
		return
	}
	if l.isLost(c, msg) {
		c.deliver(c.lost())
		return
	}
	if len(msg.Data) == 0 && msg.Header.Get("Status") == "503" { // NATS: no responders
		c.deliver(ending{reason: authn.NoAgent, handOver: true, err: fmt.Errorf("agent %s is not listening", c.agent)})
		return
	}
	a, kind, err := c.read(msg.Data)
	if err != nil {
		l.o.Observe(Event{Agent: c.agent, Kind: kind})
		l.o.Log.Warn("refused an answer", "agent", c.agent, "request", c.id, "error", err)
		c.deliver(ending{reason: authn.AgentBadResponse, err: err})
		return
	}
	if !c.deliver(verdict(a)) {
		l.o.Observe(Event{Agent: c.agent, Kind: Replayed})
	}
}

// isLost reports that a message is the gateway's own mark about that call.
func (l *Link) isLost(c *call, msg *nats.Msg) bool {
	var n notice
	return msg.Header.Get(lostHeader) != "" &&
		openMessage(l.o.Keys.public.Sign, kindLost, maxMessage, msg.Data, &n) == nil && n.Request == c.id
}

// verdict reads the reason of an answer that is believed to come from the agent.
func verdict(a Answer) ending {
	reason, known := authn.ParseReason(a.Reason)
	switch {
	case !known || !mayClaim(reason):
		return ending{reason: authn.AgentBadResponse, err: fmt.Errorf("the agent claims %.40q, which no agent may", a.Reason)}
	case needsBind(reason) && !a.Bound:
		return ending{reason: authn.AgentBadResponse, err: fmt.Errorf("the agent claims %s without having asked the directory", reason)}
	case !a.Bound:
		return ending{reason: reason, answer: a, handOver: true, err: fmt.Errorf("the agent could not ask: %s", reason)}
	default:
		return ending{reason: reason, answer: a}
	}
}

// mayClaim is the closed set of reasons that an agent may give.
func mayClaim(r authn.Reason) bool {
	return needsBind(r) || slices.Contains([]authn.Reason{
		authn.ADUnreachable, authn.AgentTimeout, authn.AgentError, authn.AgentDecrypt, authn.AgentKey, authn.TimeSkew, authn.AgentLate,
	}, r)
}

// needsBind reports that only the directory can have said so.
func needsBind(r authn.Reason) bool {
	return slices.Contains([]authn.Reason{
		authn.None, authn.UnknownUser, authn.BadPassword, authn.UPNMismatch, authn.OnpremLocked, authn.AccountDisabled,
		authn.AccountExpired, authn.OnpremPasswordExpired, authn.OnpremMustChange, authn.LogonHours, authn.WorkstationDenied,
		authn.MFARequired,
	}, r)
}

// binding answers an agent that is about to bind. It says yes once: a second connection with the same key gets a no.
func (l *Link) binding(msg *nats.Msg) {
	id := agentOf(msg.Subject)
	m, ok := l.member(id)
	if !ok {
		l.refuse("a binding notice", id, errors.New("no such agent is enrolled"))
		return
	}
	var n notice
	err := openMessage([][]byte{m.Keys.Sign}, kindBinding, maxMessage, msg.Data, &n)
	if err == nil && (n.Agent != id || !inInbox(id, msg.Reply)) {
		err = ErrForged
	}
	if err != nil {
		l.refuse("a binding notice", id, err)
		return
	}
	l.mu.Lock()
	c := l.calls[n.Request]
	yes := c != nil && c.agent == id && bytes.Equal(n.Hash, c.hash[:]) && c.claim.CompareAndSwap(false, true)
	l.mu.Unlock()
	if c == nil {
		if c, _ = l.wasAsked(n.Request); c == nil {
			return // another gateway's, which answers
		}
	}
	l.reply(msg.Reply, kindTurn, turn{notice: n, Yes: yes})
}

// reply signs and sends what the gateway answers to an agent.
func (l *Link) reply(to string, k kind, body any) {
	msg, err := signMessage(l.o.Keys.sign, k, body)
	if err == nil {
		err = l.o.Conn.Publish(to, msg)
	}
	if err != nil {
		l.o.Log.Warn("could not answer an agent", "kind", string(k), "error", err)
	}
}
