package store

import (
	"context"
	"errors"

	"github.com/fourways-id/fourways/internal/directory"
)

// Overrides lists the domains' swaps by domain.
func (d *DB) Overrides(ctx context.Context) ([]directory.Override, error) {
	return list(ctx, d, "overrides", body[directory.Override], `SELECT body FROM overrides ORDER BY domain`)
}

// Override returns a domain's swap; directory.ErrNotFound when it has none.
func (d *DB) Override(ctx context.Context, domain string) (directory.Override, error) {
	return one(ctx, d, "override of "+domain, body[directory.Override], `SELECT body FROM overrides WHERE domain = $1`, domain)
}

// SetOverride sets or replaces a domain's swap.
func (d *DB) SetOverride(ctx context.Context, o directory.Override) error {
	if o.Domain == "" {
		return errors.New("set an override: it names no domain")
	}
	text, err := encode(o)
	if err != nil {
		return err
	}
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO overrides (domain, body) VALUES ($1, $2) ON CONFLICT (domain) DO UPDATE SET body = excluded.body`, o.Domain, text)
		return err
	})
}

// DropOverride gives a domain back to its configured path; directory.ErrNotFound when it has no swap.
func (d *DB) DropOverride(ctx context.Context, domain string) error {
	return d.write(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM overrides WHERE domain = $1`, domain)
		return errors.Join(err, missing(n > 0 || err != nil, "override of %s", domain))
	})
}

// SaveRun adds or replaces a synchronisation run by its id.
func (d *DB) SaveRun(ctx context.Context, r directory.Run) error {
	if r.ID == "" {
		return errors.New("save a synchronisation run: it has no id")
	}
	text, err := encode(r)
	if err != nil {
		return err
	}
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO runs (id, began, body) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET began = excluded.began, body = excluded.body`, r.ID, stamp(r.Began), text)
		return err
	})
}

// Runs lists the last synchronisation runs, the newest first. 0, or above 1000, means 1000.
func (d *DB) Runs(ctx context.Context, last int) ([]directory.Run, error) {
	return list(ctx, d, "synchronisation runs", body[directory.Run], `SELECT body FROM runs ORDER BY began DESC, id LIMIT $1`, page(last))
}
