package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// Assign gives an account a licence. allow judges the account and the seats that are free within the same write; who has a
// seat already, from a group, needs none. A licence that was given before is left as it is.
func (d *DB) Assign(ctx context.Context, plan string, id authn.AccountID, allow func(u directory.User, p directory.Plan, free int) error) error {
	return d.write(ctx, func(t *tx) error {
		p, err := planIn(t, plan)
		if err != nil {
			return err
		}
		u, err := userIn(t, id)
		if err != nil {
			return err
		}
		free, err := freeSeats(t, plan)
		if err != nil {
			return err
		}
		seated, err := t.exists(`SELECT 1 FROM licences WHERE account = $1 AND plan = $2 AND state = 'active'`, string(id), plan)
		if err != nil {
			return err
		}
		if seated {
			free++
		}
		if err := allow(u, p, free); err != nil {
			return err
		}
		l := licensing{tx: t, now: stamp(t.clock.Now())}
		direct := directory.Licence{Account: id, Plan: plan}
		given, err := t.exists(`SELECT 1 FROM licences WHERE account = $1 AND plan = $2 AND source = ''`, string(id), plan)
		if err != nil || given {
			return err
		}
		if err := l.put(direct, directory.LicenceRefused, directory.WhyNoSeat); err != nil {
			return err
		}
		if !seated {
			_, err = seat(t, plan)
			return err
		}
		return l.put(direct, directory.LicenceActive, "")
	})
}

// Revoke takes a direct licence away; directory.ErrNotFound when there is none. One from a group goes with the group.
func (d *DB) Revoke(ctx context.Context, plan string, id authn.AccountID) error {
	return d.write(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM licences WHERE account = $1 AND plan = $2 AND source = ''`, string(id), plan)
		if err != nil || n == 0 {
			return errors.Join(err, missing(n > 0, "revoke %s: the account has no direct licence for it", plan))
		}
		_, err = seat(t, plan)
		return err
	})
}

// AssignGroup lets a group give a plan to its direct members, some hundred to a write. What is interrupted, ResumeLicences
// brings to its end; it can be repeated, too.
func (d *DB) AssignGroup(ctx context.Context, plan, group string) error {
	if err := d.write(ctx, func(t *tx) error {
		if _, err := planIn(t, plan); err != nil {
			return err
		}
		if found, err := t.exists(`SELECT 1 FROM user_groups WHERE id = $1`, group); err != nil || !found {
			return errors.Join(err, missing(found, "group %s", group))
		}
		if _, err := t.exec(`INSERT INTO group_plans (member_of, plan) VALUES ($1, $2) ON CONFLICT (member_of, plan) DO NOTHING`, group, plan); err != nil {
			return err
		}
		return grant{plan, group, true}.begin(t)
	}); err != nil {
		return err
	}
	return d.carryOut(ctx, grant{plan, group, true})
}

// RevokeGroup ends that a group gives a plan, and takes the licences away that came of it, some hundred to a write;
// directory.ErrNotFound when it doesn't and none is left. What is interrupted, ResumeLicences brings to its end.
func (d *DB) RevokeGroup(ctx context.Context, plan, group string) error {
	if err := d.write(ctx, func(t *tx) error {
		gone, err := t.exec(`DELETE FROM group_plans WHERE member_of = $1 AND plan = $2`, group, plan)
		if err != nil {
			return err
		}
		left, err := t.exists(`SELECT 1 FROM licences WHERE source = $1 AND plan = $2 LIMIT 1`, group, plan)
		if err != nil || gone == 0 && !left {
			return errors.Join(err, missing(err != nil, "revoke %s: the group does not give it", plan))
		}
		return grant{plan, group, false}.begin(t)
	}); err != nil {
		return err
	}
	return d.carryOut(ctx, grant{plan, group, false})
}

// grant is that a group gives a plan, or no longer does. It is noted until all members have heard of it.
type grant struct {
	plan, group string
	gives       bool
}

func (g grant) begin(t *tx) error {
	_, err := t.exec(`INSERT INTO licence_work (member_of, plan, gives) VALUES ($1, $2, $3)
		ON CONFLICT (member_of, plan) DO UPDATE SET gives = excluded.gives`, g.group, g.plan, g.gives)
	return err
}

// carryOut brings a grant to all members. It can be repeated, and done by several at once.
func (d *DB) carryOut(ctx context.Context, g grant) (err error) {
	if g.gives {
		err = d.reviewAll(ctx, `SELECT account FROM memberships WHERE member_of = $1 AND account > $2 ORDER BY account LIMIT $3`, g.group)
	} else {
		err = d.takeAway(ctx, g)
	}
	if err != nil {
		return err
	}
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM licence_work WHERE member_of = $1 AND plan = $2 AND gives = $3`, g.group, g.plan, g.gives)
		return err
	})
}

// takeAway removes the licences that a group gave, unless it gives them again.
func (d *DB) takeAway(ctx context.Context, g grant) error {
	for n := int64(chunk); n == chunk; {
		if err := d.writeBulk(ctx, func(t *tx) (err error) {
			if n, err = t.exec(`DELETE FROM licences WHERE (account, plan, source) IN
				(SELECT account, plan, source FROM licences WHERE source = $1 AND plan = $2 ORDER BY account LIMIT $3)
				AND NOT EXISTS (SELECT 1 FROM group_plans WHERE member_of = $1 AND plan = $2)`, g.group, g.plan, chunk); err != nil {
				return err
			}
			_, err = seat(t, g.plan)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// ResumeLicences ends what was begun and interrupted: the grants of groups, and seats that are free while somebody waits.
// It returns how many grants there were.
func (d *DB) ResumeLicences(ctx context.Context) (int, error) {
	begun, err := list(ctx, d, "unfinished licences", func(r row) (g grant, err error) {
		err = r.Scan(&g.group, &g.plan, &g.gives)
		return g, err
	}, `SELECT member_of, plan, gives FROM licence_work ORDER BY member_of, plan`)
	if err != nil {
		return 0, err
	}
	for i, g := range begun {
		if err := d.carryOut(ctx, g); err != nil {
			return i, fmt.Errorf("go on with the licences %s of group %s: %w", g.plan, g.group, err)
		}
	}
	waiting, err := list(ctx, d, "plans that somebody waits for", column[string],
		`SELECT id FROM plans WHERE EXISTS (SELECT 1 FROM licences WHERE plan = plans.id AND state = 'refused' AND why = 'no seats left') ORDER BY id`)
	for _, plan := range waiting {
		err = errors.Join(err, d.deal(ctx, plan))
	}
	return len(begun), err
}

// deal gives the free seats of a plan to who waits for one, some hundred to a write.
func (d *DB) deal(ctx context.Context, plan string) error {
	for more := true; more; {
		if err := d.writeBulk(ctx, func(t *tx) (err error) {
			more, err = seat(t, plan)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}
