package gateway

import (
	"context"
	"time"

	"github.com/fourways-id/fourways/internal/metrics"
)

// syncReaders say how far the tenant is behind the premises. What can't be read just now is told as nothing.
func (g *Gateway) syncReaders() metrics.SyncReaders {
	return metrics.SyncReaders{
		Clock: g.core.clock,
		PasswordLag: func() (int, time.Time) {
			ctx, cancel := context.WithTimeout(context.Background(), probe)
			defer cancel()
			count, oldest, err := g.core.store.LatePasswords(ctx)
			if err != nil {
				g.core.log.Warn("it can't be told how late passwords are", "error", err)
			}
			return count, oldest
		},
		Pending: func() (put, del int) {
			ctx, cancel := context.WithTimeout(context.Background(), probe)
			defer cancel()
			space, err := g.core.store.CountSpace(ctx)
			if err != nil {
				g.core.log.Warn("it can't be told what is pending", "error", err)
			}
			return space.Due, space.Gone
		},
		WithoutHash: func() int {
			ctx, cancel := context.WithTimeout(context.Background(), probe)
			defer cancel()
			n, err := g.core.store.CountHashless(ctx)
			if err != nil {
				g.core.log.Warn("it can't be told how many people have no hash", "error", err)
			}
			return n
		},
	}
}
