package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
)

func newAgent(a *app) *cobra.Command {
	return newGroup("agent", "On-premises agents", "Agents run on the premises and dial out to the gateway. They check passwords at the directory (role pta) and read it (role sync).",
		"  fourways agent list\n  fourways agent invite --name dc1", newAgentInvite(a), newAgentList(a), newAgentRevoke(a))
}

func newAgentList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the agents", Long: "List the agents that have enrolled, and whether each is connected.", Example: "  fourways agent list -o json", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			agents, err := c.Agents(cmd.Context())
			if err != nil {
				return err
			}
			return list(a, agents, columns[api.Agent]{
				names: []string{"name", "state", "roles", "last seen", "in flight", "version", "id"},
				cells: func(g api.Agent) []string {
					return []string{g.Name, g.State, strings.Join(g.Roles, ", "), when(g.LastSeen), strconv.Itoa(g.InFlight), g.Version, g.ID}
				},
			})
		},
	}
}

func newAgentInvite(a *app) *cobra.Command {
	var ask api.Invite
	cmd := &cobra.Command{
		Use: "invite", Short: "Make a one-time token for enrolling an agent",
		Long:    "Make a token with which one agent can enrol, once. It is printed once: treat it as a password for becoming an agent.",
		Example: "  fourways agent invite --name dc1\n  fourways agent invite --name reader --role sync --valid 10m", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			i, err := c.Invite(cmd.Context(), ask)
			if err != nil {
				return err
			}
			return a.printInvitation(i)
		},
	}
	cmd.Flags().StringVar(&ask.Name, "name", "agent-1", "the agent's `name`")
	cmd.Flags().StringSliceVar(&ask.Roles, "role", []string{"pta", "sync"}, "what it may do: pta, sync; may be repeated")
	cmd.Flags().StringVar(&ask.Valid, "valid", "1h", "how long the token is good, as a `duration`")
	return cmd
}

func (a *app) printInvitation(i api.Invitation) error {
	cols := columns[api.Invitation]{
		names: []string{"token", "until", "gateway"},
		cells: func(i api.Invitation) []string { return []string{i.Token, when(i.Until), i.Gateway} },
	}
	return show(a, i, cols, func(w io.Writer) error {
		_, _ = fmt.Fprintf(a.err, "good once, until %s; on the agent's machine: fourways-agent enrol --gateway %s --token-stdin\n", when(i.Until), i.Gateway) // beside the token
		_, err := fmt.Fprintln(w, i.Token)
		return err
	})
}

func newAgentRevoke(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "revoke AGENT", Short: "Cut an agent off now, for good",
		Long:    "Cut an agent off: it is asked no more, its connection is closed, and it can't come back. AGENT is its name or its id. What it\nholds (its keys) is worth nothing after that; to bring the machine back, invite it anew and enrol again.",
		Example: "  fourways agent revoke dc1", Args: exactly("AGENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			agents, err := c.Agents(cmd.Context())
			if err != nil {
				return err
			}
			agents = slices.DeleteFunc(agents, func(g api.Agent) bool { return g.State == "revoked" && g.ID != args[0] })
			g, err := pick("agent", args[0], agents, func(g api.Agent) (id, name string) { return g.ID, g.Name })
			if err != nil {
				return err
			}
			if _, err := c.RevokeAgent(cmd.Context(), g.ID); err != nil {
				return err
			}
			return a.done(g.Name, "revoked and cut off")
		},
	}
}
