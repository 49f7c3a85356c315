package passhash

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"
)

// ErrFull says that too many hashes wait already: the caller sheds, it does not queue.
var ErrFull = errors.New("the hash queue is full")

// Pool bounds how many hashes are computed at once (CPU and, for Argon2id, memory) and how many may wait.
type Pool struct {
	slots   chan struct{}
	waiting atomic.Int64
	limit   int64
}

// NewPool makes a pool of that many workers (0: one per CPU) and waiting places (0: 32 per worker).
func NewPool(workers, queue int) *Pool {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if queue <= 0 {
		queue = 32 * workers
	}
	return &Pool{slots: make(chan struct{}, workers), limit: int64(queue)}
}

// Do runs work on the caller's goroutine once a worker's place is free, and returns how long it waited. ErrFull comes at
// once; when ctx ends first, its error.
func (p *Pool) Do(ctx context.Context, work func()) (time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	began := time.Now() //nolint:forbidigo // the wait is a measurement, not policy
	select {
	case p.slots <- struct{}{}:
	default:
		if err := p.wait(ctx); err != nil {
			return time.Since(began), err
		}
	}
	defer func() { <-p.slots }()
	waited := time.Since(began)
	work()
	return waited, nil
}

func (p *Pool) wait(ctx context.Context) error {
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > p.limit {
		return ErrFull
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Waiting is how many hashes wait now.
func (p *Pool) Waiting() int { return int(p.waiting.Load()) }

// Full reports that Do would answer ErrFull now, so that a caller can turn people away before it has done other work for them.
func (p *Pool) Full() bool { return p.waiting.Load() >= p.limit }
