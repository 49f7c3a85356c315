package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// Groups lists all groups by name, each with all its members in order of their ids. It is for a synchronisation, and for
// what is as small as a lab: a group may have very many members.
func (d *DB) Groups(ctx context.Context) ([]directory.Group, error) { return d.groups(ctx, false) }

// GroupPage lists groups by name and id, without their members.
func (d *DB) GroupPage(ctx context.Context, q directory.GroupQuery) ([]directory.Group, error) {
	return named[directory.Group](ctx, d, "groups", "user_groups", q)
}

// named pages through a table by name and id. Names are compared by their bytes on every engine.
func named[T any](ctx context.Context, d *DB, what, table string, q directory.GroupQuery) ([]T, error) {
	name, id := q.AfterName()
	if q.Prefix == "" {
		return list(ctx, d, what, body[T], `SELECT body FROM `+table+` WHERE (name, id) > ($1, $2) ORDER BY name, id LIMIT $3`, name, id, page(q.Limit))
	}
	return list(ctx, d, what, body[T], `SELECT body FROM `+table+` WHERE (name, id) > ($1, $2) AND name >= $3 AND name < $4 ORDER BY name, id LIMIT $5`,
		name, id, q.Prefix, q.Prefix+"\U0010FFFF", page(q.Limit))
}

// Group finds a group by id, without its members; directory.ErrNotFound when there is none.
func (d *DB) Group(ctx context.Context, id string) (directory.Group, error) {
	return one(ctx, d, "group "+id, body[directory.Group], `SELECT body FROM user_groups WHERE id = $1`, id)
}

// GroupsNamed finds the groups of a name, and the one of that id first, ten at most.
func (d *DB) GroupsNamed(ctx context.Context, named string) ([]directory.Group, error) {
	return list(ctx, d, "groups named "+named, body[directory.Group],
		`SELECT body FROM user_groups WHERE id = $1 OR name = $1 ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END, id LIMIT 10`, named)
}

// GroupUses tells what a group is good for.
func (d *DB) GroupUses(ctx context.Context, id string) (u directory.GroupUses, err error) {
	count := func(into *int, query string, args ...any) {
		n, failed := one(ctx, d, "uses of group "+id, column[int], query, args...)
		*into, err = n, errors.Join(err, failed)
	}
	var rollouts int
	count(&u.Members, countMembers, id)
	count(&u.Contains, `SELECT count(*) FROM nestings WHERE member_of = $1 AND kind = 'group'`, id)
	count(&u.PartOf, `SELECT count(*) FROM nestings WHERE member = $1 AND kind = 'group'`, id)
	count(&rollouts, `SELECT count(*) FROM rollouts WHERE member_of = $1`, id)
	plans, err1 := list(ctx, d, "plans of group "+id, column[string], plansOfGroup, id)
	apps, err2 := list(ctx, d, "applications of group "+id, column[string], appsOfGroup, id)
	u.Plans, u.Apps, u.Rollout = plans, apps, rollouts > 0
	return u, errors.Join(err, err1, err2)
}

const (
	countMembers = `SELECT coalesce(max(members), 0) FROM group_sizes WHERE member_of = $1`
	plansOfGroup = `SELECT plan FROM group_plans WHERE member_of = $1 ORDER BY plan`
	appsOfGroup  = `SELECT DISTINCT app FROM assignments WHERE kind = 'group' AND subject = $1 ORDER BY app`
)

// CreateGroup adds a group without members; directory.ErrConflict when the id is taken. Names may be.
func (d *DB) CreateGroup(ctx context.Context, g directory.Group) error {
	return d.write(ctx, func(t *tx) error {
		if taken, err := t.exists(`SELECT 1 FROM user_groups WHERE id = $1`, g.ID); err != nil || taken {
			return errors.Join(err, conflict(taken, "create group %s: the id %s is taken", g.Name, g.ID))
		}
		return putGroup(t, g)
	})
}

// ChangeGroup changes what a group is, and not its members, within one write. change's error changes nothing; it may be
// called never. directory.ErrNotFound when there is no such group.
func (d *DB) ChangeGroup(ctx context.Context, id string, change func(*directory.Group) error) (before, after directory.Group, err error) {
	err = d.write(ctx, func(t *tx) error {
		if before, err = groupIn(t, id); err != nil {
			return err
		}
		after = before
		if err := change(&after); err != nil {
			return err
		}
		return putGroup(t, after)
	})
	return before, after, err
}

// PutGroup adds or replaces a group with its accounts, in one write; members that have no account are left out. It is for
// groups that are as small as a lab's.
func (d *DB) PutGroup(ctx context.Context, g directory.Group) error {
	return d.write(ctx, func(t *tx) error {
		if err := putGroup(t, g); err != nil {
			return err
		}
		rows, err := t.rows(`SELECT account FROM memberships WHERE member_of = $1`, g.ID)
		if err != nil {
			return err
		}
		now, err := collect(rows, column[authn.AccountID])
		if err != nil {
			return err
		}
		in, out := differ(now, g.Members)
		return errors.Join(leave(t, g.ID, out), join(t, g.ID, in), relicense(t, slices.Concat(in, out)))
	})
}

// DeleteGroup removes a group that allow lets go: its memberships and nestings, with the licences, the assignments and the
// roll-out that come of it. A large group goes in several writes, its members first: when it is interrupted, the group is
// still there with those who are left, and deleting it once more goes on. allow is asked in the first of them;
// directory.ErrNotFound when there is no such group.
func (d *DB) DeleteGroup(ctx context.Context, id string, allow func(g directory.Group, u directory.GroupUses) error) (gone directory.Group, err error) {
	for first, more := true, true; err == nil && more; first = false {
		err = d.writeBulk(ctx, func(t *tx) error {
			if gone, err = groupIn(t, id); err != nil {
				return err
			}
			if first {
				if err := allowIn(t, gone, allow); err != nil {
					return err
				}
			}
			more, err = dropMembers(t, id)
			if err != nil || more {
				return err
			}
			return dropGroup(t, id)
		})
	}
	return gone, err
}

func allowIn(t *tx, g directory.Group, allow func(directory.Group, directory.GroupUses) error) error {
	var u directory.GroupUses
	for query, into := range map[string]*[]string{plansOfGroup: &u.Plans, appsOfGroup: &u.Apps} {
		rows, err := t.rows(query, g.ID)
		if err != nil {
			return err
		}
		if *into, err = collect(rows, column[string]); err != nil {
			return err
		}
	}
	var err1 error
	u.Rollout, err1 = t.exists(`SELECT 1 FROM rollouts WHERE member_of = $1`, g.ID)
	err2 := t.row(countMembers, g.ID).Scan(&u.Members)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	return allow(g, u)
}

// dropMembers takes as many accounts out of a group as go into one write, with the licences that they have by it. More
// remain when it says so.
func dropMembers(t *tx, group string) (more bool, err error) {
	rows, err := t.rows(`SELECT account FROM memberships WHERE member_of = $1 ORDER BY account LIMIT $2`, group, chunk)
	if err != nil {
		return false, err
	}
	some, err := collect(rows, column[authn.AccountID])
	if err != nil {
		return false, err
	}
	return len(some) == chunk, errors.Join(leave(t, group, some), relicense(t, some))
}

// dropGroup removes a group that has no accounts any more, and all that names it.
func dropGroup(t *tx, id string) error {
	if err := dropGroupGrants(t, id); err != nil {
		return err
	}
	for _, query := range []string{
		`DELETE FROM rollouts WHERE member_of = $1`,
		`DELETE FROM nestings WHERE member_of = $1`,
		`DELETE FROM nestings WHERE member = $1 AND kind = 'group'`,
		`DELETE FROM user_groups WHERE id = $1`,
	} {
		if _, err := t.exec(query, id); err != nil {
			return err
		}
	}
	return nil
}

func (d *DB) groups(ctx context.Context, syncedOnly bool) ([]directory.Group, error) {
	all, err := list(ctx, d, "groups", body[directory.Group], `SELECT body FROM user_groups WHERE synced OR NOT CAST($1 AS BOOLEAN) ORDER BY name, id`, syncedOnly)
	if err != nil {
		return nil, err
	}
	type membership struct{ group, kind, member string }
	pairs, err := list(ctx, d, "memberships", func(r row) (m membership, err error) {
		err = r.Scan(&m.group, &m.kind, &m.member)
		return m, err
	}, `SELECT member_of, 'user', account FROM memberships UNION ALL SELECT member_of, kind, member FROM nestings ORDER BY 1, 2, 3`)
	if err != nil {
		return nil, err
	}
	at := make(map[string]*directory.Group, len(all))
	for i := range all {
		at[all[i].ID] = &all[i]
	}
	for _, m := range pairs {
		g := at[m.group]
		switch kind := directory.MemberKind(m.kind); {
		case g == nil: // mastered here, and not asked for
		case kind == directory.UserMember:
			g.Members = append(g.Members, authn.AccountID(m.member))
		case kind == directory.GroupMember:
			g.Nested = append(g.Nested, m.member)
		case kind == directory.ContactMember:
			g.Contacts = append(g.Contacts, m.member)
		}
	}
	return all, nil
}

func groupIn(t *tx, id string) (directory.Group, error) {
	rows, err := t.rows(`SELECT body FROM user_groups WHERE id = $1`, id)
	if err != nil {
		return directory.Group{}, err
	}
	found, err := collect(rows, body[directory.Group])
	if err != nil || len(found) == 0 {
		return directory.Group{}, errors.Join(err, missing(len(found) > 0, "group %s", id))
	}
	return found[0], nil
}

// putGroup writes the group without its members, which are rows of their own.
func putGroup(t *tx, g directory.Group) error {
	if g.ID == "" {
		return fmt.Errorf("store group %q: it has no id", g.Name)
	}
	text, err := encode(g.Bare())
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO user_groups (id, name, anchor, synced, body) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, anchor = excluded.anchor, synced = excluded.synced, body = excluded.body`,
		g.ID, g.Name, g.Onprem.Anchor, g.Synced, text)
	return err
}

func join(t *tx, group string, members []authn.AccountID) error {
	for _, m := range members {
		if _, err := t.exec(`INSERT INTO memberships (member_of, account) SELECT $1, id FROM users WHERE id = $2 ON CONFLICT DO NOTHING`, group, string(m)); err != nil {
			return err
		}
	}
	return nil
}

func leave(t *tx, group string, members []authn.AccountID) error {
	for _, m := range members {
		if _, err := t.exec(`DELETE FROM memberships WHERE member_of = $1 AND account = $2`, group, string(m)); err != nil {
			return err
		}
	}
	return nil
}
