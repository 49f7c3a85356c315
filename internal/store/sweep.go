package store

import (
	"context"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// chunk bounds the rows of one transaction of bulk work: about 20 ms, so that sign-ins go on beside it.
const chunk = 200

// Sweep closes the attempts whose last step is older than before and that were never finished: each gets a final
// Challenged record and its row in the sign-in log. Removing the open attempt is the claim: of several gateways one gets
// it. What was closed is returned, also beside an error.
func (d *DB) Sweep(ctx context.Context, before time.Time) ([]authn.Record, error) {
	var swept []authn.Record
	for {
		var some []authn.Record
		err := d.write(ctx, func(t *tx) (err error) {
			some, err = sweepSome(t, before, d.clock.Now())
			return err
		})
		if err != nil {
			return swept, fmt.Errorf("close unfinished sign-ins: %w", err)
		}
		if swept = append(swept, some...); len(some) < chunk {
			return swept, nil
		}
	}
}

func sweepSome(t *tx, before, now time.Time) ([]authn.Record, error) {
	rows, err := t.rows(`SELECT attempt FROM open_attempts WHERE at < $1 ORDER BY at LIMIT $2`, stamp(before), chunk)
	if err != nil {
		return nil, err
	}
	ids, err := collect(rows, column[authn.AttemptID])
	if err != nil {
		return nil, err
	}
	var closed []authn.Record
	for _, id := range ids {
		r, err := sweepOne(t, id, now)
		if err != nil {
			return nil, err
		}
		closed = append(closed, r...)
	}
	return closed, nil
}

// sweepOne closes one attempt; none is returned when another gateway was first.
func sweepOne(t *tx, id authn.AttemptID, now time.Time) ([]authn.Record, error) {
	n, err := t.exec(`DELETE FROM open_attempts WHERE attempt = $1`, string(id))
	if err != nil || n == 0 {
		return nil, err
	}
	rows, err := t.rows(`SELECT body FROM records WHERE attempt = $1 ORDER BY seq DESC LIMIT 1`, string(id))
	if err != nil {
		return nil, err
	}
	last, err := collect(rows, body[authn.Record])
	if err != nil || len(last) == 0 {
		return nil, err
	}
	r := last[0]
	r.Seq, r.At, r.Took, r.Final, r.Locked, r.Check, r.Cause = r.Seq+1, now, 0, true, false, "", ""
	r.Verdict = authn.Challenged
	switch path := r.Realm.Path; {
	case path == authn.PathFederated:
		r.Reason = authn.IdPAbandoned
	case r.Reason.VerdictOn(path) != authn.Challenged: // else it still says what the sign-in waited for
		r.Reason = authn.None
	}
	if r, err = appendRecord(t, r); err != nil {
		return nil, err
	}
	return []authn.Record{r}, putSignIn(t, r, true)
}

// Purge forgets what retention says: records and sign-in rows from before that time, tallies that nothing was added to
// since, used-up ids and sessions that are over, invitations and tokens past their end. It returns the number of rows.
func (d *DB) Purge(ctx context.Context, before time.Time) (int, error) {
	// Ids that are good once expire by protocol time, which the lab's clock doesn't move: forgotten earlier, they could be replayed.
	used := before
	if now := time.Now(); now.Before(used) { //nolint:forbidigo // protocol time is real
		used = now
	}
	now := stamp(d.clock.Now())
	total := 0
	for _, p := range []struct {
		query string
		at    int64
	}{
		{`DELETE FROM records WHERE (attempt, seq) IN (SELECT attempt, seq FROM records WHERE at < $1 LIMIT $2)`, stamp(before)},
		{`DELETE FROM signins WHERE (attempt, seq) IN (SELECT attempt, seq FROM signins WHERE at < $1 LIMIT $2)`, stamp(before)},
		{`DELETE FROM open_attempts WHERE attempt IN (SELECT attempt FROM open_attempts WHERE at < $1 LIMIT $2)`, stamp(before)},
		{`DELETE FROM tallies WHERE name IN (SELECT name FROM tallies WHERE last_failure < $1 AND locked_until < $1 LIMIT $2)`, stamp(before)},
		{`DELETE FROM once_ids WHERE (kind, id) IN (SELECT kind, id FROM once_ids WHERE ends < $1 LIMIT $2)`, stamp(used)},
		{`DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE ends <= $1 OR (idle_for > 0 AND last_seen + idle_for <= $1) LIMIT $2)`, now},
		{`DELETE FROM invitations WHERE hash IN (SELECT hash FROM invitations WHERE ends <= $1 LIMIT $2)`, now},
		{`DELETE FROM tokens WHERE id IN (SELECT id FROM tokens WHERE ends <= $1 LIMIT $2)`, stamp(d.unmoved())},
	} {
		n, err := d.purge(ctx, p.query, p.at)
		if total += n; err != nil {
			return total, fmt.Errorf("purge: %w", err)
		}
	}
	return total, nil
}

// purge repeats a bounded deletion until there is nothing left to delete.
func (d *DB) purge(ctx context.Context, query string, at int64) (int, error) {
	for total := 0; ; {
		var n int64
		err := d.write(ctx, func(t *tx) (err error) {
			n, err = t.exec(query, at, chunk)
			return err
		})
		if total += int(n); err != nil || n < chunk {
			return total, err
		}
	}
}
