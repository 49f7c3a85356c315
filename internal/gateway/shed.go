package gateway

import (
	"context"
	"sync"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/admin"
)

// shed remembers who was turned away at the door since the last second ended. A flood must not cost a row each: it leaves
// one for each second and path, which stands for all of them.
type shed struct {
	mu     sync.Mutex
	turned map[authn.Path]int
}

// shedEvery is how often the rows are written.
const shedEvery = time.Second

// turnAway counts one request that found no place.
func (g *Gateway) turnAway(p authn.Path) {
	g.watch.metrics.Shed(p)
	g.watch.shed.mu.Lock()
	defer g.watch.shed.mu.Unlock()
	if g.watch.shed.turned == nil {
		g.watch.shed.turned = map[authn.Path]int{}
	}
	g.watch.shed.turned[p]++
}

// writeShed writes the rows of the second that is over.
func (g *Gateway) writeShed(ctx context.Context) {
	g.watch.shed.mu.Lock()
	turned := g.watch.shed.turned
	g.watch.shed.turned = nil
	g.watch.shed.mu.Unlock()
	at := g.core.clock.Now()
	for path, n := range turned {
		r := authn.Record{
			ID: authn.AttemptID(admin.NewID()), Began: at, At: at, Realm: authn.Realm{Path: path},
			Verdict: authn.Unavailable, Reason: authn.Overloaded, Final: true, Shed: n,
		}
		if _, err := g.core.store.Commit(ctx, authn.Final{Record: r}); err != nil {
			g.core.log.Error("sign-ins that were turned away could not be written down", "path", path, "number", n, "error", err)
		}
	}
}
