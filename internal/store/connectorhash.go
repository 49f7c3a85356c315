package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// ApplyHashes carries out what a hash run does, in short writes, the cursor with the last of them.
func (d *DB) ApplyHashes(ctx context.Context, epoch int64, all []directory.HashUpdate, cursor *directory.Cursor) error {
	steps := make([]func(*tx) error, 0, len(all)+1)
	for _, u := range all {
		steps = append(steps, d.hashStep(u))
	}
	if cursor != nil {
		steps = append(steps, func(t *tx) error { return putCursor(t, *cursor) })
	}
	for some := range slices.Chunk(steps, chunk) {
		if err := d.writeBulk(ctx, func(t *tx) error {
			err := leased(t, epoch)
			for i := 0; i < len(some) && err == nil; i++ {
				err = some[i](t)
			}
			return err
		}); err != nil {
			return fmt.Errorf("store synchronised hashes: %w", err)
		}
	}
	return nil
}

// hashStep seals outside the transaction and returns what remains to be done in it.
func (d *DB) hashStep(u directory.HashUpdate) func(*tx) error {
	put := func(*tx) error { return nil }
	switch {
	case u.Drop:
		put = func(t *tx) error {
			_, err := t.exec(`DELETE FROM credentials WHERE account = $1 AND scheme = $2 AND source <> $3`, string(u.Account.Account), directory.SchemePHS, sourceCloud)
			return err
		}
	case u.Account.Record != nil:
		put = d.putHashes([]directory.Credential{u.Account})[0]
	}
	return func(t *tx) error {
		err := put(t)
		gone := errors.Is(err, directory.ErrNotFound) // the account was deleted since it was looked up
		if gone {
			u.Status, u.Reason = directory.HashNotExported, "the account was deleted meanwhile"
		} else if err != nil {
			return err
		}
		return noteHash(t, u, !gone && !u.Drop && u.Account.Record != nil)
	}
}

func noteHash(t *tx, u directory.HashUpdate, stored bool) error {
	// Who moves to a domain whose hashes are synchronised needs one though nothing changes there any more.
	again := u.Status == directory.HashNotExported || u.Status == directory.HashNoTarget && u.Withheld == ""
	at, keep := stamp(u.PasswordAt), !stored && !u.Drop
	if u.Drop {
		at = 0
	}
	_, err := t.exec(`UPDATE connector_space SET hash_status = $2, hash_reason = $3, hash_tried = $4, hash_due = $5,
		hash_at = CASE WHEN $6 THEN hash_at ELSE $7 END, temporary = CASE WHEN $6 THEN temporary ELSE $8 END, withheld = $9 WHERE id = $1`,
		u.ID, string(u.Status), u.Reason, stamp(t.clock.Now()), again, keep, at, u.Temporary, u.Withheld)
	if err != nil || u.PasswordAt.IsZero() {
		return err
	}
	_, err = t.exec(`UPDATE connector_space SET password_at = $2 WHERE id = $1`, u.ID, stamp(u.PasswordAt))
	return err
}

// HashesDue lists objects of people who are here, in one of these domains, and whose hash was never looked at.
func (d *DB) HashesDue(ctx context.Context, domains []string, most int) (ids []string, err error) {
	for _, domain := range domains {
		some, err := list(ctx, d, "whose hash is due", column[string], `SELECT id FROM connector_space WHERE hash_due AND kind = 'user' AND `+inScope+`
			AND EXISTS (SELECT 1 FROM users WHERE synced AND domain = $1 AND users.anchor <> '' AND users.anchor = connector_space.anchor) ORDER BY id LIMIT $2`, domain, most-len(ids))
		if ids = append(ids, some...); err != nil || len(ids) >= most {
			return ids, err
		}
	}
	return ids, nil
}

// Credentialed are those of the accounts that have a credential of a scheme, with its source.
func (d *DB) Credentialed(ctx context.Context, scheme string, accounts []authn.AccountID) (map[authn.AccountID]string, error) {
	have := map[authn.AccountID]string{}
	type holder struct {
		id     authn.AccountID
		source string
	}
	ids := make([]string, len(accounts))
	for i, id := range accounts {
		ids[i] = string(id)
	}
	err := d.inLists(ids, func(in string, args []any) error {
		if scheme != directory.SchemePHS && scheme != directory.SchemeCloud {
			return fmt.Errorf("there are no credentials of scheme %q", scheme)
		}
		some, err := list(ctx, d, scheme+" credentials", func(r row) (h holder, err error) {
			err = r.Scan(&h.id, &h.source)
			return h, err
		}, `SELECT account, source FROM credentials WHERE scheme = '`+scheme+`' AND account IN `+in, args...)
		for _, h := range some {
			have[h.id] = h.source
		}
		return err
	})
	return have, err
}

// NotePasswords writes down when passwords were changed on the premises, by object; hashes stay what they are.
func (d *DB) NotePasswords(ctx context.Context, at map[string]time.Time) error {
	ids := make([]string, 0, len(at))
	for id := range at {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for some := range slices.Chunk(ids, chunk) {
		if err := d.writeBulk(ctx, func(t *tx) error {
			for _, id := range some {
				if _, err := t.exec(`UPDATE connector_space SET password_at = $2 WHERE id = $1 AND password_at < $2`, id, stamp(at[id])); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return fmt.Errorf("note when passwords were changed: %w", err)
		}
	}
	return nil
}

// LatePasswords counts the people whose password was changed on the premises and is not here yet, and says when the first of
// them did; those whose hash is withheld are not late.
func (d *DB) LatePasswords(ctx context.Context) (count int, oldest time.Time, err error) {
	type late struct{ count, oldest int64 }
	l, err := one(ctx, d, "late passwords", func(r row) (l late, err error) {
		return l, r.Scan(&l.count, &l.oldest)
	}, `SELECT count(*), coalesce(min(password_at), 0) FROM connector_space WHERE hash_at > 0 AND password_at > hash_at AND hash_status = 'Success' AND `+inScope)
	return int(l.count), moment(l.oldest), err
}

// PasswordOf is what the connector space knows of the password of an account; directory.ErrNotFound when it knows nothing.
func (d *DB) PasswordOf(ctx context.Context, id authn.AccountID) (directory.Imported, error) {
	return one(ctx, d, "what the premises know of the password of "+string(id), func(r row) (o directory.Imported, err error) {
		var passwordAt, hashAt int64
		err = r.Scan(&o.ID, &passwordAt, &hashAt, &o.HashStatus, &o.HashReason, &o.Withheld, &o.Temporary)
		o.PasswordAt, o.HashAt = moment(passwordAt), moment(hashAt)
		return o, err
	}, `SELECT c.id, password_at, hash_at, hash_status, hash_reason, withheld, temporary FROM users u JOIN connector_space c ON c.anchor = u.anchor
		WHERE u.id = $1 AND u.synced AND u.anchor <> '' AND c.`+alive+` ORDER BY c.id LIMIT 1`, string(id))
}

// CountHashless counts people in scope of whom no hash is here though one was looked for.
func (d *DB) CountHashless(ctx context.Context) (int, error) {
	return one(ctx, d, "people without a hash", column[int], `SELECT count(*) FROM connector_space WHERE hash_at = 0 AND hash_tried > 0 AND hash_status NOT IN ('Success', 'NoTargetConnection') AND kind = 'user' AND `+inScope)
}

// hashDue has the hash of an account looked for anew: it was dropped here, and has not changed there.
func hashDue(t *tx, account string) error {
	_, err := t.exec(`UPDATE connector_space SET hash_due = TRUE, hash_at = 0, hash_status = '', withheld = ''
		WHERE anchor <> '' AND anchor = (SELECT anchor FROM users WHERE id = $1 AND synced)`, account)
	return err
}
