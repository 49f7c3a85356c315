package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/term"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/userfile"
)

// What goes into one request: so many rows, or as many as have so many bytes.
const (
	importRows  = 200
	importBytes = 1 << 20
)

// importing is one import under way. It holds one request's rows and, of each name, a hash: so that the same name in
// another spelling is found however far away it stands.
type importing struct {
	app   *app
	to    importer
	list  *userfile.Reader
	flags importFlags

	names  map[[16]byte]int // the line in which each was first seen
	rows   []api.ImportRow
	bytes  int
	report importReport
	began  time.Time
}

// importReport is what an import came to.
type importReport struct {
	Imported  int  `json:"imported"` // made or changed
	Made      int  `json:"made"`
	Changed   int  `json:"changed"`
	Unchanged int  `json:"unchanged"`
	Refused   int  `json:"refused"`
	DryRun    bool `json:"dryRun,omitempty"`
	Lines     int  `json:"-"` // the last one that is settled
}

func newImporting(a *app, to importer, list *userfile.Reader, f importFlags) *importing {
	return &importing{
		app: a, to: to, list: list, flags: f, names: map[[16]byte]int{}, began: machineClock{}.Now(), report: importReport{DryRun: f.dryRun},
	}
}

// run reads the list to its end. With --atomic everything is sent at once; when a line is broken, as a dry run, which tells
// what else is wrong.
func (i *importing) run(ctx context.Context) error {
	for {
		row, err := i.list.Next()
		var bad userfile.BadLine
		switch {
		case errors.Is(err, io.EOF):
			return i.send(ctx)
		case errors.As(err, &bad):
			i.refuse(api.RefusedRow{Line: bad.Line, Why: bad.Why})
			continue
		case err != nil:
			return i.stopped(ctx, err)
		}
		if i.seen(row) {
			continue
		}
		i.rows = append(i.rows, row)
		i.bytes += i.list.Length()
		switch {
		case i.flags.atomic && (len(i.rows) > api.ImportRowsAtomic || i.bytes > api.ImportLongestBytes/2):
			return failure{
				exitFailed, "nothing was imported", fmt.Sprintf("the file is too long for --atomic: at most %s lines, and %d MiB, are stored all or none", grouped(api.ImportRowsAtomic), api.ImportLongestBytes/2>>20),
				"leave --atomic out: an import without it can be repeated until every line is in",
			}
		case !i.flags.atomic && (len(i.rows) == importRows || i.bytes > importBytes):
			if err := i.send(ctx); err != nil {
				return err
			}
		}
	}
}

// seen refuses a name that stood in the file before.
func (i *importing) seen(row api.ImportRow) bool {
	if row.UPN == nil {
		return false
	}
	upn := authn.ParseIdentifier(*row.UPN).UPN()
	if upn == "" {
		return false
	}
	sum := sha256.Sum256([]byte(upn))
	key := [16]byte(sum[:16])
	line, twice := i.names[key]
	if !twice {
		i.names[key] = row.Line
		return false
	}
	i.refuse(api.RefusedRow{Line: row.Line, Who: upn, Why: fmt.Sprintf("it stands in line %d already; upper and lower case, and blanks around a name, make no other", line)})
	return true
}

// send imports the rows that wait.
func (i *importing) send(ctx context.Context) error {
	if len(i.rows) == 0 {
		return nil
	}
	ask := api.Import{Rows: i.rows, Atomic: i.flags.atomic, DryRun: i.flags.dryRun || i.flags.atomic && i.report.Refused > 0, Update: i.flags.update}
	done, err := i.to.ImportUsers(ctx, ask)
	if err != nil {
		return i.stopped(ctx, err)
	}
	if ask.DryRun && !i.flags.dryRun { // of the whole file nothing goes in
		done.Made, done.Changed, done.Unchanged = nil, nil, 0
	}
	r := &i.report
	r.Made, r.Changed, r.Unchanged = r.Made+len(done.Made), r.Changed+len(done.Changed), r.Unchanged+done.Unchanged
	r.Imported, r.Lines = r.Made+r.Changed, i.rows[len(i.rows)-1].Line
	for _, no := range done.Refused {
		i.refuse(no)
	}
	clear(i.rows) // passwords
	i.rows, i.bytes = i.rows[:0], 0
	i.progress()
	return nil
}

// refuse reports a line.
func (i *importing) refuse(no api.RefusedRow) {
	i.report.Refused++
	i.clearLine()
	who := ""
	if no.Who != "" {
		who = printable(no.Who) + ": "
	}
	_, _ = fmt.Fprintf(i.app.err, "line %d: %s%s\n", no.Line, who, printable(no.Why)) // the summary counts it
}

// stopped says how far the import came.
func (i *importing) stopped(ctx context.Context, err error) error {
	i.clearLine()
	if !i.flags.atomic && !i.flags.dryRun {
		_, _ = fmt.Fprintf(i.app.err, "stopped after line %d: %s; of the %d lines after it, some may be in as well. Import the file again: what is in counts as unchanged\n", i.report.Lines, i.report, len(i.rows))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// progress shows how far it is, to somebody who watches.
func (i *importing) progress() {
	if i.app.watched() {
		rate := float64(i.report.Lines) / max(machineClock{}.Now().Sub(i.began).Seconds(), 0.001)
		_, _ = fmt.Fprintf(i.app.err, "\r%s lines, %.0f/s, %s refused \x1b[K", grouped(i.report.Lines), rate, grouped(i.report.Refused))
	}
}

func (i *importing) clearLine() {
	if i.app.watched() {
		_, _ = fmt.Fprint(i.app.err, "\r\x1b[K")
	}
}

// String is the summary.
func (r importReport) String() string {
	would := ""
	if r.DryRun {
		would = "would be "
	}
	return fmt.Sprintf("%simported %d, refused %d (%d made, %d changed, %d unchanged)", would, r.Imported, r.Refused, r.Made, r.Changed, r.Unchanged)
}

// end prints the summary, and makes a failure of refused lines.
func (i *importing) end() error {
	i.clearLine()
	r := i.report
	err := show(i.app, r, importColumns(), func(w io.Writer) error {
		_, err := fmt.Fprintln(w, r)
		return err
	})
	if err != nil || r.Refused == 0 {
		return err
	}
	f := failure{exitFailed, "some lines were refused", r.String(), "correct the lines above and import the file again: what is in already counts as unchanged"}
	if i.flags.atomic {
		f.what, f.do = "nothing was imported", "correct the lines above and import the file again, or leave --atomic out to have the others imported"
	}
	return f
}

func importColumns() columns[importReport] {
	return columns[importReport]{
		names: []string{"imported", "made", "changed", "unchanged", "refused"},
		cells: func(r importReport) []string {
			return numbers(r.Imported, r.Made, r.Changed, r.Unchanged, r.Refused)
		},
	}
}

func numbers(all ...int) []string {
	cells := make([]string, len(all))
	for i, n := range all {
		cells[i] = strconv.Itoa(n)
	}
	return cells
}

// watched reports that somebody sees stderr as it is written.
func (a *app) watched() bool {
	f, ok := a.err.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
