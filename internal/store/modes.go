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

// ChangeMode changes a domain's swap, and remembers it, in one write. change learns the swap (nil: none) and the domain's
// newest changes, the newest first; it may be called never, and its error changes nothing. A nil Change leaves all as it is.
func (d *DB) ChangeMode(ctx context.Context, domain string, change func(now *directory.Override, last []directory.ModeChange) (*directory.Change, error)) (made directory.ModeChange, err error) {
	err = d.write(ctx, func(t *tx) error {
		made = directory.ModeChange{}
		now, err := optional[directory.Override](t, `SELECT body FROM overrides WHERE domain = $1`, domain)
		if err != nil {
			return err
		}
		last, err := modeChangesIn(t, domain)
		if err != nil {
			return err
		}
		next, err := change(now, last)
		if err != nil || next == nil {
			return err
		}
		if err := putOverride(t, domain, next.Override); err != nil {
			return err
		}
		made, err = putModeChange(t, domain, next.Entry)
		return err
	})
	return made, err
}

// optional reads one JSON body; nil when there is no row.
func optional[T any](t *tx, query string, args ...any) (*T, error) {
	rows, err := t.rows(query, args...)
	if err != nil {
		return nil, err
	}
	found, err := collect(rows, body[T])
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

func modeChangesIn(t *tx, domain string) ([]directory.ModeChange, error) {
	rows, err := t.rows(`SELECT body FROM mode_changes WHERE domain = $1 ORDER BY id DESC LIMIT $2`, domain, longestPage)
	if err != nil {
		return nil, err
	}
	return collect(rows, body[directory.ModeChange])
}

func putOverride(t *tx, domain string, o *directory.Override) error {
	if domain == "" {
		return errors.New("set an override: it names no domain")
	}
	if o == nil {
		_, err := t.exec(`DELETE FROM overrides WHERE domain = $1`, domain)
		return err
	}
	text, err := encode(o)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO overrides (domain, body) VALUES ($1, $2) ON CONFLICT (domain) DO UPDATE SET body = excluded.body`, domain, text)
	return err
}

func putModeChange(t *tx, domain string, c directory.ModeChange) (directory.ModeChange, error) {
	if err := t.row(`SELECT coalesce(max(id), 0) + 1 FROM mode_changes`).Scan(&c.ID); err != nil {
		return c, err
	}
	c.Domain = domain
	text, err := encode(c)
	if err != nil {
		return c, err
	}
	_, err = t.exec(`INSERT INTO mode_changes (id, domain, at, body) VALUES ($1, $2, $3, $4)`, c.ID, domain, stamp(c.At), text)
	return c, err
}

// ModeChanges lists changes of paths, the newest first, those before an id (0: all) and of one domain ("": of every domain).
func (d *DB) ModeChanges(ctx context.Context, domain string, before int64, most int) ([]directory.ModeChange, error) {
	if domain == "" {
		return list(ctx, d, "changes of paths", body[directory.ModeChange], `SELECT body FROM mode_changes
			WHERE CAST($1 AS BIGINT) = 0 OR id < $1 ORDER BY id DESC LIMIT $2`, before, page(most))
	}
	return list(ctx, d, "changes of the path of "+domain, body[directory.ModeChange], `SELECT body FROM mode_changes
		WHERE domain = $1 AND (CAST($2 AS BIGINT) = 0 OR id < $2) ORDER BY id DESC LIMIT $3`, domain, before, page(most))
}

// ModeCensus counts the domain's people by what paths need of them.
func (d *DB) ModeCensus(ctx context.Context, domain string) (c directory.ModeCensus, err error) {
	count := func(into *int, query string, args ...any) {
		n, failed := one(ctx, d, "people of "+domain, column[int], query, args...)
		*into, err = n, errors.Join(err, failed)
	}
	const without = `SELECT count(*) FROM users u WHERE u.domain = $1 AND NOT EXISTS (SELECT 1 FROM credentials c WHERE c.account = u.id AND c.scheme = $2)`
	count(&c.Users, `SELECT count(*) FROM users WHERE domain = $1`, domain)
	count(&c.NoHash, without, domain, directory.SchemePHS)
	count(&c.NoPassword, without, domain, directory.SchemeCloud)
	count(&c.NoAnchor, `SELECT count(*) FROM users WHERE domain = $1 AND anchor = ''`, domain)
	count(&c.NotSynced, `SELECT count(*) FROM users WHERE domain = $1 AND NOT synced`, domain)
	return c, err
}
