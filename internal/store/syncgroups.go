package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// dropSynced removes groups that are gone on-premises, each as an administrator would; one that is mastered here stays.
func (d *DB) dropSynced(ctx context.Context, epoch int64, groups []directory.Group) error {
	var failed []error
	for _, g := range groups {
		if err := d.held(ctx, epoch); err != nil {
			return err
		}
		_, err := d.DeleteGroup(ctx, g.ID, func(g directory.Group, _ directory.GroupUses) error {
			return missing(g.Synced, "synchronised group %s", g.ID)
		})
		if !errors.Is(err, directory.ErrNotFound) {
			failed = append(failed, refusal(g.Onprem.Anchor, err))
		}
	}
	return errors.Join(failed...)
}

// ApplyMembers brings the members of groups that are here to those that they have in the plan. A member that is not here is
// left out.
func (d *DB) ApplyMembers(ctx context.Context, epoch int64, groups []directory.Group) error {
	return d.applyMembers(ctx, epoch, groups)
}

// held is directory.ErrLeaseLost when the right to synchronise was lost.
func (d *DB) held(ctx context.Context, epoch int64) error {
	if epoch == 0 {
		return nil
	}
	l, err := d.SyncLease(ctx)
	return errors.Join(err, leaseLost(err != nil || l.Epoch == epoch && !l.Until.IsZero()))
}

// applyMembers writes only the differences, in chunks, and their licences with them: a group may have very many members.
func (d *DB) applyMembers(ctx context.Context, epoch int64, groups []directory.Group) error {
	var failed []error
	change := func(how func(*tx, string, []authn.AccountID) error, group string, all []authn.AccountID) {
		for some := range slices.Chunk(all, chunk) {
			failed = append(failed, d.writeBulk(ctx, func(t *tx) error {
				return errors.Join(leased(t, epoch), how(t, group, some), relicense(t, some))
			}))
		}
	}
	for _, g := range groups {
		now, err := list(ctx, d, "members of group "+g.ID, column[authn.AccountID],
			`SELECT account FROM memberships WHERE member_of = $1`, g.ID)
		if err != nil {
			return err
		}
		in, out := differ(now, g.Members)
		change(leave, g.ID, out) // first: whoever goes leaves a seat to whoever comes
		change(join, g.ID, in)
	}
	// All nestings end before one begins: two groups may have changed places.
	joined := map[string][]directory.MemberRef{}
	for _, g := range groups {
		in, err := d.unnest(ctx, epoch, g)
		if err != nil {
			return err
		}
		joined[g.ID] = in
	}
	for _, g := range groups {
		failed = append(failed, refusal(g.Onprem.Anchor, d.nest(ctx, epoch, g.ID, joined[g.ID])))
	}
	return errors.Join(failed...)
}

// unnest ends the nestings that are gone on-premises, and returns those that are new there.
func (d *DB) unnest(ctx context.Context, epoch int64, g directory.Group) (in []directory.MemberRef, err error) {
	now, err := list(ctx, d, "nestings of group "+g.ID, func(r row) (m directory.MemberRef, err error) {
		err = r.Scan(&m.Kind, &m.ID)
		return m, err
	}, `SELECT kind, member FROM nestings WHERE member_of = $1`, g.ID)
	if err != nil {
		return nil, err
	}
	wanted := make([]directory.MemberRef, 0, len(g.Nested)+len(g.Contacts))
	for _, id := range g.Nested {
		wanted = append(wanted, directory.MemberRef{Kind: directory.GroupMember, ID: id})
	}
	for _, id := range g.Contacts {
		wanted = append(wanted, directory.MemberRef{Kind: directory.ContactMember, ID: id})
	}
	in, out := differ(now, wanted)
	var drop []func(*tx) error
	for _, m := range out {
		drop = append(drop, func(t *tx) error { return removeMember(t, g.ID, m) })
	}
	return in, d.inChunks(ctx, epoch, drop)
}

// nest makes the nestings that are new. What is not here is left out, as it is with accounts. A nesting by which a group
// would contain itself is refused, and the rest goes on: Active Directory allows it.
func (d *DB) nest(ctx context.Context, epoch int64, group string, members []directory.MemberRef) error {
	var put []func(*tx) error
	for _, m := range members {
		put = append(put, func(t *tx) error {
			_, err := addMember(t, group, m)
			if errors.Is(err, directory.ErrNotFound) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("synchronise the members of group %s: %w", group, err)
			}
			return nil
		})
	}
	return d.inChunks(ctx, epoch, put)
}
