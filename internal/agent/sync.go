package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
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
	if o.Kind == dirsync.KindDirectory || o.Kind == dirsync.KindHash {
		turn, end := a.turns.take(ctx, o.Issued)
		defer end()
		ctx = turn
	}
	up := &upward{ctx: ctx, send: agentlink.NewUplink(a.Identity, a.conn, a.Clock, o).Send}
	err := a.read(ctx, o.Ask, up.part)
	if sent := (*sendError)(nil); !errors.As(err, &sent) {
		if err != nil {
			a.Log.Warn("the directory could not be read", "run", o.Run, "kind", string(o.Kind), "error", err)
		}
		err = errors.Join(err, up.end(err))
	}
	if sent := (*sendError)(nil); errors.As(err, &sent) { // the gateway ended the run, or is gone
		a.Log.Warn("the synchronisation was not taken", "run", o.Run, "error", err)
		return
	}
	if o.Kind == dirsync.KindDirectory || o.Kind == dirsync.KindHash { // the others come every few seconds
		a.Log.Info("synchronised", "run", o.Run, "kind", string(o.Kind), "complete", err == nil)
	}
}

// sendError tells trouble with the gateway apart from trouble with the directory.
type sendError struct{ error }

func (e *sendError) Unwrap() error { return e.error }

// read has the source read. A look or a write-back waits for the one before it, and never for a run.
func (a *agent) read(ctx context.Context, ask dirsync.Ask, yield func(dirsync.Part) error) error {
	switch {
	case a.Source == nil:
		return errors.New("this agent has no sync role in its configuration")
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case ask.Kind != dirsync.KindDirectory && ask.Kind != dirsync.KindHash:
		return a.look(ctx, ask, yield)
	}
	return a.Source.Read(ctx, ask, yield)
}

// lookWithin is how long the gateway waits for the first word of an answer: nobody hears what comes later.
const lookWithin = 2 * time.Minute

// look has what is no run read, one at a time. One that hangs must not keep out those after it.
func (a *agent) look(ctx context.Context, ask dirsync.Ask, yield func(dirsync.Part) error) error {
	within := cmp.Or(a.Lab.LookWithin, lookWithin)
	turn := time.NewTimer(2 * within)
	defer turn.Stop()
	select {
	case a.looks <- struct{}{}:
		defer func() { <-a.looks }()
	case <-turn.C:
		return fmt.Errorf("what was asked before it kept the directory busy for %s", 2*within)
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("the directory took longer than %s for it", within))
	defer cancel()
	err := a.Source.Read(ctx, ask, yield)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// turns lets one run go on at a time. The gateway has one at a time itself, so an order that is newer than the run that goes
// on means that nobody waits for that one any more: its gateway was killed, or lost its lease. It is ended.
type turns struct {
	mu  sync.Mutex
	now *turn // nil: nobody's
}

type turn struct {
	issued time.Time
	end    context.CancelCauseFunc
	over   chan struct{}
}

// leaveWithin is what a run gets that has sent its last batch and is about to end by itself.
const leaveWithin = 500 * time.Millisecond

// leave ends a turn and waits until it is over.
func (t *turn) leave() {
	soon := time.NewTimer(leaveWithin)
	defer soon.Stop()
	select {
	case <-t.over:
		return
	case <-soon.C:
	}
	t.end(errNewer)
	<-t.over
}

var errNewer = errors.New("a newer run took the place of this one")

// take ends the run that goes on, waits until it has ended, and gives a context that the next one ends. Of an order that is
// older than the run that goes on the context is over from the beginning.
func (t *turns) take(ctx context.Context, issued time.Time) (run context.Context, done func()) {
	run, end := context.WithCancelCause(ctx)
	mine := &turn{issued: issued, end: end, over: make(chan struct{})}
	t.mu.Lock()
	before := t.now
	if before != nil && issued.Before(before.issued) {
		t.mu.Unlock()
		end(errNewer)
		return run, func() {}
	}
	t.now = mine
	t.mu.Unlock()
	if before != nil {
		before.leave()
	}
	return run, func() {
		end(nil)
		close(mine.over)
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.now == mine {
			t.now = nil
		}
	}
}

// upward sends what a source yields, in batches. It holds the newest one back: the last of an answer says that it is.
type upward struct {
	ctx  context.Context //nolint:containedctx // of one answer
	send func(context.Context, dirsync.Batch) error
	held *dirsync.Batch
	full bool
}

func (u *upward) part(whole dirsync.Part) error {
	u.full = whole.Full
	for {
		p := whole
		p.Objects = whole.Objects[:min(len(whole.Objects), batchSize)]
		whole.Objects = whole.Objects[len(p.Objects):]
		whole.Note, whole.Writable = "", nil
		if len(whole.Objects) > 0 {
			p.Cursor = nil // not yet
		}
		if err := u.push(dirsync.Batch{Part: p}); err != nil {
			return err
		}
		if len(whole.Objects) == 0 {
			return nil
		}
	}
}

func (u *upward) push(b dirsync.Batch) error {
	before := u.held
	u.held = &b
	if before == nil {
		return nil
	}
	if err := u.send(u.ctx, *before); err != nil {
		return &sendError{err}
	}
	return nil
}

// end sends what is held back, as the last batch, or the error that came instead of more.
func (u *upward) end(failed error) error {
	if failed != nil || u.held == nil {
		b := dirsync.Batch{Part: dirsync.Part{Full: u.full}, Last: failed == nil}
		if failed != nil {
			b.Error = line(failed)
		}
		if err := u.push(b); err != nil {
			return err
		}
	} else {
		u.held.Last = true
	}
	if err := u.send(u.ctx, *u.held); err != nil {
		return &sendError{err}
	}
	return nil
}
