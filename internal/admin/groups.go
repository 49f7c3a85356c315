package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Groups manages groups and who is in them.
type Groups struct{ Base }

// mostAtOnce bounds how many members one request adds or removes: they are one write, for which sign-ins wait.
const mostAtOnce = 200

// Groups implements console.Groups.
func (a *Groups) Groups(ctx context.Context, q directory.GroupQuery) ([]directory.Group, error) {
	return a.Store.GroupPage(ctx, q)
}

// Group implements console.Groups.
func (a *Groups) Group(ctx context.Context, named string) (api.GroupDetail, error) {
	g, err := a.group(ctx, named)
	if err != nil {
		return api.GroupDetail{}, err
	}
	uses, err := a.Store.GroupUses(ctx, g.ID)
	return api.GroupDetail{Group: g, GroupUses: uses}, err
}

// Members implements console.Groups. q.After is of the member before.
func (a *Groups) Members(ctx context.Context, named string, q directory.MemberQuery) ([]directory.Member, error) {
	g, err := a.group(ctx, named)
	if err != nil {
		return nil, err
	}
	return a.Store.Members(ctx, g.ID, q)
}

// CreateGroup implements console.Groups: the group is mastered here, and has no members yet. Several may have one name, as
// in Microsoft Entra ID.
func (a *Groups) CreateGroup(ctx context.Context, ask api.NewGroup) (directory.Group, error) {
	g := directory.Group{ID: a.id("group " + ask.Name), Name: ask.Name, Description: ask.Description}
	if err := checkGroup(g); err != nil {
		return directory.Group{}, err
	}
	err := a.Store.CreateGroup(ctx, g)
	if errors.Is(err, directory.ErrConflict) { // a lab's second of that name
		g.ID = NewID()
		err = a.Store.CreateGroup(ctx, g)
	}
	return g, err
}

func checkGroup(g directory.Group) error {
	return errors.Join(sentence(g.Check()), Text("a group's name", g.Name, directory.LongestName), Text("a description", g.Description, directory.LongestDescription))
}

// ChangeGroup implements console.Groups. version is the one that the caller read, "" for any.
func (a *Groups) ChangeGroup(ctx context.Context, named string, ask api.GroupChange, version string) (before, after directory.Group, err error) {
	g, err := a.group(ctx, named)
	if err != nil {
		return before, after, err
	}
	before, after, err = a.Store.ChangeGroup(ctx, g.ID, func(g *directory.Group) error {
		if err := mastered(g.Synced, "the group "+g.Name, "Set-ADGroup"); err != nil {
			return err
		}
		if err := unchanged(version, g.Tag(), "the group "+g.Name); err != nil {
			return err
		}
		set(&g.Name, ask.Name)
		set(&g.Description, ask.Description)
		return checkGroup(*g)
	})
	return before, after, noGroup(err, named)
}

// DeleteGroup implements console.Groups. A group can't be brought back (Microsoft: "Restore a deleted Microsoft 365 group":
// security groups are deleted for good), so one that something depends on goes only with sure.
func (a *Groups) DeleteGroup(ctx context.Context, named, version string, sure bool) (directory.Group, error) {
	g, err := a.group(ctx, named)
	if err != nil {
		return g, err
	}
	gone, err := a.Store.DeleteGroup(ctx, g.ID, func(g directory.Group, u directory.GroupUses) error {
		if err := mastered(g.Synced, "the group "+g.Name, "Remove-ADGroup"); err != nil {
			return err
		}
		if err := unchanged(version, g.Tag(), "the group "+g.Name); err != nil {
			return err
		}
		if busy := u.Busy(); busy != "" && !sure {
			return guarded(fmt.Sprintf("the group %s has %d members and %s: all of that would end, and a group can't be restored. To delete it all the same say so (`fourways group delete %s --yes`, ?sure=true)",
				g.Name, u.Members, busy, shellWord(g.Name)))
		}
		return nil
	})
	return gone, noGroup(err, named)
}

// AddMembers implements console.Groups: all of them or none.
func (a *Groups) AddMembers(ctx context.Context, named string, ask api.MemberChange) (api.MembersChanged, error) {
	g, refs, done, err := a.members(ctx, named, ask)
	if err != nil {
		return done, err
	}
	added, err := a.Store.AddMembers(ctx, g.ID, refs, membersMastered("Add-ADGroupMember"))
	done.Changed = added
	return done, err
}

// RemoveMembers implements console.Groups: all of them or none.
func (a *Groups) RemoveMembers(ctx context.Context, named string, ask api.MemberChange) (api.MembersChanged, error) {
	g, refs, done, err := a.members(ctx, named, ask)
	if err != nil {
		return done, err
	}
	done.Changed = len(refs)
	err = a.Store.RemoveMembers(ctx, g.ID, refs, membersMastered("Remove-ADGroupMember"))
	return done, unknown(err, "not all of %s are direct members of %s, and nobody was removed: `fourways group members %s` lists them", strings.Join(done.Members, ", "), g.Name, shellWord(g.Name))
}

// members finds a group and whom a request names.
func (a *Groups) members(ctx context.Context, named string, ask api.MemberChange) (directory.Group, []directory.MemberRef, api.MembersChanged, error) {
	var done api.MembersChanged
	if n := len(ask.Users) + len(ask.Groups) + len(ask.Contacts); n == 0 || n > mostAtOnce {
		return directory.Group{}, nil, done, BadRequest("name 1 to %d members: users, groups or contacts", mostAtOnce)
	}
	g, err := a.group(ctx, named)
	if err != nil {
		return g, nil, done, err
	}
	done.Group = g.Name
	var refs []directory.MemberRef
	seen := map[directory.MemberRef]bool{}
	add := func(kind directory.MemberKind, id, name string) {
		if ref := (directory.MemberRef{Kind: kind, ID: id}); !seen[ref] {
			seen[ref] = true
			refs, done.Members = append(refs, ref), append(done.Members, name)
		}
	}
	for _, named := range ask.Users {
		u, err := a.person(ctx, named)
		if err != nil {
			return g, nil, done, err
		}
		add(directory.UserMember, string(u.ID), u.UPN)
	}
	for _, named := range ask.Groups {
		m, err := a.group(ctx, named)
		if err != nil {
			return g, nil, done, err
		}
		add(directory.GroupMember, m.ID, "group "+m.Name)
	}
	for _, named := range ask.Contacts {
		c, err := a.contact(ctx, named)
		if err != nil {
			return g, nil, done, err
		}
		add(directory.ContactMember, c.ID, "contact "+c.Name)
	}
	return g, refs, done, nil
}

func membersMastered(cmdlet string) func(directory.Group) error {
	return func(g directory.Group) error { return mastered(g.Synced, "who is in "+g.Name, cmdlet) }
}

// group finds a group by name or id; one of several of that name is asked for by its id.
func (b Base) group(ctx context.Context, named string) (directory.Group, error) {
	all, err := b.Store.GroupsNamed(ctx, named)
	if err != nil {
		return directory.Group{}, err
	}
	return only(all, named, "group", func(g directory.Group) string { return g.ID })
}

// only is the one thing that a name stands for: that of this id, or the only one of this name.
func only[T any](all []T, named, what string, id func(T) string) (T, error) {
	var none T
	switch {
	case len(all) == 0:
		return none, fmt.Errorf("there is no %s %q: `fourways %s list` shows them: %w", what, named, what, directory.ErrNotFound)
	case len(all) == 1 || id(all[0]) == named:
		return all[0], nil
	}
	ids := make([]string, len(all))
	for i, one := range all {
		ids[i] = id(one)
	}
	return none, conflict("%q is the name of more than one %s: give the id of the one that you mean, of %s", named, what, strings.Join(ids, ", "))
}

func noGroup(err error, named string) error {
	return unknown(err, "there is no group %q: `fourways group list` shows them", named)
}

// mastered refuses to change here what comes from on-premises, and says where it is changed.
func mastered(synced bool, what, cmdlet string) error {
	if !synced {
		return nil
	}
	return fmt.Errorf("%s is mastered in the on-premises directory and only copied here: change it there, with Active Directory Users and Computers or %s; the next synchronisation brings it (`fourways sync run`): %w",
		what, cmdlet, directory.ErrMastered)
}

// unchanged refuses a change of another version than the one that the caller read; "" is any.
func unchanged(version, now, what string) error {
	if version != "" && version != now {
		return fmt.Errorf("%s: %w", what, directory.ErrChanged)
	}
	return nil
}

// shellWord is a name as it can be typed.
func shellWord(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("-_.@", r) && (r < '0' || r > 'z' || r > '9' && r < 'A' || r > 'Z' && r < 'a')
	}) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
