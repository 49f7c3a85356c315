package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/admin"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Modes implements console.ModeReader.
func (g *Gateway) Modes(ctx context.Context) ([]api.Mode, error) {
	domains, err := g.tenant.Domains(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]api.Mode, len(domains))
	for i, d := range domains {
		if all[i], err = g.mode(ctx, d); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Mode implements console.ModeReader.
func (g *Gateway) Mode(ctx context.Context, domain string) (api.Mode, error) {
	d, err := g.tenant.Domain(ctx, domain)
	if err != nil {
		return api.Mode{}, err
	}
	return g.mode(ctx, d)
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
		return g.readyPHS(ctx, r.Domain)
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

func (g *Gateway) readyPHS(ctx context.Context, domain string) (bool, string) {
	some, err := g.core.store.AnyCredential(ctx, directory.SchemePHS, domain)
	if err != nil {
		return false, err.Error()
	}
	on, err := g.tenant.PHS(ctx, domain)
	switch {
	case err != nil:
		return false, err.Error()
	case some:
		return true, ""
	case !on:
		return false, fmt.Sprintf("password_hash_sync is off for this domain: switch it on (`fourways domain update %s --password-hash-sync on`, or in the configuration), then `fourways sync run`", domain)
	}
	return false, "no password hash has been synchronised yet: an agent with the role sync must run (`fourways agent invite --role sync`)"
}

// swapped is what a request makes of a domain's path. The error is the caller's mistake.
func (g *Gateway) swapped(d directory.Domain, c api.ModeChange, by string) (directory.Override, error) {
	o := directory.Override{Domain: d.Name, Path: c.Path, By: by, Reason: c.Reason, At: g.core.clock.Now()}
	switch {
	case c.Path == authn.PathFederated:
		idp, err := g.tenant.IdPFor(d.Name, c.IdP)
		if err != nil {
			return o, err
		}
		o.IdP = idp.ID
	case !c.Path.Managed():
		return o, admin.BadRequest("%q is no path: give cloud, phs, pta or federated", c.Path)
	case c.IdP != "":
		return o, admin.BadRequest("only the path federated has an identity provider")
	}
	return o, admin.Text("a reason", c.Reason, 256)
}

// SetMode implements console.ModeWriter: it writes an override, which the next sign-in sees on every gateway.
func (g *Gateway) SetMode(ctx context.Context, domain string, c api.ModeChange, by, version string) (api.Mode, error) {
	d, err := g.tenant.Domain(ctx, domain)
	if err != nil {
		return api.Mode{}, err
	}
	o, err := g.swapped(d, c, by)
	if err != nil {
		return api.Mode{}, err
	}
	if err := g.openFor(ctx, &o); err != nil {
		return api.Mode{}, err
	}
	entry := directory.ModeChange{Kind: directory.ModeSet, By: by, Reason: c.Reason}
	return g.changeMode(ctx, d, version, func(*directory.Override, []directory.ModeChange) (*directory.Change, error) {
		return &directory.Change{Override: &o, Entry: entry}, nil
	})
}

// openFor opens the agent link before anybody needs it.
func (g *Gateway) openFor(ctx context.Context, o *directory.Override) error {
	if o == nil || o.Path != authn.PathPTA && o.Path != authn.PathPHS {
		return nil
	}
	return g.onprem.ensureOpen(ctx)
}

// ResetMode implements console.ModeWriter: it drops the override, so that the file decides again.
func (g *Gateway) ResetMode(ctx context.Context, domain, by, version string) (api.Mode, error) {
	d, err := g.tenant.Domain(ctx, domain)
	if err != nil {
		return api.Mode{}, err
	}
	return g.changeMode(ctx, d, version, func(now *directory.Override, _ []directory.ModeChange) (*directory.Change, error) {
		if now == nil {
			return nil, nil
		}
		return &directory.Change{Entry: directory.ModeChange{Kind: directory.ModeReset, By: by}}, nil
	})
}

// UndoMode implements console.ModeWriter: it brings back what the last change that was not taken back yet had replaced. A
// change of the file is taken back by an override. An undo is not undone by another, which goes back one change further.
func (g *Gateway) UndoMode(ctx context.Context, domain, by, version string) (api.Mode, error) {
	d, err := g.tenant.Domain(ctx, domain)
	if err != nil {
		return api.Mode{}, err
	}
	changes, err := g.core.store.ModeChanges(ctx, d.Name, 0, 0)
	if err != nil {
		return api.Mode{}, err
	}
	undone, found := directory.LastToUndo(changes)
	if !found {
		return api.Mode{}, fmt.Errorf("no change of the path of %s is left to undo (`fourways mode history --domain %s`): %w", d.Name, d.Name, directory.ErrNotFound)
	}
	if o := undone.Before; o != nil && o.Path == authn.PathFederated {
		if _, err := g.tenant.IdPFor(d.Name, o.IdP); err != nil {
			return api.Mode{}, fmt.Errorf("the identity provider that is to be brought back is gone: %w", err)
		}
	}
	if err := g.openFor(ctx, undone.Before); err != nil {
		return api.Mode{}, err
	}
	return g.changeMode(ctx, d, version, func(_ *directory.Override, last []directory.ModeChange) (*directory.Change, error) {
		if still, _ := directory.LastToUndo(last); still.ID != undone.ID {
			return nil, fmt.Errorf("the path of %s: %w", d.Name, directory.ErrChanged)
		}
		return &directory.Change{Override: undone.Before, Entry: directory.ModeChange{Kind: directory.ModeUndo, By: by, Undoes: undone.ID}}, nil
	})
}

// changeMode carries a change out and writes it down, in one write of the store. version is the one that the caller read,
// "" for any.
func (g *Gateway) changeMode(ctx context.Context, d directory.Domain, version string, next func(now *directory.Override, last []directory.ModeChange) (*directory.Change, error)) (api.Mode, error) {
	wanted, _, _ := strings.Cut(version, ".")
	made, err := g.core.store.ChangeMode(ctx, d.Name, func(now *directory.Override, last []directory.ModeChange) (*directory.Change, error) {
		if wanted != "" && wanted != api.ModeVersion(d.Path, now) {
			return nil, fmt.Errorf("the path of %s: %w", d.Name, directory.ErrChanged)
		}
		c, err := next(now, last)
		if err != nil || c == nil {
			return nil, err
		}
		was, will := d.With(now), d.With(c.Override)
		c.Entry.At, c.Entry.Before = g.core.clock.Now(), now
		c.Entry.From, c.Entry.To, c.Entry.IdP = was.Path, will.Path, ""
		if will.Path == authn.PathFederated {
			c.Entry.IdP = will.IdP
		}
		return c, nil
	})
	if err != nil {
		return api.Mode{}, err
	}
	g.watch.metrics.ModeChanged(made.From, made.To, source(made.Kind))
	if err := g.onprem.ensure(ctx); err != nil {
		return api.Mode{}, fmt.Errorf("the path is changed, but: %w", err)
	}
	return g.mode(ctx, d)
}

// source names what asked for a change, as the metrics have it.
func source(kind string) string {
	if kind == directory.ModeSet {
		return "api"
	}
	return kind
}

// ModeHistory implements console.ModeReader.
func (g *Gateway) ModeHistory(ctx context.Context, domain string, before int64, most int) ([]directory.ModeChange, error) {
	return g.core.store.ModeChanges(ctx, domain, before, most)
}
