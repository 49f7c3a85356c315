package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/admin"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// PreviewMode implements console.ModePreviews: what SetMode would do, without doing it.
func (g *Gateway) PreviewMode(ctx context.Context, domain string, c api.ModeChange) (api.ModePreview, error) {
	d, err := g.tenant.Domain(ctx, domain)
	if err != nil {
		return api.ModePreview{}, err
	}
	o, err := g.swapped(d, c, "")
	if err != nil {
		return api.ModePreview{}, err
	}
	now, err := g.mode(ctx, d)
	if err != nil {
		return api.ModePreview{}, err
	}
	p := api.ModePreview{Domain: d.Name, From: now.Path, To: o.Path, IdP: o.IdP}
	if p.Counts, err = g.core.store.ModeCensus(ctx, d.Name); err != nil {
		return p, err
	}
	p.Agents = g.liveAgents(agentlink.RolePTA)
	p.Ready, p.Why = g.ready(ctx, authn.Realm{Domain: d.Name, Path: o.Path, IdP: o.IdP})
	p.Says = append(p.Says, fmt.Sprintf("affects %s", some(p.Counts.Users, "user")))
	p.Says = append(p.Says, g.turnedAway(p, d)...)
	moved, err := g.rolledOut(ctx, d, now.Path, p.To)
	if err != nil {
		return p, err
	}
	p.Says = append(p.Says, moved...)
	if now.Path == p.To && now.IdP == p.IdP {
		p.Says = append(p.Says, "it is the path already")
	}
	p.Says = append(p.Says, "sessions that are open stay open")
	return p, nil
}

// liveAgents counts the agents of a role that could be asked now.
func (g *Gateway) liveAgents(role string) (n int) {
	if link := g.onprem.current(); link != nil {
		for _, a := range link.Agents() {
			if a.Live && slices.Contains(a.Roles, role) {
				n++
			}
		}
	}
	return n
}

// turnedAway says who could not sign in any more, and what the path leans on.
func (g *Gateway) turnedAway(p api.ModePreview, d directory.Domain) []string {
	switch c := p.Counts; p.To {
	case authn.PathPHS:
		return []string{fmt.Sprintf("%s no synchronised hash and would get 50056", have(c.NoHash))}
	case authn.PathCloud:
		return []string{fmt.Sprintf("%s no cloud password and would get 50056", have(c.NoPassword))}
	case authn.PathPTA:
		return []string{
			fmt.Sprintf("%s cloud-only, and unknown on the premises", are(c.NotSynced)),
			fmt.Sprintf("%s could be asked now", some(p.Agents, "agent")),
		}
	case authn.PathFederated:
		if idp, err := g.tenant.IdPFor(d.Name, p.IdP); err == nil && idp.Match == authn.MatchAnchor {
			return []string{fmt.Sprintf("%s no immutable ID, by which %s names people", have(c.NoAnchor), p.IdP)}
		}
		return []string{fmt.Sprintf("%s names people by their user principal name", p.IdP)}
	case authn.PathNone:
	}
	return nil
}

// rolledOut says whom staged roll-outs move, which count where the domain is federated.
func (g *Gateway) rolledOut(ctx context.Context, d directory.Domain, from, to authn.Path) ([]string, error) {
	var what string
	switch {
	case from != authn.PathFederated && to != authn.PathFederated:
		return nil, nil
	case from != authn.PathFederated:
		what = "begin to count"
	case to != authn.PathFederated:
		what = "count no longer"
	default:
		what = "go on to count"
	}
	all, err := (&admin.Rollouts{Base: g.base(), Tenant: g.tenant}).Rollouts(ctx)
	if err != nil {
		return nil, err
	}
	groups := map[authn.Path][]string{}
	for _, r := range all {
		if r.Path != authn.PathPHS || d.PHS {
			groups[r.Path] = append(groups[r.Path], r.Group)
		}
	}
	hashes, err1 := g.core.store.RolledOut(ctx, d.Name, groups[authn.PathPHS])
	either, err2 := g.core.store.RolledOut(ctx, d.Name, slices.Concat(groups[authn.PathPHS], groups[authn.PathPTA]))
	if err := errors.Join(err1, err2); err != nil || either == 0 {
		return nil, err
	}
	return []string{fmt.Sprintf("staged roll-outs %s: %s to phs, %s to pta", what, some(hashes, "user"), some(either-hashes, "user"))}, nil
}

func some(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func have(n int) string {
	if n == 1 {
		return "1 has"
	}
	return fmt.Sprintf("%d have", n)
}

func are(n int) string {
	if n == 1 {
		return "1 is"
	}
	return fmt.Sprintf("%d are", n)
}
