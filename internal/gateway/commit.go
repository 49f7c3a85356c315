package gateway

import (
	"context"

	"github.com/fourways-id/fourways/authn"
)

// committer is the store, and after it those who are told: log line, metric and live stream speak only of what is durable.
type committer struct{ g *Gateway }

// Commit implements authn.Committer.
func (c *committer) Commit(ctx context.Context, f authn.Final) (authn.Receipt, error) {
	receipt, err := c.g.core.store.Commit(ctx, f)
	c.g.noteWriting(err)
	if err != nil {
		c.g.watch.metrics.CommitFailed()
		c.g.core.log.Error("a sign-in could not be written down, so nobody was let in", "attempt", f.Record.ID, "path", f.Record.Path(), "error", err)
		return receipt, err
	}
	if receipt.Replayed {
		return receipt, nil
	}
	f.Record.Locked = receipt.Locked
	c.g.watch.journal.Publish(f.Record)
	return receipt, nil
}

// noteWriting remembers whether sign-ins can be written down: readiness tells of it, since reading may go on all the while.
func (g *Gateway) noteWriting(err error) {
	if err != nil {
		g.watch.unwritten.Store(&err)
	} else if g.watch.unwritten.Load() != nil {
		g.watch.unwritten.Store(nil)
	}
}
