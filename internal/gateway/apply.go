package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/store"
)

// configure puts in force what may change while the gateway runs: domains, identity providers, lockout, and whether the
// agent link is open. What can't be taken back comes last.
func (g *Gateway) configure(ctx context.Context, c *config.Config, idps map[string]*idp) error {
	if err := g.paths.passwords.configure(c); err != nil {
		return err
	}
	g.swap(c, idps)
	if err := g.onprem.ensure(ctx); err != nil {
		return err
	}
	return g.dropUnwantedHashes(ctx)
}

// swap is the part of configure that can't fail; the next sign-in sees it.
func (g *Gateway) swap(c *config.Config, idps map[string]*idp) {
	known := make([]directory.IdP, 0, len(c.IdP))
	for _, conf := range c.IdPs() {
		known = append(known, idps[conf.ID].IdP)
	}
	g.paths.federated.Store(&idps)
	g.tenant.Configure(c.Domains(), known, c.Rollouts()...)
	g.watch.metrics.KnowIdPs(known)
	g.core.guard.SetPolicy(policy(c))
}

// dropUnwantedHashes removes what must not be kept: with the switch off, the store holds no hash of a domain's people. A
// domain that is served no more, since when ever, is one with the switch off.
func (g *Gateway) dropUnwantedHashes(ctx context.Context) error {
	served, err := g.tenant.Domains(ctx)
	if err != nil {
		return err
	}
	peopled, err := g.core.store.PeopleDomains(ctx)
	if err != nil {
		return fmt.Errorf("drop synchronised hashes where password_hash_sync is off: %w", err)
	}
	for _, name := range peopled {
		if slices.ContainsFunc(served, func(s directory.Domain) bool { return s.Name == name && s.PHS }) {
			continue
		}
		if n, err := g.core.store.CountCredentials(ctx, directory.SchemePHS, name); err == nil && n == 0 {
			continue // mostly: nothing is to be written
		}
		n, err := g.core.store.DropCredentials(ctx, directory.SchemePHS, name)
		if err != nil {
			return fmt.Errorf("drop the synchronised hashes of %s, where password_hash_sync is off: %w", name, err)
		}
		if n > 0 {
			g.core.log.Info("dropped synchronised password hashes: password_hash_sync is off", "domain", name, "records", n)
		}
	}
	return nil
}

// Reload implements console.Settings: it reads the file again and puts in force what can be. A file with a mistake changes
// nothing.
func (g *Gateway) Reload(ctx context.Context) (api.Reload, error) {
	report, err := g.reload(ctx)
	g.watch.metrics.Reloaded(err == nil, g.core.clock.Now())
	if err != nil {
		g.core.log.Error("the configuration was not reloaded; the old one stays in force", "error", err)
		return report, err
	}
	g.core.log.Info("configuration reloaded", "live", report.Live, "after restart", report.Restart, "overrides", report.Overrides)
	return report, nil
}

// ReloadOnSignal is Reload for a signal: no token stands behind it, so the audit log names the signal.
func (g *Gateway) ReloadOnSignal(ctx context.Context, signal string) {
	e := store.AuditEntry{At: g.core.clock.Now(), Who: signal, Action: "Reload configuration", Result: "success"}
	report, err := g.Reload(ctx) // it has been logged
	e.After = strings.Join(report.Live, ", ")
	if err != nil {
		e.Result = "failure: " + err.Error()
	}
	if err := g.core.store.Audit(context.WithoutCancel(ctx), e); err != nil {
		g.core.log.Error("a reload could not be written to the audit log", "error", err)
	}
}

func (g *Gateway) reload(ctx context.Context) (api.Reload, error) {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	fresh, err := g.readFile()
	if err != nil {
		return api.Reload{}, err
	}
	running, idps := g.conf.Load(), *g.paths.federated.Load()
	live, restart := config.Changes(running, fresh)
	next := config.Reloaded(running, fresh)
	reopened := g.openIdPs(next)
	if err := newlyBroken(idps, reopened); err != nil {
		return api.Reload{}, invalid(err)
	}
	if err := g.base().Declarable(ctx, next); err != nil {
		return api.Reload{}, invalid(err)
	}
	before := g.tenant.Configured()
	if err := g.configure(ctx, next, reopened); err != nil {
		g.swap(running, idps)
		return api.Reload{}, fmt.Errorf("%w: the old configuration is in force again", err)
	}
	g.conf.Store(next)
	g.declare(ctx, next)
	hidden, err := g.hidden(ctx)
	err = errors.Join(err, g.rememberChanges(ctx, before))
	return api.Reload{Live: live, Restart: restart, Overrides: hidden}, err
}

// readFile reads and judges the configuration file as the start did.
func (g *Gateway) readFile() (*config.Config, error) {
	if g.file == "" {
		return nil, errors.New("this gateway was started without a configuration file")
	}
	fresh, err := config.LoadFile(g.file)
	if err != nil {
		return nil, invalid(err)
	}
	if err := errors.Join(fresh.Check(), refuseLab(fresh, g.lab)); err != nil {
		return nil, invalid(err)
	}
	return fresh, nil
}

// newlyBroken complains of identity providers that can't be opened now, such as one whose metadata was damaged: what works
// is not given up for what doesn't. One that was broken before keeps nothing else from being reloaded.
func newlyBroken(before, after map[string]*idp) error {
	var all []error
	for _, id := range slices.Sorted(maps.Keys(after)) {
		was := before[id]
		if why := after[id].why; why != nil && (was == nil || was.why == nil) {
			all = append(all, why)
		}
	}
	return errors.Join(all...)
}

// invalid is the answer for a file with mistakes: the caller gets every complaint.
func invalid(err error) error {
	return api.Problem{Title: "Invalid configuration", Status: http.StatusUnprocessableEntity, Detail: err.Error() + "\nNothing was changed: the old configuration stays in force."}
}

func refuseLab(c *config.Config, lab *Lab) error {
	if lab == nil {
		return c.RefuseLab()
	}
	return nil
}

// rememberChanges counts every domain whose path the file has changed, and writes it into the history of paths.
func (g *Gateway) rememberChanges(ctx context.Context, before []directory.Domain) error {
	old := map[string]directory.Domain{}
	for _, d := range before {
		old[d.Name] = d
	}
	var failed []error
	for _, d := range g.tenant.Configured() {
		was, ok := old[d.Name]
		if !ok || was.SamePath(d) {
			continue
		}
		g.watch.metrics.ModeChanged(was.Path, d.Path, "config")
		_, err := g.core.store.ChangeMode(ctx, d.Name, func(now *directory.Override, last []directory.ModeChange) (*directory.Change, error) {
			return directory.FileChange(was, d, now, last, g.core.clock.Now()), nil
		})
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// hidden names the domains whose path in the file an override hides.
func (g *Gateway) hidden(ctx context.Context) ([]string, error) {
	overrides, err := g.core.store.Overrides(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the overrides: %w", err)
	}
	var all []string
	for _, o := range overrides {
		if d, err := g.tenant.Domain(ctx, o.Domain); err == nil && !d.SamePath(d.With(&o)) && inFile(d, g.tenant.Configured()) {
			all = append(all, fmt.Sprintf("%s: the file says %s, but an override by %s says %s and wins. `fourways mode reset --domain %s` drops it.", o.Domain, d.Way(), o.By, d.With(&o).Way(), o.Domain))
		}
	}
	return all, nil
}

func inFile(d directory.Domain, conf []directory.Domain) bool {
	return slices.ContainsFunc(conf, func(c directory.Domain) bool { return c.Name == d.Name })
}

// ShowConfig implements console.Settings.
func (g *Gateway) ShowConfig(context.Context) (string, error) {
	var b strings.Builder
	err := config.Show(&b, g.conf.Load())
	return b.String(), err
}
