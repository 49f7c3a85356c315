package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// AddMembers adds members to a group, all of them or none, with the licences that the group gives its accounts. Who is a
// member already stays one. allow is asked within the same write. The error is directory.ErrNotFound for a group or a member
// that is unknown, directory.CycleError for a group that would contain itself, and directory.ErrConflict when the group
// would get more than directory.MostMembers. Not more than a few hundred belong in one call. It returns how many are new.
func (d *DB) AddMembers(ctx context.Context, group string, members []directory.MemberRef, allow func(directory.Group) error) (added int, err error) {
	err = d.changeMembers(ctx, group, members, allow, func(t *tx) error {
		added = 0
		for _, m := range members {
			n, err := addMember(t, group, m)
			if err != nil {
				return err
			}
			added += int(n)
		}
		var size int
		if err := t.row(countMembers, group).Scan(&size); err != nil {
			return err
		}
		return conflict(size > directory.MostMembers, "a group has at most %d members, and this one would have %d", directory.MostMembers, size)
	})
	return added, err
}

// RemoveMembers takes members out of a group, all of them or none; directory.ErrNotFound when one isn't a direct member.
// The licences that came of it are suspended. allow is asked within the same write.
func (d *DB) RemoveMembers(ctx context.Context, group string, members []directory.MemberRef, allow func(directory.Group) error) error {
	return d.changeMembers(ctx, group, members, allow, func(t *tx) error {
		for _, m := range members {
			if err := removeMember(t, group, m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *DB) changeMembers(ctx context.Context, group string, members []directory.MemberRef, allow func(directory.Group) error, change func(*tx) error) error {
	var accounts []authn.AccountID
	for _, m := range members {
		if m.Kind == directory.UserMember {
			accounts = append(accounts, authn.AccountID(m.ID))
		}
	}
	return d.write(ctx, func(t *tx) error {
		g, err := groupIn(t, group)
		if err != nil {
			return err
		}
		if err := allow(g); err != nil {
			return err
		}
		if err := change(t); err != nil {
			return err
		}
		return relicense(t, accounts)
	})
}

func addMember(t *tx, group string, m directory.MemberRef) (int64, error) {
	table := map[directory.MemberKind]string{directory.UserMember: "users", directory.GroupMember: "user_groups", directory.ContactMember: "contacts"}[m.Kind]
	if table == "" {
		return 0, fmt.Errorf("%q is no kind of member: there are %v", m.Kind, directory.MemberKinds())
	}
	if found, err := t.exists(`SELECT 1 FROM `+table+` WHERE id = $1`, m.ID); err != nil || !found {
		return 0, errors.Join(err, missing(found, "%s %s", m.Kind, m.ID))
	}
	if m.Kind == directory.UserMember {
		return t.exec(`INSERT INTO memberships (member_of, account) VALUES ($1, $2) ON CONFLICT (member_of, account) DO NOTHING`, group, m.ID)
	}
	if m.Kind == directory.GroupMember {
		if err := noCycle(t, group, m.ID); err != nil {
			return 0, err
		}
	}
	return t.exec(`INSERT INTO nestings (member_of, kind, member) VALUES ($1, $2, $3) ON CONFLICT (member_of, kind, member) DO NOTHING`, group, string(m.Kind), m.ID)
}

func removeMember(t *tx, group string, m directory.MemberRef) error {
	var n int64
	var err error
	if m.Kind == directory.UserMember {
		n, err = t.exec(`DELETE FROM memberships WHERE member_of = $1 AND account = $2`, group, m.ID)
	} else {
		n, err = t.exec(`DELETE FROM nestings WHERE member_of = $1 AND kind = $2 AND member = $3`, group, string(m.Kind), m.ID)
	}
	return errors.Join(err, missing(err != nil || n > 0, "the %s %s is not a member of the group", m.Kind, m.ID))
}

// above finds all groups that contain a group, and itself, however they are nested. It ends although a cycle be there: a
// UNION takes each group once.
const above = `WITH RECURSIVE above(id) AS (
	SELECT id FROM user_groups WHERE id = $1
	UNION SELECT n.member_of FROM nestings n JOIN above ON n.member = above.id WHERE n.kind = 'group')`

// noCycle refuses a nesting by which a group would contain itself.
func noCycle(t *tx, group, member string) error {
	cycle, err := t.exists(above+` SELECT 1 FROM above WHERE id = $2`, group, member)
	if err != nil || !cycle {
		return err
	}
	way, err := wayDown(t, member, group)
	if err != nil {
		return err
	}
	way = append([]string{group}, way...)
	for i, id := range way {
		g, err := groupIn(t, id)
		if err != nil {
			return err
		}
		way[i] = g.Name
	}
	return directory.CycleError{Way: way}
}

// wayDown is the shortest way from a group to one that it contains: both, and those between them. It is looked for only to
// be told.
func wayDown(t *tx, from, to string) ([]string, error) {
	by := map[string]string{from: ""}
	for next := []string{from}; len(next) > 0; next = next[1:] {
		if next[0] == to {
			break
		}
		rows, err := t.rows(`SELECT member FROM nestings WHERE member_of = $1 AND kind = 'group' ORDER BY member`, next[0])
		if err != nil {
			return nil, err
		}
		below, err := collect(rows, column[string])
		if err != nil {
			return nil, err
		}
		for _, id := range below {
			if _, seen := by[id]; !seen {
				by[id] = next[0]
				next = append(next, id)
			}
		}
	}
	var way []string
	for id := to; id != ""; id = by[id] {
		way = append(way, id)
	}
	slices.Reverse(way)
	return way, nil
}

// Members lists members of a group by kind and id. With q.Transitive, the members of nested groups are listed too, each
// once. A page takes as long whatever the group's size.
func (d *DB) Members(ctx context.Context, group string, q directory.MemberQuery) ([]directory.Member, error) {
	groups := []string{group}
	if q.Transitive {
		var err error
		if groups, err = d.below(ctx, group); err != nil {
			return nil, err
		}
	}
	kind, after, _ := strings.Cut(q.After, " ")
	var all []directory.Member
	for _, k := range directory.MemberKinds() {
		if q.Kind != "" && k != q.Kind || string(k) < kind || len(all) >= page(q.Limit) {
			continue
		}
		from := ""
		if string(k) == kind {
			from = after
		}
		some, err := d.membersOf(ctx, groups, k, from, page(q.Limit)-len(all))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// below lists a group and all groups that it contains, itself first.
func (d *DB) below(ctx context.Context, group string) ([]string, error) {
	return list(ctx, d, "groups in group "+group, column[string], `WITH RECURSIVE below(id) AS (
		SELECT id FROM user_groups WHERE id = $1
		UNION SELECT n.member FROM nestings n JOIN below ON n.member_of = below.id WHERE n.kind = 'group')
		SELECT id FROM below ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END, id`, group)
}

// membersOf lists the members of some kind of groups, of which the first is the one that is asked about. From each group as
// many are read as fit on a page, by its index, and those of several are merged.
func (d *DB) membersOf(ctx context.Context, groups []string, kind directory.MemberKind, after string, most int) ([]directory.Member, error) {
	found := map[string]directory.Member{}
	for i, g := range groups {
		args := []any{g, after, most}
		if kind == directory.GroupMember {
			args = append(args, groups[0]) // in a cycle, the group contains itself; that isn't told
		}
		some, err := list(ctx, d, "members of group "+g, scanMember(kind, i == 0), membersQuery(kind), args...)
		if err != nil {
			return nil, err
		}
		for _, m := range some {
			if _, has := found[m.ID]; !has {
				found[m.ID] = m
			}
		}
		if len(found) > 4*most {
			keepFirst(found, most)
		}
	}
	return keepFirst(found, most), nil
}

// keepFirst drops all but the first of a page, and lists those.
func keepFirst(found map[string]directory.Member, most int) []directory.Member {
	all := make([]directory.Member, 0, len(found))
	for _, m := range found {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b directory.Member) int { return cmp.Compare(a.ID, b.ID) })
	for _, m := range all[min(most, len(all)):] {
		delete(found, m.ID)
	}
	return all[:min(most, len(all))]
}

func membersQuery(kind directory.MemberKind) string {
	switch kind {
	case directory.UserMember:
		return `SELECT u.id, u.body FROM memberships m JOIN users u ON u.id = m.account WHERE m.member_of = $1 AND m.account > $2 ORDER BY m.account LIMIT $3`
	case directory.GroupMember:
		return `SELECT g.id, g.body FROM nestings n JOIN user_groups g ON g.id = n.member
			WHERE n.member_of = $1 AND n.kind = 'group' AND n.member > $2 AND n.member <> $4 ORDER BY n.member LIMIT $3`
	default:
		return `SELECT c.id, c.body FROM nestings n JOIN contacts c ON c.id = n.member
			WHERE n.member_of = $1 AND n.kind = 'contact' AND n.member > $2 ORDER BY n.member LIMIT $3`
	}
}

func scanMember(kind directory.MemberKind, direct bool) func(row) (directory.Member, error) {
	return func(r row) (directory.Member, error) {
		m := directory.Member{MemberRef: directory.MemberRef{Kind: kind}, Direct: direct}
		var text []byte
		if err := r.Scan(&m.ID, &text); err != nil {
			return m, err
		}
		var of struct { // what users, groups and contacts have in common
			Name   string `json:"displayName"`
			UPN    string `json:"userPrincipalName"`
			Mail   string `json:"mail"`
			Synced bool   `json:"onPremisesSyncEnabled"`
		}
		err := json.Unmarshal(text, &of)
		m.Name, m.UPN, m.Synced = of.Name, of.UPN, of.Synced
		if kind == directory.ContactMember {
			m.Mail = of.Mail
		}
		return m, err
	}
}

// GroupsOf lists the groups that an account is a direct member of by name, without their members.
func (d *DB) GroupsOf(ctx context.Context, id authn.AccountID) ([]directory.Group, error) {
	return list(ctx, d, "groups of account "+string(id), body[directory.Group],
		`SELECT g.body FROM user_groups g JOIN memberships m ON m.member_of = g.id WHERE m.account = $1 ORDER BY g.name, g.id`, string(id))
}

// AllGroupsOf lists the groups of an account by name, those too that contain a group of the account's.
func (d *DB) AllGroupsOf(ctx context.Context, id authn.AccountID) ([]directory.Membership, error) {
	return list(ctx, d, "all groups of account "+string(id), func(r row) (m directory.Membership, err error) {
		var text []byte
		if err := r.Scan(&text, &m.Direct); err != nil {
			return m, err
		}
		return m, json.Unmarshal(text, &m.Group)
	}, `WITH RECURSIVE above(id) AS (
		SELECT member_of FROM memberships WHERE account = $1
		UNION SELECT n.member_of FROM nestings n JOIN above ON n.member = above.id WHERE n.kind = 'group')
		SELECT g.body, EXISTS (SELECT 1 FROM memberships m WHERE m.account = $1 AND m.member_of = g.id)
		FROM user_groups g JOIN above ON above.id = g.id ORDER BY g.name, g.id`, string(id))
}
