package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

const rolloutLong = `Staged roll-out: the direct members of a group sign in by phs or pta where their domain is federated, one group after the other,
before the whole domain is moved ("fourways mode set"). It moves synchronised people only, and to phs only where the hashes of
their domain are synchronised. Who is in several groups takes phs before pta, then the first group by name.

The limits are Microsoft's: 10 groups a path, no groups or contacts in the group, and 200 members at most when it is added (it may
grow later). A change counts at the next sign-in. Whoever asks for a domain (/realm) still hears that it is federated.`

func newRollout(a *app) *cobra.Command {
	return newGroup("rollout", "Move groups from federation to a managed path, one by one", rolloutLong,
		"  fourways rollout add Pilot phs\n  fourways rollout list\n  fourways rollout remove Pilot",
		newRolloutList(a), newRolloutAdd(a), newRolloutRemove(a))
}

func rolloutColumns() columns[directory.NamedRollout] {
	return columns[directory.NamedRollout]{
		names: []string{"group", "path", "members", "declared in", "by", "since", "note"},
		cells: func(r directory.NamedRollout) []string {
			return []string{r.Name, string(r.Path), strconv.Itoa(r.Members), declaredIn(r.File), r.By, when(r.At), r.Note}
		},
	}
}

func newRolloutList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the groups in a roll-out", Long: "List the groups in a roll-out, with their path and how many members they have.",
		Example: "  fourways rollout list -o json", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			all, err := c.Rollouts(cmd.Context())
			if err != nil {
				return err
			}
			return list(a, all, rolloutColumns())
		},
	}
}

func newRolloutAdd(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "add GROUP PATH", Short: "Move a group's direct members to a path", Long: "Move the direct members of GROUP, a name or an id, to PATH, which is phs or pta. A group that is in a roll-out already takes the\nnew path.",
		Example: "  fourways rollout add Pilot phs", Args: exactly("GROUP", "PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := authn.Path(strings.ToLower(args[1]))
			if err := (directory.Rollout{Path: path}).CheckPath(); err != nil {
				return misuse(cmd, "%v", err)
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			r, err := c.AddRollout(cmd.Context(), args[0], path)
			if err != nil {
				return err
			}
			return a.done(r.Name, fmt.Sprintf("its direct members, %d now, sign in by %s where their domain is federated", r.Members, r.Path))
		},
	}
}

func newRolloutRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "remove GROUP", Short: "Give a group's members back to their identity provider", Long: "End the roll-out of GROUP, a name or an id: its members sign in as their domain does, from the next sign-in on.",
		Example: "  fourways rollout remove Pilot", Args: exactly("GROUP"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			r, err := c.RemoveRollout(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.done(r.Name, "is in no roll-out any more")
		},
	}
}
