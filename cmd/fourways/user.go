package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/authn"
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
	SetPassword(ctx context.Context, upn string, pw authn.Secret) error
}

func newUser(a *app) *cobra.Command {
	var file string
	g := newGroup("user", "Accounts of the tenant", userLong, "  fourways user list --domain cloud.example.test\n  fourways user create admin@cloud.example.com --admin -c fourways.toml",
		newUserList(a, &file), newUserCreate(a, &file), newUserSetPassword(a, &file))
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
	var domain string
	cmd := &cobra.Command{
		Use: "list", Short: "List the accounts", Long: "List the accounts, ordered by name.", Example: "  fourways user list --domain phs.example.test -o csv",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withPeople(cmd.Context(), *file, func(p people) error {
				users, err := everybody(cmd.Context(), p, domain)
				if err != nil {
					return err
				}
				return list(a, users, userColumns())
			})
		},
	}
	cmd.Flags().StringVar(&domain, "domain", "", "only those of this `domain`")
	return cmd
}

// everybody reads all pages.
func everybody(ctx context.Context, p interface {
	Users(ctx context.Context, q directory.Query) (api.Page[directory.User], error)
}, domain string,
) ([]directory.User, error) {
	var all []directory.User
	for after := ""; ; {
		page, err := p.Users(ctx, directory.Query{Domain: domain, After: after})
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == "" || page.Next == after {
			return all, nil
		}
		after = page.Next
	}
}

func newUserCreate(a *app, file *string) *cobra.Command {
	var ask api.NewUser
	var pf passwordFlags
	cmd := &cobra.Command{
		Use: "create USER", Short: "Make an account that lives only here",
		Long:    "Make an account with a cloud password. USER is its user principal name, in a domain of the configuration.",
		Example: "  fourways user create peggy@cloud.example.com --admin\n  fourways user create admin@cloud.example.com --admin -c fourways.toml",
		Args:    exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withPeople(cmd.Context(), *file, func(p people) error {
				pw, err := a.password(cmd, pf, "Password of "+printable(args[0]), true)
				if err != nil {
					return err
				}
				defer pw.Wipe()
				ask.UPN, ask.Password = args[0], string(pw.Reveal())
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
	cmd.Flags().StringVar(&ask.DisplayName, "name", "", "the `name` that people see")
	cmd.Flags().BoolVar(&ask.Admin, "admin", false, "mark it as an administrator of the tenant")
	pf.add(cmd)
	return cmd
}

func newUserSetPassword(a *app, file *string) *cobra.Command {
	var pf passwordFlags
	cmd := &cobra.Command{
		Use: "set-password USER", Short: "Set an account's cloud password",
		Long:    "Set the cloud password of an account. It is asked for twice, or comes by --password-stdin or --password-env. It counts\nwhere the domain's path is cloud; on the other paths a person's password is the one on-premises.",
		Example: "  fourways user set-password peggy@cloud.example.test",
		Args:    exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withPeople(cmd.Context(), *file, func(p people) error {
				pw, err := a.password(cmd, pf, "New password of "+printable(args[0]), true)
				if err != nil {
					return err
				}
				defer pw.Wipe()
				if err := p.SetPassword(cmd.Context(), args[0], pw); err != nil {
					return err
				}
				return a.done(args[0], "cloud password set")
			})
		},
	}
	pf.add(cmd)
	return cmd
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
