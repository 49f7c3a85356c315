package gateway

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fourways-id/fourways/internal/admin"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/store"
)

// The bounds of an invitation: it is a password for becoming an agent.
const (
	invitationFor = time.Hour
	longestInvite = 7 * 24 * time.Hour
)

// Agents implements console.Agents.
func (g *Gateway) Agents(ctx context.Context) ([]api.Agent, error) {
	rows, err := g.core.store.Agents(ctx)
	if err != nil {
		return nil, err
	}
	live := map[string]agentlink.AgentState{}
	if link := g.onprem.current(); link != nil {
		for _, a := range link.Agents() {
			live[a.ID] = a
		}
	}
	all := make([]api.Agent, len(rows))
	for i, a := range rows {
		now := live[a.ID]
		all[i] = api.Agent{
			ID: a.ID, Name: a.Name, Roles: a.Roles, State: "inactive", Version: a.Version, Created: a.Created, LastSeen: a.LastSeen, InFlight: now.InFlight,
		}
		switch {
		case a.Revoked:
			all[i].State = "revoked"
		case now.Live:
			all[i].State = "active"
		}
		if now.LastSeen.After(a.LastSeen) {
			all[i].LastSeen = now.LastSeen
		}
	}
	return all, nil
}

// Invite implements console.Agents.
func (g *Gateway) Invite(ctx context.Context, ask api.Invite, by string) (api.Invitation, error) {
	if !config.ValidName(ask.Name) {
		return api.Invitation{}, admin.BadRequest("%q is no name for an agent: give 1 to 40 lower-case letters, digits and dashes, as its agent.toml will", ask.Name)
	}
	if len(ask.Roles) == 0 {
		ask.Roles = []string{agentlink.RolePTA, agentlink.RoleSync}
	}
	for _, r := range ask.Roles {
		if !slices.Contains([]string{agentlink.RolePTA, agentlink.RoleSync}, r) {
			return api.Invitation{}, admin.BadRequest("%q is no role of an agent: give pta, sync or both", r)
		}
	}
	valid, err := within(ask.Valid, invitationFor, longestInvite)
	if err != nil {
		return api.Invitation{}, err
	}
	token, hash := agentlink.NewToken()
	until := g.core.clock.Now().Add(valid)
	if err := g.core.store.CreateInvitation(ctx, store.Invitation{Hash: hash, Name: ask.Name, Roles: ask.Roles, Until: until, By: by}); err != nil {
		return api.Invitation{}, err
	}
	return api.Invitation{Token: string(token.Reveal()), Until: until, Gateway: g.conf.Load().Server.PublicURL}, nil
}

// RevokeAgent implements console.Agents: the agent gets no more requests, then its connections end, and it can't come back.
func (g *Gateway) RevokeAgent(ctx context.Context, id string) (api.Agent, error) {
	if err := g.core.store.RevokeAgent(ctx, id); err != nil {
		return api.Agent{}, err
	}
	if err := g.onprem.cutOff(context.WithoutCancel(ctx), id); err != nil {
		return api.Agent{}, fmt.Errorf("the agent is revoked, but it may be connected still: restart the gateway: %w", err)
	}
	agents, err := g.Agents(ctx)
	if err != nil {
		return api.Agent{}, err
	}
	i := slices.IndexFunc(agents, func(a api.Agent) bool { return a.ID == id })
	if i < 0 {
		return api.Agent{}, fmt.Errorf("agent %s: %w", id, directory.ErrNotFound)
	}
	return agents[i], nil
}

// within reads a duration between a minute and longest; "" is usual.
func within(s string, usual, longest time.Duration) (time.Duration, error) {
	if s == "" {
		return usual, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Minute || d > longest {
		return 0, admin.BadRequest("%q is no time from 1m to %dh", s, int(longest.Hours()))
	}
	return d, nil
}
