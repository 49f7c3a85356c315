package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

const applicationLong = `Applications behind the door, and who may use them: people who are assigned, themselves or as direct members of a group, in a
role; and people with a licence, where the application needs a service. Signing in succeeds without either: the application asks
(GET /session?app=ID), and says kindly why not.`

func newApplication(a *app) *cobra.Command {
	return newGroup("app", "Applications, and who may use them", applicationLong,
		"  fourways app show mail\n  fourways app assign mail alice@cloud.example.test --role admin",
		newAppList(a), newAppShow(a), newAppCreate(a), newAppUpdate(a), newAppDelete(a), newAppAssign(a), newAppUnassign(a))
}

func appColumns() columns[directory.App] {
	return columns[directory.App]{
		names: []string{"application", "name", "service", "assignment", "roles", "declared in"},
		cells: func(app directory.App) []string {
			assignment := "everybody"
			if app.Assigned {
				assignment = "required"
			}
			return []string{app.ID, app.Name, app.Service, assignment, strings.Join(app.Roles, " "), declaredIn(app.File)}
		},
	}
}

func newAppList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the applications", Long: "List the applications.", Example: "  fourways app list", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			all, err := c.Apps(cmd.Context())
			if err != nil {
				return err
			}
			return list(a, all, appColumns())
		},
	}
}

func assignmentColumns() columns[directory.AssignmentRow] {
	return columns[directory.AssignmentRow]{
		names: []string{"kind", "name", "role"},
		cells: func(r directory.AssignmentRow) []string {
			kind := "user"
			if r.Group != "" {
				kind = "group"
			}
			return []string{kind, cmp.Or(r.Name, string(r.Account), r.Group), r.Role} // no name: the account is deleted
		},
	}
}

func newAppShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show APP", Short: "Show an application and who is assigned to it", Long: "Show an application and who is assigned to it.",
		Example: "  fourways app show mail", Args: exactly("APP"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			app, err := c.App(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if a.flags.output == formatCSV {
				return list(a, app.Assignments, assignmentColumns())
			}
			return show(a, app, columns[api.AppDetail]{}, func(w io.Writer) error {
				if err := writeTable(w, []directory.App{app.App}, appColumns()); err != nil {
					return err
				}
				if _, err := fmt.Fprintln(w); err != nil {
					return err
				}
				return writeTable(w, app.Assignments, assignmentColumns())
			})
		},
	}
}

func (a *app) showApp(app directory.App, how string) error {
	return show(a, app, appColumns(), func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s %s\n", app.ID, how)
		return err
	})
}

func newAppCreate(a *app) *cobra.Command {
	var ask api.NewApp
	cmd := &cobra.Command{
		Use: "create APP", Short: "Make an application", Long: "Make an application. APP is its id, by which it asks who may use it.",
		Example: "  fourways app create ledger --name \"Ledger\" --service files --assignment-required --roles reader,writer", Args: exactly("APP"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			ask.ID = args[0]
			made, err := c.CreateApp(cmd.Context(), ask)
			if err != nil {
				return err
			}
			return a.showApp(made, "is made")
		},
	}
	f := cmd.Flags()
	f.StringVar(&ask.Name, "name", "", "the `name` that people see")
	f.StringVar(&ask.Service, "service", "", "the `service` that a person must be licensed for")
	f.BoolVar(&ask.Assigned, "assignment-required", false, "only people who are assigned may use it")
	f.StringSliceVar(&ask.Roles, "roles", nil, "the roles that an assignment can give, as `a,b`; the first is the usual one")
	return cmd
}

func newAppUpdate(a *app) *cobra.Command {
	var name, service string
	var assigned bool
	var roles []string
	cmd := &cobra.Command{
		Use: "update APP", Short: "Change an application", Long: "Change an application. A role that somebody has stays.",
		Example: "  fourways app update ledger --assignment-required=false", Args: exactly("APP"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var ask api.AppChange
			given(cmd, "name", &ask.Name, name)
			given(cmd, "service", &ask.Service, service)
			given(cmd, "assignment-required", &ask.Assigned, assigned)
			given(cmd, "roles", &ask.Roles, roles)
			if ask == (api.AppChange{}) {
				return misuse(cmd, "nothing is to be changed: give --name, --service, --assignment-required or --roles")
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			after, err := c.ChangeApp(cmd.Context(), args[0], ask)
			if err != nil {
				return err
			}
			return a.showApp(after, "is changed")
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "the `name` that people see")
	f.StringVar(&service, "service", "", "the `service` that a person must be licensed for; \"\" for none")
	f.BoolVar(&assigned, "assignment-required", false, "only people who are assigned may use it")
	f.StringSliceVar(&roles, "roles", nil, "the roles that an assignment can give, as `a,b`")
	return cmd
}

func newAppDelete(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "delete APP", Short: "Remove an application and its assignments", Long: "Remove an application. Its assignments go with it.",
		Example: "  fourways app delete ledger", Args: exactly("APP"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			if err := c.DeleteApp(cmd.Context(), args[0]); err != nil {
				return err
			}
			return a.done(args[0], "removed")
		},
	}
}

func newAppAssign(a *app) *cobra.Command {
	return a.assignment("assign APP [USER]", "Let a person or a group's direct members use an application",
		"Assign USER, or with --group the direct members of a group, in a role of the application; without --role, in its first.",
		"  fourways app assign mail alice@cloud.example.test --role admin\n  fourways app assign mail --group Finance", false)
}

func newAppUnassign(a *app) *cobra.Command {
	return a.assignment("unassign APP [USER]", "End an assignment", "End the assignment of USER, or with --group of a group; without --role, in every role.",
		"  fourways app unassign mail alice@cloud.example.test", true)
}

func (a *app) assignment(use, short, long, example string, end bool) *cobra.Command {
	var ask api.NewAssignment
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example, Args: between(1, "APP", "USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 2) == (ask.Group != "") {
				return misuse(cmd, "give a USER or --group: one of the two")
			}
			if len(args) == 2 {
				ask.User = args[1]
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			do, how := c.AssignApp, "assigned to "
			if end {
				do, how = c.UnassignApp, "no longer assigned to "
			}
			row, err := do(cmd.Context(), args[0], ask)
			if err != nil {
				return err
			}
			return a.done(row.Name, strings.TrimSuffix(how+args[0]+" as "+row.Role, " as "))
		},
	}
	cmd.Flags().StringVar(&ask.Group, "group", "", "a `group`, by its name or id, in the place of a person")
	cmd.Flags().StringVar(&ask.Role, "role", "", "the `role`")
	return cmd
}
