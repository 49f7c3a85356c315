package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// Domains lists what is kept of domains, by name.
func (d *DB) Domains(ctx context.Context) ([]directory.KeptDomain, error) {
	return list(ctx, d, "domains", body[directory.KeptDomain], `SELECT body FROM domains ORDER BY name`)
}

// KeptDomain finds what is kept of a domain; directory.ErrNotFound when that is nothing.
func (d *DB) KeptDomain(ctx context.Context, name string) (directory.KeptDomain, error) {
	return one(ctx, d, "domain "+name, body[directory.KeptDomain], `SELECT body FROM domains WHERE name = $1`, name)
}

// Standing implements directory.Source: one query, of indexed rows alone.
func (d *DB) Standing(ctx context.Context, domain string, account authn.AccountID, groups []string) (directory.Standing, error) {
	query, args := standingQuery(domain, account, groups)
	var s directory.Standing
	_, err := list(ctx, d, "how the people of "+domain+" sign in", func(r row) (struct{}, error) { return struct{}{}, readStanding(r, &s) }, query, args...)
	return s, err
}

const standing = `SELECT 'override' AS kind, '' AS id, '' AS name, body FROM overrides WHERE domain = $1
	UNION ALL SELECT 'domain', '', '', body FROM domains WHERE name = $1
	UNION ALL SELECT 'rollout', g.id, g.name, r.body FROM memberships m JOIN rollouts r ON r.member_of = m.member_of JOIN user_groups g ON g.id = m.member_of
		WHERE m.account = $2`

// standingQuery asks for the groups of the configuration's roll-outs only where there are some. A name that several groups
// have names none of them.
func standingQuery(domain string, account authn.AccountID, groups []string) (query string, args []any) {
	args = []any{domain, string(account)}
	if len(groups) == 0 {
		return standing, args
	}
	places := make([]string, len(groups))
	for i, g := range groups {
		args = append(args, g)
		places[i] = "$" + strconv.Itoa(len(args))
	}
	in := " IN (" + strings.Join(places, ", ") + ")"
	return standing + ` UNION ALL SELECT 'group', g.id, g.name, '' FROM memberships m JOIN user_groups g ON g.id = m.member_of
		WHERE m.account = $2 AND (g.id` + in + ` OR g.name` + in + ` AND NOT EXISTS (SELECT 1 FROM user_groups o WHERE o.name = g.name AND o.id <> g.id))`, args
}

func readStanding(r row, s *directory.Standing) error {
	var kind, id, name string
	var text []byte
	if err := r.Scan(&kind, &id, &name, &text); err != nil {
		return err
	}
	switch kind {
	case "override":
		return json.Unmarshal(text, &s.Override)
	case "domain":
		return json.Unmarshal(text, &s.Domain)
	case "group":
		s.Groups = append(s.Groups, directory.NamedGroup{ID: id, Name: name})
		return nil
	}
	n := directory.NamedRollout{Name: name}
	if err := json.Unmarshal(text, &n.Rollout); err != nil {
		return err
	}
	n.Group = id
	s.Rollouts = append(s.Rollouts, n)
	return nil
}

// ChangeDomain changes what is kept of a domain, in one write. change learns what that is (a domain of which nothing is
// kept has its name alone) and the domain's swap (nil: none); what it leaves empty is kept no longer. It may be called never,
// and its error changes nothing. A domain that change adds begins without a swap and without a history.
func (d *DB) ChangeDomain(ctx context.Context, name string, change func(kept *directory.KeptDomain, swap *directory.Override) error) (before, after directory.KeptDomain, err error) {
	err = d.write(ctx, func(t *tx) error {
		found, err := optional[directory.KeptDomain](t, `SELECT body FROM domains WHERE name = $1`, name)
		if err != nil {
			return err
		}
		swap, err := optional[directory.Override](t, `SELECT body FROM overrides WHERE domain = $1`, name)
		if err != nil {
			return err
		}
		if before = (directory.KeptDomain{Name: name}); found != nil {
			before = *found
		}
		after = before
		if err := change(&after, swap); err != nil {
			return err
		}
		if after.Empty() {
			after = directory.KeptDomain{Name: name}
		}
		if before.Added.IsZero() && !after.Added.IsZero() { // the file may have had one of the name before
			if err := forgetMode(t, name); err != nil {
				return err
			}
		}
		return putDomain(t, after)
	})
	return before, after, err
}

func putDomain(t *tx, k directory.KeptDomain) error {
	if k.Empty() {
		_, err := t.exec(`DELETE FROM domains WHERE name = $1`, k.Name)
		return err
	}
	text, err := encode(k)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO domains (name, body) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET body = excluded.body`, k.Name, text)
	return err
}

// RemoveDomain forgets a domain that allow lets go, with its swap and its history, so that a later domain of the name begins
// anew (the audit log keeps who did what); directory.ErrNotFound when nothing is kept of it. allow learns how many accounts
// it has, and how many that were deleted and can come back.
func (d *DB) RemoveDomain(ctx context.Context, name string, allow func(k directory.KeptDomain, accounts, deleted int) error) error {
	return d.write(ctx, func(t *tx) error {
		found, err := optional[directory.KeptDomain](t, `SELECT body FROM domains WHERE name = $1`, name)
		if err != nil || found == nil {
			return errors.Join(err, missing(found != nil, "domain %s", name))
		}
		var accounts, deleted int
		if err := errors.Join(
			t.row(`SELECT count(*) FROM (SELECT 1 FROM users WHERE domain = $1 LIMIT $2) counted`, name, longestPage).Scan(&accounts),
			t.row(`SELECT count(*) FROM (SELECT 1 FROM deleted_users WHERE domain = $1 LIMIT $2) counted`, name, longestPage).Scan(&deleted),
		); err != nil {
			return fmt.Errorf("count the accounts of %s: %w", name, err)
		}
		if err := allow(*found, accounts, deleted); err != nil {
			return err
		}
		_, err1 := t.exec(`DELETE FROM domains WHERE name = $1`, name)
		return errors.Join(err1, forgetMode(t, name))
	})
}

// forgetMode forgets a domain's swap and its history.
func forgetMode(t *tx, domain string) error {
	_, err1 := t.exec(`DELETE FROM overrides WHERE domain = $1`, domain)
	_, err2 := t.exec(`DELETE FROM mode_changes WHERE domain = $1`, domain)
	return errors.Join(err1, err2)
}
