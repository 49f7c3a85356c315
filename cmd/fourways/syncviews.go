package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

func newSyncPreview(a *app) *cobra.Command {
	var ask api.SyncPreviewRequest
	cmd := &cobra.Command{
		Use: "preview", Short: "Show what a run of the directory would do",
		Long: `Show what a run of the directory would do, and do nothing: + added, ~ changed, - deleted, ! can't be taken. With -o jsonl or csv
it is a row an object. The exit code is 5 where the deletion guard would stop the run.`,
		Example: "  fourways sync preview\n  fourways sync preview --full -o jsonl", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			p, err := c.SyncPreview(cmd.Context(), ask)
			if err != nil {
				return busy(err)
			}
			if err := a.printPreview(p); err != nil {
				return err
			}
			if p.Stopped != "" {
				return failure{exitGuard, "the deletion guard would stop this run, and nobody would be deleted", p.Stopped, "look at the lines with -; if they are meant, `fourways sync run --max-deletes N` carries them out once"}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&ask.Full, "full", false, "read all, and not only what changed")
	return cmd
}

// planned is a row of a preview.
type planned struct {
	Action string   `json:"action"` // add, update, delete or skip
	Kind   string   `json:"kind"`
	Name   string   `json:"name"`
	What   []string `json:"what,omitempty"`
}

func (a *app) printPreview(p api.SyncPreview) error {
	switch a.flags.output {
	case formatCSV, formatJSONL:
		return list(a, plannedRows(p), columns[planned]{
			names: []string{"action", "kind", "name", "what"},
			cells: func(r planned) []string { return []string{r.Action, r.Kind, r.Name, strings.Join(r.What, ", ")} },
		})
	}
	return show(a, p, columns[api.SyncPreview]{}, func(w io.Writer) error {
		for line := range strings.Lines(p.Text) {
			if _, err := fmt.Fprintln(w, printable(strings.TrimSuffix(line, "\n"))); err != nil {
				return err
			}
		}
		return nil
	})
}

func plannedRows(p api.SyncPreview) []planned {
	rows := []planned{}
	for _, part := range []struct {
		action  string
		changes []api.SyncChange
	}{{"add", p.Adds}, {"update", p.Updates}, {"delete", p.Deletes}} {
		for _, c := range part.changes {
			rows = append(rows, planned{part.action, c.Kind, c.Name, c.What})
		}
	}
	for _, s := range p.Skipped {
		rows = append(rows, planned{"skip", s.Kind, s.Name, []string{s.Reason}})
	}
	return rows
}

func newSyncExplain(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "explain USER", Short: "Show why somebody is here, or not",
		Long: `Show the way of one object from the on-premises directory to the tenant, with the reason at each step, and what became of its
password hash, in Microsoft's words. USER is a user principal name, account name, mail address, distinguished name or anchor. The
exit code is 8 where neither the premises nor the tenant know it.`,
		Example: "  fourways sync explain nick@phs.example.test\n  fourways sync explain grace -o json", Args: exactly("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			e, err := c.SyncExplain(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return show(a, e, explainColumns(), func(w io.Writer) error {
				if a.plain() {
					w = ascii{w}
				}
				return writeExplain(w, e, a.width())
			})
		},
	}
}

func explainColumns() columns[api.SyncExplain] {
	return columns[api.SyncExplain]{
		names: []string{"name", api.TickImported, api.TickInScope, api.TickMatched, api.TickAction, "account", "hash", "reason"},
		cells: func(e api.SyncExplain) []string {
			ticks := map[string]string{}
			for _, t := range e.Ticks {
				ticks[t.Name] = yesNo(t.OK)
			}
			var hash api.SyncHash
			if e.Hash != nil {
				hash = *e.Hash
			}
			return []string{e.Name, ticks[api.TickImported], ticks[api.TickInScope], ticks[api.TickMatched], ticks[api.TickAction], e.Account, hash.Status, hash.Reason}
		},
	}
}

// writeExplain is a line a step, then account and hash.
func writeExplain(w io.Writer, e api.SyncExplain, width int) error {
	var b strings.Builder
	fmt.Fprintln(&b, printable(e.Name))
	for _, t := range e.Ticks {
		sign := "✗"
		if t.OK {
			sign = "✓"
		}
		b.WriteString(sign + indented(printable(t.Reason), fmt.Sprintf("  %-10s ", t.Name), width)[1:])
	}
	fmt.Fprintf(&b, "\n%-12s %s\n", "account", readable([]string{e.Account})[0])
	if h := e.Hash; h != nil {
		status := h.Status
		if h.Reason != "" {
			status += ": " + h.Reason
		}
		for _, line := range [][]string{{"hash", status}, {"changed", when(h.ChangedAt)}, {"synchronised", when(h.SyncedAt)}, {"by", h.Source}} {
			if line[1] != "" {
				b.WriteString(indented(printable(line[1]), fmt.Sprintf("%-12s ", line[0]), width))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func newSyncErrors(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "errors", Short: "List the objects that can't be taken",
		Long:    "List the objects in scope that can't be taken, why, and since when. Each run tries them again; nothing needs to be done here once\nthe on-premises directory is corrected.",
		Example: "  fourways sync errors\n  fourways sync errors -o csv", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			cols := columns[api.SyncError]{
				names: []string{"kind", "name", "reason", "since", "tries"},
				cells: func(e api.SyncError) []string {
					return []string{e.Kind, e.Name, e.Reason, when(e.Since), strconv.Itoa(e.Tries)}
				},
			}
			if a.flags.output == formatCSV {
				cols = columns[api.SyncError]{
					names: []string{"kind", "name", "distinguished name", "reason", "since", "tries", "id"},
					cells: func(e api.SyncError) []string {
						return []string{e.Kind, e.Name, e.DN, e.Reason, when(e.Since), strconv.Itoa(e.Tries), e.ID}
					},
				}
			}
			return everyPage(a, cols, func(after string) (api.Page[api.SyncError], error) {
				return c.SyncErrors(cmd.Context(), after, pageOf1000)
			})
		},
	}
}

// withoutSkipped are runs without what they left out, of which the table says how many: each run tells the same of an object.
func withoutSkipped(runs []directory.Run) []directory.Run {
	runs = slices.Clone(runs)
	for i := range runs {
		runs[i].Skipped = nil
	}
	return runs
}

// mostRuns bounds what `sync history` reads at once, in runs.
const mostRuns = 1000

func newSyncHistory(a *app) *cobra.Command {
	var last int
	cmd := &cobra.Command{
		Use: "history", Short: "List the last runs", Long: "List the last runs, newest first, those that failed or were stopped too.",
		Example: "  fourways sync history --last 5\n  fourways sync history --last 1000 -o jsonl", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if last < 1 || last > mostRuns {
				return misuse(cmd, "--last %d is not from 1 to %d", last, mostRuns)
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			runs, err := c.SyncHistory(cmd.Context(), last)
			if err != nil {
				return err
			}
			if a.flags.output == formatTable {
				return a.writeRuns(a.out, runs, withoutSkipped(runs))
			}
			return list[directory.Run](a, runs, runColumns())
		},
	}
	cmd.Flags().IntVar(&last, "last", 20, "`how many` runs")
	return cmd
}
