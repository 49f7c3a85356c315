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
	token := newGroup("token", "Console tokens", "Tokens of the console: named, expiring, each with a role.", "  fourways admin token create --name ops --role operator\n  fourways admin token list",
		newTokenCreate(a), newTokenList(a), newTokenRevoke(a))
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

func newTokenList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the console tokens", Long: "List the console tokens by name, those that have expired too until they are purged. No secret is shown: none is kept.",
		Example: "  fourways admin token list\n  fourways admin token list -o json", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			tokens, err := c.Tokens(cmd.Context())
			if err != nil {
				return err
			}
			return list(a, tokens, columns[api.Token]{
				names: []string{"name", "role", "created", "until", "id"},
				cells: func(t api.Token) []string { return []string{t.Name, t.Role, when(t.Created), when(t.Until), t.ID} },
			})
		},
	}
}

func newTokenRevoke(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "revoke TOKEN", Short: "End a console token now",
		Long:    "End a console token now. TOKEN is its name or its id, never its secret. The last token with the role admin can be ended too:\nwhoever can read the gateway's root key makes another with `admin token create -c FILE`.",
		Example: "  fourways admin token revoke dashboard", Args: exactly("TOKEN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			tokens, err := c.Tokens(cmd.Context())
			if err != nil {
				return err
			}
			t, err := pick("token", args[0], tokens, func(t api.Token) (id, name string) { return t.ID, t.Name })
			if err != nil {
				return err
			}
			revoked, err := c.RevokeToken(cmd.Context(), t.ID)
			if err != nil {
				return err
			}
			if revoked.AdminsLeft == 0 {
				_, _ = fmt.Fprintln(a.err, "no token with the role admin is left: `fourways admin token create -c FILE` makes one on the gateway's machine") // beside the outcome
			}
			return a.done(t.Name, "revoked")
		},
	}
}

// pick finds the one thing that word names: by its id, or by a name that only one has.
func pick[T any](what, word string, all []T, of func(T) (id, name string)) (T, error) {
	var found []T
	var ids []string
	for _, one := range all {
		id, name := of(one)
		if id == word {
			return one, nil
		}
		if name == word {
			found, ids = append(found, one), append(ids, id)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		var none T
		return none, failure{exitNotFound, "there is no such " + what, fmt.Sprintf("no %s has the name or id %q", what, word), "the list command shows what there is"}
	}
	var none T
	return none, failure{exitConflict, fmt.Sprintf("%q names more than one %s", word, what), "they have the ids " + strings.Join(ids, ", "), "give the id instead"}
}
