package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// UserByAnchor finds a user by source anchor, or by the immutable ID that was given by hand; directory.ErrNotFound when there
// is none. "" is nobody's.
func (d *DB) UserByAnchor(ctx context.Context, anchor string) (directory.User, error) {
	return one(ctx, d, "user with anchor "+anchor, body[directory.User],
		`SELECT body FROM users WHERE anchor <> '' AND anchor = $1`, anchor)
}

// Users lists users by UPN, from after q.After on. A limit of 0, or above 1000, means 1000.
func (d *DB) Users(ctx context.Context, q directory.Query) ([]directory.User, error) {
	if q.Admins {
		return list(ctx, d, "administrators", body[directory.User], `SELECT body FROM users WHERE admin AND upn > $1 AND (CAST($2 AS TEXT) = '' OR domain = $2) ORDER BY upn LIMIT $3`, q.After, q.Domain, page(q.Limit))
	}
	if q.Domain == "" {
		return list(ctx, d, "users", body[directory.User], `SELECT body FROM users WHERE upn > $1 ORDER BY upn LIMIT $2`, q.After, page(q.Limit))
	}
	return list(ctx, d, "users", body[directory.User], `SELECT body FROM users WHERE domain = $1 AND upn > $2 ORDER BY upn LIMIT $3`, q.Domain, q.After, page(q.Limit))
}

// CreateUser adds a user; directory.ErrConflict when the id, the UPN or the anchor is taken.
func (d *DB) CreateUser(ctx context.Context, u directory.User) error {
	return d.CreateUserWith(ctx, u, nil)
}

// CreateUserWith adds a user as CreateUser does, and with it all the records that are kept of the password.
func (d *DB) CreateUserWith(ctx context.Context, u directory.User, records []directory.Credential) error {
	put := d.putCredentials(records)
	return d.write(ctx, func(t *tx) error {
		if err := unusedID(t, u); err != nil {
			return err
		}
		err := errors.Join(freeAnchor(t, directory.User{}, u), putUser(t, u))
		for i := 0; i < len(put) && err == nil; i++ {
			err = put[i](t)
		}
		return err
	})
}

// unusedID is directory.ErrConflict when the id of a new account is that of another, or of a deleted one.
func unusedID(t *tx, u directory.User) error {
	taken, err := t.exists(`SELECT 1 FROM users WHERE id = $1 UNION ALL SELECT 1 FROM deleted_users WHERE id = $1`, string(u.ID))
	return errors.Join(err, conflict(taken, "create user %s: the id %s is taken", u.UPN, u.ID))
}

// ChangeUser changes a user by a rule, in one write: of two changes at once the second sees what the first left. An error of
// the rule stores nothing. directory.ErrNotFound and directory.ErrConflict as they are, directory.ErrLastAdmin when nobody
// would be left to administer with the premises down, directory.ErrLicensed when a licence needs what is to be cleared.
func (d *DB) ChangeUser(ctx context.Context, id authn.AccountID, change func(*directory.User) error) (before, after directory.User, err error) {
	err = d.write(ctx, func(t *tx) (err error) {
		if before, err = userIn(t, id); err != nil {
			return err
		}
		after = before
		if err := change(&after); err != nil {
			return err
		}
		after.ID = before.ID
		if err := freeAnchor(t, before, after); err != nil {
			return err
		}
		if err := putUser(t, after); err != nil {
			return err
		}
		return errors.Join(keepAdmin(t, before, after), keepLocation(t, before, after), relicense(t, []authn.AccountID{id}))
	})
	return before, after, err
}

// keepLocation refuses to clear the usage location of somebody who has a licence.
func keepLocation(t *tx, before, after directory.User) error {
	if before.UsageLocation == "" || after.UsageLocation != "" {
		return nil
	}
	licensed, err := t.exists(`SELECT 1 FROM licences WHERE account = $1 AND state = $2`, string(after.ID), string(directory.LicenceActive))
	if err != nil || !licensed {
		return err
	}
	return fmt.Errorf("%s: %w", after.UPN, directory.ErrLicensed)
}

// freeAnchor refuses an immutable ID given by hand that is another account's: it is what an identity provider names people by.
func freeAnchor(t *tx, before, after directory.User) error {
	if after.Onprem.Anchor == "" || after.Onprem.Anchor == before.Onprem.Anchor {
		return nil
	}
	taken, err := t.exists(`SELECT 1 FROM users WHERE anchor <> '' AND anchor = $1 AND id <> $2`, after.Onprem.Anchor, string(after.ID))
	return errors.Join(err, conflict(taken, "the immutable ID of %s belongs to another account", after.UPN))
}

// keepAdmin refuses to lose the last administrator who can sign in with everything on-premises down; nobody is the zero User.
func keepAdmin(t *tx, before, after directory.User) error {
	if !before.Emergency() || after.Emergency() {
		return nil
	}
	rows, err := t.rows(`SELECT body FROM users WHERE admin ORDER BY upn`)
	if err != nil {
		return err
	}
	admins, err := collect(rows, body[directory.User])
	if err != nil || slices.ContainsFunc(admins, directory.User.Emergency) {
		return err
	}
	return fmt.Errorf("%s: %w", before.UPN, directory.ErrLastAdmin)
}

const insertUser = `INSERT INTO users (id, upn, domain, anchor, synced, admin, mail, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
	ON CONFLICT (id) DO UPDATE SET upn = excluded.upn, domain = excluded.domain, anchor = excluded.anchor, synced = excluded.synced, admin = excluded.admin, mail = excluded.mail, body = excluded.body`

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
	if _, err = t.exec(insertUser, string(u.ID), u.UPN, who.Domain(), u.Onprem.Anchor, u.Synced, u.Admin, strings.ToLower(u.Mail), text); err != nil || u.MaySignIn() {
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
	return errors.Join(err1, err2, err3, endSessionsOf(t, id), relicense(t, []authn.AccountID{authn.AccountID(id)}))
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
