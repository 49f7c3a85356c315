// Package gateway assembles a whole gateway from its configuration: store, paths, listeners and what they tell each other.
//
// In come a configuration and, in the lab, what the lab adds; out comes a gateway that listens. This is the only place
// where the parts meet: the table of paths is in paths.go, the agent link in onprem.go, each port that the console steers
// in a file of its own. It decides nothing about a sign-in, which is authn's business.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/doctor"
	"github.com/fourways-id/fourways/internal/guard"
	"github.com/fourways-id/fourways/internal/journal"
	"github.com/fourways-id/fourways/internal/keyring"
	"github.com/fourways-id/fourways/internal/metrics"
	"github.com/fourways-id/fourways/internal/session"
	"github.com/fourways-id/fourways/internal/store"
)

// Options are what a gateway is made of. Config and Log must be set.
type Options struct {
	Config    *config.Config
	File      string      // where Config was read from, for Reload
	Clock     authn.Clock // policy time; nil: real time
	Log       *slog.Logger
	Lab       *Lab // nil: production
	Listeners Listeners
}

// Gateway is a running gateway.
type Gateway struct {
	conf     atomic.Pointer[config.Config] // in force
	file     string
	core     core
	tenant   *directory.Tenant
	flow     *authn.Flow
	paths    *paths
	onprem   *onprem
	watch    watch
	lab      *Lab
	serving  serving
	sessions *session.Manager
	engine   *dirsync.Engine

	reloading sync.Mutex // one reload at a time
}

// core is what nearly every part needs.
type core struct {
	store *store.DB
	ring  *keyring.Ring
	clock authn.Clock
	log   *slog.Logger
	guard *guard.Guard
}

// watch is who is told what happened, and what is still to be told.
type watch struct {
	journal   *journal.Journal
	metrics   *metrics.Metrics
	shed      shed
	unwritten atomic.Pointer[error] // why the last sign-in could not be written down; nil when it could
}

// realClock is the machine's own time.
type realClock struct{}

func (realClock) Now() time.Time { return time.Now() } //nolint:forbidigo // the one place where policy time begins

// Open makes a gateway and starts to listen. A path that can't work yet does not keep it from starting: that path says
// why, and the others go on. Close ends it.
func Open(ctx context.Context, o Options) (_ *Gateway, err error) {
	if o.Clock == nil {
		o.Clock = realClock{}
	}
	g := &Gateway{file: o.File, lab: o.Lab}
	g.conf.Store(o.Config)
	if g.core, err = openCore(ctx, o); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			g.Close()
		}
	}()
	g.tenant = directory.New(g.core.store, o.Config.Domains(), nil)
	g.onprem = newOnprem(g)
	g.watch.metrics = metrics.New(g.readers())
	g.watch.journal = journal.New(o.Log, g.watch.metrics.Observe)
	g.engine = newEngine(g)
	if err := g.openPaths(o.Config); err != nil {
		return nil, err
	}
	g.sessions = session.New(session.Options{
		Ring: g.core.ring, Store: g.core.store, Clock: o.Clock,
		TTL: time.Duration(o.Config.SignIn.SessionTTL), Idle: time.Duration(o.Config.SignIn.SessionIdle),
	})
	g.flow = g.breakable(&authn.Flow{
		Directory: g.tenant, Realms: g.tenant, Guard: g.core.guard, Providers: g.paths,
		Sessions: g.sessions, Committer: &committer{g}, Clock: o.Clock, Licences: licences{g},
	})
	if err := g.configure(ctx, o.Config, g.openIdPs(o.Config)); err != nil {
		return nil, err
	}
	g.declare(ctx, o.Config)
	if err := g.listen(ctx, o.Listeners); err != nil {
		return nil, err
	}
	g.startLoops()
	return g, nil
}

func openCore(ctx context.Context, o Options) (core, error) {
	db, ring, err := openStore(ctx, o.Config, o.Clock, o.Lab != nil)
	if err != nil {
		return core{}, err
	}
	return core{store: db, ring: ring, clock: o.Clock, log: o.Log, guard: guard.New(counts(db, o.Lab), policy(o.Config), o.Clock)}, nil
}

// OpenStore opens the store of a configuration beside a running gateway or without one: whoever can read its root key is
// its administrator.
func OpenStore(ctx context.Context, c *config.Config) (*store.DB, error) {
	db, _, err := openStore(ctx, c, realClock{}, c.Lab != nil)
	return db, err
}

func openStore(ctx context.Context, c *config.Config, clock authn.Clock, lab bool) (*store.DB, *keyring.Ring, error) {
	o, err := doctor.Store(c)
	if err != nil {
		return nil, nil, err
	}
	folders := []string{filepath.Dir(c.Store.RootKeyFile)}
	if o.URL == "" {
		folders = append(folders, filepath.Dir(o.Path))
	}
	for _, dir := range folders {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, nil, fmt.Errorf("make the data folder: %w: check store.path and store.root_key_file", err)
		}
	}
	if o.Ring, err = openRing(ctx, c.Store.RootKeyFile, o); err != nil {
		return nil, nil, err
	}
	o.Clock, o.Lab = clock, lab
	db, err := store.Open(ctx, o)
	return db, o.Ring, err
}

// openRing makes a root key only where there is no store yet: a store whose key was lost must not get a new one quietly,
// and a further gateway on a store gets the key of the first.
func openRing(ctx context.Context, path string, o store.Options) (*keyring.Ring, error) {
	_, err := os.Stat(path)
	if !errors.Is(err, os.ErrNotExist) {
		return keyring.Open(path)
	}
	made, err := store.Made(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("look for the store: %w", err)
	}
	switch {
	case made && o.URL != "":
		return nil, fmt.Errorf("there is a store in the database but no root key at %s: copy the key file of the gateway that made it, or put it back from your backup; without it what is sealed in the store can't be read", path)
	case made:
		return nil, fmt.Errorf("there is a store at %s but no root key at %s: put the key file back from your backup; without it what is sealed in the store can't be read", o.Path, path)
	}
	return keyring.Create(path)
}

func policy(c *config.Config) guard.Policy {
	return guard.Policy{Threshold: c.Lockout.Threshold, Duration: time.Duration(c.Lockout.Duration), Shared: c.Store.Driver == config.DriverPostgres}
}

// openPaths makes the managed paths; identity providers come with configure.
func (g *Gateway) openPaths(c *config.Config) error {
	paths, err := newPaths(g, newPools(c.Hashing), c)
	if err != nil {
		return fmt.Errorf("open the paths: %w", err)
	}
	g.paths = paths
	return nil
}

// Close ends the gateway: it stops listening, lets what is under way finish for a moment, and closes the store.
func (g *Gateway) Close() {
	g.serving.stop()
	if g.core.store != nil {
		g.writeShed(context.Background())
	}
	if g.onprem != nil {
		g.onprem.close()
	}
	if g.core.store != nil {
		if err := g.core.store.Close(); err != nil {
			g.core.log.Error("close the store", "error", err)
		}
	}
}
