// Package matrix runs the account states of the demo world by the four paths: every cell is a real sign-in at the front
// door, and what came of it is held against what Microsoft documents.
//
// In come the cells as data and a lab that nobody else uses; out comes a report with, for each cell, what was expected and
// seen, the trace, and what the domain controller and the identity provider wrote of it in their own logs. It looks at
// evidence alone: the sign-in log, the traces and those two logs. It never decides a sign-in, and it starts no lab.
package matrix

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/lab/harbour"
	"github.com/fourways-id/fourways/internal/trace"
)

// World is a lab that nobody else uses, with the demo world in it as it was seeded. All must be set.
type World struct {
	Door     string // origin of the public listener
	History  History
	Premises Premises
}

// History is what the gateway wrote down.
type History interface {
	SignIns(ctx context.Context, last int) ([]api.SignIn, error) // newest first
	Trace(ctx context.Context, id authn.AttemptID) (api.Trace, error)
}

// Premises are the logs of those who are not the gateway, and the switch of the domain controller.
type Premises interface {
	DCEvents(since time.Time) []dc.Event
	IdPEvents(since time.Time) []harbour.Event
	CutDC(ctx context.Context, off bool) error
}

// together is how many people sign in at the same time: enough to use the processors while a bind is waited for.
const together = 4

// Run signs in for every cell and gives the report, the cells in their order. An error is a run that could not be made; a
// cell that is not as expected stands in the report.
func Run(ctx context.Context, w World, idp string, clock authn.Clock) (api.Matrix, error) {
	r := run{World: w, began: clock.Now()}
	cells := Cells(idp)
	r.results = make([]result, len(cells))
	if err := r.all(ctx, cells, func(c Cell) bool { return c.State != Outage }); err != nil {
		return api.Matrix{}, err
	}
	if err := r.outage(ctx, cells); err != nil {
		return api.Matrix{}, err
	}
	report := api.Matrix{At: r.began, IdP: idp, Took: clock.Now().Sub(r.began).Milliseconds()}
	for i, c := range cells {
		cell := r.results[i].report(c)
		report.Cells = append(report.Cells, cell)
		report.Traces = append(report.Traces, r.results[i].traces...)
		if cell.Live {
			report.Live++
		}
		if cell.Live && cell.OK {
			report.AsExpected++
		}
	}
	return report, nil
}

type run struct {
	World
	began   time.Time
	results []result // by the index of the cell
}

// outage cuts the domain controller off for the last row, and mends it whatever happens.
func (r *run) outage(ctx context.Context, cells []Cell) (err error) {
	if err := r.Premises.CutDC(ctx, true); err != nil {
		return fmt.Errorf("cut the domain controller off: %w", err)
	}
	defer func() {
		if mend := r.Premises.CutDC(context.WithoutCancel(ctx), false); mend != nil && err == nil {
			err = fmt.Errorf("mend the domain controller: %w", mend)
		}
	}()
	return r.all(ctx, cells, func(c Cell) bool { return c.State == Outage })
}

// all runs the live cells that are chosen: different people together, one person's cells one after the other, since the
// others' logs name people and no sign-ins.
func (r *run) all(ctx context.Context, cells []Cell, chosen func(Cell) bool) error {
	people := map[string][]int{}
	var order []string
	for i, c := range cells {
		if c.Live() && chosen(c) {
			if people[c.UPN] == nil {
				order = append(order, c.UPN)
			}
			people[c.UPN] = append(people[c.UPN], i)
		}
	}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(together)
	for _, who := range order {
		work.Go(func() error {
			for _, i := range people[who] {
				if err := r.cell(ctx, cells[i], &r.results[i]); err != nil {
					return fmt.Errorf("run the cell %s of %s: %w", cells[i].State, cells[i].Path, err)
				}
			}
			return nil
		})
	}
	return work.Wait()
}

func (r *run) cell(ctx context.Context, c Cell, to *result) error {
	for _, try := range c.Tries {
		s, err := r.signIn(ctx, c, try)
		if err != nil {
			return err
		}
		to.take(c, try, s)
	}
	return nil
}

// seen is everything that is known of one sign-in.
type seen struct {
	attempt browser.Attempt
	trace   api.Trace
	row     *api.SignIn // of the sign-in log; nil while the attempt is not finished
	binds   []dc.Event
	logins  []harbour.Event
}

// signIn tries one password and collects the evidence.
func (r *run) signIn(ctx context.Context, c Cell, try Try) (s seen, err error) {
	binds, logins := len(r.binds(c.UPN)), len(r.logins(c.UPN))
	ask := browser.SignInOptions{Door: r.Door, UPN: c.UPN, Password: authn.NewSecret([]byte(try.Password))}
	if s.attempt, err = browser.SignIn(ctx, ask); err != nil {
		return s, err
	}
	id := s.attempt.CorrelationID
	if s.trace, err = r.History.Trace(ctx, id); err != nil {
		return s, fmt.Errorf("read the trace %s: %w", id, err)
	}
	rows, err := r.History.SignIns(ctx, 1000)
	if err != nil {
		return s, fmt.Errorf("read the sign-in log: %w", err)
	}
	if i := slices.IndexFunc(rows, func(row api.SignIn) bool { return row.ID == string(id) }); i >= 0 {
		s.row = &rows[i]
	}
	s.binds, s.logins = r.binds(c.UPN)[binds:], r.logins(c.UPN)[logins:]
	for _, e := range s.logins {
		line := trace.Away{At: e.At, Request: e.Request, Who: e.Who, Result: string(e.Result)}
		if e.Reason != authn.None {
			line.Reason = e.Reason.String()
		}
		s.trace.Away = append(s.trace.Away, line)
	}
	return s, nil
}

// binds are what the domain controller's own log says of a person.
func (r *run) binds(upn string) []dc.Event {
	return slices.DeleteFunc(r.Premises.DCEvents(r.began), func(e dc.Event) bool { return e.Op != "bind" || e.Name != upn })
}

// logins are what Harbour ID's own log says of a person.
func (r *run) logins(upn string) []harbour.Event {
	return slices.DeleteFunc(r.Premises.IdPEvents(r.began), func(e harbour.Event) bool { return e.Who != upn })
}
