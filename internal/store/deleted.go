package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// kept is what comes back with a deleted account. Its licences and assignments stay where they are; a licence is suspended
// as long as the account is deleted.
type kept struct {
	Groups []string `json:"groups"`
}

// RemoveUser deletes an account so that it can be brought back for a while, if allow lets it: it is out at once, and its
// name is free. directory.ErrNotFound when there is none, directory.ErrLastAdmin as ChangeUser.
func (d *DB) RemoveUser(ctx context.Context, id authn.AccountID, allow func(directory.User) error) (u directory.User, err error) {
	err = d.write(ctx, func(t *tx) (err error) {
		if u, err = userIn(t, id); err != nil {
			return err
		}
		if err := allow(u); err != nil {
			return err
		}
		return removeUser(t, u)
	})
	return u, err
}

func removeUser(t *tx, u directory.User) error {
	k, err := keptOf(t, u.ID)
	if err != nil {
		return err
	}
	text, err1 := encode(u)
	with, err2 := encode(k)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if _, err := t.exec(`INSERT INTO deleted_users (id, upn, domain, anchor, deleted, body, kept) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET upn = excluded.upn, domain = excluded.domain, anchor = excluded.anchor, deleted = excluded.deleted, body = excluded.body, kept = excluded.kept`,
		string(u.ID), u.UPN, authn.ParseIdentifier(u.UPN).Domain(), u.Onprem.Anchor, stamp(t.clock.Now()), text, with); err != nil {
		return err
	}
	_, err1 = t.exec(`DELETE FROM users WHERE id = $1`, string(u.ID))
	_, err2 = t.exec(`DELETE FROM memberships WHERE account = $1`, string(u.ID))
	_, err3 := t.exec(`DELETE FROM tallies WHERE name = $1`, "account:"+string(u.ID))
	return errors.Join(err1, err2, err3, endSessionsOf(t, string(u.ID)), keepAdmin(t, u, directory.User{}), relicense(t, []authn.AccountID{u.ID}))
}

func keptOf(t *tx, id authn.AccountID) (k kept, err error) {
	groups, err := t.rows(`SELECT member_of FROM memberships WHERE account = $1 ORDER BY member_of`, string(id))
	if err != nil {
		return k, err
	}
	k.Groups, err = collect(groups, column[string])
	return k, err
}

// RestoreUser brings a deleted account back with what is left of its groups; change may give it
// another name. directory.ErrNotFound when it is not among the deleted ones, directory.ErrConflict when its name or
// immutable ID was taken meanwhile.
func (d *DB) RestoreUser(ctx context.Context, id authn.AccountID, change func(*directory.User) error) (u directory.User, err error) {
	err = d.write(ctx, func(t *tx) error {
		gone, err := deletedIn(t, id)
		if err != nil {
			return err
		}
		u = gone.User
		if err := change(&u); err != nil {
			return err
		}
		return revive(t, u, rejoinAll)
	})
	return u, err
}

// The groups that an account which comes back is put into again, of those that are left.
const (
	rejoinAll  = `INSERT INTO memberships (member_of, account) SELECT id, $2 FROM user_groups WHERE id = $1 ON CONFLICT DO NOTHING`
	rejoinOurs = `INSERT INTO memberships (member_of, account) SELECT id, $2 FROM user_groups WHERE id = $1 AND NOT synced ON CONFLICT DO NOTHING`
)

// revive puts an account that is among the deleted ones back under the name that u has.
func revive(t *tx, u directory.User, rejoin string) error {
	var with []byte
	if err := t.row(`SELECT kept FROM deleted_users WHERE id = $1`, string(u.ID)).Scan(&with); err != nil {
		return err
	}
	var k kept
	if err := json.Unmarshal(with, &k); err != nil {
		return err
	}
	if err := errors.Join(freeAnchor(t, directory.User{}, u), putUser(t, u)); err != nil {
		return err
	}
	if _, err := t.exec(`DELETE FROM deleted_users WHERE id = $1`, string(u.ID)); err != nil {
		return err
	}
	for _, g := range k.Groups {
		if _, err := t.exec(rejoin, g, string(u.ID)); err != nil {
			return err
		}
	}
	return relicense(t, []authn.AccountID{u.ID})
}

const selectDeleted = `SELECT body, kept, deleted FROM deleted_users`

// DeletedUsers lists the deleted accounts by id, from after q.After on.
func (d *DB) DeletedUsers(ctx context.Context, q directory.Query) ([]directory.DeletedUser, error) {
	return list(ctx, d, "deleted users", scanDeleted, selectDeleted+` WHERE id > $1 ORDER BY id LIMIT $2`, q.After, page(q.Limit))
}

// DeletedUser finds deleted accounts by id, or by the name that they had: one name may have been several accounts'.
func (d *DB) DeletedUser(ctx context.Context, name string) ([]directory.DeletedUser, error) {
	return list(ctx, d, "deleted user "+name, scanDeleted, selectDeleted+` WHERE id = $1 OR upn = $2 ORDER BY deleted DESC`, name, authn.ParseIdentifier(name).UPN())
}

func deletedIn(t *tx, id authn.AccountID) (directory.DeletedUser, error) {
	rows, err := t.rows(selectDeleted+` WHERE id = $1`, string(id))
	if err != nil {
		return directory.DeletedUser{}, err
	}
	found, err := collect(rows, scanDeleted)
	if err != nil || len(found) == 0 {
		return directory.DeletedUser{}, errors.Join(err, missing(len(found) > 0, "deleted account %s", id))
	}
	return found[0], nil
}

// ForgetUser removes a deleted account for good; directory.ErrNotFound when it is not among the deleted ones.
func (d *DB) ForgetUser(ctx context.Context, id authn.AccountID) error {
	return d.write(ctx, func(t *tx) error { return forgetUser(t, string(id)) })
}

func forgetUser(t *tx, id string) error {
	n, err := t.exec(`DELETE FROM deleted_users WHERE id = $1`, id)
	if err != nil || n == 0 {
		return errors.Join(err, missing(n > 0, "deleted account %s", id))
	}
	return dropTraces(t, id)
}

// PurgeDeleted forgets the accounts that were deleted before that time, and returns how many.
func (d *DB) PurgeDeleted(ctx context.Context, before time.Time) (total int, err error) {
	for {
		n := 0
		err := d.write(ctx, func(t *tx) error {
			rows, err := t.rows(`SELECT id FROM deleted_users WHERE deleted < $1 ORDER BY deleted LIMIT $2`, stamp(before), chunk)
			if err != nil {
				return err
			}
			ids, err := collect(rows, column[string])
			for _, id := range ids {
				err = errors.Join(err, forgetUser(t, id))
			}
			n = len(ids)
			return err
		})
		if total += n; err != nil || n < chunk {
			return total, err
		}
	}
}

func scanDeleted(r row) (u directory.DeletedUser, err error) {
	var text, with []byte
	var deleted int64
	if err := r.Scan(&text, &with, &deleted); err != nil {
		return u, err
	}
	var k kept
	err = errors.Join(json.Unmarshal(text, &u.User), json.Unmarshal(with, &k))
	u.Deleted, u.Groups = moment(deleted), k.Groups
	return u, err
}
