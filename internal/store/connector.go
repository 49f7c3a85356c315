package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/fourways-id/fourways/internal/directory"
)

// The orders in which what is due is planned: members before their groups.
var dueOrder = map[string]int{"user": 1, "contact": 2, "group": 3} //nolint:gochecknoglobals // a constant

// Objects of the connector space that are in scope, and that are gone.
const (
	alive = `generation >= (SELECT complete FROM sync_cursors WHERE kind = 'directory')`
	lost  = `generation < (SELECT complete FROM sync_cursors WHERE kind = 'directory')`

	inScope = `+` + alive // where another index finds few: the plus keeps that of generations out
)

// BeginImport numbers a full read. Until it comes to its end nothing of it makes anything else go.
func (d *DB) BeginImport(ctx context.Context, epoch int64) (generation int64, err error) {
	err = d.write(ctx, func(t *tx) error {
		if err := leased(t, epoch); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE sync_cursors SET begun = begun + 1 WHERE kind = 'directory'`); err != nil {
			return err
		}
		return t.row(`SELECT begun FROM sync_cursors WHERE kind = 'directory'`).Scan(&generation)
	})
	return generation, err
}

// Import takes a part of what an agent read into the connector space, in short writes, the cursor with the last of them.
// What has changed becomes due. It can be repeated: the same part comes to the same state.
func (d *DB) Import(ctx context.Context, part directory.Import) error {
	for _, o := range part.Objects { // first: who finds an object finds its members
		if err := d.importMembers(ctx, part.Epoch, o); err != nil {
			return err
		}
	}
	var all []func(*tx) error
	for _, o := range part.Objects {
		all = append(all, func(t *tx) error { return importObject(t, part, o) })
	}
	for _, id := range part.Same {
		all = append(all, func(t *tx) error {
			_, err := t.exec(`UPDATE connector_space SET generation = $2 WHERE id = $1 AND `+alive, id, part.Generation)
			return err
		})
	}
	if part.Last || part.Cursor != nil {
		all = append(all, func(t *tx) error { return endImport(t, part) })
	}
	for some := range slices.Chunk(all, chunk) {
		if err := d.writeBulk(ctx, func(t *tx) error {
			err := leased(t, part.Epoch)
			for i := 0; i < len(some) && err == nil; i++ {
				err = some[i](t)
			}
			return err
		}); err != nil {
			return fmt.Errorf("import what an agent read: %w", err)
		}
	}
	return nil
}

func endImport(t *tx, part directory.Import) error {
	if part.Last {
		if _, err := t.exec(`UPDATE sync_cursors SET complete = $1, full_at = $2 WHERE kind = 'directory'`, part.Generation, stamp(t.clock.Now())); err != nil {
			return err
		}
	}
	if part.Cursor == nil {
		return nil
	}
	return putCursor(t, *part.Cursor)
}

// importMembers brings the members of a group to those that it has there, in short writes.
func (d *DB) importMembers(ctx context.Context, epoch int64, o directory.Imported) error {
	if o.Kind != "group" || o.Gone {
		return nil
	}
	now, err := list(ctx, d, "members of "+o.ID, column[string], `SELECT ref FROM connector_members WHERE member_of = $1`, o.ID)
	if err != nil {
		return err
	}
	in, out := differ(now, o.Members)
	for query, refs := range map[string][]string{
		`INSERT INTO connector_members (member_of, ref) VALUES ($1, $2) ON CONFLICT DO NOTHING`: in,
		`DELETE FROM connector_members WHERE member_of = $1 AND ref = $2`:                       out,
	} {
		for some := range slices.Chunk(refs, chunk) {
			if err := d.writeBulk(ctx, func(t *tx) error {
				err := leased(t, epoch)
				for i := 0; i < len(some) && err == nil; i++ {
					_, err = t.exec(query, o.ID, some[i])
				}
				if err == nil { // a run that ends here is followed by one that sees no difference any more
					_, err = t.exec(`UPDATE connector_space SET due = $2 WHERE id = $1`, o.ID, dueOrder["group"])
				}
				return err
			}); err != nil {
				return fmt.Errorf("import the members of a group: %w", err)
			}
		}
	}
	return nil
}

func importObject(t *tx, part directory.Import, o directory.Imported) error {
	if o.Gone {
		_, err := t.exec(`UPDATE connector_space SET generation = 0, due = 0, body = '', reason = $2 WHERE id = $1`, o.ID, o.Reason)
		return err
	}
	var before struct {
		kind, ref, anchor, body string
		generation              int64
	}
	err := t.row(`SELECT kind, ref, anchor, body, generation FROM connector_space WHERE id = $1`, o.ID).Scan(&before.kind, &before.ref, &before.anchor, &before.body, &before.generation)
	isNew := errors.Is(err, sql.ErrNoRows)
	if err != nil && !isNew {
		return err
	}
	var complete int64
	if err := t.row(`SELECT complete FROM sync_cursors WHERE kind = 'directory'`).Scan(&complete); err != nil {
		return err
	}
	if !isNew && (before.kind != o.Kind || before.anchor != o.Anchor) {
		if err := abandon(t, before.kind, before.anchor, o.ID); err != nil {
			return err
		}
	}
	generation, back := cmp.Or(part.Generation, complete), before.generation < complete
	due := 0
	if isNew || back || part.Again || before.body != string(o.Object) || before.anchor != o.Anchor {
		due = dueOrder[o.Kind]
	}
	if _, err := t.exec(`INSERT INTO connector_space (id, kind, anchor, upn, ref, generation, due, body, password_at, hash_due) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, anchor = excluded.anchor, upn = excluded.upn, ref = excluded.ref, generation = excluded.generation,
		due = CASE WHEN excluded.due > 0 THEN excluded.due ELSE connector_space.due END, body = excluded.body, reason = '', stale = FALSE,
		password_at = CASE WHEN excluded.password_at > 0 THEN excluded.password_at ELSE connector_space.password_at END`,
		o.ID, o.Kind, o.Anchor, o.UPN, o.Ref, generation, due, string(o.Object), stamp(o.PasswordAt), o.Kind == "user"); err != nil {
		return err
	}
	if !isNew && before.ref != o.Ref {
		if _, err := t.exec(`UPDATE connector_space SET stale = TRUE WHERE id IN (SELECT member_of FROM connector_members WHERE ref = $1)`, before.ref); err != nil {
			return err
		}
	}
	if isNew || back || before.ref != o.Ref {
		return groupsDue(t, o.Ref)
	}
	return nil
}

// abandon gives what stands for an object here a row that is gone, since the object is another one now: whoever had it must
// not stay behind as the directory last said. What another object stands for is not deleted by it.
func abandon(t *tx, kind, anchor, id string) error {
	_, err := t.exec(`INSERT INTO connector_space (id, kind, anchor, upn, ref, generation, due, body, reason)
		VALUES ($1, $2, $3, '', '', 0, 0, '', $4) ON CONFLICT (id) DO NOTHING`, orphan+kind+" "+anchor, kind, anchor, "its object has another anchor or kind now: "+id)
	return err
}

// orphan begins the id of a row that no object of the premises has.
const orphan = "orphan "

// groupsDue has the groups planned again that name a member: who it is, or whether it is here, has changed.
func groupsDue(t *tx, ref string) error {
	_, err := t.exec(`UPDATE connector_space SET due = $2 WHERE due = 0 AND id IN (SELECT member_of FROM connector_members WHERE ref = $1)`, ref, dueOrder["group"])
	return err
}

// Settle writes down what became of objects that were due.
func (d *DB) Settle(ctx context.Context, epoch int64, all []directory.Settled) error {
	for some := range slices.Chunk(all, chunk) {
		if err := d.writeBulk(ctx, func(t *tx) error {
			err := leased(t, epoch)
			for i := 0; i < len(some) && err == nil; i++ {
				err = settle(t, some[i])
			}
			return err
		}); err != nil {
			return fmt.Errorf("settle what was planned: %w", err)
		}
	}
	return nil
}

func settle(t *tx, s directory.Settled) error {
	switch {
	case s.Gone:
		_, err1 := t.exec(`DELETE FROM connector_members WHERE member_of = $1`, s.ID)
		_, err2 := t.exec(`DELETE FROM connector_space WHERE id = $1 AND `+lost, s.ID)
		return errors.Join(err1, err2)
	case s.Error != "":
		_, err := t.exec(`UPDATE connector_space SET error = $2, since = CASE WHEN since = 0 THEN $3 ELSE since END, tries = tries + 1 WHERE id = $1`,
			s.ID, s.Error, stamp(t.clock.Now()))
		return err
	}
	var failed, ref string
	if err := t.row(`SELECT error, ref FROM connector_space WHERE id = $1`, s.ID).Scan(&failed, &ref); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	}
	if _, err := t.exec(`UPDATE connector_space SET due = 0, error = '', since = 0, tries = 0 WHERE id = $1`, s.ID); err != nil || failed == "" {
		return err
	}
	return groupsDue(t, ref) // it is here at last
}

// AdoptOrphans gives the synchronised accounts, groups and contacts that the connector space doesn't have a row that is gone:
// what was synchronised before there was one. It is called after a full read.
func (d *DB) AdoptOrphans(ctx context.Context, epoch int64) error {
	for kind, table := range map[string]string{"user": "users", "group": "user_groups", "contact": "contacts"} {
		for more := true; more; {
			if err := d.writeBulk(ctx, func(t *tx) error {
				if err := leased(t, epoch); err != nil {
					return err
				}
				n, err := t.exec(`INSERT INTO connector_space (id, kind, anchor, upn, ref, generation, due, body, reason)
					SELECT '`+orphan+`' || CAST($1 AS TEXT) || ' ' || anchor, CAST($1 AS TEXT), anchor, '', '', 0, 0, '', 'not in the on-premises directory' FROM `+table+` o WHERE synced AND anchor <> ''
					AND NOT EXISTS (SELECT 1 FROM connector_space c WHERE c.anchor = o.anchor AND c.kind = CAST($1 AS TEXT)) LIMIT $2`, kind, chunk)
				more = n == chunk
				return err
			}); err != nil {
				return fmt.Errorf("look for what the premises don't have: %w", err)
			}
		}
	}
	return nil
}
