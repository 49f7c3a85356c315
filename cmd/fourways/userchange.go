package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

const userUpdateLong = `Change an account. What is not named stays; an empty value clears an attribute that may be empty.

Of an account that comes from an on-premises directory only these are changed here: --usage-location, --blocked, --admin and
--must-change. The rest is refused with where to change it (docs/reference/attributes.md lists them). When somebody else
changes the account at the same moment, nothing is overwritten: exit code 9.`

func newUserUpdate(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "update USER", Short: "Change an account", Long: userUpdateLong,
		Example: "  fourways user update judy@phs.example.test --usage-location DE\n  fourways user update bob@cloud.example.test --blocked=true\n  fourways user update ann@cloud.example.test --upn anna@cloud.example.test --name \"Anna Ash\"",
		Args:    exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			change, err := changeOf(cmd.Flags())
			if err != nil {
				return err
			}
			if change == (directory.UserChange{}) {
				return misuse(cmd, "nothing to change was named: `fourways user update --help` lists what can be")
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			before, err := c.User(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			after, err := c.ChangeUser(cmd.Context(), string(before.Object.ID), before.Tag, change)
			if err != nil {
				return err
			}
			return show(a, after, userColumns(), func(w io.Writer) error { return writeChanges(w, before.Object.User, after) })
		},
	}
	f := cmd.Flags()
	for _, t := range userTexts(&directory.UserChange{}) {
		f.String(t.flag, "", t.means)
	}
	for _, t := range userFlags(&directory.UserChange{}) {
		f.Bool(t.flag, false, t.means)
	}
	return cmd
}

func writeChanges(w io.Writer, before, after directory.User) error {
	all := directory.Differences(before, after)
	if len(all) == 0 {
		_, err := fmt.Fprintf(w, "%s: nothing had to be changed\n", after.UPN)
		return err
	}
	for _, what := range all {
		if _, err := fmt.Fprintf(w, "%s: %s\n", before.UPN, printable(what)); err != nil {
			return err
		}
	}
	return nil
}

// userText and userFlag are the attributes as flags.
type userText struct {
	flag, means string
	to          **string
}

type userFlag struct {
	flag, means string
	to          **bool
}

func userTexts(c *directory.UserChange) []userText {
	return []userText{
		{"upn", "another user principal `name`", &c.UPN},
		{"name", "the `name` that people see", &c.DisplayName},
		{"given-name", "the given `name`", &c.GivenName},
		{"surname", "the `surname`", &c.Surname},
		{"mail", "a mail `address`", &c.Mail},
		{"department", "the `department`", &c.Department},
		{"job-title", "the `title`", &c.JobTitle},
		{"usage-location", "where the person uses services: a `country` of two letters", &c.UsageLocation},
		{"immutable-id", "the `id` by which another identity provider names the person, where no directory masters the account", &c.ImmutableID},
	}
}

func userFlags(c *directory.UserChange) []userFlag {
	return []userFlag{
		{"enabled", "whether the account is enabled", &c.Enabled},
		{"blocked", "keep the person out, whatever the premises say", &c.Blocked},
		{"admin", "an administrator of the tenant", &c.Admin},
		{"must-change", "the cloud password is to be changed at the next sign-in", &c.MustChange},
	}
}

// changeOf is what the flags name.
func changeOf(f *pflag.FlagSet) (c directory.UserChange, err error) {
	for _, t := range userTexts(&c) {
		if f.Changed(t.flag) {
			value, err := f.GetString(t.flag)
			if err != nil {
				return c, err
			}
			*t.to = &value
		}
	}
	for _, t := range userFlags(&c) {
		if f.Changed(t.flag) {
			value, err := f.GetBool(t.flag)
			if err != nil {
				return c, err
			}
			*t.to = &value
		}
	}
	return c, nil
}

func newUserDelete(a *app) *cobra.Command {
	var forGood bool
	cmd := &cobra.Command{
		Use: "delete USER", Short: "Delete an account; for 30 days it can be restored",
		Long:    "Delete an account. It is out at once and its name is free. For 30 days `fourways user restore` brings it back with its groups, licences\nand password. One that comes from an on-premises directory is deleted there.",
		Example: "  fourways user delete ann@cloud.example.test\n  fourways user delete ann@cloud.example.test --permanently", Args: exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			gone, err := c.DeleteUser(cmd.Context(), args[0], forGood)
			if err != nil {
				return err
			}
			if gone.Until.IsZero() {
				return a.done(gone.User.UPN, "deleted for good")
			}
			return a.done(gone.User.UPN, "deleted; `fourways user restore "+string(gone.User.ID)+"` brings it back until "+when(gone.Until))
		},
	}
	cmd.Flags().BoolVar(&forGood, "permanently", false, "it can't be restored; one that was deleted before is forgotten")
	return cmd
}

func newUserDeleted(a *app) *cobra.Command {
	cols := columns[directory.DeletedUser]{
		names: []string{"user", "name", "deleted", "until", "id"},
		cells: func(u directory.DeletedUser) []string {
			return []string{u.UPN, u.DisplayName, when(u.Deleted), when(u.Deleted.Add(directory.DeletedFor)), string(u.ID)}
		},
	}
	return &cobra.Command{
		Use: "deleted", Short: "List the deleted accounts that can be restored", Long: "List the deleted accounts that can be restored, and until when.",
		Example: "  fourways user deleted", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			var all []directory.DeletedUser
			for q := (directory.Query{}); ; {
				page, err := c.DeletedUsers(cmd.Context(), q)
				if err != nil {
					return err
				}
				if all = append(all, page.Items...); page.Next == "" {
					return list(a, all, cols)
				}
				q.After = page.Next
			}
		},
	}
}

func newUserRestore(a *app) *cobra.Command {
	var as api.Restore
	cmd := &cobra.Command{
		Use: "restore USER", Short: "Bring a deleted account back",
		Long:    "Bring a deleted account back with its groups, licences and password. USER is the name that it had, or its id. Where somebody else has\nthe name by now, --upn gives another.",
		Example: "  fourways user restore ann@cloud.example.test\n  fourways user restore ann@cloud.example.test --upn ann2@cloud.example.test", Args: exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			u, err := c.RestoreUser(cmd.Context(), args[0], as)
			if err != nil {
				return err
			}
			return show(a, u, userColumns(), func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s is back (id %s)\n", u.UPN, u.ID)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&as.UPN, "upn", "", "another user principal `name`")
	return cmd
}

func newUserUnlock(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "unlock USER", Short: "Forget the wrong passwords of an account", Long: "Forget the wrong passwords of an account, so that a lock of this gateway ends at once. A lock on-premises is ended there.",
		Example: "  fourways user unlock sybil@cloud.example.test", Args: exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			if err := c.Unlock(cmd.Context(), args[0]); err != nil {
				return err
			}
			return a.done(args[0], "unlocked")
		},
	}
}

func newUserSignOut(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "sign-out USER", Short: "Sign an account out everywhere", Long: "End every session of an account. It can sign in again; --blocked of `fourways user update` keeps it out.",
		Example: "  fourways user sign-out alice@cloud.example.test", Args: exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			if err := c.SignOut(cmd.Context(), args[0]); err != nil {
				return err
			}
			return a.done(args[0], "signed out everywhere")
		},
	}
}
