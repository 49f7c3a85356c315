package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// Groups lists all groups by name, each with its members' ids in order.
func (d *DB) Groups(ctx context.Context) ([]directory.Group, error) { return d.groups(ctx, false) }

// GroupsOf lists the groups of an account by name, without their members.
func (d *DB) GroupsOf(ctx context.Context, id authn.AccountID) ([]directory.Group, error) {
	return list(ctx, d, "groups of account "+string(id), body[directory.Group],
		`SELECT g.body FROM user_groups g JOIN memberships m ON m.member_of = g.id WHERE m.account = $1 ORDER BY g.name, g.id`, string(id))
}

// PutGroup adds or replaces a group with its members; members that have no account are left out.
func (d *DB) PutGroup(ctx context.Context, g directory.Group) error {
	return d.write(ctx, func(t *tx) error {
		if err := putGroup(t, g); err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM memberships WHERE member_of = $1`, g.ID); err != nil {
			return err
		}
		return join(t, g.ID, g.Members)
	})
}

// DeleteGroup removes a group; directory.ErrNotFound when there is none.
func (d *DB) DeleteGroup(ctx context.Context, id string) error {
	return d.write(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM user_groups WHERE id = $1`, id)
		if err != nil || n == 0 {
			return errors.Join(err, missing(n > 0, "delete group %s", id))
		}
		_, err = t.exec(`DELETE FROM memberships WHERE member_of = $1`, id)
		return err
	})
}

// Contacts lists all contacts by name.
func (d *DB) Contacts(ctx context.Context) ([]directory.Contact, error) {
	return list(ctx, d, "contacts", body[directory.Contact], `SELECT body FROM contacts ORDER BY name, id`)
}

// PutContact adds or replaces a contact.
func (d *DB) PutContact(ctx context.Context, c directory.Contact) error {
	return d.write(ctx, func(t *tx) error { return putContact(t, c) })
}

func (d *DB) groups(ctx context.Context, syncedOnly bool) ([]directory.Group, error) {
	all, err := list(ctx, d, "groups", body[directory.Group], `SELECT body FROM user_groups WHERE synced OR NOT CAST($1 AS BOOLEAN) ORDER BY name, id`, syncedOnly)
	if err != nil {
		return nil, err
	}
	type membership struct {
		group  string
		member authn.AccountID
	}
	pairs, err := list(ctx, d, "memberships", func(r row) (m membership, err error) {
		err = r.Scan(&m.group, &m.member)
		return m, err
	},
		`SELECT member_of, account FROM memberships ORDER BY member_of, account`)
	if err != nil {
		return nil, err
	}
	members := map[string][]authn.AccountID{}
	for _, m := range pairs {
		members[m.group] = append(members[m.group], m.member)
	}
	for i := range all {
		all[i].Members = members[all[i].ID]
	}
	return all, nil
}

// putGroup writes the group without its members, which are rows of their own.
func putGroup(t *tx, g directory.Group) error {
	if g.ID == "" {
		return fmt.Errorf("store group %q: it has no id", g.Name)
	}
	g.Members = nil
	text, err := encode(g)
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

func putContact(t *tx, c directory.Contact) error {
	if c.ID == "" {
		return fmt.Errorf("store contact %q: it has no id", c.Name)
	}
	text, err := encode(c)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO contacts (id, name, anchor, synced, body) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, anchor = excluded.anchor, synced = excluded.synced, body = excluded.body`,
		c.ID, c.Name, c.Onprem.Anchor, c.Synced, text)
	return err
}
