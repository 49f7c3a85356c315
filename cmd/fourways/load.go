package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/load"
)

const loadLong = `Sign many people in at a fixed rate, and see how long each path lets them wait. It works on a lab of this machine only:
whatever leads off the loopback is refused, at the start, at every connection, and in redirects.

Arrivals are planned before the run, and a slow answer delays none of them. Latency counts from the moment at which an
arrival was meant to start, so a stall shows for everybody who would have come meanwhile. An arrival that finds --in-flight
sign-ins open is dropped and counted. The warm-up is in none of the numbers.

Wrong passwords go to real people, but at most three times to each in a run, so that nobody is locked out; the rest of
them, and the share --unknown, go to names that nobody has, each used once. After the run, those who were guessed at are
signed in once, unmeasured, so that many runs lock nobody out either. All of it stands in the sign-in log.`

const loadRunExample = `  fourways load run
  fourways load run --paths phs,pta --rate 100 --duration 30s --wrong 0
  fourways load run -o json --out run.json`

type loadFlags struct {
	plan             load.Plan
	duration, warmUp time.Duration
	paths            []string
	door             string
	out              string
}

func newLoad(a *app) *cobra.Command {
	return newGroup("load", "Sign many people in at a fixed rate", loadLong, loadRunExample, newLoadRun(a))
}

func newLoadRun(a *app) *cobra.Command {
	var f loadFlags
	cmd := &cobra.Command{
		Use: "run", Short: "Drive the paths of a lab and say how long each took", Long: loadLong, Example: loadRunExample, Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.loadRun(cmd, f) },
	}
	p := cmd.Flags()
	p.Float64Var(&f.plan.Rate, "rate", 50, "arrivals in a second, all paths together")
	p.DurationVar(&f.duration, "duration", 10*time.Second, "how long is measured")
	p.DurationVar(&f.warmUp, "warm-up", time.Second, "how long the same is done before, unmeasured")
	p.StringSliceVar(&f.paths, "paths", []string{"all"}, "which paths: cloud, phs, pta, federated or all")
	p.Float64Var(&f.plan.Wrong, "wrong", 0.1, "share of arrivals with a wrong password")
	p.Float64Var(&f.plan.Unknown, "unknown", 0.05, "share of arrivals with a name that nobody has")
	p.IntVar(&f.plan.InFlight, "in-flight", 200, "sign-ins that may be open at once; an arrival above it is dropped")
	p.Uint64Var(&f.plan.Seed, "load-seed", 0, "plan the same arrivals as the run whose result names this seed; 0: others each time")
	p.StringVar(&f.out, "out", "", "write the result as JSON into this `file` as well")
	p.StringVar(&f.door, "signin-url", "", "the sign-in endpoint's origin, as `URL` (else "+envSignIn+", else the lab's)")
	return cmd
}

func (a *app) loadRun(cmd *cobra.Command, f loadFlags) error {
	ctx := cmd.Context()
	f.plan.Duration, f.plan.WarmUp = load.Span(f.duration), load.Span(f.warmUp)
	if f.plan.Seed == 0 {
		f.plan.Seed = uint64(rand.Uint32()) //nolint:gosec // it says which plan, and stands in the result
	}
	if err := f.plan.Check(); err != nil {
		return misuse(cmd, "%w", err)
	}
	paths, err := pathsNamed(cmd, f.paths)
	if err != nil {
		return err
	}
	p, err := a.place(ctx, f.door)
	if err != nil {
		return err
	}
	to, err := load.NewTarget(ctx, p.door, nil)
	if err != nil {
		return loadFailure(err)
	}
	people, err := loadPeople(ctx, p, paths)
	if err != nil {
		return err
	}
	result, err := load.Run(ctx, to, f.plan, people, version())
	if err != nil && len(result.Paths) == 0 {
		return loadFailure(err)
	}
	return errors.Join(a.printLoad(result, f.out), loadEnd(ctx, result, err))
}

// pathsNamed reads --paths.
func pathsNamed(cmd *cobra.Command, names []string) ([]authn.Path, error) {
	var paths []authn.Path
	for _, name := range names {
		path := authn.Path(name)
		switch {
		case name == "all":
			return slices.DeleteFunc(authn.Paths(), func(p authn.Path) bool { return p == authn.PathNone }), nil
		case path == authn.PathNone || !slices.Contains(authn.Paths(), path):
			return nil, misuse(cmd, "--paths %s is no path: there are cloud, phs, pta, federated, or all", name)
		case !slices.Contains(paths, path):
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		return nil, misuse(cmd, "--paths names none: there are cloud, phs, pta, federated, or all")
	}
	return paths, nil
}

// mostOfCrowd bounds how many of a crowd take part.
const mostOfCrowd = 10_000

// loadPeople are the people of the lab who are let in when all is well, by the path that their domain has now.
func loadPeople(ctx context.Context, p place, paths []authn.Path) ([]load.Person, error) {
	if len(p.lab.Users) == 0 || p.console == nil {
		return nil, failure{exitUnreachable, "there is no lab to put load on", "its state file holds the people who sign in, and none was found", "start one with `fourways up`, or name its data folder with --dir"}
	}
	modes, err := p.console.Modes(ctx)
	if err != nil {
		return nil, err
	}
	of := map[string]authn.Path{}
	for _, m := range modes {
		of[m.Domain] = m.Path
	}
	var all []load.Person
	for _, path := range paths {
		before := len(all)
		for _, u := range ableUsers(p.lab) {
			if _, domain, _ := strings.Cut(u.UPN, "@"); of[domain] == path {
				all = append(all, load.Person{UPN: u.UPN, Password: u.Password, Path: path})
			}
		}
		if len(all) == before {
			return nil, failure{exitNotFound, "nobody signs in by " + string(path), "no domain with people has this path now", "`fourways mode get` shows the paths; --paths leaves this one out"}
		}
	}
	return all, nil
}

// ableUsers leaves out the characters of the demo world whom something keeps from signing in, and rita, whose path is not
// her domain's; the crowd is able as a whole.
func ableUsers(s state) []stateUser {
	able := []string{"alice", "ivan", "judy", "mallory", "peggy"}
	users := slices.DeleteFunc(slices.Clone(s.Users), func(u stateUser) bool {
		name, _, _ := strings.Cut(u.UPN, "@")
		return !slices.Contains(able, name)
	})
	if c := s.Crowd; c != nil && len(c.Domains) > 0 {
		for i := range min(c.Count, mostOfCrowd) {
			users = append(users, stateUser{UPN: fmt.Sprintf("user%06d@%s", i+1, c.Domains[i%len(c.Domains)]), Password: c.Password})
		}
	}
	return users
}

func loadFailure(err error) error {
	if errors.Is(err, load.ErrNotLoopback) {
		return failure{exitGuard, "load stays on this machine", err.Error(), "start a lab here with `fourways up`, and put the load on that"}
	}
	return err
}

// loadEnd is how a run ended as an exit code. How many were refused or not checked is a result, and no failure.
func loadEnd(ctx context.Context, r load.Result, err error) error {
	if err != nil {
		return loadFailure(err)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	sent, unreachable := 0, 0
	for _, p := range r.Paths {
		sent, unreachable = sent+p.Sent, unreachable+p.Errors["unreachable"]
	}
	if sent > 0 && unreachable == sent {
		return failure{exitUnreachable, "the sign-in endpoint can't be reached", "nobody answered at " + r.Target, "start the lab with `fourways up`"}
	}
	return nil
}

func (a *app) printLoad(r load.Result, file string) error {
	if file != "" {
		var text bytes.Buffer
		if err := writeJSON(&text, r); err != nil {
			return err
		}
		if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
	}
	if a.flags.output == formatJSON || a.flags.output == formatJSONL {
		return show(a, r, columns[load.Result]{}, nil)
	}
	if err := list(a, r.Paths, loadColumns()); err != nil || a.flags.output == formatCSV {
		return err
	}
	return loadText(a.out, r)
}

func loadColumns() columns[load.PathResult] {
	return columns[load.PathResult]{
		names: []string{"path", "rate", "ok", "failed", "dropped", "p50_ms", "p95_ms", "p99_ms", "max_ms"},
		cells: func(p load.PathResult) []string {
			ms := func(m load.Milliseconds) string {
				return strconv.FormatFloat(float64(time.Duration(m).Microseconds())/1000, 'f', 1, 64)
			}
			return []string{
				string(p.Path), strconv.FormatFloat(p.PerSecond, 'f', 1, 64), strconv.Itoa(p.AsExpected), strconv.Itoa(p.Unexpected + p.Failed), strconv.Itoa(p.Dropped),
				ms(p.Latency.P50), ms(p.Latency.P95), ms(p.Latency.P99), ms(p.Latency.Max),
			}
		},
	}
}

// loadText is what a person should know beside the table.
func loadText(w io.Writer, r load.Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\nok: the right password was let in, a wrong one refused. Latency counts from the intended start.\n")
	for _, p := range r.Paths {
		for _, o := range p.Outcomes {
			fmt.Fprintf(&b, "%-9s  %-7s  %-11s  %6d  %d\n", p.Path, o.Login, o.Outcome, o.Code, o.Count)
		}
		for _, kind := range slices.Sorted(maps.Keys(p.Errors)) {
			fmt.Fprintf(&b, "%-9s  %s: %d\n", p.Path, kind, p.Errors[kind])
		}
	}
	ms := func(m load.Milliseconds) time.Duration { return time.Duration(m).Round(100 * time.Microsecond) }
	fmt.Fprintf(&b, "The generator itself was late by %s (p50), %s (p99): latency holds that as well.\n", ms(r.Lag.P50), ms(r.Lag.P99))
	if slices.ContainsFunc(r.Paths, func(p load.PathResult) bool { return p.Dropped > 0 }) {
		fmt.Fprintf(&b, "Dropped arrivals are in no latency: more was asked for than %d open sign-ins allow.\n", r.Plan.InFlight)
	}
	if slices.ContainsFunc(r.Paths, func(p load.PathResult) bool { return p.Unexpected+p.Failed > 0 }) {
		fmt.Fprintln(&b, "Failed sign-ins are in the latencies, and may be quick: read them with the outcomes above.")
	}
	if !r.Complete {
		fmt.Fprintf(&b, "This run was cut short after %s.\n", time.Duration(r.Wall).Round(time.Millisecond))
	}
	fmt.Fprintf(&b, "To plan the same arrivals again: --load-seed %d\n", r.Plan.Seed)
	_, err := io.WriteString(w, b.String())
	return err
}
