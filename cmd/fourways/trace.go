package main

import (
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/journal"
	"github.com/fourways-id/fourways/internal/trace"
)

func newTrace(a *app) *cobra.Command {
	return newGroup("trace", "What really happened in a sign-in", "Every sign-in leaves a trace: each step, between whom, how long it took, and who held the password in which form.",
		"  fourways trace list --last 5\n  fourways trace show ID\n  fourways trace export ID", newTraceList(a), newTraceShow(a), newTraceExport(a))
}

// lastFlag adds --last, and returns a check of it.
func lastFlag(cmd *cobra.Command, last *int) {
	cmd.Flags().IntVar(last, "last", 20, "how `many`, the newest first (1 to 1000)")
}

// recent reads the newest rows of the sign-in log.
func (a *app) recent(cmd *cobra.Command, last int) ([]api.SignIn, error) {
	if last < 1 || last > 1000 {
		return nil, misuse(cmd, "--last %d is out of range: give 1 to 1000", last)
	}
	c, err := a.console()
	if err != nil {
		return nil, err
	}
	return c.SignIns(cmd.Context(), last)
}

func newTraceList(a *app) *cobra.Command {
	var last int
	cmd := &cobra.Command{
		Use: "list", Short: "List the newest traces", Long: "List the newest sign-ins by the id of their trace.", Example: "  fourways trace list --last 5", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			rows, err := a.recent(cmd, last)
			if err != nil {
				return err
			}
			return list(a, rows, columns[api.SignIn]{
				names: []string{"id", "at", "user", "path", "outcome", "reason", "milliseconds"},
				cells: func(r api.SignIn) []string {
					return []string{
						r.ID, when(r.CreatedDateTime), r.UserPrincipalName, string(r.Fourways.Path), r.Fourways.Outcome, r.Fourways.Reason,
						strconv.FormatInt(r.ProcessingTimeInMilliseconds, 10),
					}
				},
			})
		},
	}
	lastFlag(cmd, &last)
	return cmd
}

func newTraceShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show ID...", Short: "Show the steps of a sign-in", Long: "Show the steps of one or more sign-ins, by trace or correlation id. -o json gives the records as they are kept, -o csv one line a step.",
		Example: "  fourways trace show 0198c0de-0000-7000-8000-000000000001\n  fourways trace show ID -o json",
		Args:    someIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			traces := make([]api.Trace, len(args))
			for i, id := range args {
				if traces[i], err = c.Trace(cmd.Context(), authn.AttemptID(id)); err != nil {
					return err
				}
			}
			return a.printTraces(traces)
		},
	}
}

// printTraces writes traces; of one, JSON is the object itself.
func (a *app) printTraces(traces []api.Trace) error {
	switch a.flags.output {
	case formatCSV:
		return writeCSV(a.out, steps(traces), stepColumns())
	case formatTable:
		for i, t := range traces {
			if i > 0 {
				_, _ = io.WriteString(a.out, "\n") // the next write tells of a broken pipe
			}
			if err := a.writeTrace(a.out, t.Records); err != nil {
				return err
			}
		}
		return nil
	}
	if len(traces) == 1 {
		return show(a, traces[0], columns[api.Trace]{}, nil)
	}
	return list(a, traces, columns[api.Trace]{})
}

// step is one line of a trace in a CSV file.
type step struct {
	trace authn.AttemptID
	authn.Step
}

func steps(traces []api.Trace) []step {
	var all []step
	for _, t := range traces {
		for _, r := range t.Records {
			for _, s := range r.Steps {
				all = append(all, step{t.ID, s})
			}
		}
	}
	return all
}

func stepColumns() columns[step] {
	return columns[step]{
		names: []string{"trace", "step", "from", "to", "result", "at", "microseconds", "what"},
		cells: func(s step) []string {
			return []string{
				string(s.trace), string(s.ID), string(s.From), string(s.To), string(s.Result),
				s.At.UTC().Format("2006-01-02T15:04:05.000000Z"), strconv.FormatInt(s.Took.Microseconds(), 10), trace.Sentence(s.Step),
			}
		},
	}
}

func newSignIns(a *app) *cobra.Command {
	var last int
	cmd := &cobra.Command{
		Use: "signins", Short: "The sign-in log", Long: "Show the newest rows of the sign-in log. -o json and jsonl give the field names of Microsoft Graph's signIn, plus one object `fourways`.",
		Example: "  fourways signins --last 5\n  fourways signins -o jsonl", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			rows, err := a.recent(cmd, last)
			if err != nil {
				return err
			}
			if a.flags.output == formatTable {
				return journal.Table(a.out, rows)
			}
			return list(a, rows, signInColumns())
		},
	}
	lastFlag(cmd, &last)
	return cmd
}

func signInColumns() columns[api.SignIn] {
	return columns[api.SignIn]{
		names: []string{"date", "request_id", "user", "application", "status", "path", "code", "reason", "ip", "client", "milliseconds"},
		cells: func(r api.SignIn) []string {
			return []string{
				when(r.CreatedDateTime), r.ID, r.UserPrincipalName, r.AppDisplayName, r.Fourways.Outcome, string(r.Fourways.Path),
				strconv.Itoa(r.Status.ErrorCode), r.Fourways.Reason, r.IPAddress, r.ClientAppUsed, strconv.FormatInt(r.ProcessingTimeInMilliseconds, 10),
			}
		},
	}
}
