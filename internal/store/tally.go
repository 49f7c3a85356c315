package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

const selectTally = `SELECT failures, lockouts, last_failure, locked_until FROM tallies WHERE name = $1`

// Tally returns what is remembered of the guesses under a key; the zero Tally when there were none.
func (d *DB) Tally(ctx context.Context, key string) (authn.Tally, error) {
	t, err := one(ctx, d, "tally "+key, scanTally, selectTally, key)
	if errors.Is(err, directory.ErrNotFound) {
		return authn.Tally{}, nil
	}
	return t, err
}

// SetTally replaces a tally; the zero Tally unlocks.
func (d *DB) SetTally(ctx context.Context, key string, to authn.Tally) error {
	return d.write(ctx, func(t *tx) error { return putTally(t, key, to) })
}

func readTally(t *tx, key string) (authn.Tally, error) {
	tally, err := scanTally(t.row(selectTally, key))
	if errors.Is(err, sql.ErrNoRows) {
		return authn.Tally{}, nil
	}
	return tally, err
}

func putTally(t *tx, key string, to authn.Tally) (err error) {
	if sameTally(to, authn.Tally{}) {
		_, err = t.exec(`DELETE FROM tallies WHERE name = $1`, key)
		return err
	}
	_, err = t.exec(`INSERT INTO tallies (name, failures, lockouts, last_failure, locked_until) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, lockouts = excluded.lockouts, last_failure = excluded.last_failure, locked_until = excluded.locked_until`,
		key, to.Failures, to.Lockouts, stamp(to.LastFailure), stamp(to.LockedUntil))
	return err
}

func scanTally(r row) (t authn.Tally, err error) {
	var last, until int64
	err = r.Scan(&t.Failures, &t.Lockouts, &last, &until)
	t.LastFailure, t.LockedUntil = moment(last), moment(until)
	return t, err
}

func sameTally(a, b authn.Tally) bool {
	return a.Failures == b.Failures && a.Lockouts == b.Lockouts && a.LastFailure.Equal(b.LastFailure) && a.LockedUntil.Equal(b.LockedUntil)
}
