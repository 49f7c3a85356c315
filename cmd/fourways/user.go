package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

const userLong = `The accounts of the tenant. Those that come from an on-premises directory are changed there.

With -c FILE, the commands work straight on the store of that configuration, without a running gateway, as long as no console
token has been made: that is how the first account comes to be. After that they go through the console.`

// people is what the commands do with accounts: the console's client does it, and the store file's owner.
type people interface {
	Users(ctx context.Context, q directory.Query) (api.Page[directory.User], error)
	CreateUser(ctx context.Context, u api.NewUser) (directory.User, error)
	ResetPassword(ctx context.Context, user string, ask api.NewPassword) (api.PasswordSet, error)
}

func newUser(a *app) *cobra.Command {
	var file string
	g := newGroup("user", "Accounts of the tenant", userLong, "  fourways user list --domain cloud.example.test\n  fourways user create admin@cloud.example.com --admin -c fourways.toml",
		newUserList(a, &file), newUserShow(a), newUserCreate(a, &file), newUserUpdate(a),
		newUserDelete(a), newUserDeleted(a), newUserRestore(a),
		newUserSetPassword(a, &file), newUserUnlock(a), newUserSignOut(a),
		newUserImport(a, &file), newUserExport(a, &file))
	g.PersistentFlags().StringVarP(&file, "config", "c", "", "work straight on the store of this configuration `file`, while there is no token")
	return g
}

// withPeople opens the store file if one was named, else the console.
func (a *app) withPeople(ctx context.Context, file string, do func(people) error) error {
	if file != "" {
		return withStore(ctx, file, func(s *storeFile) error {
			if err := s.untouched(ctx); err != nil {
				return err
			}
			return do(s)
		})
	}
	c, err := a.console()
	if err != nil {
		return err
	}
	return do(c)
}

func userColumns() columns[directory.User] {
	return columns[directory.User]{
		names: []string{"user", "name", "enabled", "admin", "synchronised", "id"},
		cells: func(u directory.User) []string {
			return []string{u.UPN, u.DisplayName, yesNo(u.Enabled), yesNo(u.Admin), yesNo(u.Synced), string(u.ID)}
		},
	}
}

func newUserList(a *app, file *string) *cobra.Command {
	var q directory.Query
	var blocked, synced, leaked bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the accounts", Long: "List the accounts, ordered by name.",
		Example: "  fourways user list --domain phs.example.test -o csv\n  fourways user list --admin\n  fourways user list --leaked -o jsonl",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withPeople(cmd.Context(), *file, func(p people) error {
				users, err := everybody(cmd.Context(), p, q)
				if err != nil {
					return err
				}
				users = slices.DeleteFunc(users, func(u directory.User) bool {
					return blocked && !u.Blocked || synced && !u.Synced || leaked && u.Leaked.IsZero()
				})
				return list(a, users, userColumns())
			})
		},
	}
	cmd.Flags().StringVar(&q.Domain, "domain", "", "only those of this `domain`")
	cmd.Flags().BoolVar(&q.Admins, "admin", false, "only administrators")
	cmd.Flags().BoolVar(&blocked, "blocked", false, "only those whose sign-in is blocked here")
	cmd.Flags().BoolVar(&synced, "synced", false, "only those that an on-premises directory masters")
	cmd.Flags().BoolVar(&leaked, "leaked", false, "only those whose password was found in a leak")
	return cmd
}

// everybody reads all pages.
func everybody(ctx context.Context, p interface {
	Users(ctx context.Context, q directory.Query) (api.Page[directory.User], error)
}, q directory.Query,
) ([]directory.User, error) {
	var all []directory.User
	for {
		page, err := p.Users(ctx, q)
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

func newUserCreate(a *app, file *string) *cobra.Command {
	var ask api.NewUser
	var pf passwordFlags
	var none bool
	cmd := &cobra.Command{
		Use: "create USER", Short: "Make an account that lives only here",
		Long:    "Make an account with a cloud password. USER is its user principal name, in a domain of the configuration.",
		Example: "  fourways user create peggy@cloud.example.com --admin\n  fourways user create admin@cloud.example.com --admin -c fourways.toml",
		Args:    exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withPeople(cmd.Context(), *file, func(p people) error {
				ask.UPN = args[0]
				if !none {
					pw, err := a.password(cmd, pf, "Password of "+printable(args[0]), true)
					if err != nil {
						return err
					}
					defer pw.Wipe()
					ask.Password = string(pw.Reveal())
				}
				user, err := p.CreateUser(cmd.Context(), ask)
				if err != nil {
					return err
				}
				return show(a, user, userColumns(), func(w io.Writer) error {
					_, err := fmt.Fprintf(w, "%s is made (id %s)\n", user.UPN, user.ID)
					return err
				})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&ask.DisplayName, "name", "", "the `name` that people see")
	f.StringVar(&ask.GivenName, "given-name", "", "the given `name`")
	f.StringVar(&ask.Surname, "surname", "", "the `surname`")
	f.StringVar(&ask.Mail, "mail", "", "a mail `address`")
	f.StringVar(&ask.Department, "department", "", "the `department`")
	f.StringVar(&ask.JobTitle, "job-title", "", "the `title`")
	f.StringVar(&ask.UsageLocation, "usage-location", "", "where the person uses services: a `country` of two letters; a licence needs it")
	f.StringVar(&ask.ImmutableID, "immutable-id", "", "the `id` by which another identity provider names the person")
	f.BoolVar(&ask.Admin, "admin", false, "mark it as an administrator of the tenant")
	f.BoolVar(&ask.MustChange, "must-change", false, "the password is to be changed at the first sign-in")
	f.BoolVar(&none, "no-password", false, "no cloud password: the person signs in elsewhere")
	pf.add(cmd)
	return cmd
}

func newUserSetPassword(a *app, file *string) *cobra.Command {
	var pf passwordFlags
	var ask api.NewPassword
	cmd := &cobra.Command{
		Use: "set-password USER", Short: "Set or reset an account's cloud password", Long: setPasswordLong,
		Example: "  fourways user set-password peggy@cloud.example.test\n  fourways user set-password alice@cloud.example.test --generate --must-change",
		Args:    exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withPeople(cmd.Context(), *file, func(p people) error {
				if !ask.Generate {
					pw, err := a.password(cmd, pf, "New password of "+printable(args[0]), true)
					if err != nil {
						return err
					}
					defer pw.Wipe()
					ask.Password = string(pw.Reveal())
				}
				set, err := p.ResetPassword(cmd.Context(), args[0], ask)
				if err != nil {
					return err
				}
				return a.printPassword(set)
			})
		},
	}
	cmd.Flags().BoolVar(&ask.Generate, "generate", false, "make one up; it is shown this once")
	cmd.Flags().BoolVar(&ask.MustChange, "must-change", false, "it is to be changed at the next sign-in")
	cmd.Flags().BoolVar(&ask.Force, "force", false, "also where the person's path asks for another password")
	pf.add(cmd)
	return cmd
}

const setPasswordLong = `Set the password of an account in the cloud. It is asked for twice, comes by --password-stdin or --password-env, or is made
up (--generate). Everybody who is signed in with the old one is out.

Where the domain's password hashes are synchronised it takes the place of the synchronised one, and counts until the next
change on-premises; the answer says what was set. Elsewhere the password is the one on-premises or at the identity provider,
and --force sets a cloud password all the same, for a switch of the path.`

func (a *app) printPassword(set api.PasswordSet) error {
	if set.Password == "" {
		return a.done(set.User, set.Done)
	}
	cols := columns[api.PasswordSet]{names: []string{"user", "password"}, cells: func(s api.PasswordSet) []string { return []string{s.User, s.Password} }}
	return show(a, set, cols, func(w io.Writer) error {
		_, _ = fmt.Fprintf(a.err, "%s: %s; it is shown this once\n", printable(set.User), set.Done) // beside the password
		_, err := fmt.Fprintln(w, set.Password)
		return err
	})
}

// outcome is a change that has no more to say than that it was made.
type outcome struct {
	Target string `json:"target"`
	Done   string `json:"done"`
}

func outcomeColumns() columns[outcome] {
	return columns[outcome]{names: []string{"target", "done"}, cells: func(o outcome) []string { return []string{o.Target, o.Done} }}
}

func (a *app) done(target, what string) error {
	o := outcome{target, what}
	return show(a, o, outcomeColumns(), func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s: %s\n", printable(target), what)
		return err
	})
}
