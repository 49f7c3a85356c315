package store

import (
	"errors"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// putHashes is putCredentials for synchronised hashes. An account whose password was changed on-premises after it was found
// in a leak is flagged no longer.
func (d *DB) putHashes(all []directory.Credential) []func(*tx) error {
	put := d.putCredentials(all)
	for i, c := range all {
		keep := put[i]
		put[i] = func(t *tx) error {
			if err := keep(t); err != nil {
				return err
			}
			return unflag(t, c.Account, c.Changed)
		}
	}
	return put
}

// unflag takes a leak's flag from an account whose password was changed after it.
func unflag(t *tx, id authn.AccountID, changed time.Time) error {
	u, err := userIn(t, id)
	switch {
	case errors.Is(err, directory.ErrNotFound): // of a deleted account
		return nil
	case err != nil || u.Leaked.IsZero() || !changed.After(u.Leaked):
		return err
	}
	u.Leaked = time.Time{}
	return putUser(t, u)
}
