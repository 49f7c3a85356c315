package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/trace"
)

func newUserShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show USER", Short: "Show an account",
		Long:    "Show all that is known of an account: where it is mastered, how it signs in, its groups, licences, credentials (never their values),\nlock and sessions.",
		Example: "  fourways user show alice@phs.example.test\n  fourways user show alice@phs.example.test -o json", Args: exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			u, err := c.User(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			cols := columns[api.UserDetail]{names: userColumns().names, cells: func(d api.UserDetail) []string { return userColumns().cells(d.User) }}
			return show(a, u.Object, cols, func(w io.Writer) error { return writeUser(w, u.Object) })
		},
	}
}

// writeUser writes an account for a person to read, 80 columns wide: what there is nothing to say of is left out.
func writeUser(w io.Writer, u api.UserDetail) error {
	for _, line := range userLines(u) {
		if line[1] == "" {
			continue
		}
		for i, text := range trace.Wrap(printable(line[1]), 80-17) {
			if i > 0 {
				line[0] = ""
			}
			if _, err := fmt.Fprintf(w, "%-16s %s\n", line[0], text); err != nil {
				return err
			}
		}
	}
	return nil
}

func userLines(u api.UserDetail) [][2]string {
	lines := [][2]string{
		{"user", u.UPN},
		{"name", u.DisplayName},
		{"given, surname", strings.TrimSpace(u.GivenName + " " + u.Surname)},
		{"mail", u.Mail},
		{"department", strings.Trim(u.Department+", "+u.JobTitle, ", ")},
		{"id", string(u.ID)},
		{"mastered", u.Mastered()},
		{"immutable id", u.Onprem.Anchor},
		{"on-premises", u.Onprem.DN},
		{"usage location", u.UsageLocation},
		{"state", stateOf(u)},
		{"signs in by", strings.TrimSpace(string(u.SignsIn.Path) + " " + u.SignsIn.IdP)},
		{"because of", u.SignsIn.Rule},
	}
	for _, c := range u.Credentials {
		lines = append(lines, [2]string{"credential", fmt.Sprintf("%s, changed %s, from %s", c.Scheme, when(c.Changed), c.Source)})
	}
	for _, g := range u.Groups {
		lines = append(lines, [2]string{"group", g.Name})
	}
	for _, l := range u.Licences {
		lines = append(lines, [2]string{"licence", licenceLine(l)})
	}
	return append(lines, [2]string{"sessions", fmt.Sprint(u.Sessions)})
}

func licenceLine(l directory.Licence) string {
	says := l.Plan + ", " + string(l.State)
	if l.Why != "" {
		says += ": " + l.Why
	}
	if l.Group != "" {
		says += " (by a group)"
	}
	return says
}

func stateOf(u api.UserDetail) string {
	var says []string
	for _, s := range []struct {
		is   bool
		says string
	}{
		{u.Admin, "administrator"},
		{!u.Enabled, "disabled"},
		{u.Blocked, "sign-in blocked"},
		{u.MustChange, "must change the password"},
		{!u.Leaked.IsZero(), "password found in a leak " + when(u.Leaked)},
		{!u.LockedUntil.IsZero(), "locked until " + when(u.LockedUntil)},
		{u.LockedUntil.IsZero() && u.Failures > 0, fmt.Sprintf("%d wrong passwords in a row", u.Failures)},
	} {
		if s.is {
			says = append(says, s.says)
		}
	}
	if len(says) == 0 {
		return "enabled"
	}
	return strings.Join(says, ", ")
}
