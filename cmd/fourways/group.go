package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

const groupLong = `Groups of accounts, of other groups and of contacts. GROUP is a name or an id; of several groups of one name the id is needed.

A group that comes from the on-premises directory is changed there, its name and its members (Active Directory Users and
Computers, Set-ADGroup, Add-ADGroupMember). Here it can be a member of a group that is mastered here, give licences, be assigned
to applications and be moved to another path. Licences, assignments and roll-outs reach direct members only.`

func newGroups(a *app) *cobra.Command {
	return newGroup("group", "Groups, and who is in them", groupLong,
		"  fourways group create Finance\n  fourways group add-member Finance alice@cloud.example.test --group Staff\n  fourways group members Finance --transitive",
		newGroupList(a), newGroupShow(a), newGroupCreate(a), newGroupUpdate(a), newGroupDelete(a), newGroupMembers(a), newGroupAdd(a), newGroupRemove(a))
}

func groupColumns() columns[directory.Group] {
	return columns[directory.Group]{
		names: []string{"group", "description", "mastered", "id"},
		cells: func(g directory.Group) []string { return []string{g.Name, g.Description, masteredIn(g.Synced), g.ID} },
	}
}

func newGroupList(a *app) *cobra.Command {
	var prefix string
	cmd := &cobra.Command{
		Use: "list", Short: "List the groups", Long: "List the groups by name, without their members.",
		Example: "  fourways group list\n  fourways group list --prefix Licensed- -o csv", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			return everyPage(a, groupColumns(), func(after string) (api.Page[directory.Group], error) {
				return c.Groups(cmd.Context(), directory.GroupQuery{Prefix: prefix, After: after, Limit: pageOf1000})
			})
		},
	}
	cmd.Flags().StringVar(&prefix, "prefix", "", "only those whose name begins with this `text`, spelled exactly")
	return cmd
}

func groupDetailColumns() columns[api.GroupDetail] {
	return columns[api.GroupDetail]{
		names: []string{"group", "description", "mastered", "members", "licences", "applications", "staged roll-out", "id"},
		cells: func(g api.GroupDetail) []string {
			return []string{
				g.Name, g.Description, masteredIn(g.Synced), strconv.Itoa(g.GroupUses.Members), strings.Join(g.Plans, " "), strings.Join(g.Apps, " "),
				yesNo(g.Rollout), g.ID,
			}
		},
	}
}

func newGroupShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show GROUP", Short: "Show a group and what it is good for", Long: "Show a group: how many direct members it has, which licences it gives, and to which applications it is assigned.",
		Example: "  fourways group show Finance\n  fourways group show Finance -o json", Args: exactly("GROUP"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			g, err := c.Group(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return show(a, g.Object, groupDetailColumns(), func(w io.Writer) error { return writePairs(w, g.Object, groupDetailColumns()) })
		},
	}
}

func newGroupCreate(a *app) *cobra.Command {
	var ask api.NewGroup
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Make a group", Long: "Make a group that is mastered here, without members.",
		Example: "  fourways group create Finance --description \"Ledger and payroll\"", Args: exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			ask.Name = args[0]
			made, err := c.CreateGroup(cmd.Context(), ask)
			if err != nil {
				return err
			}
			return a.showGroup(made, "is made")
		},
	}
	cmd.Flags().StringVar(&ask.Description, "description", "", "what it is for, as `text`")
	return cmd
}

func (a *app) showGroup(g directory.Group, how string) error {
	return show(a, g, groupColumns(), func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s %s (id %s)\n", printable(g.Name), how, g.ID)
		return err
	})
}

func newGroupUpdate(a *app) *cobra.Command {
	var name, description string
	cmd := &cobra.Command{
		Use: "update GROUP", Short: "Change a group's name or description", Long: "Change the name or the description of a group that is mastered here.",
		Example: "  fourways group update Finance --name \"Finance and Payroll\"", Args: exactly("GROUP"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var ask api.GroupChange
			given(cmd, "name", &ask.Name, name)
			given(cmd, "description", &ask.Description, description)
			if ask == (api.GroupChange{}) {
				return misuse(cmd, "nothing is to be changed: give --name or --description")
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			now, err := c.Group(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			after, err := c.ChangeGroup(cmd.Context(), now.Object.ID, now.Tag, ask)
			if err != nil {
				return err
			}
			return a.showGroup(after, "is changed")
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "its new `name`")
	cmd.Flags().StringVar(&description, "description", "", "what it is for, as `text`; \"\" for nothing")
	return cmd
}

func newGroupDelete(a *app) *cobra.Command {
	var sure bool
	cmd := &cobra.Command{
		Use: "delete GROUP", Short: "Delete a group, for good", Long: `Delete a group that is mastered here. It can't be restored, unlike an account. Its members stay; they lose the licences that the
group gave them (suspended), its assignments and its roll-out, for which reason such a group is deleted with --yes only.`,
		Example: "  fourways group delete Finance\n  fourways group delete Frontline --yes", Args: exactly("GROUP"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			if err := c.DeleteGroup(cmd.Context(), args[0], sure); err != nil {
				return err
			}
			return a.done(args[0], "deleted, for good")
		},
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "although it gives licences, is assigned to an application or is in a staged roll-out")
	return cmd
}

func memberColumns() columns[directory.Member] {
	return columns[directory.Member]{
		names: []string{"kind", "member", "name", "direct", "mastered", "id"},
		cells: func(m directory.Member) []string {
			return []string{string(m.Kind), cmp.Or(m.UPN, m.Mail, m.Name), m.Name, yesNo(m.Direct), masteredIn(m.Synced), m.ID}
		},
	}
}

func newGroupMembers(a *app) *cobra.Command {
	var q directory.MemberQuery
	var kind string
	cmd := &cobra.Command{
		Use: "members GROUP", Short: "List who is in a group", Long: `List the members of a group: contacts, groups, then accounts. With --transitive, also those of the groups in it, however deep,
each once. A very long list is best read with -o jsonl, which is written as it comes.`,
		Example: "  fourways group members Finance\n  fourways group members Finance --transitive --kind user -o jsonl", Args: exactly("GROUP"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			q.Kind, q.Limit = directory.MemberKind(kind), pageOf1000
			return everyPage(a, memberColumns(), func(after string) (api.Page[directory.Member], error) {
				q.After = after
				return c.Members(cmd.Context(), args[0], q)
			})
		},
	}
	cmd.Flags().BoolVar(&q.Transitive, "transitive", false, "also the members of the groups in it")
	cmd.Flags().StringVar(&kind, "kind", "", "only members of this `kind`: user, group or contact")
	return cmd
}

func newGroupAdd(a *app) *cobra.Command {
	return a.membership("add-member", "Add members to a group", `Add accounts, groups and contacts to a group that is mastered here, all of them or none; who is a member already stays one. A group
can't contain itself, not by way of others either. The group's licences come with the membership.`,
		"  fourways group add-member Finance alice@cloud.example.test peggy@cloud.example.test\n  fourways group add-member Finance --group Staff --contact sales@supplier.example", false)
}

func newGroupRemove(a *app) *cobra.Command {
	return a.membership("remove-member", "Take members out of a group", `Take accounts, groups and contacts out of a group that is mastered here, all of them or none. Only direct members can be taken out.
Licences that came of the group are suspended.`,
		"  fourways group remove-member Finance alice@cloud.example.test\n  fourways group remove-member Finance --group Staff", true)
}

func (a *app) membership(verb, short, long, example string, out bool) *cobra.Command {
	var who api.MemberChange
	cmd := &cobra.Command{
		Use: verb + " GROUP [USER]...", Short: short, Long: long, Example: example, Args: atLeast("GROUP"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if who.Users = args[1:]; len(who.Users)+len(who.Groups)+len(who.Contacts) == 0 {
				return misuse(cmd, "name whom: USERs, --group or --contact")
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			do, how := c.AddMembers, "added to"
			if out {
				do, how = c.RemoveMembers, "removed from"
			}
			done, err := do(cmd.Context(), args[0], who)
			if err != nil {
				return err
			}
			return show(a, done, changedColumns(), func(w io.Writer) error {
				also := ""
				if already := len(done.Members) - done.Changed; already > 0 {
					also = fmt.Sprintf(" (%d of them were members already)", already)
				}
				_, err := fmt.Fprintf(w, "%s: %s %s%s\n", printable(strings.Join(done.Members, ", ")), how, printable(done.Group), also)
				return err
			})
		},
	}
	cmd.Flags().StringArrayVar(&who.Groups, "group", nil, "a `group`, by its name or id; can be given several times")
	cmd.Flags().StringArrayVar(&who.Contacts, "contact", nil, "a `contact`, by its name, mail address or id; can be given several times")
	return cmd
}

func changedColumns() columns[api.MembersChanged] {
	return columns[api.MembersChanged]{
		names: []string{"group", "members", "changed"},
		cells: func(m api.MembersChanged) []string {
			return []string{m.Group, strings.Join(m.Members, " "), strconv.Itoa(m.Changed)}
		},
	}
}
