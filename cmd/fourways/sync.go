package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
)

const syncLong = `An agent reads the on-premises directory; people, groups and contacts, and the hash of their password hash, come to the tenant.

A cycle reads what changed since its cursor (delta), or all (full): the first time, after a week, and when the directory can't
tell what changed. Nobody is deleted by more than a run may delete ("pending deletes" of status): a guard stops it before.`

func newSync(a *app) *cobra.Command {
	return newGroup("sync", "Synchronisation with the on-premises directory", syncLong,
		"  fourways sync status\n  fourways sync preview\n  fourways sync run\n  fourways sync explain alice@phs.example.test",
		newSyncStatus(a), newSyncRun(a), newSyncPreview(a), newSyncExplain(a), newSyncHistory(a), newSyncErrors(a),
		newSyncPause(a), newSyncResume(a))
}

func newSyncRun(a *app) *cobra.Command {
	var kind string
	var full, quiet bool
	var most int
	cmd := &cobra.Command{
		Use: "run", Short: "Synchronise now",
		Long: `Synchronise now and wait for it: the directory first, then the hashes. A run that would delete too much is stopped by a guard,
with exit code 5; --max-deletes lets this run alone delete so many. How far it is stands on stderr. What a run that broke off had
done stays done, and the next one goes on there.`,
		Example: "  fourways sync run\n  fourways sync run --kind hash\n  fourways sync run --kind directory --full --max-deletes 700", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ask := api.SyncRequest{Full: full}
			switch dirsync.Kind(kind) {
			case "":
			case dirsync.KindDirectory, dirsync.KindHash:
				ask.Kinds = append(ask.Kinds, kind)
			default:
				return misuse(cmd, "--kind %s is none: there are directory and hash", kind)
			}
			if cmd.Flags().Changed("max-deletes") {
				if most < 0 {
					return misuse(cmd, "--max-deletes %d is less than none", most)
				}
				ask.MaxDeletes = &most
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			told := func() {}
			if !quiet && a.flags.output == formatTable {
				told = a.tellProgress(cmd.Context(), c.SyncStatus)
			}
			did, err := c.Sync(cmd.Context(), ask)
			told()
			if err != nil {
				return busy(err)
			}
			if err := a.printRuns(did); err != nil {
				return err
			}
			return judgeRuns(did.Runs)
		},
	}
	f := cmd.Flags()
	f.StringVar(&kind, "kind", "", "only this `kind`: directory or hash")
	f.BoolVar(&full, "full", false, "read all, and not only what changed")
	f.IntVar(&most, "max-deletes", 0, "how many deletions this run may carry out, in place of sync.max_deletes and sync.max_delete_ratio; a `number`")
	f.BoolVar(&quiet, "quiet", false, "say nothing of the progress")
	return cmd
}

// busy says what to do where another run is at work.
func busy(err error) error {
	var p api.Problem
	if errors.As(err, &p) && p.Status == http.StatusConflict && p.Type == "about:blank" {
		return failure{exitConflict, "another synchronisation is at work, and this one was not begun", p.Detail, "wait for its end; `fourways sync status` says how far it is"}
	}
	return err
}

// judgeRuns turns what became of the runs into the exit code.
func judgeRuns(runs []directory.Run) error {
	for _, r := range runs {
		switch r.Result {
		case dirsync.Stopped:
			return failure{exitGuard, "a guard stopped the run, and nothing was deleted", r.Error, "look at `fourways sync preview`: is this many deletions wanted?"}
		case dirsync.Failed:
			return failure{exitFailed, "the run failed", r.Error, "`fourways agent list` says whether an agent is there"}
		}
	}
	return nil
}

// runColumns are all that is known of a run.
func runColumns() columns[directory.Run] {
	return columns[directory.Run]{
		names: []string{
			"kind", "began", "took", "result", "mode", "read", "added", "updated", "deleted", "hashes", "withheld", "skipped", "blocked",
			"wrote back", "agent", "note", "error", "id",
		},
		cells: func(r directory.Run) []string {
			return []string{
				r.Kind, when(r.Began), brief(r.Took), r.Result, r.Mode, strconv.Itoa(r.Read), strconv.Itoa(r.Added), strconv.Itoa(r.Updated),
				strconv.Itoa(r.Deleted), strconv.Itoa(r.Hashes), strconv.Itoa(r.Withheld), strconv.Itoa(len(r.Skipped)), strconv.Itoa(r.Blocked),
				strconv.Itoa(r.WroteBack), r.Agent, r.Note, r.Error, r.ID,
			}
		},
	}
}

// narrowRuns are runs as they fit into a terminal.
func narrowRuns() columns[directory.Run] {
	return columns[directory.Run]{
		names: []string{"kind", "began", "took", "result", "mode", "read", "changes", "skip"},
		cells: func(r directory.Run) []string {
			return []string{r.Kind, when(r.Began), brief(r.Took), r.Result, r.Mode, strconv.Itoa(r.Read), changesOf(r), strconv.Itoa(len(r.Skipped))}
		},
	}
}

// changesOf is what a run did, with the signs that a preview has.
func changesOf(r directory.Run) string {
	if r.Kind == string(dirsync.KindHash) {
		return "#" + strconv.Itoa(r.Hashes)
	}
	return fmt.Sprintf("+%d ~%d -%d", r.Added, r.Updated, r.Deleted)
}

// brief is a duration in few characters.
func brief(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// printRuns shows the runs that were made; a program gets them one a row.
func (a *app) printRuns(did api.SyncRuns) error {
	switch a.flags.output {
	case formatCSV:
		return writeCSV(a.out, did.Runs, runColumns())
	case formatJSONL:
		return writeLines(a.out, did.Runs)
	}
	return show(a, did, columns[api.SyncRuns]{}, func(w io.Writer) error { return a.writeRuns(w, did.Runs, did.Runs) })
}

// writeRuns is the narrow table, and below it what does not go into a row of those that are told more of.
func (a *app) writeRuns(w io.Writer, runs, more []directory.Run) error {
	if err := writeTable(w, runs, narrowRuns()); err != nil {
		return err
	}
	var b strings.Builder
	for _, r := range more {
		for _, why := range remarks(r) {
			b.WriteString(indented(printable(why), r.Kind+" "+when(r.Began)+": ", a.width()))
		}
		writeSkipped(&b, r.Skipped, a.width())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// remarks are sentences about a run.
func remarks(r directory.Run) (all []string) {
	if r.Note != "" {
		all = append(all, "all was read: "+r.Note)
	}
	if r.WroteBack > 0 {
		all = append(all, counted(r.WroteBack, "attribute was", "attributes were")+" written on-premises")
	}
	if r.Error != "" {
		all = append(all, r.Error)
	}
	return all
}

// lastOfEach are the newest runs of each kind: what an object that can't be taken is in the way of, each run says again.
func lastOfEach(runs []directory.Run) (last []directory.Run) {
	for _, r := range runs {
		if !slices.ContainsFunc(last, func(l directory.Run) bool { return l.Kind == r.Kind }) {
			last = append(last, r)
		}
	}
	return last
}

// writeSkipped names what a run left out, the first of many only.
func writeSkipped(b *strings.Builder, all []string, width int) {
	const most = 5
	for _, why := range all[:min(most, len(all))] {
		b.WriteString(indented(printable(why), "skipped: ", width))
	}
	if more := len(all) - most; more > 0 {
		fmt.Fprintf(b, "skipped: %d more; `fourways sync errors` names all that can't be taken\n", more)
	}
}
