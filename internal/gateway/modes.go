package gateway

import (
	"context"
	"errors"
	"fmt"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/admin"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Modes implements console.Modes.
func (g *Gateway) Modes(ctx context.Context) ([]api.Mode, error) {
	domains := g.tenant.Domains()
	all := make([]api.Mode, len(domains))
	for i, d := range domains {
		var err error
		if all[i], err = g.mode(ctx, d); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (g *Gateway) mode(ctx context.Context, d directory.Domain) (api.Mode, error) {
	r, err := g.tenant.Of(ctx, authn.ParseIdentifier("x@"+d.Name), authn.Account{})
	if err != nil {
		return api.Mode{}, err
	}
	m := api.Mode{
		Domain: d.Name, Model: "hybrid", Type: "Managed", Path: r.Path, IdP: r.IdP, Protocol: r.Protocol, PHS: d.PHS, Rule: r.Rule, File: d.Path,
	}
	if r.Path == authn.PathCloud && !d.PHS {
		m.Model = "cloud-only"
	}
	if r.Path == authn.PathFederated {
		m.Type = "Federated"
	}
	o, err := g.core.store.Override(ctx, d.Name)
	switch {
	case err == nil:
		m.Override = &o
	case !errors.Is(err, directory.ErrNotFound):
		return api.Mode{}, err
	}
	m.Ready, m.Why = g.ready(ctx, r)
	return m, nil
}

// ready says whether a realm's people can sign in now and, if not, why; or what to know of it.
func (g *Gateway) ready(ctx context.Context, r authn.Realm) (bool, string) {
	switch r.Path {
	case authn.PathPHS:
		n, err := g.core.store.CountCredentials(ctx, directory.SchemePHS, r.Domain)
		if err != nil {
			return false, err.Error()
		}
		if n == 0 && !g.tenant.PHS(r.Domain) {
			return false, "password_hash_sync is off for this domain: switch it on in the configuration, reload, and run `fourways sync run`"
		}
		if n == 0 {
			return false, "no password hash has been synchronised yet: an agent with the role sync must run (`fourways agent invite --role sync`)"
		}
	case authn.PathPTA:
		link := g.onprem.current()
		if link == nil {
			return false, errNoBroker.Error()
		}
		if !link.Live(agentlink.RolePTA) {
			return false, "no live agent has the role pta: `fourways agent invite --role pta` makes a one-time token for `fourways-agent enrol`"
		}
	case authn.PathFederated:
		one, ok := (*g.paths.federated.Load())[r.IdP]
		if !ok {
			return false, fmt.Sprintf("there is no [[idp]] %q", r.IdP)
		}
		if err := one.ready(ctx, realClock{}.Now()); err != nil {
			return false, err.Error()
		}
	case authn.PathCloud, authn.PathNone:
	}
	return true, ""
}

// SetMode implements console.Modes: it writes an override, which the next sign-in sees on every gateway.
func (g *Gateway) SetMode(ctx context.Context, domain string, c api.ModeChange, by string) (api.Mode, error) {
	d, ok := g.tenant.Domain(domain)
	if !ok {
		return api.Mode{}, fmt.Errorf("%s is no domain of this tenant: %w", domain, directory.ErrNotFound)
	}
	if err := admin.Text("a reason", c.Reason, 256); err != nil {
		return api.Mode{}, err
	}
	before, err := g.mode(ctx, d)
	if err != nil {
		return api.Mode{}, err
	}
	o := directory.Override{Domain: d.Name, Path: c.Path, By: by, Reason: c.Reason, At: g.core.clock.Now()}
	switch {
	case c.Path == authn.PathFederated:
		idp, err := g.tenant.IdPFor(d.Name, c.IdP)
		if err != nil {
			return api.Mode{}, err
		}
		o.IdP = idp.ID
	case !c.Path.Managed():
		return api.Mode{}, admin.BadRequest("%q is no path: give cloud, phs, pta or federated", c.Path)
	case c.IdP != "":
		return api.Mode{}, admin.BadRequest("only the path federated has an identity provider")
	}
	if c.Path == authn.PathPTA || c.Path == authn.PathPHS {
		if err := g.onprem.ensureOpen(ctx); err != nil {
			return api.Mode{}, err
		}
	}
	if err := g.core.store.SetOverride(ctx, o); err != nil {
		return api.Mode{}, err
	}
	return g.changed(ctx, d, before.Path, "api")
}

// ResetMode implements console.Modes: it drops the override, so that the file decides again.
func (g *Gateway) ResetMode(ctx context.Context, domain string) (api.Mode, error) {
	d, ok := g.tenant.Domain(domain)
	if !ok {
		return api.Mode{}, fmt.Errorf("%s is no domain of this tenant: %w", domain, directory.ErrNotFound)
	}
	before, err := g.mode(ctx, d)
	if err != nil {
		return api.Mode{}, err
	}
	if err := g.core.store.DropOverride(ctx, d.Name); err != nil && !errors.Is(err, directory.ErrNotFound) {
		return api.Mode{}, err
	}
	return g.changed(ctx, d, before.Path, "reset")
}

func (g *Gateway) changed(ctx context.Context, d directory.Domain, from authn.Path, source string) (api.Mode, error) {
	if err := g.onprem.ensure(ctx); err != nil {
		return api.Mode{}, fmt.Errorf("the path is changed, but: %w", err)
	}
	after, err := g.mode(ctx, d)
	if err == nil && after.Path != from {
		g.watch.metrics.ModeChanged(from, after.Path, source)
	}
	return after, err
}
