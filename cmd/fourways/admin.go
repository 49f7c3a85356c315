package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
)

const tokenLong = `Make a token for the console. It is printed once, alone on a line, and stored as a hash only.

Through the console this needs a token with the role admin. With -c FILE it works straight on the store of that configuration:
whoever can read the gateway's root key is its administrator.

Roles: reader looks; operator also swaps paths and synchronises; admin also manages accounts, agents and tokens.`

// tokenMaker makes console tokens: the console's client does, and the store file's owner.
type tokenMaker interface {
	NewToken(ctx context.Context, t api.NewToken) (api.Token, error)
}

func newAdmin(a *app) *cobra.Command {
	token := newGroup("token", "Console tokens", "Tokens of the console: named, expiring, each with a role.", "  fourways admin token create --name ops --role operator", newTokenCreate(a))
	return newGroup("admin", "Administration of the gateway itself", "What only an administrator of the gateway does.", "  fourways admin token create -c fourways.toml", token)
}

func newTokenCreate(a *app) *cobra.Command {
	var file string
	var ask api.NewToken
	cmd := &cobra.Command{
		Use: "create", Short: "Make a console token", Long: tokenLong,
		Example: "  export FOURWAYS_TOKEN=$(fourways admin token create -c fourways.toml)\n  fourways admin token create --name dashboard --role reader --valid 2160h",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			make := func(m tokenMaker) error {
				t, err := m.NewToken(cmd.Context(), ask)
				if err != nil {
					return err
				}
				return a.printToken(t)
			}
			if file != "" {
				return withStore(cmd.Context(), file, func(s *storeFile) error { return make(s) })
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			return make(c)
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "work straight on the store of this configuration `file`")
	cmd.Flags().StringVar(&ask.Name, "name", "admin", "its `name` in the audit log")
	cmd.Flags().StringVar(&ask.Role, "role", console.Admin, "its `role`: "+strings.Join(console.Roles(), ", "))
	cmd.Flags().StringVar(&ask.Valid, "valid", "720h", "how long it is good, as a `duration`")
	return cmd
}

func (a *app) printToken(t api.Token) error {
	cols := columns[api.Token]{
		names: []string{"name", "role", "until", "token"},
		cells: func(t api.Token) []string { return []string{t.Name, t.Role, when(t.Until), t.Secret} },
	}
	return show(a, t, cols, func(w io.Writer) error {
		_, _ = fmt.Fprintf(a.err, "token %q, role %s, good until %s; it is shown this once\n", t.Name, t.Role, when(t.Until)) // beside the token
		_, err := fmt.Fprintln(w, t.Secret)
		return err
	})
}
