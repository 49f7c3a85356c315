package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
)

// newEngine joins the synchronisation with the agents, the store and the tenant.
func newEngine(g *Gateway) *dirsync.Engine {
	return &dirsync.Engine{
		Agents: syncAgents{g.onprem}, Store: g.core.store, Domains: g.syncDomains, Clock: g.core.clock,
		Settings: func() dirsync.Settings {
			c := g.conf.Load().Sync
			return dirsync.Settings{
				Limits:  dirsync.Limits{MaxDeletes: c.MaxDeletes, MaxRatio: c.MaxDeleteRatio},
				Initial: c.InitialDomain, SoftMatch: c.SoftMatch, HardMatch: c.HardMatch, Temporary: c.ForceChange, FullEvery: time.Duration(c.FullInterval),
			}
		},
		Holder: holder(), Done: g.synchronised,
	}
}

// holder names this gateway to the others that share its store.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "gateway"
	}
	return fmt.Sprintf("%s (process %d)", host, os.Getpid())
}

// synchronised is told of every run. A hash run may have begun before its domain's switch went off, and a run of the
// directory may have moved somebody to a domain where it is off.
func (g *Gateway) synchronised(r directory.Run) {
	g.watch.metrics.Sync(r)
	if r.Kind != string(dirsync.KindHash) && r.Added+r.Updated+r.Deleted == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), dropWithin)
	defer cancel()
	if err := g.dropUnwantedHashes(ctx); err != nil {
		g.core.log.Error("password hashes that must not be kept are still there; the next run tries again", "error", err)
	}
}

// dropWithin bounds the wait for the store.
const dropWithin = 10 * time.Second

// syncAgents implements dirsync.Agents: any live agent of the role may read.
type syncAgents struct{ onprem *onprem }

// Sync implements dirsync.Agents.
func (s syncAgents) Sync(ctx context.Context, run string, ask dirsync.Ask, take func(dirsync.Batch) error) error {
	link := s.onprem.current()
	if link == nil {
		return errNoBroker
	}
	return link.Sync(ctx, run, ask, take)
}

// syncDomains implements dirsync.Domains: the domains that are served, with the switch of each, at one moment.
type syncDomains map[string]bool

func (g *Gateway) syncDomains(ctx context.Context) (dirsync.Domains, error) {
	all, err := g.tenant.Domains(ctx)
	if err != nil {
		return nil, err
	}
	s := syncDomains{}
	for _, d := range all {
		s[d.Name] = d.PHS
	}
	return s, nil
}

// Verified implements dirsync.Domains.
func (s syncDomains) Verified(domain string) bool {
	_, ok := s[domain]
	return ok
}

// HashSync implements dirsync.Domains.
func (s syncDomains) HashSync(domain string) bool { return s[domain] }

// HashSynced implements dirsync.Domains.
func (s syncDomains) HashSynced() []string {
	var on []string
	for name, hashes := range s {
		if hashes {
			on = append(on, name)
		}
	}
	return on
}

// stopped marks a run that the deletion guard stopped before it changed anything; it implements console.Guarded.
type stopped struct{ error }

func (stopped) Guarded() {}

// Unwrap gives the guard's error.
func (s stopped) Unwrap() error { return s.error }

// syncFailure tells a guard's refusal, a run that is under way already and a directory that can't be read apart.
func syncFailure(kind string, err error) error {
	cause := fmt.Errorf("the %s run did not succeed: %w", kind, err)
	switch {
	case errors.Is(err, dirsync.ErrTooManyDeletes), errors.Is(err, dirsync.ErrEmptySource):
		return stopped{cause}
	case errors.Is(err, dirsync.ErrBusy):
		return api.Problem{Title: "Conflict", Status: http.StatusConflict, Detail: cause.Error()}
	}
	return cause
}

// cycleTick is how often it is looked whether a cycle is due.
const cycleTick = 5 * time.Second

// cycle is what the schedule does: a run when the last one, whoever asked for it, began so long ago. A paused schedule does
// nothing.
func (g *Gateway) cycle(kind dirsync.Kind, every time.Duration) func(context.Context) {
	return func(ctx context.Context) {
		if last, err := g.newestRun(ctx, kind); err != nil || g.core.clock.Now().Before(last.Began.Add(every)) {
			return
		}
		if paused, _, _, err := g.syncPaused(ctx); err != nil || paused || g.onprem.current() == nil || kind == dirsync.KindHash && !g.anyPHS(ctx) {
			return
		}
		if _, err := g.engine.Run(ctx, dirsync.Wish{Kind: kind}); err != nil && !errors.Is(err, dirsync.ErrBusy) {
			g.core.log.Warn("a scheduled synchronisation did not succeed; the next one tries again", "kind", kind, "error", err)
		}
	}
}

// newestRun is the last run of a kind; zero when it never ran. What lies in the future was written while the clock was wrong.
func (g *Gateway) newestRun(ctx context.Context, kind dirsync.Kind) (directory.Run, error) {
	runs, err := g.core.store.Runs(ctx, 100)
	now := g.core.clock.Now()
	for _, r := range runs {
		if r.Kind == string(kind) && !r.Began.After(now) {
			return r, nil
		}
	}
	return directory.Run{}, err
}

// watchShare bounds the part of its time that a directory spends on telling who changed a password: some must list everybody.
const watchShare = 20

// watchPremises makes what asks who changed a password, also while the schedule is paused: it changes nothing.
func (g *Gateway) watchPremises() func(context.Context) {
	var rest time.Time
	return func(ctx context.Context) {
		began := time.Now() //nolint:forbidigo // measures the work
		link := g.onprem.current()
		if began.Before(rest) || link == nil || !link.Live(agentlink.RoleSync) || !g.anyPHS(ctx) {
			return
		}
		if err := g.engine.Watch(ctx); err != nil && !errors.Is(err, dirsync.ErrBusy) {
			g.core.log.Debug("it can't be told who changed a password on the premises; the next look tries again", "error", err)
		}
		rest = began.Add(watchShare * time.Since(began))
	}
}

// anyPHS reports that some domain's hashes are wanted, also where that can't be told: the run says then why it fails.
func (g *Gateway) anyPHS(ctx context.Context) bool {
	any, err := g.tenant.AnyPHS(ctx)
	return any || err != nil
}
