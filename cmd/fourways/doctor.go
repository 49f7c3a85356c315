package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/doctor"
	"github.com/fourways-id/fourways/internal/trace"
)

const doctorLong = `Look at a gateway and what it depends on, and say what is wrong and what to do. Nothing is changed.

A running gateway is asked what it sees itself; the lab's, or the one that --server and a token name. With -c, on the
gateway's machine, the configuration, its files and ports are looked at too, and that works when nothing runs.

--leak-check is the one part that leaves something behind: it types a random password at the door on every path, for names
that nobody has, and then looks for it in everything that the gateway keeps. The sign-ins stand in the sign-in log.

The exit code is 6 when any line says fail, and 4 when the gateway can't be reached and no configuration is given either.`

const doctorExample = `  fourways doctor
  fourways doctor -c fourways.toml --only config,ports
  fourways doctor --leak-check --log gateway.log -o json`

type doctorFlags struct {
	file string
	leak bool
	only []string
	logs []string
}

func newDoctor(a *app) *cobra.Command {
	var f doctorFlags
	cmd := &cobra.Command{
		Use: "doctor", Short: "Say what is wrong and what to do", Long: doctorLong, Example: doctorExample, Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd, f) },
	}
	configFlag(cmd, &f.file, "")
	cmd.Flags().BoolVar(&f.leak, "leak-check", false, "sign in with a random password and look for it in everything that is kept")
	cmd.Flags().StringSliceVar(&f.only, "only", nil, "only these checks: `ids`, or groups such as idp")
	cmd.Flags().StringArrayVar(&f.logs, "log", nil, "search this `file` too, such as the gateway's log (with --leak-check)")
	return cmd
}

// patient is what the doctor grants a server that it looks at; itself is what a gateway gets to look at itself, which is
// longer than any of its checks may take.
const (
	patient = 4 * time.Second
	itself  = 8 * time.Second
)

// examination is one visit of the doctor: what is known of the gateway, and what was found.
type examination struct {
	app      *app
	flags    doctorFlags
	console  *client.Console
	settings map[string]string
	conf     *config.Config
	lab      state
	http     *http.Client
	found    []api.Finding
	nobody   error // why there was nothing to look at
}

func (a *app) doctor(cmd *cobra.Command, f doctorFlags) error {
	x := &examination{app: a, flags: f, http: &http.Client{Timeout: patient}}
	if err := x.examine(cmd.Context()); err != nil {
		return err
	}
	for _, id := range f.only {
		if !slices.ContainsFunc(x.found, func(g api.Finding) bool { return doctor.Named(g.ID, []string{id}) }) {
			return misuse(cmd, "--only %s names no check that was made: `fourways doctor` shows their ids", id)
		}
	}
	if err := a.printFindings(x.found); err != nil {
		return err
	}
	if x.nobody != nil {
		return x.nobody
	}
	if doctor.Failed(x.found) {
		return failure{exitUnexpected, "something is wrong", failing(x.found), "do what FIX says of each, then run the doctor again"}
	}
	return nil
}

// examine asks the gateway first; whatever it can't tell is looked at from here.
func (x *examination) examine(ctx context.Context) error {
	var err error
	x.console, err = x.app.console()
	if err != nil {
		if x.flags.file == "" && x.app.server() == "" {
			x.flags.file = oneIn(usualConfig)
		}
		if x.flags.file == "" {
			return err
		}
	}
	var checks []doctor.Check
	if x.flags.file != "" {
		var one doctor.Check
		x.conf, one = doctor.ConfigFile(x.flags.file)
		checks = append(checks, one)
	}
	theirs := x.ask(ctx)
	if x.conf != nil {
		if theirs == nil {
			checks = append(checks, doctor.Machine(x.conf, time.Now)...)
			checks = append(checks, doctor.StoreFile(x.conf)...)
			checks = append(checks, doctor.IdPs(x.conf, x.http, time.Now)...)
		}
		checks = append(checks, doctor.Ports(x.conf))
	}
	if theirs != nil {
		checks = append(checks, x.outside(ctx)...)
	}
	x.found = append(x.found, theirs...)
	x.found = slices.DeleteFunc(x.found, func(f api.Finding) bool { return !doctor.Named(f.ID, x.flags.only) })
	x.found = append(x.found, doctor.Run(ctx, doctor.Only(checks, x.flags.only))...)
	if x.flags.leak {
		x.leaks(ctx)
	}
	return ctx.Err()
}

// oneIn is the usual file if it is there.
func oneIn(name string) string {
	if _, err := os.Stat(name); err != nil {
		return ""
	}
	return name
}

// ask gives what the gateway sees itself; nil when it could not be asked, and then a finding says why.
func (x *examination) ask(ctx context.Context) []api.Finding {
	answers := func(result, finding, fix string) {
		x.found = append(x.found, api.Finding{ID: "gateway.answers", Title: "The gateway's console", Result: result, Finding: finding, Fix: fix})
	}
	if x.console == nil {
		answers(api.FindingSkip, "no running gateway was asked: none is named, or no token is given", "give --server and "+envToken+" to have it look at itself")
		return nil
	}
	theirs, err := within(ctx, itself, x.console.Examine)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		answers(api.FindingFail, fmt.Sprintf("no answer within %s", itself), "look at the gateway's log, and at its machine: what holds its port is no gateway, or it hangs")
		return nil
	}
	if err != nil {
		f := asFailure(ctx, err)
		result, away := api.FindingFail, errors.Is(err, client.ErrUnreachable)
		switch {
		case away && x.flags.file == "":
			x.nobody = err
		case away && x.conf != nil && x.app.server() == "":
			result = api.FindingSkip
		}
		answers(result, f.why, f.do)
		return nil
	}
	answers(api.FindingOK, fmt.Sprintf("it answers, and made %d checks itself", len(theirs)), "")
	if x.settings, err = within(ctx, patient, x.allSettings); err != nil {
		x.settings = map[string]string{}
	}
	if s, found, err := x.app.labOf(x.settings); err == nil && found {
		x.lab = s
	}
	return theirs
}

// within bounds a question to the console, which waits for minutes where a person would not.
func within[T any](ctx context.Context, most time.Duration, ask func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return ask(ctx)
}

// allSettings reads every setting in force; a string without its quotes.
func (x *examination) allSettings(ctx context.Context) (map[string]string, error) {
	text, err := x.console.Config(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, s := range settingLines(text) {
		all[s.Key] = strings.Trim(s.Value, `"`)
	}
	return all, nil
}

// outside is what is looked at from here, of a gateway that runs.
func (x *examination) outside(ctx context.Context) []doctor.Check {
	console := x.app.server()
	if console == "" {
		console = x.lab.ConsoleURL
	}
	checks := doctor.Running(console, x.metrics(), x.http, time.Now)
	if x.lab.LDAPURL == "" {
		return append(checks, doctor.Elsewhere())
	}
	return append(checks, x.premises(ctx)...)
}

// metrics is the address of the metrics; "" when it is not known here.
func (x *examination) metrics() string {
	if x.lab.MetricsURL == "" && x.conf != nil {
		return doctor.MetricsURL(x.conf.Server.TelemetryListen)
	}
	return x.lab.MetricsURL
}

func (a *app) printFindings(all []api.Finding) error {
	cols := columns[api.Finding]{
		names: []string{"result", "id", "title", "finding", "fix"},
		cells: func(f api.Finding) []string { return []string{f.Result, f.ID, f.Title, f.Finding, f.Fix} },
	}
	if a.flags.output != formatTable {
		return list(a, all, cols)
	}
	width := a.width()
	if width == 0 {
		width = 120
	}
	tally := map[string]int{}
	for _, f := range all {
		tally[f.Result]++
		if err := printFinding(a.out, f, width); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.out, "\n%d ok, %d warn, %d fail, %d skip\n", tally[api.FindingOK], tally[api.FindingWarn], tally[api.FindingFail], tally[api.FindingSkip])
	return err
}

// printFinding writes the result and the id, then what was seen and what to do, below each other.
func printFinding(w io.Writer, f api.Finding, width int) error {
	const lead = 25 // result and id
	var b strings.Builder
	head := fmt.Sprintf("%-4s  %-17s  ", f.Result, f.ID)
	parts := []string{f.Finding}
	if f.Fix != "" {
		parts = append(parts, "fix: "+f.Fix)
	}
	for _, part := range parts {
		for _, line := range trace.Wrap(printable(part), max(20, width-lead)) {
			b.WriteString(strings.TrimRight(head+line, " ") + "\n")
			head = strings.Repeat(" ", lead)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func failing(all []api.Finding) string {
	var ids []string
	for _, f := range all {
		if f.Result == api.FindingFail {
			ids = append(ids, f.ID)
		}
	}
	return strings.Join(ids, ", ")
}
