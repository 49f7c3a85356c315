package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
)

func newSync(a *app) *cobra.Command {
	return newGroup("sync", "Synchronisation with the on-premises directory", "An agent reads the on-premises directory; people, groups and contacts, and the hash of their password hash, come to the tenant.",
		"  fourways sync status\n  fourways sync run", newSyncStatus(a), newSyncRun(a))
}

func newSyncStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show the last runs and when the next are due", Long: "Show the last runs, newest first, and when the next are due.", Example: "  fourways sync status -o json", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			status, err := c.SyncStatus(cmd.Context())
			if err != nil {
				return err
			}
			return a.printSync(status)
		},
	}
}

func newSyncRun(a *app) *cobra.Command {
	var kind string
	cmd := &cobra.Command{
		Use: "run", Short: "Synchronise now", Long: "Synchronise now and wait for it: the directory first, then the hashes. A run that would delete too much is stopped by a guard.",
		Example: "  fourways sync run\n  fourways sync run --kind hash", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var kinds []string
			switch dirsync.Kind(kind) {
			case "":
			case dirsync.KindDirectory, dirsync.KindHash:
				kinds = append(kinds, kind)
			default:
				return misuse(cmd, "--kind %s is none: there are directory and hash", kind)
			}
			c, err := a.console()
			if err != nil {
				return err
			}
			status, err := c.SyncRun(cmd.Context(), kinds...)
			if err != nil {
				return err
			}
			if err := a.printSync(status); err != nil {
				return err
			}
			return judgeRuns(status.Runs)
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "", "only this `kind`: directory or hash")
	return cmd
}

// judgeRuns turns what became of the runs into the exit code.
func judgeRuns(runs []directory.Run) error {
	for _, r := range runs {
		switch r.Result {
		case dirsync.Stopped:
			return failure{exitGuard, "a guard stopped the run, and nothing was changed", r.Error, "look at the on-premises directory: is this many deletions wanted?"}
		case dirsync.Failed:
			return failure{exitFailed, "the run failed", r.Error, "`fourways agent list` says whether an agent is there"}
		}
	}
	return nil
}

func (a *app) printSync(s api.SyncStatus) error {
	cols := columns[directory.Run]{
		names: []string{"kind", "began", "took", "result", "added", "updated", "deleted", "hashes", "skipped", "agent", "error"},
		cells: func(r directory.Run) []string {
			return []string{
				r.Kind, when(r.Began), r.Took.Round(time.Millisecond).String(), r.Result, strconv.Itoa(r.Added), strconv.Itoa(r.Updated),
				strconv.Itoa(r.Deleted), strconv.Itoa(r.Hashes), strconv.Itoa(len(r.Skipped)), r.Agent, r.Error,
			}
		},
	}
	switch a.flags.output {
	case formatCSV:
		return writeCSV(a.out, s.Runs, cols)
	case formatJSONL:
		return writeLines(a.out, s.Runs)
	}
	return show(a, s, columns[api.SyncStatus]{}, func(w io.Writer) error {
		if err := writeTable(w, s.Runs, cols); err != nil {
			return err
		}
		for _, r := range s.Runs {
			writeSkipped(w, r.Skipped)
		}
		for _, n := range s.Next {
			_, _ = fmt.Fprintf(w, "next %s run: %s\n", n.Kind, when(n.At))
		}
		if s.Paused {
			_, err := fmt.Fprintln(w, "the schedule is paused: only `fourways sync run` synchronises")
			return err
		}
		return nil
	})
}

// writeSkipped names what a run left out, the first of many only. The next write tells of a broken pipe.
func writeSkipped(w io.Writer, all []string) {
	const most = 5
	for _, why := range all[:min(most, len(all))] {
		_, _ = fmt.Fprintf(w, "skipped: %s\n", printable(why))
	}
	if more := len(all) - most; more > 0 {
		_, _ = fmt.Fprintf(w, "skipped: %d more; `fourways sync status -o json` names them all\n", more)
	}
}
