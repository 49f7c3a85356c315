package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// configure puts in force what may change while the gateway runs: domains, identity providers, lockout, and whether the
// agent link is open.
func (g *Gateway) configure(ctx context.Context, c *config.Config) error {
	idps := g.openIdPs(c)
	g.paths.federated.Store(&idps)
	known := make([]directory.IdP, 0, len(c.IdP))
	for _, conf := range c.IdPs() {
		known = append(known, idps[conf.ID].IdP)
	}
	g.tenant.Configure(c.Domains(), known)
	g.watch.metrics.KnowIdPs(known)
	g.core.guard.SetPolicy(policy(c))
	if err := g.dropUnwantedHashes(ctx); err != nil {
		return err
	}
	return g.onprem.ensure(ctx)
}

// dropUnwantedHashes removes what must not be kept: with the switch off, the store holds no hash of a domain's people.
func (g *Gateway) dropUnwantedHashes(ctx context.Context) error {
	for _, d := range g.tenant.Domains() {
		if d.PHS {
			continue
		}
		n, err := g.core.store.DropCredentials(ctx, directory.SchemePHS, d.Name)
		if err != nil {
			return fmt.Errorf("drop the synchronised hashes of %s, where password_hash_sync is off: %w", d.Name, err)
		}
		if n > 0 {
			g.core.log.Info("dropped synchronised password hashes: password_hash_sync is off", "domain", d.Name, "records", n)
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

func (g *Gateway) reload(ctx context.Context) (api.Reload, error) {
	if g.file == "" {
		return api.Reload{}, errors.New("this gateway was started without a configuration file")
	}
	fresh, err := config.LoadFile(g.file)
	if err != nil {
		return api.Reload{}, invalid(err)
	}
	if err := fresh.Check(); err != nil {
		return api.Reload{}, invalid(err)
	}
	if err := refuseLab(fresh, g.lab); err != nil {
		return api.Reload{}, invalid(err)
	}
	before := g.tenant.Domains()
	live, restart := config.Changes(g.conf.Load(), fresh)
	if err := g.configure(ctx, fresh); err != nil {
		return api.Reload{}, err
	}
	g.conf.Store(fresh)
	g.countChanges(before)
	hidden, err := g.hidden(ctx)
	return api.Reload{Live: live, Restart: restart, Overrides: hidden}, err
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

// countChanges counts every domain whose path the file has changed.
func (g *Gateway) countChanges(before []directory.Domain) {
	old := map[string]directory.Domain{}
	for _, d := range before {
		old[d.Name] = d
	}
	for _, d := range g.tenant.Domains() {
		if was, ok := old[d.Name]; ok && was.Path != d.Path {
			g.watch.metrics.ModeChanged(was.Path, d.Path, "config")
		}
	}
}

// hidden names the domains whose path in the file an override hides.
func (g *Gateway) hidden(ctx context.Context) ([]string, error) {
	overrides, err := g.core.store.Overrides(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the overrides: %w", err)
	}
	var all []string
	for _, o := range overrides {
		if d, ok := g.tenant.Domain(o.Domain); ok && d.Path != o.Path {
			all = append(all, fmt.Sprintf("%s: the file says %s, but an override by %s says %s and wins. `fourways mode reset --domain %s` drops it.", o.Domain, d.Path, o.By, o.Path, o.Domain))
		}
	}
	return all, nil
}

// ShowConfig implements console.Settings.
func (g *Gateway) ShowConfig(context.Context) (string, error) {
	var b strings.Builder
	err := config.Show(&b, g.conf.Load())
	return b.String(), err
}
