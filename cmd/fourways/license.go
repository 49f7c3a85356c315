package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

const licenseLong = `Plans with seats and services, and who has one. A person gets a licence of their own, or by a group of which they are a direct
member (nested groups don't count); a usage location is needed first. Whoever loses the group keeps a suspended licence, which
takes no seat. Signing in needs no licence: applications ask for one.`

func newLicense(a *app) *cobra.Command {
	return newGroup("license", "Licences: plans, seats, and who has one", licenseLong,
		"  fourways license plans\n  fourways license assign E5 alice@cloud.example.test\n  fourways license list --state refused",
		newLicenseList(a), newLicensePlans(a), newLicensePlan(a), newLicenseAssign(a), newLicenseRevoke(a))
}

func planColumns() columns[directory.Usage] {
	return columns[directory.Usage]{
		names: []string{"plan", "name", "seats", "used", "refused", "suspended", "services", "groups", "declared in"},
		cells: func(u directory.Usage) []string {
			return []string{
				u.ID, u.Name, strconv.Itoa(u.Seats), strconv.Itoa(u.Used), strconv.Itoa(u.Refused), strconv.Itoa(u.Suspended),
				strings.Join(u.Services, " "), strconv.Itoa(len(u.Groups)), declaredIn(u.File),
			}
		},
	}
}

// declaredIn says where a plan or an application is changed.
func declaredIn(file bool) string {
	if file {
		return "file"
	}
	return "tenant"
}

func newLicensePlans(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "plans", Short: "List the plans, their seats, and how many are used", Long: "List the plans. Who has a plan from two sources takes one seat.",
		Example: "  fourways license plans -o json", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			all, err := c.Plans(cmd.Context())
			if err != nil {
				return err
			}
			return list(a, all, planColumns())
		},
	}
}

func newLicensePlan(a *app) *cobra.Command {
	return newGroup("plan", "Make, change and remove plans", "Plans are products with seats and services. Those of the configuration file ([[license]]) are changed there.",
		"  fourways license plan add Kiosk --seats 10 --services mail",
		newPlanAdd(a), newPlanUpdate(a), newPlanRemove(a))
}

func newPlanAdd(a *app) *cobra.Command {
	var ask api.NewPlan
	cmd := &cobra.Command{
		Use: "add PLAN", Short: "Make a plan", Long: "Make a plan. PLAN is its id.", Example: "  fourways license plan add Kiosk --name \"Kiosk mail\" --seats 10 --services mail",
		Args: exactly("PLAN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			ask.ID = args[0]
			made, err := c.CreatePlan(cmd.Context(), ask)
			if err != nil {
				return err
			}
			return a.showPlan(made, "is made")
		},
	}
	cmd.Flags().StringVar(&ask.Name, "name", "", "the `name` that people see")
	cmd.Flags().IntVar(&ask.Seats, "seats", 0, "for how many people, at most `N`")
	cmd.Flags().StringSliceVar(&ask.Services, "services", nil, "what it lets people use, as `a,b`")
	return cmd
}

func (a *app) showPlan(u directory.Usage, how string) error {
	return show(a, u, planColumns(), func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s %s: %d of %d seats used, services %s\n", u.ID, how, u.Used, u.Seats, strings.Join(u.Services, " "))
		return err
	})
}

func newPlanUpdate(a *app) *cobra.Command {
	var name string
	var seats int
	var services []string
	cmd := &cobra.Command{
		Use: "update PLAN", Short: "Change a plan", Long: "Change a plan. Its seats can't go below those that are used. Seats that are added go to whoever waits for one.",
		Example: "  fourways license plan update E5 --seats 10", Args: exactly("PLAN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var ask api.PlanChange
			given(cmd, "name", &ask.Name, name)
			given(cmd, "seats", &ask.Seats, seats)
			given(cmd, "services", &ask.Services, services)
			if ask == (api.PlanChange{}) {
				return misuse(cmd, "nothing is to be changed: give --name, --seats or --services")
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			if _, err := c.ChangePlan(cmd.Context(), args[0], ask); err != nil {
				return err
			}
			u, err := c.Plan(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.showPlan(u, "is changed")
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the `name` that people see")
	cmd.Flags().IntVar(&seats, "seats", 0, "for how many people, at most `N`")
	cmd.Flags().StringSliceVar(&services, "services", nil, "what it lets people use, as `a,b`")
	return cmd
}

// given takes over a flag that stands on the command line.
func given[T any](cmd *cobra.Command, flag string, into **T, value T) {
	if cmd.Flags().Changed(flag) {
		*into = &value
	}
}

func newPlanRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "remove PLAN", Short: "Remove a plan that nobody has", Long: "Remove a plan. One that somebody has, or that a group gives, stays.",
		Example: "  fourways license plan remove Kiosk", Args: exactly("PLAN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			if err := c.DeletePlan(cmd.Context(), args[0]); err != nil {
				return err
			}
			return a.done(args[0], "removed")
		},
	}
}

func newLicenseAssign(a *app) *cobra.Command {
	return a.grant("assign PLAN [USER]", "Give a person or a group's direct members a plan", `Give USER a licence of their own, or, with --group, give one to every direct member of a group, now and later. Members
without a usage location get that of the tenant; without either, or without a seat, their licence is refused, and comes by itself
when what was missing is there.`,
		"  fourways license assign E5 alice@cloud.example.test\n  fourways license assign E3 --group Licensed-E3",
		func(ctx context.Context, c *client.Console, plan, user string) error {
			u, err := c.Assign(ctx, plan, user)
			if err != nil {
				return err
			}
			return a.done(u.UPN, "has "+plan)
		},
		func(ctx context.Context, c *client.Console, plan, group string) error {
			u, err := c.AssignGroup(ctx, plan, group)
			if err != nil {
				return err
			}
			return a.done(group, fmt.Sprintf("gives %s to its direct members: %d of %d seats used, %d licences refused", u.ID, u.Used, u.Seats, u.Refused))
		})
}

func newLicenseRevoke(a *app) *cobra.Command {
	return a.grant("revoke PLAN [USER]", "Take a plan from a person or a group", "Take USER's own licence away, or, with --group, end that a group gives the plan. A licence that comes from a group goes with\nthe group.",
		"  fourways license revoke E5 alice@cloud.example.test\n  fourways license revoke E3 --group Licensed-E3",
		func(ctx context.Context, c *client.Console, plan, user string) error {
			u, err := c.Revoke(ctx, plan, user)
			if err != nil {
				return err
			}
			return a.done(u.UPN, "has no "+plan+" of their own any more")
		},
		func(ctx context.Context, c *client.Console, plan, group string) error {
			u, err := c.RevokeGroup(ctx, plan, group)
			if err != nil {
				return err
			}
			return a.done(group, fmt.Sprintf("gives %s no more: %d of %d seats used", u.ID, u.Used, u.Seats))
		})
}

// grant is a command about a plan and either a person or a group.
func (a *app) grant(use, short, long, example string, person, group func(ctx context.Context, c *client.Console, plan, who string) error) *cobra.Command {
	var named string
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example, Args: between(1, "PLAN", "USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 2) == (named != "") {
				return misuse(cmd, "give a USER or --group: one of the two")
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			if named != "" {
				return group(cmd.Context(), c, args[0], named)
			}
			return person(cmd.Context(), c, args[0], args[1])
		},
	}
	cmd.Flags().StringVar(&named, "group", "", "a `group`, by its name or id, in the place of a person")
	return cmd
}

func newLicenseList(a *app) *cobra.Command {
	var q api.LicenceQuery
	var state string
	cmd := &cobra.Command{
		Use: "list", Short: "List licences: whose, from where, and what they are worth", Long: "List licences: active ones, those that were refused and why, and those that are suspended.",
		Example: "  fourways license list --plan E3 --state refused\n  fourways license list --user judy@phs.example.test", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			q.State = directory.LicenceState(state)
			all, err := everyLicence(cmd.Context(), c, q)
			if err != nil {
				return err
			}
			slices.SortStableFunc(all, func(x, y directory.LicenceRow) int { return cmp.Compare(x.UPN, y.UPN) })
			return list(a, all, licenceColumns())
		},
	}
	cmd.Flags().StringVar(&q.Plan, "plan", "", "only those of this `plan`")
	cmd.Flags().StringVar(&q.User, "user", "", "only those of this `account`")
	cmd.Flags().StringVar(&state, "state", "", "only those that are active, suspended or refused")
	return cmd
}

func licenceColumns() columns[directory.LicenceRow] {
	return columns[directory.LicenceRow]{
		names: []string{"user", "plan", "from", "state", "why", "since"},
		cells: func(l directory.LicenceRow) []string {
			from, who := "direct", l.UPN
			if l.Group != "" {
				from = "group " + l.GroupName
			}
			if who == "" {
				who = string(l.Account) // a deleted account has no name
			}
			return []string{who, l.Plan, from, string(l.State), l.Why, when(l.Since)}
		},
	}
}

// everyLicence reads all pages.
func everyLicence(ctx context.Context, c *client.Console, q api.LicenceQuery) ([]directory.LicenceRow, error) {
	var all []directory.LicenceRow
	for {
		page, err := c.Licences(ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == "" || page.Next == q.After {
			return all, nil
		}
		q.After = page.Next
	}
}
