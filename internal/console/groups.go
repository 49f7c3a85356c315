package console

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Groups are sets of accounts, groups and contacts.
type Groups interface {
	GroupReader
	GroupWriter
	GroupMembers
}

// GroupReader lists groups and who is in them.
type GroupReader interface {
	Groups(ctx context.Context, q directory.GroupQuery) ([]directory.Group, error)
	Group(ctx context.Context, named string) (api.GroupDetail, error)
	Members(ctx context.Context, named string, q directory.MemberQuery) ([]directory.Member, error)
}

// GroupWriter makes and changes them. version is the one that the caller read, "" for any; sure that a group may go although
// something depends on it.
type GroupWriter interface {
	CreateGroup(ctx context.Context, ask api.NewGroup) (directory.Group, error)
	ChangeGroup(ctx context.Context, named string, ask api.GroupChange, version string) (before, after directory.Group, err error)
	DeleteGroup(ctx context.Context, named, version string, sure bool) (directory.Group, error)
}

// GroupMembers changes who is in them.
type GroupMembers interface {
	AddMembers(ctx context.Context, named string, ask api.MemberChange) (api.MembersChanged, error)
	RemoveMembers(ctx context.Context, named string, ask api.MemberChange) (api.MembersChanged, error)
}

func (c *console) groupOperations() []operation {
	return []operation{
		look(c, "GET /groups", Reader, "List the groups, by name", c.groups, paged(query("prefix", "Only those whose name begins so, spelled exactly."))...),
		look(c, "GET /groups/{group}", Reader, "Show a group, by its name or id, and what it is good for", c.group),
		act(c, "POST /groups", Admin, "Add group", "Make a group", c.createGroup).created(),
		act(c, "PATCH /groups/{group}", Admin, "Update group", "Change a group that is mastered here", c.changeGroup),
		act(c, "DELETE /groups/{group}", Admin, "Delete group", "Delete a group that is mastered here, for good", c.deleteGroup,
			query("sure", "true: although it gives licences, is assigned to an application or is in a staged roll-out.")).long(),
		look(c, "GET /groups/{group}/members", Reader, "List the members of a group: contacts, groups, then users, each by id", c.members,
			paged(query("transitive", "true: the members of nested groups too, each once."), query("kind", "Only those of this kind: user, group or contact."))...),
		act(c, "POST /groups/{group}/members", Admin, "Add member to group", "Add members to a group, all of them or none; who is one already stays", c.addMembers),
		act(c, "POST /groups/{group}/members/remove", Admin, "Remove member from group", "Take direct members out of a group, all of them or none", c.removeMembers),
	}
}

func (c *console) groups(r *http.Request) (api.Page[directory.Group], error) {
	after, most, err := pageAsked(r)
	if err != nil {
		return api.Page[directory.Group]{}, err
	}
	all, err := c.Tenant.Groups.Groups(r.Context(), directory.GroupQuery{Prefix: r.URL.Query().Get("prefix"), After: after, Limit: most})
	return pageOf(all, most, directory.Group.Cursor), err
}

func (c *console) group(r *http.Request) (api.GroupDetail, error) {
	return c.Tenant.Groups.Group(r.Context(), r.PathValue("group"))
}

func (c *console) createGroup(r *http.Request, ask api.NewGroup, _ api.Token) (did[directory.Group], error) {
	made, err := c.Tenant.Groups.CreateGroup(r.Context(), ask)
	return did[directory.Group]{Target: ask.Name, After: made.ID, Answer: made}, err
}

func (c *console) changeGroup(r *http.Request, ask api.GroupChange, _ api.Token) (did[directory.Group], error) {
	before, after, err := c.Tenant.Groups.ChangeGroup(r.Context(), r.PathValue("group"), ask, ifMatch(r))
	return did[directory.Group]{Target: before.Name, After: difference(before, after), Answer: after}, err
}

func (c *console) deleteGroup(r *http.Request, _ none, _ api.Token) (did[none], error) {
	sure, err := yes(r, "sure")
	if err != nil {
		return did[none]{}, err
	}
	gone, err := c.Tenant.Groups.DeleteGroup(r.Context(), r.PathValue("group"), ifMatch(r), sure)
	return did[none]{Target: gone.Name, Before: gone.ID}, err
}

// yes is a query parameter that is true or false; false when it is not given.
func yes(r *http.Request, name string) (bool, error) {
	switch given := r.URL.Query().Get(name); given {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	default:
		return false, bad("?%s=%.20s is neither true nor false.", name, given)
	}
}

func (c *console) members(r *http.Request) (api.Page[directory.Member], error) {
	after, most, err := pageAsked(r)
	if err != nil {
		return api.Page[directory.Member]{}, err
	}
	transitive, err := yes(r, "transitive")
	if err != nil {
		return api.Page[directory.Member]{}, err
	}
	kind := directory.MemberKind(r.URL.Query().Get("kind"))
	if kind != "" && !slices.Contains(directory.MemberKinds(), kind) {
		return api.Page[directory.Member]{}, bad("%.20q is no kind of member: there are %v.", kind, directory.MemberKinds())
	}
	all, err := c.Tenant.Groups.Members(r.Context(), r.PathValue("group"), directory.MemberQuery{Kind: kind, Transitive: transitive, After: after, Limit: most})
	return pageOf(all, most, directory.Member.Cursor), err
}

func (c *console) addMembers(r *http.Request, ask api.MemberChange, _ api.Token) (did[api.MembersChanged], error) {
	done, err := c.Tenant.Groups.AddMembers(r.Context(), r.PathValue("group"), ask)
	return did[api.MembersChanged]{Target: done.Group, After: strings.Join(done.Members, ", "), Answer: done}, err
}

func (c *console) removeMembers(r *http.Request, ask api.MemberChange, _ api.Token) (did[api.MembersChanged], error) {
	done, err := c.Tenant.Groups.RemoveMembers(r.Context(), r.PathValue("group"), ask)
	return did[api.MembersChanged]{Target: done.Group, Before: strings.Join(done.Members, ", "), Answer: done}, err
}
