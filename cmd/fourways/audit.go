package main

import (
	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
)

// mostAudit bounds what `audit` reads at once, in entries.
const mostAudit = 100_000

func newAudit(a *app) *cobra.Command {
	var last int
	cmd := &cobra.Command{
		Use: "audit", Short: "What was changed: who, from where, what, before, after, result",
		Long:    "List the newest entries of the audit log, the newest first: every change of the tenant and of the gateway itself, those that\nfailed or were refused too. Nothing can change or remove an entry. The token needs the role operator.",
		Example: "  fourways audit --last 20\n  fourways audit --last 1000 -o jsonl", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if last < 1 || last > mostAudit {
				return misuse(cmd, "--last %d is not from 1 to %d", last, mostAudit)
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			entries, err := c.Audit(cmd.Context(), last)
			if err != nil {
				return err
			}
			return list(a, entries, columns[api.AuditEntry]{
				names: []string{"at", "who", "from", "action", "target", "before", "after", "result"},
				cells: func(e api.AuditEntry) []string {
					return []string{when(e.At), e.Who, e.From, e.Action, e.Target, e.Before, e.After, e.Result}
				},
			})
		},
	}
	cmd.Flags().IntVar(&last, "last", 50, "`how many` entries")
	return cmd
}
