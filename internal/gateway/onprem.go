package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/agentlink/broker"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/store"
)

// onprem is the way to the premises: the broker that agents dial, and the link over it. Both open when the first domain
// needs them; a cloud-only gateway opens no agent port.
type onprem struct {
	g    *Gateway
	keys *agentlink.GatewayKeys

	mu       sync.Mutex
	broker   *broker.Broker
	conn     *nats.Conn
	link     *agentlink.Link
	enroller *agentlink.Enroller
	url      string
}

var errNoBroker = errors.New("the agent link is not open: no domain needs it yet (a pta domain, or password_hash_sync)")

func newOnprem(g *Gateway) *onprem { return &onprem{g: g} }

// needed reports that some domain can't do without agents, as things are now, overrides included.
func (o *onprem) needed(ctx context.Context) (bool, error) {
	domains, err := o.g.tenant.Domains(ctx)
	if err != nil {
		return false, err
	}
	for _, d := range domains {
		r, err := o.g.tenant.Of(ctx, authn.ParseIdentifier("x@"+d.Name), authn.Account{})
		if err != nil {
			return false, err
		}
		if r.Path == authn.PathPTA || d.PHS || r.Path == authn.PathPHS {
			return true, nil
		}
	}
	return o.rolledOut(ctx)
}

// rolledOut reports that a group is in a roll-out to pass-through authentication.
func (o *onprem) rolledOut(ctx context.Context) (bool, error) {
	if slices.ContainsFunc(o.g.tenant.Rollouts(), func(r directory.Rollout) bool { return r.Path == authn.PathPTA }) {
		return true, nil
	}
	all, err := o.g.core.store.Rollouts(ctx)
	return slices.ContainsFunc(all, func(r directory.NamedRollout) bool { return r.Path == authn.PathPTA }), err
}

// ensure opens the link if a domain needs it and it isn't open yet.
func (o *onprem) ensure(ctx context.Context) error {
	needed, err := o.needed(ctx)
	if err != nil || !needed {
		return err
	}
	return o.ensureOpen(ctx)
}

// ensureOpen opens the link if it isn't open yet.
func (o *onprem) ensureOpen(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.link != nil {
		return nil
	}
	return o.open(ctx)
}

func (o *onprem) open(ctx context.Context) (err error) {
	conf := o.g.conf.Load()
	o.keys, err = agentlink.NewGatewayKeys(o.g.core.ring.Derive("agent link", 32), 0)
	if err != nil {
		return fmt.Errorf("open the agent link: %w", err)
	}
	hosts := brokerHosts(conf)
	// The authority is derived from the root key: the same after a restart and on every gateway that shares the key.
	authority, err := broker.NewAuthority(o.g.core.ring.Derive("agent link authority", 32), realClock{}.Now)
	if err != nil {
		return fmt.Errorf("open the agent link: %w", err)
	}
	certificate, err := authority.TLS(hosts...)
	if err != nil {
		return fmt.Errorf("open the agent link: %w", err)
	}
	o.broker, err = broker.Start(ctx, broker.Options{
		Listen: conf.Server.AgentListen, TLS: certificate, Auth: o.authenticate, Log: o.g.core.log, Inspect: o.g.lab != nil && o.g.lab.Inspect,
	})
	if err != nil {
		return fmt.Errorf("open the agent link on %s: %w: check server.agent_listen", conf.Server.AgentListen, err)
	}
	defer func() {
		if err != nil {
			o.shut()
		}
	}()
	if o.conn, err = o.broker.Connect(); err != nil {
		return fmt.Errorf("open the agent link: %w", err)
	}
	o.link, err = agentlink.NewLink(context.WithoutCancel(ctx), agentlink.LinkOptions{
		Conn: o.conn, Registry: registry{o.g.core.store}, Keys: o.keys, Presence: o.broker, Clock: realClock{},
		Log: o.g.core.log, Observe: o.observe,
	})
	if err != nil {
		return fmt.Errorf("open the agent link: %w", err)
	}
	o.url = brokerURL(conf, hosts[0], o.broker.Addr())
	o.enroller = &agentlink.Enroller{Registry: registry{o.g.core.store}, URL: o.url, CA: authority.PEM(), Keys: o.keys}
	o.g.core.log.Info("agent link is open", "listen", o.broker.Addr().String(), "agents dial", o.url)
	return nil
}

func (o *onprem) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shut()
}

func (o *onprem) shut() {
	if o.link != nil {
		o.link.Close()
	}
	if o.conn != nil {
		o.conn.Close()
	}
	if o.broker != nil {
		o.broker.Close()
	}
	o.link, o.conn, o.broker, o.enroller = nil, nil, nil, nil
}

// current is the open link; nil while no domain needs it.
func (o *onprem) current() *agentlink.Link {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.link
}

// cutOff ends what a revoked agent has open here: it is asked no more, then its connections are closed.
func (o *onprem) cutOff(ctx context.Context, id string) error {
	o.mu.Lock()
	link, broker := o.link, o.broker
	o.mu.Unlock()
	if link == nil {
		return nil
	}
	defer broker.Disconnect(id)
	return link.Refresh(ctx)
}

// Ask implements pta.Agents.
func (o *onprem) Ask(ctx context.Context, q agentlink.Question) agentlink.Reply {
	link := o.current()
	if link == nil {
		return agentlink.Reply{Reason: authn.NoAgent, Err: errNoBroker}
	}
	return link.Ask(ctx, q)
}

// Enrol implements web.Enrol.
func (o *onprem) Enrol(ctx context.Context, ask agentlink.EnrolRequest) (agentlink.EnrolResponse, error) {
	if err := o.ensure(ctx); err != nil {
		return agentlink.EnrolResponse{}, err
	}
	o.mu.Lock()
	enroller, link := o.enroller, o.link
	o.mu.Unlock()
	if enroller == nil {
		return agentlink.EnrolResponse{}, errNoBroker
	}
	answer, err := enroller.Enrol(ctx, ask)
	if err != nil {
		return agentlink.EnrolResponse{}, err
	}
	if err := link.Refresh(ctx); err != nil {
		return agentlink.EnrolResponse{}, fmt.Errorf("the agent is enrolled, but the link could not read it yet: %w", err)
	}
	o.g.core.log.Warn("an agent was enrolled: it will see passwords in clear", "agent", answer.AgentID, "name", answer.Name, "roles", answer.Roles)
	entry := store.AuditEntry{At: o.g.core.clock.Now(), Who: "invitation", Action: "Register agent", Target: answer.Name, After: answer.AgentID, Result: "success"}
	if err := o.g.core.store.Audit(ctx, entry); err != nil {
		return agentlink.EnrolResponse{}, fmt.Errorf("the agent is enrolled, but that could not be written to the audit log: %w", err)
	}
	return answer, nil
}

// authenticate tells the broker which agent an nkey belongs to.
func (o *onprem) authenticate(nkey string) (string, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	agents, err := o.g.core.store.Agents(ctx)
	if err != nil {
		o.g.core.log.Error("an agent could not be looked up, so it was not let in", "error", err)
		return "", false
	}
	for _, a := range agents {
		if a.NKey == nkey && !a.Revoked {
			return a.ID, true
		}
	}
	return "", false
}

func (o *onprem) observe(e agentlink.Event) {
	if e.Kind == agentlink.Late {
		o.g.watch.metrics.LateResponse()
	}
	o.g.watch.metrics.RefusedResponse(string(e.Kind))
}
