package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/authn"
)

// topics are pages of help that belong to no command.
func topics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "exit-codes", Short: "What the exit codes mean", Long: exitCodes},
		{Use: "environment", Short: "Which variables are read", Long: environment},
		{Use: "output", Short: "The formats of -o", Long: outputs},
		{Use: "reasons", Short: "Why a sign-in did not simply succeed", Long: reasons()},
	}
}

const exitCodes = `Exit codes:

    0  ok
    1  failed; also a sign-in that nobody could check
    2  the command line can't be carried out
    3  the configuration is not valid
    4  the gateway can't be reached
    5  refused by a guard: nothing was changed, on purpose, because it looked like a mistake (too many deletions in one
       synchronisation, the last administrator, a password or token over plain http to another machine, work on the store
       file after a token was made), or because it is mastered elsewhere (on-premises, or in the configuration file)
    6  an expectation was not met: signin --expect, a matrix or a scenario that came out otherwise, a fail of the doctor
    7  a sign-in was denied
    8  not found
    9  conflict: it exists already, or somebody else changed it meanwhile
  130  interrupted by a signal

An error is three lines on standard error: what happened, why, and what to do.`

const environment = `Variables:

  FOURWAYS_SERVER          the console's URL, when --server is not given
  FOURWAYS_TOKEN           the console token, when --token is not given
  FOURWAYS_SIGNIN_URL      the sign-in endpoint's origin for signin and compare, when --signin-url is not given
  FOURWAYS_DIR             the lab's data folder, when --dir is not given; ./.fourways when neither is
  FOURWAYS_SECTION__KEY    a setting of the configuration, which wins over the file: FOURWAYS_SERVER__PUBLIC_URL
  COLUMNS                  how many characters go on a line of compare and of a trace; else the terminal says
  NO_COLOR                 when set, traces are written in plain ASCII, on a terminal too

A command looks for its gateway in this order: flags, variables, the state file (state.json) that a running lab keeps in its
data folder. The lab's own token goes to the lab's console only.`

const outputs = `Formats of -o, for every command that answers with data:

  table    for people (the default). Its columns may change.
  json     one JSON document, indented. A list is an array.
  jsonl    one JSON object a line.
  csv      a header and one line an object (RFC 4180). A cell that a spreadsheet would take for a formula begins with '.

The names of JSON fields are stable. Those of people and of the sign-in log are Microsoft Graph's. Answers go to standard
output, errors and remarks to standard error.`

// reasons draws the closed list from the table that the gateway itself uses.
func reasons() string {
	var b strings.Builder
	b.WriteString("Reasons stand in the sign-in log, in traces and in metrics. The person at the door is told less.\nA code with * is our choice: Microsoft documents none.\n\n")
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  REASON\tCODE\tVERDICT\tPATHS")
	for _, r := range authn.Reasons() {
		code := fmt.Sprint(r.Code())
		if r.OwnMapping() {
			code += "*"
		}
		var paths []string
		for _, p := range authn.Paths() {
			if r.On(p) {
				paths = append(paths, string(p))
			}
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\n", r, code, strings.Trim(fmt.Sprint(r.Verdicts()), "[]"), strings.Join(paths, " "))
	}
	_ = tw.Flush() // a strings.Builder takes everything
	return strings.TrimRight(b.String(), "\n")
}
