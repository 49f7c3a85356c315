package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// Plans lists the plans by id, each with how it is used.
func (d *DB) Plans(ctx context.Context) ([]directory.Usage, error) {
	plans, err := list(ctx, d, "plans", body[directory.Plan], `SELECT body FROM plans ORDER BY id`)
	if err != nil {
		return nil, err
	}
	all := make([]directory.Usage, 0, len(plans))
	for _, p := range plans {
		u, err := d.usage(ctx, p)
		if err != nil {
			return nil, err
		}
		all = append(all, u)
	}
	return all, nil
}

// Plan finds a plan and how it is used; directory.ErrNotFound when there is none.
func (d *DB) Plan(ctx context.Context, id string) (directory.Usage, error) {
	p, err := one(ctx, d, "plan "+id, body[directory.Plan], `SELECT body FROM plans WHERE id = $1`, id)
	if err != nil {
		return directory.Usage{}, err
	}
	return d.usage(ctx, p)
}

func (d *DB) usage(ctx context.Context, p directory.Plan) (directory.Usage, error) {
	u := directory.Usage{Plan: p, Groups: []string{}}
	_, err := list(ctx, d, "licences of plan "+p.ID, func(r row) (_ struct{}, err error) {
		var state directory.LicenceState
		var licences, people int
		err = r.Scan(&state, &licences, &people)
		switch state {
		case directory.LicenceActive:
			u.Used = people
		case directory.LicenceRefused:
			u.Refused = licences
		case directory.LicenceSuspended:
			u.Suspended = licences
		}
		return struct{}{}, err
	}, `SELECT state, count(*), count(DISTINCT account) FROM licences WHERE plan = $1 GROUP BY state`, p.ID)
	if err != nil {
		return u, err
	}
	groups, err := list(ctx, d, "groups of plan "+p.ID, column[string], `SELECT member_of FROM group_plans WHERE plan = $1 ORDER BY member_of`, p.ID)
	u.Groups = append(u.Groups, groups...)
	return u, err
}

// CreatePlan adds a plan; directory.ErrConflict when the id is taken.
func (d *DB) CreatePlan(ctx context.Context, p directory.Plan) error {
	return d.write(ctx, func(t *tx) error {
		if taken, err := t.exists(`SELECT 1 FROM plans WHERE id = $1`, p.ID); err != nil || taken {
			return errors.Join(err, conflict(taken, "create plan %s: there is one already", p.ID))
		}
		return putPlan(t, p)
	})
}

// ChangePlan changes a plan within one write, and deals the seats that it adds. change learns how many are used; its error
// changes nothing. It may be called never.
func (d *DB) ChangePlan(ctx context.Context, id string, change func(p *directory.Plan, used int) error) (before, after directory.Plan, err error) {
	more := false
	err = d.write(ctx, func(t *tx) error {
		if before, err = planIn(t, id); err != nil {
			return err
		}
		used, err := usedSeats(t, id)
		if err != nil {
			return err
		}
		after = before
		after.Services = slices.Clone(before.Services)
		if err := change(&after, used); err != nil {
			return err
		}
		if err := putPlan(t, after); err != nil {
			return err
		}
		more, err = seat(t, id)
		return err
	})
	if err == nil && more {
		err = d.deal(ctx, id)
	}
	return before, after, err
}

// DeletePlan removes a plan that allow lets go, which learns how many licences of any state there are, and how many groups
// give it. Those that are left are forgotten with it.
func (d *DB) DeletePlan(ctx context.Context, id string, allow func(p directory.Plan, licences, groups int) error) error {
	return d.write(ctx, func(t *tx) error {
		p, err := planIn(t, id)
		if err != nil {
			return err
		}
		var licences, groups int
		if err := errors.Join(
			t.row(`SELECT count(*) FROM licences WHERE plan = $1 AND state <> 'suspended'`, id).Scan(&licences),
			t.row(`SELECT count(*) FROM group_plans WHERE plan = $1`, id).Scan(&groups),
		); err != nil {
			return err
		}
		if err := allow(p, licences, groups); err != nil {
			return err
		}
		_, err1 := t.exec(`DELETE FROM plans WHERE id = $1`, id)
		_, err2 := t.exec(`DELETE FROM licences WHERE plan = $1`, id)
		return errors.Join(err1, err2)
	})
}

func planIn(t *tx, id string) (directory.Plan, error) {
	rows, err := t.rows(`SELECT body FROM plans WHERE id = $1`, id)
	if err != nil {
		return directory.Plan{}, err
	}
	found, err := collect(rows, body[directory.Plan])
	if err != nil || len(found) == 0 {
		return directory.Plan{}, errors.Join(err, missing(len(found) > 0, "plan %s", id))
	}
	return found[0], nil
}

func putPlan(t *tx, p directory.Plan) error {
	text, err := encode(p)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO plans (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body`, p.ID, text)
	return err
}

// Licences lists licences by account, plan and group.
func (d *DB) Licences(ctx context.Context, q directory.LicenceQuery) ([]directory.LicenceRow, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(format string, value any) {
		args = append(args, value)
		where = append(where, fmt.Sprintf(format, len(args)))
	}
	if q.Plan != "" {
		add("l.plan = $%d", q.Plan)
	}
	if q.Account != "" {
		add("l.account = $%d", string(q.Account))
	}
	if q.State != "" {
		add("l.state = $%d", string(q.State))
	}
	if q.After != "" {
		account, rest, _ := strings.Cut(q.After, " ")
		plan, group, _ := strings.Cut(rest, " ")
		args = append(args, account, plan, group)
		where = append(where, fmt.Sprintf("(l.account, l.plan, l.source) > ($%d, $%d, $%d)", len(args)-2, len(args)-1, len(args)))
	}
	args = append(args, page(q.Limit))
	return list(ctx, d, "licences", scanLicenceRow, `SELECT l.account, l.plan, l.source, l.state, l.why, l.since, coalesce(u.upn, ''), coalesce(g.name, '')
		FROM licences l LEFT JOIN users u ON u.id = l.account LEFT JOIN user_groups g ON g.id = l.source
		WHERE `+strings.Join(where, " AND ")+` ORDER BY l.account, l.plan, l.source LIMIT $`+fmt.Sprint(len(args)), args...)
}

func scanLicenceRow(r row) (l directory.LicenceRow, err error) {
	var since int64
	err = r.Scan(&l.Account, &l.Plan, &l.Group, &l.State, &l.Why, &since, &l.UPN, &l.GroupName)
	l.Since = moment(since)
	return l, err
}

func scanLicence(r row) (l directory.Licence, err error) {
	var since int64
	err = r.Scan(&l.Account, &l.Plan, &l.Group, &l.State, &l.Why, &since)
	l.Since = moment(since)
	return l, err
}

func licencesIn(t *tx, id authn.AccountID) ([]directory.Licence, error) {
	rows, err := t.rows(`SELECT account, plan, source, state, why, since FROM licences WHERE account = $1 ORDER BY plan, source`, string(id))
	if err != nil {
		return nil, err
	}
	return collect(rows, scanLicence)
}

// DateLicences dates every licence, in a world that is to look lived-in. It is one write: a lab's.
func (d *DB) DateLicences(ctx context.Context, since time.Time) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE licences SET since = $1`, stamp(since))
		return err
	})
}
