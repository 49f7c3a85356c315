package store

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// Rollouts lists the groups that were put into a roll-out at run time, by path, name and id. A note says what in a group
// does not count.
func (d *DB) Rollouts(ctx context.Context) ([]directory.NamedRollout, error) {
	return list(ctx, d, "roll-outs", func(r row) (n directory.NamedRollout, err error) {
		var text []byte
		var all, others int
		if err := r.Scan(&text, &n.Name, &all, &others); err != nil {
			return n, err
		}
		err = json.Unmarshal(text, &n.Rollout)
		return n.Counted(all-others, others), err
	}, `SELECT r.body, coalesce(g.name, ''), coalesce(s.members, 0), (SELECT count(*) FROM nestings n WHERE n.member_of = r.member_of)
		FROM rollouts r LEFT JOIN user_groups g ON g.id = r.member_of
		LEFT JOIN group_sizes s ON s.member_of = r.member_of ORDER BY r.path, coalesce(g.name, ''), r.member_of`)
}

// RolloutSize counts the accounts of a group, and what else is in it.
func (d *DB) RolloutSize(ctx context.Context, group string) (accounts, others int, err error) {
	all, err1 := one(ctx, d, "size of group "+group, column[int], countMembers, group)
	others, err2 := one(ctx, d, "size of group "+group, column[int], `SELECT count(*) FROM nestings WHERE member_of = $1`, group)
	return all - others, others, errors.Join(err1, err2)
}

// RolledOut counts the synchronised people of a domain who are direct members of any of the groups.
func (d *DB) RolledOut(ctx context.Context, domain string, groups []string) (int, error) {
	if len(groups) == 0 {
		return 0, nil
	}
	args := []any{domain}
	places := make([]string, len(groups))
	for i, g := range groups {
		args = append(args, g)
		places[i] = "$" + strconv.Itoa(len(args))
	}
	return one(ctx, d, "people of "+domain+" in roll-outs", column[int], `SELECT count(DISTINCT u.id) FROM memberships m JOIN users u ON u.id = m.account
		WHERE u.domain = $1 AND u.synced AND m.member_of IN (`+strings.Join(places, ", ")+`)`, args...)
}

// AddRollout puts a group into a roll-out that allow accepts, or moves it to another path, in one write;
// directory.ErrNotFound when there is no such group.
func (d *DB) AddRollout(ctx context.Context, r directory.Rollout, allow func(directory.RolloutFacts) error) (before *directory.Rollout, err error) {
	err = d.write(ctx, func(t *tx) error {
		f, err := rolloutFacts(t, r.Group)
		if err != nil {
			return err
		}
		before = f.Before
		if err := allow(f); err != nil {
			return err
		}
		text, err := encode(r)
		if err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO rollouts (member_of, path, body) VALUES ($1, $2, $3) ON CONFLICT (member_of) DO UPDATE SET path = excluded.path, body = excluded.body`,
			r.Group, string(r.Path), text)
		return err
	})
	return before, err
}

func rolloutFacts(t *tx, group string) (f directory.RolloutFacts, err error) {
	if f.Group, err = groupIn(t, group); err != nil {
		return f, err
	}
	if f.Before, err = optional[directory.Rollout](t, `SELECT body FROM rollouts WHERE member_of = $1`, group); err != nil {
		return f, err
	}
	const nested = `SELECT count(*) FROM nestings WHERE member_of = $1 AND kind = $2`
	var members int
	if err := errors.Join(
		t.row(countMembers, group).Scan(&members),
		t.row(nested, group, string(directory.GroupMember)).Scan(&f.Nested),
		t.row(nested, group, string(directory.ContactMember)).Scan(&f.Contacts),
	); err != nil {
		return f, err
	}
	f.Accounts, f.Others = members-f.Nested-f.Contacts, map[authn.Path]int{}
	rows, err := t.rows(`SELECT path FROM rollouts WHERE member_of <> $1`, group)
	if err != nil {
		return f, err
	}
	paths, err := collect(rows, column[authn.Path])
	for _, p := range paths {
		f.Others[p]++
	}
	return f, err
}

// RemoveRollout takes a group out of its roll-out; directory.ErrNotFound when it is in none.
func (d *DB) RemoveRollout(ctx context.Context, group string) (before directory.Rollout, err error) {
	err = d.write(ctx, func(t *tx) error {
		found, err := optional[directory.Rollout](t, `SELECT body FROM rollouts WHERE member_of = $1`, group)
		if err != nil || found == nil {
			return errors.Join(err, missing(found != nil, "roll-out of group %s", group))
		}
		before = *found
		_, err = t.exec(`DELETE FROM rollouts WHERE member_of = $1`, group)
		return err
	})
	return before, err
}
