package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

const credentialLabel = "credential"

// Credential returns an account's credential of a scheme, its record unsealed; directory.ErrNotFound when there is none.
// Whether the record is well-formed is the provider's to judge.
func (d *DB) Credential(ctx context.Context, id authn.AccountID, scheme string) (directory.Credential, error) {
	what := fmt.Sprintf("%s credential of account %s", scheme, id)
	c, err := one(ctx, d, what, func(r row) (directory.Credential, error) {
		c := directory.Credential{Account: id, Scheme: scheme}
		var changed, stored int64
		err := r.Scan(&c.Record, &c.Source, &changed, &stored)
		c.Changed, c.Stored = moment(changed), moment(stored)
		return c, err
	}, `SELECT sealed, source, changed, stored FROM credentials WHERE account = $1 AND scheme = $2`, string(id), scheme)
	if err != nil {
		return directory.Credential{}, err
	}
	if c.Record, err = d.ring.Unseal(credentialLabel, binding(id, scheme), c.Record); err != nil {
		return directory.Credential{}, fmt.Errorf("open the %s: %w", what, err)
	}
	return c, nil
}

// SetCredentials replaces credentials, all or none; directory.ErrNotFound when an account doesn't exist. Stored is the
// store's own time.
func (d *DB) SetCredentials(ctx context.Context, all []directory.Credential) error {
	put := d.putCredentials(all)
	return d.write(ctx, func(t *tx) error {
		for _, p := range put {
			if err := p(t); err != nil {
				return err
			}
		}
		return nil
	})
}

// putCredentials seals outside the transaction and returns what remains to be done in it.
func (d *DB) putCredentials(all []directory.Credential) []func(*tx) error {
	put := make([]func(*tx) error, len(all))
	for i, c := range all {
		sealed := d.sealCredential(c.Account, c.Scheme, c.Record)
		put[i] = func(t *tx) error {
			if c.Scheme != directory.SchemeCloud && c.Scheme != directory.SchemePHS {
				return fmt.Errorf("store a credential of account %s: unknown scheme %q", c.Account, c.Scheme)
			}
			n, err := t.exec(`INSERT INTO credentials (account, scheme, sealed, source, changed, stored)
				SELECT id, $2, $3, $4, $5, $6 FROM users WHERE id = $1
				ON CONFLICT (account, scheme) DO UPDATE SET sealed = excluded.sealed, source = excluded.source, changed = excluded.changed, stored = excluded.stored`,
				string(c.Account), c.Scheme, sealed, c.Source, stamp(c.Changed), stamp(d.clock.Now()))
			return errors.Join(err, missing(n > 0 || err != nil, "store a %s credential: account %s", c.Scheme, c.Account))
		}
	}
	return put
}

// rehash replaces the record of a credential that was read at or after since. One that was replaced or dropped meanwhile
// stays as it is: an old password must not come back with its new hash.
func rehash(t *tx, id authn.AccountID, scheme string, sealed []byte, since, now int64) error {
	_, err := t.exec(`UPDATE credentials SET sealed = $3, stored = $4 WHERE account = $1 AND scheme = $2 AND stored <= $5`,
		string(id), scheme, sealed, now, since)
	return err
}

// DropCredentials removes all credentials of a scheme in a domain ("": in every domain) and returns how many there were.
func (d *DB) DropCredentials(ctx context.Context, scheme, domain string) (int, error) {
	var n int64
	err := d.write(ctx, func(t *tx) (err error) {
		n, err = t.exec(`DELETE FROM credentials WHERE scheme = $1 AND account IN (SELECT id FROM users WHERE CAST($2 AS TEXT) = '' OR domain = $2)`, scheme, domain)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("drop the %s credentials of %q: %w", scheme, domain, err)
	}
	return int(n), nil
}

// CountCredentials counts the credentials of a scheme in a domain ("": in every domain).
func (d *DB) CountCredentials(ctx context.Context, scheme, domain string) (int, error) {
	return one(ctx, d, scheme+" credentials of "+domain, column[int],
		`SELECT count(*) FROM credentials WHERE scheme = $1 AND account IN (SELECT id FROM users WHERE CAST($2 AS TEXT) = '' OR domain = $2)`, scheme, domain)
}

func (d *DB) sealCredential(id authn.AccountID, scheme string, record []byte) []byte {
	return d.ring.Seal(credentialLabel, binding(id, scheme), record)
}

// binding ties a sealed record to its row: moved to another one it does not open.
func binding(id authn.AccountID, scheme string) []byte { return []byte(scheme + "\x00" + string(id)) }
