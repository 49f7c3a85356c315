// Package doctor looks at a gateway and what it depends on, and says what is wrong and what to do.
//
// In come checks, each a value with an id, a bound in time and a function; out comes one api.Finding a check, in the
// checks' order. The groups of checks are in files of their own: machine.go (files, certificate, disk), ports.go, idps.go,
// directory.go, storefile.go, gateway.go (a running one, seen from outside). Nothing in here changes what it looks at;
// doctor/leak, which signs in, is a package of its own. It decides nothing about a sign-in and prints nothing.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fourways-id/fourways/internal/console/api"
)

// Check is one thing to look at. Run may block: the doctor gives up after Within, or when Run panics.
type Check struct {
	ID     string // stable, group.thing
	Title  string
	Within time.Duration // 0: usual
	Run    func(ctx context.Context) Seen
}

// Seen is what a check saw; make one with OK, Warn, Fail or Skip. The zero value counts as a failure of the check itself.
type Seen struct{ result, finding, fix string }

// usual is how long a check may take; atOnce how many run beside each other: most only wait, and should wait together.
const (
	usual  = 5 * time.Second
	atOnce = 32
)

// OK says that all is well, with what was seen.
func OK(format string, args ...any) Seen {
	return Seen{result: api.FindingOK, finding: fmt.Sprintf(format, args...)}
}

// Warn says that something will go wrong, or works against advice; fix is what to do.
func Warn(fix, format string, args ...any) Seen {
	return Seen{api.FindingWarn, fmt.Sprintf(format, args...), fix}
}

// Fail says that something is wrong now; fix is what to do.
func Fail(fix, format string, args ...any) Seen {
	return Seen{api.FindingFail, fmt.Sprintf(format, args...), fix}
}

// Skip says that it could not be looked at from here, and why; fix is how it could be.
func Skip(fix, format string, args ...any) Seen {
	return Seen{api.FindingSkip, fmt.Sprintf(format, args...), fix}
}

// Worst joins what was seen of several things of one kind: the worst of them is told, all that are as bad as it with it,
// and what to do about each.
// None at all is what of says.
func Worst(none Seen, all ...Seen) Seen {
	if len(all) == 0 {
		return none
	}
	rank := map[string]int{api.FindingOK: 0, api.FindingSkip: 1, api.FindingWarn: 2, api.FindingFail: 3}
	worst := all[0]
	for _, s := range all {
		if rank[s.result] > rank[worst.result] {
			worst = s
		}
	}
	var says, fixes []string
	for _, s := range all {
		if s.result != worst.result {
			continue
		}
		says = append(says, s.finding)
		if s.fix != "" && !slices.Contains(fixes, s.fix) {
			fixes = append(fixes, s.fix)
		}
	}
	worst.finding, worst.fix = strings.Join(says, "; "), strings.Join(fixes, "; ")
	return worst
}

// Run runs the checks side by side and gives their findings in the checks' order.
func Run(ctx context.Context, checks []Check) []api.Finding {
	all := make([]api.Finding, len(checks))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, c := range checks {
		g.Go(func() error {
			all[i] = c.finding(ctx)
			return nil
		})
	}
	_ = g.Wait() // no check has an error: what went wrong is its finding
	return all
}

func (c Check) finding(ctx context.Context) api.Finding {
	s := c.see(ctx)
	if s.result == "" {
		s = Fail("tell the makers of fourways", "the check ended without saying what it saw")
	}
	return api.Finding{ID: c.ID, Title: c.Title, Result: s.result, Finding: s.finding, Fix: s.fix}
}

// see does not wait for a check that ignores its context: what it finds later is lost.
func (c Check) see(ctx context.Context) Seen {
	within := c.Within
	if within <= 0 {
		within = usual
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	done := make(chan Seen, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- Fail("tell the makers of fourways", "the check itself broke down: %v", p)
			}
		}()
		done <- c.Run(ctx)
	}()
	select {
	case s := <-done:
		return s
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return Skip("", "the doctor was asked to stop")
		}
		return Fail("find out what hangs: the network, the disk, or the other side", "no answer within %s", within)
	}
}

// Only keeps the checks that ids name: an id, or the group before its dot. No ids keep them all.
func Only(checks []Check, ids []string) []Check {
	var kept []Check
	for _, c := range checks {
		if Named(c.ID, ids) {
			kept = append(kept, c)
		}
	}
	return kept
}

// Named reports that ids name the check, or that there are none.
func Named(id string, ids []string) bool {
	group, _, _ := strings.Cut(id, ".")
	for _, want := range ids {
		if want == id || want == group {
			return true
		}
	}
	return len(ids) == 0
}

// Failed reports whether any finding is a failure.
func Failed(all []api.Finding) bool {
	for _, f := range all {
		if f.Result == api.FindingFail {
			return true
		}
	}
	return false
}

// count writes a number with its noun: one person, two people is the caller's choice of words.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
