package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// bulkChunk is how many rows of a bulk load share a write: about as many as take ten milliseconds, so that sign-ins go on.
const bulkChunk = 200

// LoadUsers adds or replaces many users and their credentials, a few hundred to a transaction. It stops at the first that
// can't be stored; directory.ErrConflict when a name or an anchor is another account's. It can be repeated.
func (d *DB) LoadUsers(ctx context.Context, users []directory.User, credentials []directory.Credential) error {
	for some := range slices.Chunk(users, bulkChunk) {
		if err := d.write(ctx, func(t *tx) error {
			for _, u := range some {
				if err := loadUser(t, u); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return fmt.Errorf("load users: %w", err)
		}
	}
	for some := range slices.Chunk(credentials, bulkChunk) {
		put := d.putCredentials(some)
		if err := d.write(ctx, func(t *tx) error {
			for _, p := range put {
				if err := p(t); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return fmt.Errorf("load credentials: %w", err)
		}
	}
	return nil
}

// loadUser is putUser without its two questions: whose a name is that is taken is told only when one is.
func loadUser(t *tx, u directory.User) error {
	who := authn.ParseIdentifier(u.UPN)
	if u.ID == "" || u.UPN == "" || who.UPN() != u.UPN || !u.Enabled {
		return putUser(t, u)
	}
	text, err := encode(u)
	if err != nil {
		return err
	}
	if _, err := t.exec(insertUser, string(u.ID), u.UPN, who.Domain(), u.Onprem.Anchor, u.Synced, text); err != nil {
		return errors.Join(checkFree(t, u), err)
	}
	return nil
}

// CountUsers counts all accounts.
func (d *DB) CountUsers(ctx context.Context) (int, error) {
	return one(ctx, d, "number of users", column[int], `SELECT count(*) FROM users`)
}
