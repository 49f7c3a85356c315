package gateway

import (
	"context"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/metrics"
)

// probe bounds how long a scrape waits for somebody else.
const probe = 2 * time.Second

// readers is what the metrics ask at scrape time.
func (g *Gateway) readers() metrics.Readers {
	r := metrics.Readers{
		Ready:      g.readiness,
		HashQueue:  func() int { return g.paths.pool.Waiting() },
		Agents:     g.agentStates,
		Domains:    g.domainsInForce,
		CertExpiry: g.certificates,
		LastSync:   g.lastSync,
		Sync:       g.syncReaders(),
	}
	if g.lab != nil {
		r.Faults = g.lab.Faults
	}
	return r
}

// readiness says which path can be used now, and then why, domain by domain. A path whose people can sign in at one of its
// domains is in use: what ails the others stands with them.
func (g *Gateway) readiness(ctx context.Context) []metrics.Readiness {
	ctx, cancel := context.WithTimeout(ctx, probe)
	defer cancel()
	if err := g.storeTrouble(ctx); err != nil {
		all := make([]metrics.Readiness, 0, len(authn.Paths()))
		for _, p := range authn.Paths() {
			all = append(all, metrics.Readiness{Path: p, Dependency: "store", Detail: err.Error()})
		}
		return all
	}
	usable := map[authn.Path]bool{}
	var domains []metrics.Readiness
	served, err := g.tenant.Domains(ctx)
	if err != nil {
		served = g.tenant.Configured()
	}
	for _, d := range served {
		r, err := g.tenant.Of(ctx, authn.ParseIdentifier("x@"+d.Name), authn.Account{})
		if err != nil {
			continue
		}
		ok, why := g.ready(ctx, r)
		usable[r.Path] = usable[r.Path] || ok
		domains = append(domains, metrics.Readiness{Path: r.Path, Dependency: d.Name, Ready: ok, Detail: why})
	}
	var all []metrics.Readiness
	for _, p := range authn.Paths() {
		if ready, used := usable[p]; used {
			all = append(all, metrics.Readiness{Path: p, Ready: ready})
		}
	}
	return append(all, domains...)
}

// storeTrouble is why nobody can sign in whatever the path: the store can't be read, or the last sign-in could not be
// written. The next one that can be takes the second back.
func (g *Gateway) storeTrouble(ctx context.Context) error {
	if h := g.hops(); h != nil {
		if err := h.Pass(ctx, HopProbe, ""); err != nil {
			return err
		}
	}
	if err := g.core.store.Ping(ctx); err != nil {
		return err
	}
	if last := g.watch.unwritten.Load(); last != nil {
		return fmt.Errorf("the last sign-in could not be written down: %w", *last)
	}
	return nil
}

func (g *Gateway) agentStates() map[string]int {
	states := map[string]int{"active": 0, "inactive": 0}
	link := g.onprem.current()
	if link == nil {
		return states
	}
	for _, a := range link.Agents() {
		if a.Live {
			states["active"]++
		} else {
			states["inactive"]++
		}
	}
	return states
}

// domainsInForce are the domains with their overrides applied.
func (g *Gateway) domainsInForce() []directory.Domain {
	ctx, cancel := context.WithTimeout(context.Background(), probe)
	defer cancel()
	all, err := g.tenant.Domains(ctx)
	if err != nil {
		all = g.tenant.Configured()
	}
	for i, d := range all {
		if r, err := g.tenant.Of(ctx, authn.ParseIdentifier("x@"+d.Name), authn.Account{}); err == nil {
			all[i].Path, all[i].IdP = r.Path, r.IdP
		}
	}
	return all
}

func (g *Gateway) certificates() map[string]time.Time {
	all := map[string]time.Time{}
	for id, one := range *g.paths.federated.Load() {
		if p, ok := one.provider.(interface{ CertificateExpiry() time.Time }); ok {
			all[id] = p.CertificateExpiry()
		}
	}
	return all
}

func (g *Gateway) lastSync(kind string) time.Time {
	ctx, cancel := context.WithTimeout(context.Background(), probe)
	defer cancel()
	runs, err := g.core.store.Runs(ctx, 100)
	if err != nil {
		return time.Time{}
	}
	for _, r := range runs {
		if r.Kind == kind && r.Result == "success" {
			return r.Began.Add(r.Took)
		}
	}
	return time.Time{}
}
