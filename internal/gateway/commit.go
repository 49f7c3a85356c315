package gateway

import (
	"context"

	"github.com/fourways-id/fourways/authn"
)

// committer is the store, and after it those who are told: log line, metric and live stream speak only of what is durable.
type committer struct{ g *Gateway }

// Commit implements authn.Committer.
func (c *committer) Commit(ctx context.Context, f authn.Final) (authn.Receipt, error) {
	receipt, err := c.write(ctx, &f)
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

// write writes to the store, marked with what a lab broke on the way. While the store itself is broken on purpose, that is
// what readiness tells of: it is not the store that can't write.
func (c *committer) write(ctx context.Context, f *authn.Final) (authn.Receipt, error) {
	if h := c.g.hops(); h != nil {
		if err := h.Pass(ctx, HopStore, f.Record.Who); err != nil {
			return authn.Receipt{}, err
		}
		f.Record.Steps = h.Badge(f.Record)
	}
	receipt, err := c.g.core.store.Commit(ctx, *f)
	c.g.noteWriting(err)
	return receipt, err
}

// noteWriting remembers whether sign-ins can be written down: readiness tells of it, since reading may go on all the while.
func (g *Gateway) noteWriting(err error) {
	if err != nil {
		g.watch.unwritten.Store(&err)
	} else if g.watch.unwritten.Load() != nil {
		g.watch.unwritten.Store(nil)
	}
}
