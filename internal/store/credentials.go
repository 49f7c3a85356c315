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
			if !knownScheme(c.Scheme) {
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

// Whose credentials are dropped, from after $2 on, with what they are ordered by.
const (
	accountsOf = `SELECT id, upn FROM users WHERE domain = $1 AND upn > $2 ORDER BY upn LIMIT $3`
	deletedOf  = `SELECT id, id FROM deleted_users WHERE domain = $1 AND id > $2 ORDER BY id LIMIT $3`
	holdersOf  = `SELECT account, account FROM credentials WHERE scheme = $1 AND account > $2 ORDER BY account LIMIT $3`
)

// DropCredentials removes all credentials of a scheme in a domain ("": in every domain) and returns how many there were,
// those of deleted accounts too. It does so in short writes between which sign-ins go on: beside an error some are gone.
func (d *DB) DropCredentials(ctx context.Context, scheme, domain string) (total int, err error) {
	queries, of := []string{accountsOf, deletedOf}, domain
	if domain == "" {
		queries, of = []string{holdersOf}, scheme
	}
	for _, query := range queries {
		after, more := "", true
		for more && err == nil {
			err = d.writeBulk(ctx, func(t *tx) error {
				n, last, err := dropSome(t, scheme, query, of, after, chunk)
				total, more, after = total+n, last != "", last
				return err
			})
		}
	}
	if err != nil {
		err = fmt.Errorf("drop the %s credentials of %q: %w", scheme, domain, err)
	}
	return total, err
}

// dropSome drops those of the first so many accounts; last is where to go on, "" at the end.
func dropSome(t *tx, scheme, query, of, after string, most int) (dropped int, last string, err error) {
	rows, err := t.rows(query, of, after, most)
	if err != nil {
		return 0, "", err
	}
	type owner struct{ id, at string }
	some, err := collect(rows, func(r row) (o owner, err error) {
		err = r.Scan(&o.id, &o.at)
		return o, err
	})
	for _, o := range some {
		n, err := t.exec(`DELETE FROM credentials WHERE account = $1 AND scheme = $2`, o.id, scheme)
		if dropped += int(n); err == nil && n > 0 && scheme == directory.SchemePHS {
			err = hashDue(t, o.id)
		}
		if err != nil {
			return 0, "", err
		}
	}
	if len(some) == most {
		last = some[most-1].at
	}
	return dropped, last, err
}

// PeopleDomains lists the domains that somebody's name is in, those of deleted accounts too, whether they are served or not:
// one step in an index for each.
func (d *DB) PeopleDomains(ctx context.Context) ([]string, error) {
	const next = `SELECT coalesce(min(domain), '') FROM (SELECT min(domain) AS domain FROM users WHERE domain > $1
		UNION ALL SELECT min(domain) FROM deleted_users WHERE domain > $1) nearest`
	var all []string
	for after := ""; ; {
		domain, err := one(ctx, d, "domains of people", column[string], next, after)
		if err != nil || domain == "" {
			return all, err
		}
		all, after = append(all, domain), domain
	}
}

// AnyCredential reports whether some account of a domain, no deleted one, has a credential of a scheme. Unlike counting, it
// does not grow with those that have one.
func (d *DB) AnyCredential(ctx context.Context, scheme, domain string) (bool, error) {
	n, err := one(ctx, d, scheme+" credential of "+domain, column[int], `SELECT count(*) FROM (SELECT 1 FROM users u
		JOIN credentials c ON c.account = u.id AND c.scheme = $1 WHERE u.domain = $2 LIMIT 1) AS first_one`, scheme, domain)
	return n > 0, err
}

// CountCredentials counts the credentials of a scheme in a domain ("": in every domain), those of deleted accounts too.
func (d *DB) CountCredentials(ctx context.Context, scheme, domain string) (int, error) {
	if domain == "" {
		return one(ctx, d, scheme+" credentials", column[int], `SELECT count(*) FROM credentials WHERE scheme = $1`, scheme)
	}
	return one(ctx, d, scheme+" credentials of "+domain, column[int], `SELECT count(*) FROM credentials WHERE scheme = $1
		AND (account IN (SELECT id FROM users WHERE domain = $2) OR account IN (SELECT id FROM deleted_users WHERE domain = $2))`, scheme, domain)
}

func knownScheme(s string) bool { return s == directory.SchemeCloud || s == directory.SchemePHS }

func (d *DB) sealCredential(id authn.AccountID, scheme string, record []byte) []byte {
	return d.ring.Seal(credentialLabel, binding(id, scheme), record)
}

// binding ties a sealed record to its row: moved to another one it does not open.
func binding(id authn.AccountID, scheme string) []byte { return []byte(scheme + "\x00" + string(id)) }
