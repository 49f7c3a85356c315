package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// Synced returns every synchronised object, users by UPN, groups and contacts by name, and those deleted accounts that come
// back when their anchor does, the last deleted one last.
func (d *DB) Synced(ctx context.Context) (directory.Objects, error) {
	users, err := list(ctx, d, "synchronised users", body[directory.User], `SELECT body FROM users WHERE synced ORDER BY upn`)
	if err != nil {
		return directory.Objects{}, err
	}
	groups, err := d.groups(ctx, true)
	if err != nil {
		return directory.Objects{}, err
	}
	contacts, err := list(ctx, d, "synchronised contacts", body[directory.Contact], `SELECT body FROM contacts WHERE synced ORDER BY name, id`)
	if err != nil {
		return directory.Objects{}, err
	}
	deleted, err := list(ctx, d, "deleted users", body[directory.User], `SELECT body FROM deleted_users WHERE anchor <> '' ORDER BY deleted, id`)
	deleted = slices.DeleteFunc(deleted, func(u directory.User) bool { return !u.Synced })
	return directory.Objects{Users: users, Groups: groups, Contacts: contacts, Deleted: deleted}, err
}

// ApplySync carries out what a synchronisation planned, in short transactions between which sign-ins go on: deletions,
// then users, groups, members, contacts and hashes. An object that can't be stored (directory.ErrConflict with the
// reason) is left out and doesn't stop the rest; the error names all of them. Only synchronised objects are ever deleted.
// Each refusal is a directory.Refusal. It can be repeated: the same changes come to the same state. With an epoch it is the
// run of that lease that changes; directory.ErrLeaseLost when it was lost.
func (d *DB) ApplySync(ctx context.Context, c directory.Changes) error {
	swaps, renames, others, err := d.splitRenames(ctx, c.Put.Users)
	if err != nil {
		return err
	}
	var drop, free, put []func(*tx) error
	for _, u := range renames {
		free = append(free, func(t *tx) error { return refusal(u.Onprem.Anchor, putSynced(t, u)) })
	}
	for _, u := range c.Delete.Users {
		drop = append(drop, func(t *tx) error { return refusal(u.Onprem.Anchor, deleteSynced(t, u.ID)) })
	}
	for _, k := range c.Delete.Contacts {
		drop = append(drop, func(t *tx) error { return refusal(k.Onprem.Anchor, deleteSyncedContact(t, k.ID)) })
	}
	for _, u := range others {
		put = append(put, func(t *tx) error { return refusal(u.Onprem.Anchor, putSynced(t, u)) })
	}
	for _, g := range c.Put.Groups {
		put = append(put, func(t *tx) error { return refusal(g.Onprem.Anchor, putGroup(t, g)) })
	}
	for _, k := range c.Put.Contacts {
		put = append(put, func(t *tx) error { return refusal(k.Onprem.Anchor, putContact(t, k)) })
	}
	return errors.Join(
		d.inChunks(ctx, c.Epoch, drop), d.dropSynced(ctx, c.Epoch, c.Delete.Groups), d.inChunks(ctx, c.Epoch, free), d.rename(ctx, c.Epoch, swaps),
		d.inChunks(ctx, c.Epoch, put),
		d.applyMembers(ctx, c.Epoch, c.Put.Groups), d.inChunks(ctx, c.Epoch, d.putHashes(c.Hashes)),
	)
}

// refusal says whose an error is.
func refusal(anchor string, err error) error {
	if err == nil {
		return nil
	}
	return directory.Refusal{Anchor: anchor, Err: err}
}

// inChunks carries out many changes, so many to a write. Each is all or nothing by itself.
func (d *DB) inChunks(ctx context.Context, epoch int64, changes []func(*tx) error) error {
	var refused []error
	for some := range slices.Chunk(changes, chunk) {
		var now []error
		err := d.writeBulk(ctx, func(t *tx) error {
			now = nil
			if err := leased(t, epoch); err != nil {
				return err
			}
			for _, change := range some {
				failed, broken := t.savepoint(change)
				if broken != nil {
					return broken
				}
				if failed != nil {
					now = append(now, failed)
				}
			}
			return nil
		})
		if refused = append(refused, now...); err != nil {
			return errors.Join(append(refused, err)...)
		}
	}
	return errors.Join(refused...)
}

// splitRenames parts the users whose UPN changes from the others, and of them those who take a name that another of them has
// by now.
func (d *DB) splitRenames(ctx context.Context, users []directory.User) (swaps, renames, others []directory.User, err error) {
	names, had := map[authn.AccountID]string{}, map[string]bool{}
	for some := range slices.Chunk(users, chunk) {
		ids := make([]any, chunk) // the rest of the last chunk is nobody
		for i := range ids {
			ids[i] = ""
			if i < len(some) {
				ids[i] = string(some[i].ID)
			}
		}
		if _, err := list(ctx, d, "user names", func(r row) (_ struct{}, err error) {
			var id authn.AccountID
			var upn string
			err = r.Scan(&id, &upn)
			names[id], had[upn] = upn, true
			return struct{}{}, err
		}, `SELECT id, upn FROM users WHERE id IN `+places(1, chunk), ids...); err != nil {
			return nil, nil, nil, err
		}
	}
	for _, u := range users {
		switch old, ok := names[u.ID]; {
		case !ok || old == u.UPN:
			others = append(others, u)
		case had[u.UPN]:
			swaps = append(swaps, u)
		default:
			renames = append(renames, u)
		}
	}
	return swaps, renames, others, nil
}

// rename gives users names that others of them have, in one transaction: all old names are given up first.
// One that is refused keeps its old name.
func (d *DB) rename(ctx context.Context, epoch int64, users []directory.User) error {
	if len(users) == 0 {
		return nil
	}
	var refused []error
	err := d.write(ctx, func(t *tx) error {
		if err := leased(t, epoch); err != nil {
			return err
		}
		for _, u := range users {
			if _, err := t.exec(`UPDATE users SET upn = id WHERE id = $1`, string(u.ID)); err != nil {
				return err
			}
		}
		for _, u := range users {
			failed, broken := t.savepoint(func(t *tx) error { return refusal(u.Onprem.Anchor, putSynced(t, u)) })
			if broken != nil {
				return broken
			}
			if failed != nil {
				refused = append(refused, failed)
			}
		}
		return keepOldNames(t, users)
	})
	return errors.Join(append(refused, err)...)
}

// keepOldNames gives those back their name who got no new one.
func keepOldNames(t *tx, users []directory.User) error {
	for _, u := range users {
		old, err := userIn(t, u.ID)
		if err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE users SET upn = $2 WHERE id = $1 AND upn = id`, string(u.ID), old.UPN); err != nil {
			return fmt.Errorf("rename %s to %s: refused, and its old name is taken by another rename: %w", old.UPN, u.UPN, err)
		}
	}
	return nil
}

// putSynced writes what the premises master and leaves the rest as it stands in this moment, not as it was read when the
// synchronisation began. Who was deleted and comes back into scope is the same account as before.
func putSynced(t *tx, u directory.User) error {
	if !u.Synced {
		return fmt.Errorf("synchronise user %s: it isn't marked as synchronised", u.UPN)
	}
	now, err := userIn(t, u.ID)
	switch {
	case err == nil && !now.Synced && now.Admin: // it was made one after the synchronisation was planned
		return fmt.Errorf("synchronise user %s: a privileged cloud account is never taken over", u.UPN)
	case err == nil:
		u = u.KeepCloud(now)
	case !errors.Is(err, directory.ErrNotFound):
		return err
	default:
		gone, err := deletedIn(t, u.ID)
		if err == nil {
			return revive(t, u.KeepCloud(gone.User), rejoinOurs) // the premises say who is in their groups now
		}
		if !errors.Is(err, directory.ErrNotFound) {
			return err
		}
	}
	if err := freeAnchor(t, now, u); err != nil {
		return err
	}
	if err := putUser(t, u); err != nil {
		return err
	}
	return relicense(t, []authn.AccountID{u.ID})
}

// deleteSynced removes an account as an administrator would: it can come back.
func deleteSynced(t *tx, id authn.AccountID) error {
	u, err := userIn(t, id)
	if errors.Is(err, directory.ErrNotFound) || err == nil && !u.Synced {
		return nil
	}
	if err != nil {
		return err
	}
	return removeUser(t, u)
}

// differ returns who is to come in and who is to go.
func differ[T comparable](now, wanted []T) (in, out []T) {
	have := map[T]bool{}
	for _, m := range now {
		have[m] = true
	}
	for _, m := range wanted {
		if !have[m] {
			in = append(in, m)
		}
		have[m] = false
	}
	for _, m := range now {
		if have[m] {
			out = append(out, m)
		}
	}
	return in, out
}
