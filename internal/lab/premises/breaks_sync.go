package premises

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fourways-id/fourways/internal/dirsync"
)

// faultySource is the forest as a syncing agent reads it, with what somebody broke about the reading.
type faultySource struct {
	dirsync.Source
	of    *Premises
	agent string
}

// lost is the cursor of an answer that was broken on purpose. Nothing goes on from there: the next read is of everything,
// so that no fault outlives its clearing.
const lost = "lost"

// Read implements dirsync.Source. Only runs are broken: who watches for changes or looks one object up sees the truth.
func (s faultySource) Read(ctx context.Context, ask dirsync.Ask, yield func(dirsync.Part) error) error {
	run := ask.Kind == dirsync.KindDirectory || ask.Kind == dirsync.KindHash
	if run {
		if pause, hit := s.of.with.Faults.Strikes("sync-paused", s.of.target("", s.agent)); hit {
			if err := heldUp(ctx, pause.Over); err != nil {
				return err
			}
		}
	}
	if string(ask.Cursor) == lost {
		ask.Cursor, yield = nil, noting("the answer before was broken on purpose", yield)
	}
	if run {
		if _, hit := s.of.with.Faults.Strikes("sync-empty-result", s.of.target("", s.agent)); hit {
			return nothing(ask, yield)
		}
	}
	if ask.Kind == dirsync.KindDirectory && (s.of.with.Faults.On("sync-mass-delete") || s.of.with.Faults.On("sync-bad-object")) {
		return s.distorted(ctx, ask, yield)
	}
	return s.Source.Read(ctx, ask, yield)
}

// noting has the first part say why all is read although a cursor was given.
func noting(why string, yield func(dirsync.Part) error) func(dirsync.Part) error {
	return func(p dirsync.Part) error {
		p.Note, why = why, ""
		return yield(p)
	}
}

// nothing is the answer of a directory in which nobody is found. Of hashes it is one in which nothing changed: a run of
// them deletes nobody.
func nothing(ask dirsync.Ask, yield func(dirsync.Part) error) error {
	if ask.Kind == dirsync.KindHash && len(ask.Cursor) > 0 {
		return yield(dirsync.Part{Cursor: ask.Cursor})
	}
	if err := yield(dirsync.Part{Full: true}); err != nil {
		return err
	}
	return yield(dirsync.Part{Full: true, Cursor: []byte(lost)})
}

// distorted reads everybody, whatever changed since: a fault hits who is there. An answer to a cursor stays one that names
// changes, in which whoever is missing is said to be gone; in one that names all they are left out.
func (s faultySource) distorted(ctx context.Context, ask dirsync.Ask, yield func(dirsync.Part) error) error {
	full := len(ask.Cursor) == 0
	ask.Cursor = nil
	var gone, broken tally
	return s.Source.Read(ctx, ask, func(p dirsync.Part) error {
		p.Objects = slices.Clone(p.Objects)
		rest := p.Objects[:0]
		for _, o := range p.Objects {
			switch {
			case s.hits("sync-mass-delete", o, &gone):
				if full {
					continue
				}
				o = dirsync.Object{Kind: o.Kind, ID: o.ID, Gone: true, Reason: "the directory search no longer finds it"}
			case s.hits("sync-bad-object", o, &broken):
				o.UPN = "(damaged) " + o.UPN // no name that an account can have
			}
			rest = append(rest, o)
		}
		p.Objects, p.Full = rest, full
		if len(p.Cursor) > 0 {
			p.Cursor = []byte(lost)
		}
		return yield(p)
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
