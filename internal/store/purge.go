package store

import (
	"context"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Purge forgets what retention says: records, sign-in rows and synchronisation runs from before that time, but for the last
// run; tallies that nothing was added to since, used-up ids, sessions and tokens that were over then, invitations and answers
// past their end, and licences suspended before that time. When the sign-in log then still has more rows than most, the oldest attempts go, with their records; 0 is no bound.
// It returns the number of rows. It works in short writes between which sign-ins go on.
func (d *DB) Purge(ctx context.Context, before time.Time, most int) (int, error) {
	total := 0
	for _, o := range d.outdated(before) {
		n, err := d.purge(ctx, o)
		if total += n; err != nil {
			return total, fmt.Errorf("purge: %w", err)
		}
	}
	n, err := d.shorten(ctx, most)
	if err != nil {
		err = fmt.Errorf("purge: shorten the sign-in log: %w", err)
	}
	return total + n, err
}

// outdated is what is deleted in one table, so many rows ($2) at once, by a time ($1).
type outdated struct {
	query string
	at    int64
}

func (d *DB) outdated(before time.Time) []outdated {
	// Ids that are good once expire by protocol time, which the lab's clock doesn't move: forgotten earlier, they could be replayed.
	used := before
	if now := time.Now(); now.Before(used) { //nolint:forbidigo // protocol time is real
		used = now
	}
	now := stamp(d.clock.Now())
	return []outdated{
		{`DELETE FROM records WHERE (attempt, seq) IN (SELECT attempt, seq FROM records WHERE at < $1 LIMIT $2)`, stamp(before)},
		{`DELETE FROM signins WHERE (attempt, seq) IN (SELECT attempt, seq FROM signins WHERE at < $1 LIMIT $2)`, stamp(before)},
		{`DELETE FROM open_attempts WHERE attempt IN (SELECT attempt FROM open_attempts WHERE at < $1 LIMIT $2)`, stamp(before)},
		{`DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE began < $1 AND began < (SELECT max(began) FROM runs) LIMIT $2)`, stamp(before)},
		{`DELETE FROM tallies WHERE name IN (SELECT name FROM tallies WHERE last_failure < $1 AND locked_until < $1 LIMIT $2)`, stamp(before)},
		{`DELETE FROM once_ids WHERE (kind, id) IN (SELECT kind, id FROM once_ids WHERE ends < $1 LIMIT $2)`, stamp(used)},
		{`DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE ends <= $1 LIMIT $2)`, now},
		{`DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE idle_for > 0 AND last_seen + idle_for <= $1 LIMIT $2)`, now},
		{`DELETE FROM invitations WHERE hash IN (SELECT hash FROM invitations WHERE ends <= $1 LIMIT $2)`, now},
		{`DELETE FROM tokens WHERE id IN (SELECT id FROM tokens WHERE ends < $1 LIMIT $2)`, stamp(used)},
		{`DELETE FROM licences WHERE (account, plan, source) IN (SELECT account, plan, source FROM licences WHERE state = 'suspended' AND why <> 'the account is deleted' AND since < $1 LIMIT $2)`, stamp(before)},
		{`DELETE FROM answers WHERE (token, name) IN (SELECT token, name FROM answers WHERE ends <= $1 LIMIT $2)`, stamp(realNow())},
	}
}

// purge repeats a bounded deletion until there is nothing left to delete.
func (d *DB) purge(ctx context.Context, o outdated) (int, error) {
	for total := 0; ; {
		var n int64
		err := d.writeBulk(ctx, func(t *tx) (err error) {
			n, err = t.exec(o.query, o.at, chunk)
			return err
		})
		if total += int(n); err != nil || n < chunk {
			return total, err
		}
	}
}

// shorten removes the oldest attempts of the sign-in log until it has no more than most rows.
func (d *DB) shorten(ctx context.Context, most int) (total int, err error) {
	if most <= 0 {
		return 0, nil
	}
	rows, err := one(ctx, d, "length of the sign-in log", column[int], `SELECT count(*) FROM signins`)
	for excess := rows - most; err == nil && excess > 0; {
		err = d.writeBulk(ctx, func(t *tx) error {
			signins, all, err := dropOldest(t, min(excess, chunk))
			if signins == 0 && err == nil {
				excess = 0 // another gateway was here
			}
			excess, total = excess-signins, total+all
			return err
		})
	}
	return total, err
}

// dropOldest removes the attempts of the oldest so many rows of the sign-in log; it returns how many of these rows, and
// how many rows in all.
func dropOldest(t *tx, n int) (signins, all int, err error) {
	rows, err := t.rows(`SELECT attempt FROM signins ORDER BY at LIMIT $1`, n)
	if err != nil {
		return 0, 0, err
	}
	attempts, err := collect(rows, column[authn.AttemptID])
	if err != nil {
		return 0, 0, err
	}
	for _, id := range attempts {
		of, err1 := t.exec(`DELETE FROM signins WHERE attempt = $1`, string(id))
		steps, err2 := t.exec(`DELETE FROM records WHERE attempt = $1`, string(id))
		for _, err := range []error{err1, err2} {
			if err != nil {
				return 0, 0, err
			}
		}
		signins, all = signins+int(of), all+int(of+steps)
	}
	return signins, all, nil
}
