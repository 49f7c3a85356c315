package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/scenario"
	"github.com/fourways-id/fourways/internal/trace"
)

func newFaultRun(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "run [SCENARIO]", Short: "Play a story of something that goes wrong",
		Long: `Play a story in a throw-away copy of the lab: what is done, as commands that a person could type, what the story says must come
of it, what really did, and what it teaches. Without a SCENARIO, the stories are listed. The exit code is 6 when an act goes
another way than the story says.`,
		Example: "  fourways fault run\n  fourways fault run dc-dies-at-9am", Args: between(0, "SCENARIO"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return a.scenarios(cmd.Context(), c)
			}
			report, err := c.RunScenario(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if err := a.printScenario(report); err != nil {
				return err
			}
			return judgeScenario(report)
		},
	}
}

func (a *app) scenarios(ctx context.Context, c *client.Console) error {
	all, err := c.Scenarios(ctx)
	if err != nil {
		return err
	}
	if a.flags.output != formatTable {
		return list(a, all, columns[api.Scenario]{
			names: []string{"scenario", "title", "summary"}, cells: func(s api.Scenario) []string { return []string{s.Name, s.Title, s.Summary} },
		})
	}
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "%s\n    %s\n", printable(s.Name), strings.Join(trace.Wrap(printable(s.Summary), max(0, a.width()-4)), "\n    "))
	}
	_, err = io.WriteString(a.out, b.String()+"\nplay one: fourways fault run SCENARIO\n")
	return err
}

func (a *app) printScenario(report api.ScenarioReport) error {
	if a.flags.output == formatCSV {
		return writeCSV(a.out, report.Acts, columns[api.Act]{
			names: []string{"did", "expected", "saw", "ok", "trace", "teaches"},
			cells: func(act api.Act) []string {
				return []string{act.Did, act.Expected, act.Saw, yesNo(act.OK), string(act.TraceID), act.Teaches}
			},
		})
	}
	report.Traces = nil // `trace show` gives them one by one
	return show(a, report, columns[api.ScenarioReport]{}, func(w io.Writer) error { return writeStory(w, report, a.width()) })
}

// writeStory writes the acts one below the other.
func writeStory(w io.Writer, report api.ScenarioReport, width int) error {
	var b strings.Builder
	put := func(indent, text string) {
		at := 0
		if width > len(indent) {
			at = width - len(indent)
		}
		b.WriteString(indent + strings.Join(trace.Wrap(printable(text), at), "\n"+indent) + "\n")
	}
	put("", report.Title)
	put("", report.Summary)
	for i, act := range report.Acts {
		fmt.Fprintf(&b, "\n%2d  $ %s\n", i+1, printable(act.Did))
		put("    ", outcomeOf(act))
		if act.TraceID != "" {
			put("    ", "trace "+string(act.TraceID))
		}
		if act.Teaches != "" {
			put("    ", act.Teaches)
		}
	}
	fmt.Fprintf(&b, "\n%d/%d acts as the story says, in a throw-away copy of the lab\n", asTold(report), len(report.Acts))
	_, err := io.WriteString(w, b.String())
	return err
}

// outcomeOf says what came of an act, by words alone.
func outcomeOf(act api.Act) string {
	if act.OK {
		return "ok   " + act.Saw
	}
	return "NO   expected " + act.Expected + ", saw " + act.Saw
}

func asTold(report api.ScenarioReport) int {
	n := 0
	for _, act := range report.Acts {
		if act.OK {
			n++
		}
	}
	return n
}

func judgeScenario(report api.ScenarioReport) error {
	var wrong []string
	for _, act := range report.Acts {
		if !act.OK {
			wrong = append(wrong, fmt.Sprintf("%s: expected %s, saw %s", act.Did, act.Expected, act.Saw))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return failure{
		exitUnexpected, "the story does not hold: " + count(len(wrong), "act") + " went another way", strings.Join(wrong, "\n"),
		"the copy has the rules of the lab's fourways.toml: was it edited?",
	}
}

// scenarioRuns implements console.Scenarios: it plays stories in copies of the lab, and keeps the last report in the lab's
// folder.
type scenarioRuns struct{ copies *copies }

// Scenarios implements console.Scenarios.
func (scenarioRuns) Scenarios(context.Context) ([]api.Scenario, error) {
	var all []api.Scenario
	for _, s := range scenario.Stories() {
		all = append(all, s.Scenario)
	}
	return all, nil
}

// RunScenario implements console.Scenarios.
func (r scenarioRuns) RunScenario(ctx context.Context, name string) (report api.ScenarioReport, err error) {
	story, err := scenario.Find(name)
	if err != nil {
		return report, err
	}
	err = r.copies.with(ctx, story.Agents, func(ctx context.Context, w *workshop) error {
		token, err := w.gateway.Operator().NewToken(ctx, api.NewToken{Name: "scenario", Role: console.Admin})
		if err != nil {
			return err
		}
		c, err := client.New("http://"+w.sockets.console.Addr().String(), token.Secret)
		if err != nil {
			return err
		}
		report, err = story.Play(ctx, scenario.World{Console: c, Door: w.sockets.publicURL()})
		return err
	})
	if err != nil {
		return report, err
	}
	return report, keepReport(r.file(), report)
}

func (r scenarioRuns) file() string { return filepath.Join(r.copies.of.dir, "scenario.json") }

// LastScenario implements console.Scenarios.
func (r scenarioRuns) LastScenario(context.Context) (api.ScenarioReport, error) {
	return lastReport[api.ScenarioReport](r.file())
}
