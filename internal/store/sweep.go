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
