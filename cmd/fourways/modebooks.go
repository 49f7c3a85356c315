package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

func previewColumns() columns[api.ModePreview] {
	return columns[api.ModePreview]{
		names: []string{"domain", "from", "to", "idp", "users", "without hash", "without cloud password", "without immutable id", "live agents", "ready", "why"},
		cells: func(p api.ModePreview) []string {
			return []string{
				p.Domain, string(p.From), string(p.To), p.IdP, strconv.Itoa(p.Counts.Users), strconv.Itoa(p.Counts.NoHash), strconv.Itoa(p.Counts.NoPassword),
				strconv.Itoa(p.Counts.NoAnchor), strconv.Itoa(p.Agents), yesNo(p.Ready), p.Why,
			}
		},
	}
}

func (a *app) showPreview(p api.ModePreview) error {
	return show(a, p, previewColumns(), func(w io.Writer) error {
		var b strings.Builder
		fmt.Fprintf(&b, "%s: %s -> %s; this is a preview, and nothing was changed\n", p.Domain, p.From, pathText(api.Mode{Path: p.To, IdP: p.IdP}))
		fmt.Fprintln(&b, printable(strings.Join(p.Says, "; ")))
		if !p.Ready {
			fmt.Fprintf(&b, "not ready\nwhy: %s\n", printable(p.Why))
		}
		_, err := io.WriteString(w, b.String())
		return err
	})
}

func newModeUndo(a *app, domain *string) *cobra.Command {
	return &cobra.Command{
		Use: "undo", Short: "Take the last change of a domain's path back", Long: `Bring back what the last change replaced. Another undo goes back one change further; an undo is not undone, so to go forward again
set the path. A change that came with a reload of the configuration file is taken back by an override, which "mode reset" drops.`,
		Example: "  fourways mode undo\n  fourways mode undo --domain contoso.example.com", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, before, err := a.modeOf(cmd, *domain)
			if err != nil {
				return err
			}
			after, err := c.UndoMode(cmd.Context(), before.Object.Domain, before.Tag)
			if err != nil {
				return err
			}
			return a.printSwap(swap{before.Object, after})
		},
	}
}

func historyColumns() columns[directory.ModeChange] {
	return columns[directory.ModeChange]{
		names: []string{"when", "domain", "kind", "from", "to", "idp", "who", "reason"},
		cells: func(c directory.ModeChange) []string {
			reason := c.Reason
			switch {
			case c.Undoes != 0:
				reason = fmt.Sprintf("takes change %d back", c.Undoes)
			case c.Hidden:
				reason = "an override hid it"
			}
			return []string{when(c.At), c.Domain, c.Kind, string(c.From), string(c.To), c.IdP, c.By, reason}
		},
	}
}

func newModeHistory(a *app, domain *string) *cobra.Command {
	return &cobra.Command{
		Use: "history", Short: "List who changed which domain's path, when and why", Long: "List the changes of paths, the newest first: those that were set, undone and reset, and those that came with a reload of the\nconfiguration file. Without --domain: of every domain.",
		Example: "  fourways mode history\n  fourways mode history --domain lab.example.test -o json", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			return everyPage(a, historyColumns(), func(after string) (api.Page[directory.ModeChange], error) {
				return c.ModeHistory(cmd.Context(), strings.ToLower(*domain), after, pageOf1000)
			})
		},
	}
}
