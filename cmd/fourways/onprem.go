package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/console/api"
)

const onpremLong = `People in the lab's own on-premises directory, changed by its administrator over LDAP, as an administrator of Active Directory
would. What is changed here reaches the tenant with the next synchronisation ("fourways sync run"), and pass-through
authentication at once.

USER is alice (all her accounts; --domain picks one), or a whole name: alice@phs.example.test.`

func newOnprem(a *app) *cobra.Command {
	var domain string
	user := newGroup("user", "People of the lab's on-premises directory", onpremLong, "  fourways onprem user list\n  fourways onprem user disable bob --domain pta.example.test",
		newOnpremList(a, &domain), newOnpremShow(a, &domain), newOnpremCreate(a), newOnpremRewrite(a, &domain), newOnpremPassword(a, &domain),
		newOnpremSwitch(a, &domain, "disable", "Disable a person on-premises", "disabled"),
		newOnpremSwitch(a, &domain, "enable", "Enable a person on-premises", "enabled"),
		newOnpremSwitch(a, &domain, "delete", "Delete a person on-premises", "deleted"))
	user.PersistentFlags().StringVar(&domain, "domain", "", "only accounts of this `domain` of the tenant")
	return newGroup("onprem", "The lab's own on-premises directory", "The lab has an on-premises directory of its own. These commands change it; only the lab has them.", "  fourways onprem user set-password alice", user)
}

func onpremColumns() columns[api.OnpremUser] {
	return columns[api.OnpremUser]{
		names: []string{"user", "account", "name", "state", "password set"},
		cells: func(u api.OnpremUser) []string {
			state := strings.Join(u.States, ", ")
			if state == "" {
				state = "healthy"
			}
			return []string{u.Mail, u.SAM, u.Name, state, u.Changed}
		},
	}
}

func newOnpremList(a *app, domain *string) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the people on-premises", Long: "List the people of the lab's directory, with the state of their accounts there.",
		Example: "  fourways onprem user list --domain pta.example.test", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			all, err := onpremPeople(cmd.Context(), c, "", *domain)
			if err != nil {
				return err
			}
			return list(a, all, onpremColumns())
		},
	}
}

func newOnpremShow(a *app, domain *string) *cobra.Command {
	return &cobra.Command{
		Use: "show USER", Short: "Show a person's accounts on-premises", Long: "Show every account of a person in the lab's directory, with its names there.",
		Example: "  fourways onprem user show olga", Args: exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, found, err := a.onpremFind(cmd.Context(), args[0], *domain)
			if err != nil {
				return err
			}
			cols := onpremColumns()
			names, cells := cols.names, cols.cells
			cols.names = append(names, "on-premises name", "distinguished name")
			cols.cells = func(u api.OnpremUser) []string { return append(cells(u), u.UPN, u.DN) }
			return list(a, found, cols)
		},
	}
}

func newOnpremPassword(a *app, domain *string) *cobra.Command {
	var pf passwordFlags
	cmd := &cobra.Command{
		Use: "set-password USER", Short: "Set a person's on-premises password",
		Long:    "Set the on-premises password of a person, in all accounts unless --domain picks one. Pass-through authentication takes it\nat once, password hash synchronisation after the next run.",
		Example: "  fourways onprem user set-password alice\n  echo 'Autumn-2025!' | fourways onprem user set-password heidi --password-stdin", Args: exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, found, err := a.onpremFind(cmd.Context(), args[0], *domain)
			if err != nil {
				return err
			}
			pw, err := a.password(cmd, pf, "New on-premises password of "+printable(args[0]), true)
			if err != nil {
				return err
			}
			defer pw.Wipe()
			return a.onpremChange(cmd.Context(), c, found, api.OnpremChange{Do: "password", Password: string(pw.Reveal())}, "password set")
		},
	}
	pf.add(cmd)
	return cmd
}

func newOnpremCreate(a *app) *cobra.Command {
	ask := api.OnpremChange{Do: "create"}
	var pf passwordFlags
	cmd := &cobra.Command{
		Use: "create USER", Short: "Make a person on-premises",
		Long:    "Make an enabled account in the lab's directory, where the synchronisation reads. USER is its whole user principal name.",
		Example: "  fourways onprem user create bea@phs.example.test --name \"Bea Brook\"\n  fourways sync run", Args: exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			pw, err := a.password(cmd, pf, "On-premises password of "+printable(args[0]), true)
			if err != nil {
				return err
			}
			defer pw.Wipe()
			ask.Password = string(pw.Reveal())
			return a.onpremChange(cmd.Context(), c, []api.OnpremUser{{UPN: args[0], Mail: args[0]}}, ask, "made")
		},
	}
	addOnpremNames(cmd, &ask)
	pf.add(cmd)
	return cmd
}

func newOnpremRewrite(a *app, domain *string) *cobra.Command {
	ask := api.OnpremChange{Do: "change"}
	cmd := &cobra.Command{
		Use: "update USER", Short: "Change a person's attributes on-premises", Long: "Change what a person is called and where, in all accounts unless --domain picks one.",
		Example: "  fourways onprem user update alice --name \"Alice Ashdown\" --domain phs.example.test", Args: exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if ask.Name == "" && ask.UsageLocation == "" {
				return misuse(cmd, "nothing to change: give --name or --usage-location")
			}
			c, found, err := a.onpremFind(cmd.Context(), args[0], *domain)
			if err != nil {
				return err
			}
			return a.onpremChange(cmd.Context(), c, found, ask, "changed")
		},
	}
	addOnpremNames(cmd, &ask)
	return cmd
}

func addOnpremNames(cmd *cobra.Command, ask *api.OnpremChange) {
	cmd.Flags().StringVar(&ask.Name, "name", "", "the `name` that people see")
	cmd.Flags().StringVar(&ask.UsageLocation, "usage-location", "", "where the person uses services: a `country` of two letters")
}

func newOnpremSwitch(a *app, domain *string, do, short, done string) *cobra.Command {
	return &cobra.Command{
		Use: do + " USER", Short: short, Long: short + ", in all accounts unless --domain picks one.",
		Example: "  fourways onprem user " + do + " bob --domain pta.example.test", Args: exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, found, err := a.onpremFind(cmd.Context(), args[0], *domain)
			if err != nil {
				return err
			}
			return a.onpremChange(cmd.Context(), c, found, api.OnpremChange{Do: do}, done)
		},
	}
}

// onpremChange does one thing to each account, and tells of those it was done to even when the next one fails.
func (a *app) onpremChange(ctx context.Context, c *client.Console, to []api.OnpremUser, do api.OnpremChange, done string) error {
	var all []outcome
	var failed error
	for _, u := range to {
		if failed = c.OnpremChange(ctx, u.UPN, do); failed != nil {
			break
		}
		all = append(all, outcome{u.Mail, done})
	}
	err := a.printOutcomes(all)
	if failed != nil {
		return failed
	}
	return err
}

func (a *app) printOutcomes(all []outcome) error {
	if a.flags.output != formatTable {
		return list(a, all, outcomeColumns())
	}
	for _, o := range all {
		if _, err := fmt.Fprintf(a.out, "%s: %s\n", printable(o.Target), o.Done); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		return nil
	}
	_, err := io.WriteString(a.out, "the tenant learns of it with the next synchronisation: fourways sync run\n")
	return err
}

func (a *app) onpremFind(ctx context.Context, user, domain string) (*client.Console, []api.OnpremUser, error) {
	c, err := a.console()
	if err != nil {
		return nil, nil, err
	}
	found, err := onpremPeople(ctx, c, user, domain)
	if err == nil && len(found) == 0 {
		err = failure{exitNotFound, "there is no such person", fmt.Sprintf("the lab's directory has nobody called %s here", user), "`fourways onprem user list` shows who there is"}
	}
	return c, found, err
}

// onpremPeople lists the accounts of a person, or of everybody.
func onpremPeople(ctx context.Context, c *client.Console, user, domain string) ([]api.OnpremUser, error) {
	all, err := c.OnpremUsers(ctx)
	if err != nil {
		return nil, err
	}
	user, domain = strings.ToLower(user), strings.ToLower(domain)
	var found []api.OnpremUser
	for _, u := range all {
		if called(u, user) && (domain == "" || authn.ParseIdentifier(u.Mail).Domain() == domain) {
			found = append(found, u)
		}
	}
	return found, nil
}

// called reports that user is one of the person's names; "" is everybody's.
func called(u api.OnpremUser, user string) bool {
	if user == "" {
		return true
	}
	for _, name := range []string{u.Mail, u.UPN, u.SAM} {
		name = strings.ToLower(name)
		local, _, hasDomain := strings.Cut(name, "@")
		if name == user || hasDomain && local == user {
			return true
		}
	}
	return false
}
