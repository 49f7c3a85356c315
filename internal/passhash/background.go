package passhash

import (
	"context"
	"time"
)

// Background computes hashes for which nobody waits at the door: one at a time, and after each it rests for as long as that
// took. So all of them together never take more than half of one processor from the sign-ins.
type Background struct{ turn chan struct{} }

// NewBackground makes one, for all who share it.
func NewBackground() *Background { return &Background{turn: make(chan struct{}, 1)} }

// Do waits for its turn, does the work, and rests. It gives an error only when ctx ended before the work began.
func (b *Background) Do(ctx context.Context, work func()) error {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.turn }()
	if err := ctx.Err(); err != nil {
		return err
	}
	began := time.Now() //nolint:forbidigo // measures the work, is not policy
	work()
	rest := time.NewTimer(time.Since(began))
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-ctx.Done():
	}
	return nil
}
