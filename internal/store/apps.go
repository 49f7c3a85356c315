package store

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// What an assignment is of.
const (
	kindAccount = "account"
	kindGroup   = "group"
)

// Apps lists the applications by id.
func (d *DB) Apps(ctx context.Context) ([]directory.App, error) {
	return list(ctx, d, "applications", body[directory.App], `SELECT body FROM apps ORDER BY id`)
}

// App finds an application; directory.ErrNotFound when there is none.
func (d *DB) App(ctx context.Context, id string) (directory.App, error) {
	return one(ctx, d, "application "+id, body[directory.App], `SELECT body FROM apps WHERE id = $1`, id)
}

// CreateApp adds an application; directory.ErrConflict when the id is taken.
func (d *DB) CreateApp(ctx context.Context, a directory.App) error {
	return d.write(ctx, func(t *tx) error {
		if taken, err := t.exists(`SELECT 1 FROM apps WHERE id = $1`, a.ID); err != nil || taken {
			return errors.Join(err, conflict(taken, "create application %s: there is one already", a.ID))
		}
		return putApp(t, a)
	})
}

// ChangeApp changes an application within one write. change learns which roles are assigned; its error changes nothing. It
// may be called never.
func (d *DB) ChangeApp(ctx context.Context, id string, change func(a *directory.App, assigned []string) error) (before, after directory.App, err error) {
	err = d.write(ctx, func(t *tx) error {
		if before, err = appIn(t, id); err != nil {
			return err
		}
		rows, err := t.rows(`SELECT DISTINCT role FROM assignments WHERE app = $1 AND role <> '' ORDER BY role`, id)
		if err != nil {
			return err
		}
		assigned, err := collect(rows, column[string])
		if err != nil {
			return err
		}
		after = before
		if err := change(&after, assigned); err != nil {
			return err
		}
		return putApp(t, after)
	})
	return before, after, err
}

// DeleteApp removes an application that allow lets go, with its assignments; directory.ErrNotFound when there is none.
func (d *DB) DeleteApp(ctx context.Context, id string, allow func(directory.App) error) error {
	return d.write(ctx, func(t *tx) error {
		a, err := appIn(t, id)
		if err != nil {
			return err
		}
		if err := allow(a); err != nil {
			return err
		}
		_, err1 := t.exec(`DELETE FROM apps WHERE id = $1`, id)
		_, err2 := t.exec(`DELETE FROM assignments WHERE app = $1`, id)
		return errors.Join(err1, err2)
	})
}

func appIn(t *tx, id string) (directory.App, error) {
	rows, err := t.rows(`SELECT body FROM apps WHERE id = $1`, id)
	if err != nil {
		return directory.App{}, err
	}
	found, err := collect(rows, body[directory.App])
	if err != nil || len(found) == 0 {
		return directory.App{}, errors.Join(err, missing(len(found) > 0, "application %s", id))
	}
	return found[0], nil
}

func putApp(t *tx, a directory.App) error {
	text, err := encode(a)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO apps (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body`, a.ID, text)
	return err
}

// Assignments lists who is assigned to an application, groups first.
func (d *DB) Assignments(ctx context.Context, app string) ([]directory.AssignmentRow, error) {
	return list(ctx, d, "assignments of "+app, func(r row) (a directory.AssignmentRow, err error) {
		var kind, subject string
		err = r.Scan(&a.App, &kind, &subject, &a.Role, &a.Name)
		a.Account, a.Group = subjectOf(kind, subject)
		return a, err
	}, `SELECT a.app, a.kind, a.subject, a.role, coalesce(u.upn, g.name, '') FROM assignments a
		LEFT JOIN users u ON a.kind = 'account' AND u.id = a.subject LEFT JOIN user_groups g ON a.kind = 'group' AND g.id = a.subject
		WHERE a.app = $1 ORDER BY a.kind DESC, coalesce(u.upn, g.name, ''), a.subject, a.role`, app)
}

func subjectOf(kind, subject string) (authn.AccountID, string) {
	if kind == kindGroup {
		return "", subject
	}
	return authn.AccountID(subject), ""
}

func subjectIn(a directory.Assignment) (kind, subject string) {
	if a.Group != "" {
		return kindGroup, a.Group
	}
	return kindAccount, string(a.Account)
}

// AssignApp assigns an account or a group; an assignment that is there already is left as it is. role judges the role that
// is asked for, and answers with the one that is meant. directory.ErrNotFound when the application or the subject is unknown.
func (d *DB) AssignApp(ctx context.Context, a directory.Assignment, role func(directory.App) (string, error)) (directory.Assignment, error) {
	kind, subject := subjectIn(a)
	err := d.write(ctx, func(t *tx) error {
		app, err := appIn(t, a.App)
		if err != nil {
			return err
		}
		if a.Role, err = role(app); err != nil {
			return err
		}
		query := `SELECT 1 FROM users WHERE id = $1`
		if kind == kindGroup {
			query = `SELECT 1 FROM user_groups WHERE id = $1`
		}
		if found, err := t.exists(query, subject); err != nil || !found {
			return errors.Join(err, missing(found, "%s %s", kind, subject))
		}
		_, err = t.exec(`INSERT INTO assignments (app, kind, subject, role) VALUES ($1, $2, $3, $4) ON CONFLICT (app, kind, subject, role) DO NOTHING`,
			a.App, kind, subject, a.Role)
		return err
	})
	return a, err
}

// UnassignApp ends an assignment, or all of the subject's when it names no role; directory.ErrNotFound when there is none.
func (d *DB) UnassignApp(ctx context.Context, a directory.Assignment) error {
	kind, subject := subjectIn(a)
	return d.write(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM assignments WHERE app = $1 AND kind = $2 AND subject = $3 AND (role = $4 OR CAST($4 AS TEXT) = '')`, a.App, kind, subject, a.Role)
		return errors.Join(err, missing(err != nil || n > 0, "no such assignment to %s", a.App))
	})
}

// Access reads what decides whether an account may use an application; directory.ErrNotFound when there is no such
// application.
func (d *DB) Access(ctx context.Context, app string, id authn.AccountID) (directory.Access, error) {
	a, err := d.App(ctx, app)
	if err != nil {
		return directory.Access{}, err
	}
	assigned, err := d.assignmentsOf(ctx, id)
	if err != nil {
		return directory.Access{}, err
	}
	held, err := d.LicencesOf(ctx, id)
	access := directory.Access{App: a, Licences: held}
	for _, s := range assigned {
		if s.App == app {
			access.Assignments = append(access.Assignments, s)
		}
	}
	return access, err
}

// LicencesOf lists an account's licences, each with its plan's services.
func (d *DB) LicencesOf(ctx context.Context, id authn.AccountID) ([]directory.Held, error) {
	return list(ctx, d, "licences of account "+string(id), func(r row) (h directory.Held, err error) {
		var since int64
		var plan []byte
		if err := r.Scan(&h.Account, &h.Plan, &h.Group, &h.State, &h.Why, &since, &plan); err != nil {
			return h, err
		}
		var p directory.Plan
		err = json.Unmarshal(plan, &p)
		h.Since, h.Services = moment(since), p.Services
		return h, err
	}, `SELECT l.account, l.plan, l.source, l.state, l.why, l.since, p.body FROM licences l JOIN plans p ON p.id = l.plan
		WHERE l.account = $1 ORDER BY l.plan, l.source`, string(id))
}

// Privileges are an account's licences and its assignments to applications.
func (d *DB) Privileges(ctx context.Context, id authn.AccountID) ([]directory.Held, []directory.Assignment, error) {
	held, err := d.LicencesOf(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	assigned, err := d.assignmentsOf(ctx, id)
	return held, assigned, err
}

// assignmentsOf lists the assignments of an account and of the groups that it is a direct member of.
func (d *DB) assignmentsOf(ctx context.Context, id authn.AccountID) ([]directory.Assignment, error) {
	return list(ctx, d, "assignments of account "+string(id), func(r row) (a directory.Assignment, err error) {
		var kind, subject string
		err = r.Scan(&a.App, &kind, &subject, &a.Role)
		a.Account, a.Group = subjectOf(kind, subject)
		return a, err
	}, `SELECT app, kind, subject, role FROM assignments WHERE kind = 'account' AND subject = $1
		UNION ALL SELECT a.app, a.kind, a.subject, a.role FROM memberships m JOIN assignments a ON a.subject = m.member_of AND a.kind = 'group' WHERE m.account = $1`, string(id))
}
