package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/userfile"
)

const leakedLong = `Compare a list of leaked passwords with the records that are stored, offline: nobody is signed in, and nothing counts towards
a lockout. Cloud passwords and synchronised hashes are compared, whatever the path of a domain is now; where the switch
password_hash_sync is off there is no hash to compare with, and that is said.`

const leakedCheckLong = leakedLong + `

FILE has lines of user:password or user;password ("-": standard input). The first of the two signs parts them. Passwords go to
the gateway and nowhere else: they are in no answer, log or audit entry. The gateway compares one after another and rests in
between, so that sign-ins keep their pace.

--flag marks the accounts that match (user list --leaked) until their password is changed; --require-change also has cloud
accounts choose another at the next sign-in. The exit code is 0 when nobody matches, and 6 when somebody does.`

func newLeaked(a *app) *cobra.Command {
	return newGroup("leaked", "Find accounts whose password has leaked", leakedLong, "  fourways leaked check combo.txt --require-change", newLeakedCheck(a))
}

func newLeakedCheck(a *app) *cobra.Command {
	var ask api.LeakedCheck
	cmd := &cobra.Command{
		Use: "check FILE", Short: "Compare a list of leaked passwords with the stored records", Long: leakedCheckLong,
		Example: "  fourways leaked check combo.txt\n  zcat combo.txt.gz | fourways leaked check - --flag\n  fourways leaked check combo.txt --require-change --dry-run",
		Args:    exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.leakedCheck(cmd.Context(), args[0], ask)
		},
	}
	cmd.Flags().BoolVar(&ask.Flag, "flag", false, "flag the accounts that match")
	cmd.Flags().BoolVar(&ask.RequireChange, "require-change", false, "flag them, and have cloud accounts change the password at the next sign-in")
	cmd.Flags().BoolVar(&ask.DryRun, "dry-run", false, "say what would be done to those that match, and do nothing")
	return cmd
}

func (a *app) leakedCheck(ctx context.Context, name string, ask api.LeakedCheck) error {
	in, err := a.openInput(name)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	c, err := a.console()
	if err != nil {
		return err
	}
	l := leakedRun{app: a, to: c, ask: ask, began: machineClock{}.Now(), missing: map[api.LeakedMissing]int{}}
	if err := l.run(ctx, userfile.OpenPairs(in)); err != nil {
		l.clearLine()
		_, _ = fmt.Fprintf(a.err, "stopped after line %d\n", l.last) // beside the error
		return errors.Join(l.print(), err)
	}
	return l.end(name)
}

// What goes into one request: so many pairs, which the slowest records that are stored keep busy for less than the four
// minutes that a request may take, or as many as have so many bytes: JSON writes some of them as six (\u003c), and the last
// line comes on top.
const (
	leakedPairs = 25
	leakedBytes = api.LeakedLongestBytes / 8
)

// leakedRun is one check under way.
type leakedRun struct {
	app *app
	to  interface {
		CheckLeaked(ctx context.Context, ask api.LeakedCheck) (api.LeakedReport, error)
	}
	ask   api.LeakedCheck
	began time.Time

	bytes, last, pairs, broken int
	unknown, others, tries     int
	matches                    []api.LeakedMatch
	missing                    map[api.LeakedMissing]int // without its number
}

func (l *leakedRun) run(ctx context.Context, list *userfile.Pairs) error {
	for {
		pair, err := list.Next()
		var bad userfile.BadLine
		switch {
		case errors.Is(err, io.EOF):
			return l.send(ctx)
		case errors.As(err, &bad):
			l.broken++
			l.clearLine()
			_, _ = fmt.Fprintf(l.app.err, "%v\n", bad) // the summary counts it
			continue
		case err != nil:
			return err
		}
		l.ask.Pairs = append(l.ask.Pairs, pair)
		l.bytes += list.Length()
		if len(l.ask.Pairs) == leakedPairs || l.bytes > leakedBytes {
			if err := l.send(ctx); err != nil {
				return err
			}
		}
	}
}

func (l *leakedRun) send(ctx context.Context) error {
	if len(l.ask.Pairs) == 0 {
		return nil
	}
	found, err := l.to.CheckLeaked(ctx, l.ask)
	if err != nil {
		return err
	}
	l.pairs, l.last = l.pairs+len(l.ask.Pairs), l.ask.Pairs[len(l.ask.Pairs)-1].Line
	clear(l.ask.Pairs)
	l.ask.Pairs, l.bytes = l.ask.Pairs[:0], 0
	l.unknown, l.others, l.tries = l.unknown+found.Unknown, l.others+found.Clear, l.tries+found.Tries
	l.matches = append(l.matches, found.Matches...)
	for _, m := range found.Missing {
		l.missing[api.LeakedMissing{Domain: m.Domain, Why: m.Why}] += m.Pairs
	}
	if l.app.watched() {
		_, _ = fmt.Fprintf(l.app.err, "\r%s pairs, %s tries/s, %d matching \x1b[K", grouped(l.pairs), l.rate(), len(l.matches))
	}
	return nil
}

func (l *leakedRun) clearLine() {
	if l.app.watched() {
		_, _ = fmt.Fprint(l.app.err, "\r\x1b[K")
	}
}

func (l *leakedRun) rate() string {
	return strconv.FormatFloat(float64(l.tries)/max(machineClock{}.Now().Sub(l.began).Seconds(), 0.001), 'f', 0, 64)
}

// print lists the accounts that match, then what the list was made of.
func (l *leakedRun) print() error {
	if err := list(l.app, l.matches, leakedColumns(l.ask.DryRun)); err != nil {
		return err
	}
	for _, m := range slices.SortedFunc(maps.Keys(l.missing), func(a, b api.LeakedMissing) int { return strings.Compare(a.Domain+a.Why, b.Domain+b.Why) }) {
		_, _ = fmt.Fprintf(l.app.err, "%s: %d not compared: %s\n", m.Domain, l.missing[m], m.Why)
	}
	_, err := fmt.Fprintf(l.app.err, "%d pairs: %d matching, %d with another password, %d of nobody here; %d broken lines; %d tries, %s/s\n",
		l.pairs, len(l.matches), l.others, l.unknown, l.broken, l.tries, l.rate())
	return err
}

func (l *leakedRun) end(name string) error {
	l.clearLine()
	if err := l.print(); err != nil || len(l.matches) == 0 {
		return err
	}
	do := "have these passwords changed; `fourways leaked check " + printable(name) + " --require-change` asks for it at the next sign-in"
	if l.ask.RequireChange && !l.ask.DryRun {
		do = "`fourways user list --leaked` shows the accounts until their passwords are changed"
	}
	return failure{exitUnexpected, "somebody's password has leaked", fmt.Sprintf("%d lines of the list are passwords that open an account", len(l.matches)), do}
}

func leakedColumns(dryRun bool) columns[api.LeakedMatch] {
	would := func(is bool) string {
		if is && dryRun {
			return "would be"
		}
		return yesNo(is)
	}
	return columns[api.LeakedMatch]{
		names: []string{"line", "user", "record", "flagged", "change required", "note"},
		cells: func(m api.LeakedMatch) []string {
			return []string{strconv.Itoa(m.Line), m.User, strings.Join(m.Records, " "), would(m.Flagged), would(m.Change), m.Note}
		},
	}
}
