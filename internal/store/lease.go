package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/internal/directory"
)

// TakeSync gives the right to synchronise until l.Until, with an epoch of its own. before is the run that was at work and came
// to no end; its Run is "" when the last one did. directory.ErrLeased when another run is at work.
func (d *DB) TakeSync(ctx context.Context, l directory.Lease) (taken, before directory.Lease, err error) {
	err = d.write(ctx, func(t *tx) error {
		if before, err = leaseIn(t); err != nil {
			return err
		}
		if before.Until.After(d.clock.Now()) {
			return before.Held()
		}
		taken = l
		taken.Epoch = before.Epoch + 1
		_, err := t.exec(`UPDATE sync_lease SET epoch = $1, run = $2, kind = $3, holder = $4, began = $5, expires = $6`,
			taken.Epoch, l.Run, l.Kind, l.Holder, stamp(l.Began), stamp(l.Until))
		return err
	})
	return taken, before, err
}

// SyncLease is who synchronises, or did last when its Run is "".
func (d *DB) SyncLease(ctx context.Context) (directory.Lease, error) {
	return one(ctx, d, "who synchronises", scanLease, selectLease)
}

const selectLease = `SELECT epoch, run, kind, holder, began, expires FROM sync_lease`

func leaseIn(t *tx) (directory.Lease, error) { return scanLease(t.row(selectLease)) }

func scanLease(r row) (l directory.Lease, err error) {
	var began, expires int64
	err = r.Scan(&l.Epoch, &l.Run, &l.Kind, &l.Holder, &began, &expires)
	l.Began, l.Until = moment(began), moment(expires)
	return l, err
}

// KeepSync prolongs the right to synchronise; directory.ErrLeaseLost when it was lost.
func (d *DB) KeepSync(ctx context.Context, epoch int64, until time.Time) error {
	return d.write(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE sync_lease SET expires = $2 WHERE epoch = $1 AND expires > 0`, epoch, stamp(until))
		return errors.Join(err, leaseLost(n > 0 || err != nil))
	})
}

// EndSync gives the right to synchronise back; it is nothing when another took over meanwhile.
func (d *DB) EndSync(ctx context.Context, epoch int64) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE sync_lease SET run = '', expires = 0 WHERE epoch = $1`, epoch)
		return err
	})
}

// releaseSync ends what a gateway left that is gone for sure: a store that only one can have open had no other.
func releaseSync(t *tx) error {
	_, err := t.exec(`UPDATE sync_lease SET expires = 0`)
	return err
}

// leased refuses a write of a run that lost its right. Epoch 0 is no run's.
func leased(t *tx, epoch int64) error {
	if epoch == 0 {
		return nil
	}
	l, err := leaseIn(t)
	if err != nil {
		return err
	}
	return leaseLost(l.Epoch == epoch && !l.Until.IsZero())
}

func leaseLost(held bool) error {
	if held {
		return nil
	}
	return fmt.Errorf("%w: another gateway took over; its run goes on where this one stopped", directory.ErrLeaseLost)
}
