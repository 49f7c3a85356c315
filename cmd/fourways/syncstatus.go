package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/console/api"
)

func newSyncStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show how the synchronisation fares",
		Long:    "Show the cycles with their cursors, what is pending, how many deletions there are of how many allowed, which passwords are not here\nyet, the run that is at work, and the last runs, newest first.",
		Example: "  fourways sync status\n  fourways sync status -o json", Args: exactly(),
		RunE: a.syncStatusOf((*client.Console).SyncStatus),
	}
}

func newSyncPause(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "pause", Short: "Stop the schedule",
		Long:    "Stop the schedule, also over restarts, until `fourways sync resume`. A run that is at work comes to its end, `fourways sync run`\nruns still, and changed passwords are still noticed.",
		Example: "  fourways sync pause", Args: exactly(),
		RunE: a.syncStatusOf((*client.Console).SyncPause),
	}
}

func newSyncResume(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "resume", Short: "Let the schedule go on",
		Long:    "Let the schedule go on. This counts more than `paused = true` of the configuration file, until `fourways sync pause`.",
		Example: "  fourways sync resume", Args: exactly(),
		RunE: a.syncStatusOf((*client.Console).SyncResume),
	}
}

// syncStatusOf runs a command that answers with the state of the synchronisation.
func (a *app) syncStatusOf(do func(*client.Console, context.Context) (api.SyncStatus, error)) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		c, err := a.console()
		if err != nil {
			return err
		}
		s, err := do(c, cmd.Context())
		if err != nil {
			return err
		}
		return show(a, s, syncColumns(), func(w io.Writer) error { return a.writeSync(w, s) })
	}
}

// syncColumns are the state without its lists.
func syncColumns() columns[api.SyncStatus] {
	return columns[api.SyncStatus]{
		names: []string{"paused", "paused by", "in scope", "pending", "pending deletes", "max deletes", "blocked", "errors", "withheld", "passwords not here", "oldest change"},
		cells: func(s api.SyncStatus) []string {
			p := s.Pending
			return []string{
				yesNo(s.Paused), s.PausedBy, strconv.Itoa(p.Total), strconv.Itoa(p.Objects), strconv.Itoa(p.Deletes), strconv.Itoa(p.MaxDeletes),
				yesNo(p.Blocked), strconv.Itoa(p.Errors), strconv.Itoa(p.Withheld), strconv.Itoa(s.Lag.Passwords), when(s.Lag.Oldest),
			}
		},
	}
}

// writeSync is the state as a person reads it.
func (a *app) writeSync(w io.Writer, s api.SyncStatus) error {
	if err := writeTable(w, s.Cycles, cycleColumns(s.At)); err != nil {
		return err
	}
	var b strings.Builder
	line := func(label, format string, args ...any) {
		fmt.Fprintf(&b, "%-16s %s\n", label, printable(fmt.Sprintf(format, args...)))
	}
	b.WriteByte('\n')
	line("schedule", "%s", scheduleOf(s))
	if s.Paused {
		line("", "only `fourways sync run` synchronises")
	}
	if s.Running != nil {
		line("running", "%s", progressLine(*s.Running, s.At))
	}
	p := s.Pending
	line("in scope", "%s", counted(p.Total, "object", "objects"))
	line("pending", "%s", counted(p.Objects, "object to plan", "objects to plan"))
	line("pending deletes", "%d, allowed %d", p.Deletes, p.MaxDeletes)
	if p.Blocked {
		line("blocked", "by the deletion guard: `fourways sync preview` says why")
	}
	line("errors", "%s", errorsInWords(p.Errors))
	line("withheld", "%s", counted(p.Withheld, "password hash", "password hashes"))
	line("lag", "%s", lagInWords(s.Lag, s.At))
	if len(s.Runs) > 0 {
		b.WriteByte('\n')
	}
	if _, err := io.WriteString(w, b.String()); err != nil || len(s.Runs) == 0 {
		return err
	}
	return a.writeRuns(w, s.Runs, lastOfEach(s.Runs))
}

func cycleColumns(at time.Time) columns[api.SyncCycle] {
	return columns[api.SyncCycle]{
		names: []string{"cycle", "every", "last success", "last run", "next", "cursor", "read"},
		cells: func(c api.SyncCycle) []string {
			return []string{c.Kind, rounded(c.Every), ago(at, c.Last), c.LastResult, due(at, c.Next), ago(at, c.Cursor.At), c.Cursor.Mode}
		},
	}
}

// rounded is a Go duration without the units that are nought: 2m of 2m0s.
func rounded(d string) string {
	for _, part := range []struct{ long, short string }{{"m0s", "m"}, {"h0m", "h"}} {
		if all, ok := strings.CutSuffix(d, part.long); ok {
			d = all + part.short
		}
	}
	return d
}

// ago is how long before at something was; "" for what never was.
func ago(at, then time.Time) string {
	if then.IsZero() {
		return ""
	}
	return clockFace(at.Sub(then)) + " ago"
}

// due is how long after at something will be; "" for what is not planned.
func due(at, then time.Time) string {
	switch {
	case then.IsZero():
		return ""
	case !then.After(at):
		return "now"
	}
	return "in " + clockFace(then.Sub(at))
}

func scheduleOf(s api.SyncStatus) string {
	switch {
	case s.Switch != nil && s.Paused:
		return fmt.Sprintf("paused by the operator (%s, %s)", s.Switch.By, ago(s.At, s.Switch.At))
	case s.Switch != nil:
		return fmt.Sprintf("on, whatever the file says (%s, %s)", s.Switch.By, ago(s.At, s.Switch.At))
	case s.Paused:
		return "paused by the file"
	}
	return "on"
}

func errorsInWords(n int) string {
	if n == 0 {
		return "none"
	}
	return counted(n, "object that can't be taken", "objects that can't be taken") + ": `fourways sync errors`"
}

// lagInWords is which passwords a person has changed and can't sign in with.
func lagInWords(l api.SyncLag, at time.Time) string {
	switch l.Passwords {
	case 0:
		return "none"
	case 1:
		return fmt.Sprintf("1 password changed on-premises %s, not yet synchronised", ago(at, l.Oldest))
	}
	return fmt.Sprintf("%d passwords changed on-premises, the first %s, not yet synchronised", l.Passwords, ago(at, l.Oldest))
}

// counted is a number of things.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
