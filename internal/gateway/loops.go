package gateway

import (
	"context"
	"time"

	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
)

// What runs beside the sign-ins.
const (
	sweepEvery     = time.Minute
	abandonedAfter = 15 * time.Minute // a pending step is good for ten
	purgeEvery     = time.Hour
)

// startLoops begins the sweeper, the retention and the two synchronisation cycles.
func (g *Gateway) startLoops() {
	ctx, cancel := context.WithCancel(context.Background())
	g.serving.cancel = cancel
	g.every(ctx, sweepEvery, g.sweep)
	g.every(ctx, sweepEvery, g.follow)
	g.every(ctx, sweepEvery, g.resumeLicences)
	g.every(ctx, purgeEvery, g.purge)
	g.every(ctx, shedEvery, g.writeShed)
	c := g.conf.Load()
	for kind, every := range map[dirsync.Kind]time.Duration{
		dirsync.KindDirectory: time.Duration(c.Sync.DirectoryInterval), dirsync.KindHash: time.Duration(c.Sync.HashInterval),
	} {
		g.every(ctx, min(every, cycleTick), g.cycle(kind, every))
	}
	g.every(ctx, time.Duration(c.Sync.WatchInterval), g.watchPremises())
}

func (g *Gateway) every(ctx context.Context, d time.Duration, do func(context.Context)) {
	if d <= 0 {
		return
	}
	g.serving.wg.Go(func() {
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				do(ctx)
			}
		}
	})
}

// sweep closes attempts that were never finished, and tells of them.
func (g *Gateway) sweep(ctx context.Context) {
	records, err := g.core.store.Sweep(ctx, g.core.clock.Now().Add(-abandonedAfter))
	if err != nil {
		g.core.log.Error("close abandoned sign-ins", "error", err)
	}
	for _, r := range records {
		g.watch.journal.Publish(r)
	}
}

// follow opens the agent link when a domain has come to need it: another gateway of this store may have swapped its path.
func (g *Gateway) follow(ctx context.Context) {
	if err := g.onprem.ensure(ctx); err != nil {
		g.core.log.Error("a domain needs the agent link; the next look tries again", "error", err)
	}
}

func (g *Gateway) purge(ctx context.Context) {
	keep := g.conf.Load().Store
	if _, err := g.core.store.Purge(ctx, g.core.clock.Now().Add(-time.Duration(keep.Retention)), keep.MaxSignIns); err != nil {
		g.core.log.Error("remove old records", "error", err)
	}
	if _, err := g.core.store.PurgeDeleted(ctx, g.core.clock.Now().Add(-directory.DeletedFor)); err != nil {
		g.core.log.Error("forget deleted accounts", "error", err)
	}
}
