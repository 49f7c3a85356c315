package premises

import (
	"context"
	"errors"
	"time"

	"github.com/fourways-id/fourways/internal/dirsync"
)

// faultySource is the forest as a syncing agent reads it, with what somebody broke about the reading.
type faultySource struct {
	dirsync.Source
	of    *Premises
	agent string
}

// Read implements dirsync.Source.
func (s faultySource) Read(ctx context.Context, kind dirsync.Kind, yield func([]dirsync.Object) error) error {
	board, all := s.of.with.Faults, s.of.target("", s.agent)
	if pause, hit := board.Strikes("sync-paused", all); hit {
		if err := heldUp(ctx, pause.Over); err != nil {
			return err
		}
	}
	if _, hit := board.Strikes("sync-empty-result", all); hit {
		return nil
	}
	if kind != dirsync.KindDirectory { // a run of hashes deletes nobody and names nobody
		return s.Source.Read(ctx, kind, yield)
	}
	var gone, broken tally
	return s.Source.Read(ctx, kind, func(page []dirsync.Object) error {
		rest := make([]dirsync.Object, 0, len(page))
		for _, o := range page {
			if s.hits("sync-mass-delete", o, &gone) {
				continue
			}
			if s.hits("sync-bad-object", o, &broken) {
				o.UPN = "(damaged) " + o.UPN // no name that an account can have
			}
			rest = append(rest, o)
		}
		if len(rest) == 0 {
			return nil
		}
		return yield(rest)
	})
}

// tally counts whom a fault hit in one run.
type tally struct{ hit, most int }

// hits reports that a person is one of those that a fault is about: so many in a run, not more.
func (s faultySource) hits(name string, o dirsync.Object, so *tally) bool {
	if o.Kind != dirsync.User || so.hit > 0 && so.hit >= so.most {
		return false
	}
	strike, hit := s.of.with.Faults.Strikes(name, s.of.target(o.UPN, s.agent))
	if hit {
		so.hit, so.most = so.hit+1, strike.Count
	}
	return hit
}

// givenUp is when the gateway waits for a run no longer (internal/agentlink).
const givenUp = 2 * time.Minute

// heldUp waits until a run may go on.
func heldUp(ctx context.Context, over <-chan struct{}) error {
	late := time.NewTimer(givenUp)
	defer late.Stop()
	select {
	case <-over:
		return nil
	case <-late.C:
		return errors.New("the synchronisation was held up")
	case <-ctx.Done():
		return ctx.Err()
	}
}
