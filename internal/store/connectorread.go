package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

const importedColumns = `id, kind, anchor, upn, ref, CASE WHEN ` + alive + ` THEN FALSE ELSE TRUE END, due, body, reason, error, since, tries,
	password_at, hash_at, hash_tried, hash_status, hash_reason, withheld, temporary`

func imported(r row) (o directory.Imported, err error) {
	var due, since, passwordAt, hashAt, hashTried int64
	var object string
	err = r.Scan(&o.ID, &o.Kind, &o.Anchor, &o.UPN, &o.Ref, &o.Gone, &due, &object, &o.Reason, &o.Error, &since, &o.Tries,
		&passwordAt, &hashAt, &hashTried, &o.HashStatus, &o.HashReason, &o.Withheld, &o.Temporary)
	o.Object, o.Due, o.Since = []byte(object), due > 0, moment(since)
	o.PasswordAt, o.HashAt, o.HashTried = moment(passwordAt), moment(hashAt), moment(hashTried)
	return o, err
}

// Due lists what is to be planned of one kind, by id, from after that id on.
func (d *DB) Due(ctx context.Context, kind, after string, most int) ([]directory.Imported, error) {
	return list(ctx, d, "what is due of the connector space", imported, `SELECT `+importedColumns+` FROM connector_space
		WHERE due > 0 AND due = $1 AND id > $2 AND `+inScope+` ORDER BY id LIMIT $3`, dueOrder[kind], after, most)
}

// DueRenames lists the people who are here and ask for another name than they have.
func (d *DB) DueRenames(ctx context.Context, most int) ([]directory.Imported, error) {
	return list(ctx, d, "who is to be renamed", imported, `SELECT `+importedColumns+` FROM connector_space
		WHERE due > 0 AND due = $1 AND upn <> '' AND `+inScope+` AND EXISTS (SELECT 1 FROM users WHERE synced AND users.anchor <> '' AND users.anchor = connector_space.anchor AND users.upn <> connector_space.upn)
		ORDER BY id LIMIT $2`, dueOrder["user"], most)
}

// DueGone lists what is gone there, by id, from after that id on. One whose anchor another object in scope has is not to be
// deleted here: it is that other object now.
func (d *DB) DueGone(ctx context.Context, after string, most int) (gone []directory.Imported, err error) {
	if any, err := d.anyGone(ctx); err != nil || !any {
		return nil, err
	}
	return list(ctx, d, "what is gone from the connector space", imported, `SELECT `+importedColumns+` FROM connector_space
		WHERE id > $1 AND `+lost+` ORDER BY id LIMIT $2`, after, most)
}

// CountGone counts what a run would delete now, and, when that is more than one, of how many synchronised objects.
func (d *DB) CountGone(ctx context.Context) (gone, had int, err error) {
	if any, err := d.anyGone(ctx); err != nil || !any {
		return 0, 0, err
	}
	gone, err = one(ctx, d, "what is gone from the connector space", column[int],
		`SELECT count(DISTINCT c.kind || c.anchor) FROM connector_space c WHERE c.`+lost+` AND
			(EXISTS (SELECT 1 FROM users u WHERE c.kind = 'user' AND u.synced AND u.anchor <> '' AND u.anchor = c.anchor) OR EXISTS (SELECT 1 FROM user_groups g WHERE c.kind = 'group' AND g.synced AND g.anchor <> '' AND g.anchor = c.anchor)
			OR EXISTS (SELECT 1 FROM contacts k WHERE c.kind = 'contact' AND k.synced AND k.anchor <> '' AND k.anchor = c.anchor))
			AND NOT EXISTS (SELECT 1 FROM connector_space o WHERE o.anchor = c.anchor AND o.kind = c.kind AND o.`+alive+`)`)
	if err != nil || gone <= 1 {
		return gone, gone, err
	}
	had, err = one(ctx, d, "how many objects are synchronised", column[int], `SELECT (SELECT count(*) FROM users WHERE synced) +
		(SELECT count(*) FROM user_groups WHERE synced) + (SELECT count(*) FROM contacts WHERE synced)`)
	return gone, had, err
}

// anyGone reports that something is gone. Mostly nothing is, and that is known without a look at all that is there.
func (d *DB) anyGone(ctx context.Context) (bool, error) {
	n, err := one(ctx, d, "whether anything is gone", column[int], `SELECT count(*) FROM (SELECT 1 FROM connector_space WHERE `+lost+` LIMIT 1) AS first_one`)
	return n > 0, err
}

// CountSpace counts the connector space.
func (d *DB) CountSpace(ctx context.Context) (directory.SpaceCounts, error) {
	return one(ctx, d, "the size of the connector space", func(r row) (c directory.SpaceCounts, err error) {
		err = r.Scan(&c.Objects, &c.Gone, &c.Due, &c.Failed, &c.Withheld)
		return c, err
	}, `SELECT (SELECT count(*) FROM connector_space WHERE `+alive+`), (SELECT count(*) FROM connector_space WHERE `+lost+`),
		(SELECT count(*) FROM connector_space WHERE due > 0 AND `+inScope+`), (SELECT count(*) FROM connector_space WHERE error <> '' AND `+inScope+`),
		(SELECT count(*) FROM connector_space WHERE hash_status = 'FilteredByTarget' AND `+inScope+`)`)
}

// Imported finds objects of the connector space by id, anchor or the name that they ask for, ten at most.
func (d *DB) Imported(ctx context.Context, named string) ([]directory.Imported, error) {
	return list(ctx, d, "the object "+named, imported, `SELECT `+importedColumns+` FROM connector_space
		WHERE id = $1 OR (anchor <> '' AND anchor = $1) OR (upn <> '' AND upn = $2) ORDER BY generation DESC, id LIMIT 10`, named, strings.ToLower(named))
}

// Failed lists the objects that could not be taken, by id, from after that id on.
func (d *DB) Failed(ctx context.Context, after string, most int) ([]directory.Imported, error) {
	return list(ctx, d, "objects that could not be taken", imported, `SELECT `+importedColumns+` FROM connector_space
		WHERE error <> '' AND id > $1 AND `+inScope+` ORDER BY id LIMIT $2`, after, page(most))
}

// Claims are the objects in scope that have one of these anchors, or ask for one of these names.
func (d *DB) Claims(ctx context.Context, anchors, upns []string) (all []directory.Imported, err error) {
	for _, by := range []struct {
		column string
		values []string
	}{{"anchor", anchors}, {"upn", upns}} {
		err = d.inLists(by.values, func(in string, args []any) error {
			some, err := list(ctx, d, "who claims a name", imported, `SELECT `+importedColumns+` FROM connector_space WHERE `+by.column+` <> '' AND `+by.column+` IN `+in+` AND `+alive, args...)
			all = append(all, some...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// inLists calls do for parts of values that go into one statement. The list of each part is of the same length, so that the
// statement is compiled once.
func (d *DB) inLists(values []string, do func(in string, args []any) error) error {
	values = slices.Compact(slices.Sorted(slices.Values(values)))
	for some := range slices.Chunk(values, chunk) {
		args := make([]any, chunk)
		for i := range args {
			args[i] = some[min(i, len(some)-1)]
		}
		if err := do(places(1, chunk), args); err != nil {
			return err
		}
	}
	return nil
}

// Concerned is what the tenant has of these anchors, names and addresses: accounts by any of them, groups with their members
// and contacts by anchor, and deleted accounts that would come back.
func (d *DB) Concerned(ctx context.Context, anchors, upns, mails []string) (o directory.Objects, err error) {
	seen := map[authn.AccountID]bool{}
	for _, by := range []struct {
		column string
		values []string
	}{{"anchor", anchors}, {"upn", upns}, {"mail", mails}} {
		if err := d.inLists(by.values, func(in string, args []any) error {
			some, err := list(ctx, d, "whom a synchronisation concerns", body[directory.User], `SELECT body FROM users WHERE `+by.column+` <> '' AND `+by.column+` IN `+in, args...)
			for _, u := range some {
				if !seen[u.ID] {
					seen[u.ID] = true
					o.Users = append(o.Users, u)
				}
			}
			return err
		}); err != nil {
			return o, err
		}
	}
	err = d.inLists(anchors, func(in string, args []any) error {
		groups, err1 := list(ctx, d, "groups that a synchronisation concerns", body[directory.Group], `SELECT body FROM user_groups WHERE synced AND anchor <> '' AND anchor IN `+in, args...)
		contacts, err2 := list(ctx, d, "contacts that a synchronisation concerns", body[directory.Contact], `SELECT body FROM contacts WHERE synced AND anchor <> '' AND anchor IN `+in, args...)
		deleted, err3 := list(ctx, d, "deleted accounts that a synchronisation concerns", body[directory.User], `SELECT body FROM deleted_users WHERE anchor <> '' AND anchor IN `+in+` ORDER BY deleted, id`, args...)
		deleted = slices.DeleteFunc(deleted, func(u directory.User) bool { return !u.Synced })
		o.Groups, o.Contacts, o.Deleted = append(o.Groups, groups...), append(o.Contacts, contacts...), append(o.Deleted, deleted...)
		for _, err := range []error{err1, err2, err3} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	for i := 0; i < len(o.Groups) && err == nil; i++ {
		err = d.withMembers(ctx, &o.Groups[i])
	}
	return o, err
}

// withMembers adds the members of a group.
func (d *DB) withMembers(ctx context.Context, g *directory.Group) error {
	type member struct{ kind, id string }
	all, err := list(ctx, d, "members of group "+g.ID, func(r row) (m member, err error) {
		err = r.Scan(&m.kind, &m.id)
		return m, err
	}, `SELECT 'user', account FROM memberships WHERE member_of = $1 UNION ALL SELECT kind, member FROM nestings WHERE member_of = $1 ORDER BY 1, 2`, g.ID)
	for _, m := range all {
		switch directory.MemberKind(m.kind) {
		case directory.UserMember:
			g.Members = append(g.Members, authn.AccountID(m.id))
		case directory.GroupMember:
			g.Nested = append(g.Nested, m.id)
		case directory.ContactMember:
			g.Contacts = append(g.Contacts, m.id)
		}
	}
	return err
}

// ImportedMembers lists the members of a group of the connector space, by the group's id there.
func (d *DB) ImportedMembers(ctx context.Context, id string) ([]directory.ImportedMember, error) {
	return list(ctx, d, "members of "+id, func(r row) (m directory.ImportedMember, err error) {
		err = r.Scan(&m.Kind, &m.Anchor, &m.Account, &m.Failed)
		return m, err
	}, fmt.Sprintf(`SELECT c.kind, c.anchor, coalesce(u.id, g.id, k.id, ''), c.error <> '' FROM connector_members m JOIN connector_space c ON c.ref = m.ref AND c.%s
		LEFT JOIN users u ON c.kind = 'user' AND u.synced AND u.anchor <> '' AND u.anchor = c.anchor
		LEFT JOIN user_groups g ON c.kind = 'group' AND g.synced AND g.anchor <> '' AND g.anchor = c.anchor
		LEFT JOIN contacts k ON c.kind = 'contact' AND k.synced AND k.anchor <> '' AND k.anchor = c.anchor
		WHERE m.member_of = $1 ORDER BY c.kind, c.anchor`, alive), id)
}

// StaleGroups lists groups of the connector space of whom a member has another DN by now: a directory that names members by
// links tells of the member alone.
func (d *DB) StaleGroups(ctx context.Context, most int) (ids []string, err error) {
	return list(ctx, d, "groups whose members have other names", column[string], `SELECT id FROM connector_space WHERE stale AND `+inScope+` ORDER BY id LIMIT $1`, most)
}
