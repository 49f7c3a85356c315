package agent

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/dirsync"
)

// batchSize bounds the objects of one batch.
const batchSize = 500

// ordered takes the gateway's wish to synchronise. One run goes on at a time.
func (a *agent) ordered(ctx context.Context, msg *nats.Msg) {
	o, err := a.recv.Order(msg.Data, a.Clock.Now())
	if err != nil {
		a.Log.Warn("refused an order to synchronise", "error", err)
		return
	}
	if !a.book.take("run "+o.Run, o.Issued.Add(2*time.Minute)) {
		a.Log.Warn("dropped an order to synchronise that came before", "run", o.Run)
		return
	}
	if !a.begin(func() { a.synchronise(ctx, o) }) {
		a.Log.Warn("dropped an order to synchronise: this agent is stopping", "run", o.Run)
	}
}

func (a *agent) synchronise(ctx context.Context, o agentlink.Order) {
	up := agentlink.NewUplink(a.Identity, a.conn, a.Clock, o)
	err := a.read(ctx, o, up)
	last := dirsync.Batch{Last: err == nil}
	var sent *sendError
	switch {
	case errors.As(err, &sent): // the gateway ended the run, or is gone
		a.Log.Warn("the synchronisation was not taken", "run", o.Run, "error", err)
		return
	case err != nil:
		last.Error = err.Error()
		a.Log.Warn("the directory could not be read", "run", o.Run, "error", err)
	}
	if err := up.Send(ctx, last); err != nil {
		a.Log.Warn("the synchronisation was not taken", "run", o.Run, "error", err)
		return
	}
	a.Log.Info("synchronised", "run", o.Run, "kind", string(o.Kind), "complete", last.Last)
}

// sendError tells trouble with the gateway apart from trouble with the directory.
type sendError struct{ error }

func (e *sendError) Unwrap() error { return e.error }

func (a *agent) read(ctx context.Context, o agentlink.Order, up *agentlink.Uplink) error {
	if a.Source == nil {
		return errors.New("this agent has no sync role in its configuration")
	}
	select {
	case a.runs <- struct{}{}:
		defer func() { <-a.runs }()
	default:
		return errors.New("another run goes on at this agent")
	}
	return a.Source.Read(ctx, o.Ask, func(p dirsync.Part) error {
		for whole := p; ; {
			p.Objects = whole.Objects[:min(len(whole.Objects), batchSize)]
			whole.Objects = whole.Objects[len(p.Objects):]
			p.Cursor = whole.Cursor
			if len(whole.Objects) > 0 {
				p.Cursor = nil // not yet
			}
			if err := up.Send(ctx, dirsync.Batch{Part: p}); err != nil {
				return &sendError{err}
			}
			if len(whole.Objects) == 0 {
				return nil
			}
		}
	})
}
