package store

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// What one transaction of the writer takes in: so many writes, or as long as this, whatever is reached first.
const (
	groupSize = 64
	groupTime = 20 * time.Millisecond
)

// write is one all-or-nothing change. Its waiter or the writer claims it, whoever is first: a waiter that gave up before
// the writer came knows for sure that nothing is stored, and one that is too late waits for the outcome.
type write struct {
	do      func(*tx) error
	beside  string // a database file that do sees as "kept"; such a write has a transaction of its own
	bulk    bool   // has a transaction of its own: nobody who signs in waits for more of it than for its rest
	claimed atomic.Bool
	err     error
	done    chan struct{}
}

// writer carries out all writes, one after another, many to a transaction: the flush to disk is shared.
type writer struct {
	settler *checkpointer
	tx      *tx
	queue   chan *write
	over    chan struct{}

	small atomic.Int64 // writes that were asked for and are no bulk work

	mu     sync.RWMutex // held for reading while a write is handed over
	closed bool
}

func startWriter(e *engine, p pools, clock authn.Clock) *writer {
	w := &writer{settler: p.settler, tx: &tx{engine: e, db: p.writing, clock: clock}, queue: make(chan *write, 4*groupSize), over: make(chan struct{})}
	go w.run()
	return w
}

// write runs do within a transaction and returns when it is durable. do's error, or that of the transaction as a whole,
// means that nothing of it was stored; so does an error of ctx. do must not keep tx, and must bear being called never.
func (d *DB) write(ctx context.Context, do func(*tx) error) error {
	d.writer.small.Add(1)
	return d.submit(ctx, &write{do: do, done: make(chan struct{})})
}

// writeBulk is write for a part of a large change. While people sign in beside it, it rests as long as it worked.
func (d *DB) writeBulk(ctx context.Context, do func(*tx) error) error {
	began, before := time.Now(), d.writer.small.Load() //nolint:forbidigo // measures the work, decides nothing
	err := d.submit(ctx, &write{do: do, bulk: true, done: make(chan struct{})})
	if d.writer.small.Load() != before {
		select {
		case <-time.After(time.Since(began)):
		case <-ctx.Done(): // what was done is done
		}
	}
	return err
}

func (d *DB) submit(ctx context.Context, j *write) error {
	if err := d.writer.hand(ctx, j); err != nil {
		return err
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		if j.claimed.CompareAndSwap(false, true) {
			return fmt.Errorf("nothing was stored: %w", ctx.Err())
		}
		<-j.done
	}
	return j.err
}

func (w *writer) hand(ctx context.Context, j *write) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	select {
	case w.queue <- j:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("nothing was stored, the store is busy: %w", ctx.Err())
	}
}

func (w *writer) close() error {
	w.mu.Lock()
	first := !w.closed
	if w.closed = true; first {
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.over
	if !first {
		return nil
	}
	return w.tx.drop()
}

func (w *writer) run() {
	defer close(w.over)
	for first := range w.queue {
		for first != nil && !first.claimed.Load() { // its waiter has gone: not worth waiting for a lock
			first = w.group(first)
		}
	}
}

// group commits first and what else is waiting. Who is in the group learns its outcome only once that is certain. What was
// taken from the queue and wants a transaction of its own is left over.
func (w *writer) group(first *write) (left *write) {
	began := time.Now() //nolint:forbidigo // measures the transaction, decides nothing
	if err := w.open(first.beside); err != nil {
		w.tx.rollback()
		if first.claimed.CompareAndSwap(false, true) {
			first.finish(fmt.Errorf("nothing was stored: %w", err))
		}
		return nil
	}
	var members []*write
	var failed error
	for j := first; j != nil; j = w.next(first, len(members), began) {
		if j != first && j.alone() {
			left = j
			break
		}
		if !j.claimed.CompareAndSwap(false, true) {
			continue
		}
		members = append(members, j)
		if j.err, failed = w.tx.savepoint(j.do); failed != nil {
			break // the next one isn't taken from the queue: it belongs to the next transaction
		}
	}
	if failed == nil {
		failed = w.tx.commit()
	}
	if failed != nil {
		w.tx.rollback()
	}
	w.shut(first.beside)
	if w.settler != nil {
		w.settler.committed()
	}
	for _, j := range members {
		if failed != nil {
			j.err = fmt.Errorf("nothing was stored: %w", failed)
		}
		j.finish(j.err)
	}
	return left
}

// open begins a transaction that sees the file beside as "kept"; "" is none. A database can't be attached within one.
func (w *writer) open(beside string) error {
	if beside != "" {
		if _, err := w.tx.exec(`ATTACH DATABASE $1 AS kept`, beside); err != nil {
			return err
		}
	}
	err := w.tx.begin()
	if err != nil {
		w.shut(beside)
	}
	return err
}

// shut lets go of the file beside. It was only read, so whatever goes wrong here loses nothing.
func (w *writer) shut(beside string) {
	if beside != "" {
		_, _ = w.tx.exec(`DETACH DATABASE kept`)
	}
}

// next is a write that is waiting already, or nil when the group is full.
func (w *writer) next(first *write, members int, began time.Time) *write {
	if first.alone() || members >= groupSize || time.Since(began) >= groupTime {
		return nil
	}
	select {
	case j := <-w.queue: // nil when the queue is closed and empty
		return j
	default:
		return nil
	}
}

func (j *write) alone() bool { return j.bulk || j.beside != "" }

func (j *write) finish(err error) {
	j.err = err
	close(j.done)
}
