package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// UserByUPN finds a user by normalised UPN; directory.ErrNotFound when there is none.
func (d *DB) UserByUPN(ctx context.Context, upn string) (directory.User, error) {
	return one(ctx, d, "user "+upn, body[directory.User], `SELECT body FROM users WHERE upn = $1`, upn)
}

// UserByID finds a user by id; directory.ErrNotFound when there is none.
func (d *DB) UserByID(ctx context.Context, id authn.AccountID) (directory.User, error) {
	return one(ctx, d, "user "+string(id), body[directory.User], `SELECT body FROM users WHERE id = $1`, string(id))
}

// UserByAnchor finds a synchronised user by source anchor; directory.ErrNotFound when there is none. "" is nobody's.
func (d *DB) UserByAnchor(ctx context.Context, anchor string) (directory.User, error) {
	return one(ctx, d, "user with anchor "+anchor, body[directory.User],
		`SELECT body FROM users WHERE synced AND anchor <> '' AND anchor = $1`, anchor)
}

// Users lists users by UPN, from after q.After on. A limit of 0, or above 1000, means 1000.
func (d *DB) Users(ctx context.Context, q directory.Query) ([]directory.User, error) {
	if q.Domain == "" {
		return list(ctx, d, "users", body[directory.User], `SELECT body FROM users WHERE upn > $1 ORDER BY upn LIMIT $2`, q.After, page(q.Limit))
	}
	return list(ctx, d, "users", body[directory.User], `SELECT body FROM users WHERE domain = $1 AND upn > $2 ORDER BY upn LIMIT $3`, q.Domain, q.After, page(q.Limit))
}

// CreateUser adds a user; directory.ErrConflict when the id, the UPN or, of a synchronised user, the anchor is taken.
func (d *DB) CreateUser(ctx context.Context, u directory.User) error {
	return d.write(ctx, func(t *tx) error {
		if taken, err := t.exists(`SELECT 1 FROM users WHERE id = $1`, string(u.ID)); err != nil || taken {
			return errors.Join(err, conflict(taken, "create user %s: the id %s is taken", u.UPN, u.ID))
		}
		return putUser(t, u)
	})
}

// UpdateUser replaces a user; directory.ErrNotFound and directory.ErrConflict as they are. A user who is disabled by it
// loses all sessions with it.
func (d *DB) UpdateUser(ctx context.Context, u directory.User) error {
	return d.write(ctx, func(t *tx) error {
		if found, err := t.exists(`SELECT 1 FROM users WHERE id = $1`, string(u.ID)); err != nil || !found {
			return errors.Join(err, missing(found, "update user %s", u.ID))
		}
		return putUser(t, u)
	})
}

// DeleteUser removes a user with credentials, sessions, memberships and lockout count; directory.ErrNotFound when there is none.
func (d *DB) DeleteUser(ctx context.Context, id authn.AccountID) error {
	return d.write(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM users WHERE id = $1`, string(id))
		if err != nil || n == 0 {
			return errors.Join(err, missing(n > 0, "delete user %s", id))
		}
		return dropTraces(t, string(id))
	})
}

const insertUser = `INSERT INTO users (id, upn, domain, anchor, synced, body) VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT (id) DO UPDATE SET upn = excluded.upn, domain = excluded.domain, anchor = excluded.anchor, synced = excluded.synced, body = excluded.body`

// putUser writes one user whole, so that columns and body never differ; so does loadUser, for many.
func putUser(t *tx, u directory.User) error {
	who := authn.ParseIdentifier(u.UPN)
	if u.ID == "" || u.UPN == "" || who.UPN() != u.UPN {
		return fmt.Errorf("store user %q (id %q): an id and a normalised user principal name are needed", u.UPN, u.ID)
	}
	if err := checkFree(t, u); err != nil {
		return err
	}
	text, err := encode(u)
	if err != nil {
		return err
	}
	if _, err = t.exec(insertUser, string(u.ID), u.UPN, who.Domain(), u.Onprem.Anchor, u.Synced, text); err != nil || u.Enabled {
		return err
	}
	return endSessionsOf(t, string(u.ID)) // a disabled person is out at once
}

// checkFree says whose the name or anchor is; the unique indexes stand behind it.
func checkFree(t *tx, u directory.User) error {
	var owner string
	err := t.row(`SELECT id FROM users WHERE upn = $1 AND id <> $2`, u.UPN, string(u.ID)).Scan(&owner)
	if !errors.Is(err, sql.ErrNoRows) {
		return errors.Join(err, conflict(err == nil, "store user %s: the name belongs to account %s", u.UPN, owner))
	}
	if !u.Synced || u.Onprem.Anchor == "" {
		return nil
	}
	err = t.row(`SELECT id FROM users WHERE synced AND anchor <> '' AND anchor = $1 AND id <> $2`, u.Onprem.Anchor, string(u.ID)).Scan(&owner)
	if !errors.Is(err, sql.ErrNoRows) {
		return errors.Join(err, conflict(err == nil, "store user %s: the anchor %s belongs to account %s", u.UPN, u.Onprem.Anchor, owner))
	}
	return nil
}

// dropTraces removes what a deleted account leaves, so that no later account can come by it.
func dropTraces(t *tx, id string) error {
	_, err1 := t.exec(`DELETE FROM credentials WHERE account = $1`, id)
	_, err2 := t.exec(`DELETE FROM memberships WHERE account = $1`, id)
	_, err3 := t.exec(`DELETE FROM tallies WHERE name = $1`, "account:"+id)
	return errors.Join(err1, err2, err3, endSessionsOf(t, id))
}

func conflict(is bool, format string, args ...any) error {
	if !is {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), directory.ErrConflict)
}

func missing(found bool, format string, args ...any) error {
	if found {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), directory.ErrNotFound)
}
