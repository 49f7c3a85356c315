package dirsync

import (
	"context"
	"fmt"
	"strings"

	"github.com/fourways-id/fourways/internal/directory"
)

// mostLines bounds the lines of each sign that a preview tells.
const mostLines = 1000

// Preview is what a run would do.
type Preview struct {
	Plan Plan // the first lines of each sign
	Run  directory.Run
	many counts
}

// Text is the preview as a person reads it.
func (p Preview) Text() string {
	text := p.Plan.String()
	more := p.many.adds + p.many.updates + p.many.deletes + p.many.skipped -
		len(p.Plan.Adds) - len(p.Plan.Updates) - len(p.Plan.Deletes) - len(p.Plan.Skipped)
	if more == 0 {
		return text
	}
	lines := text[:strings.LastIndexByte(text[:len(text)-1], '\n')+1]
	return fmt.Sprintf("%s… and %d more\n%d to add, %d to update, %d to delete, %d skipped\n", lines, more, p.many.adds, p.many.updates, p.many.deletes, p.many.skipped)
}

// Preview reads the premises into the connector space and plans what a run would do, changing nothing of the tenant. The
// error is that of the guard when the run would be stopped; the plan is whole then too.
func (e *Engine) Preview(ctx context.Context, full bool) (Preview, error) {
	out := Preview{Run: directory.Run{ID: newRunID(), Kind: "preview"}}
	err := e.exclusively(ctx, &out.Run, func(ctx context.Context, epoch int64) error {
		j := &job{Engine: e, epoch: epoch, run: &out.Run, wish: Wish{Kind: KindDirectory, Full: full}, settings: e.Settings()}
		if err := j.importAll(ctx); err != nil {
			return err
		}
		p, err := j.planner(ctx)
		if err != nil {
			return err
		}
		p.most = mostLines
		if err := p.all(ctx); err != nil {
			return err
		}
		out.Plan, out.many = p.plan, p.many
		out.Run.Added, out.Run.Updated, out.Run.Deleted = p.many.adds, p.many.updates, p.many.deletes
		return j.guard(ctx)
	})
	return out, err
}

// Look reads one object by its name, in scope or not; false when there is none. ErrBusy says that a run is at work.
func (e *Engine) Look(ctx context.Context, name string) (found Object, ok bool, err error) {
	run := directory.Run{ID: newRunID()}
	err = e.briefly(ctx, func() error {
		return e.ask(ctx, &run, Ask{Kind: KindLook, Name: name}, func(b Batch) error {
			for _, o := range b.Objects {
				if ok {
					return fmt.Errorf("%s names more than one object: %s and %s", name, shortened(found.DN), shortened(o.DN))
				}
				found, ok = o, true
			}
			return nil
		})
	})
	return found, ok, err
}

// PlanFor is what a run would do with one object, as it was read just now.
func (e *Engine) PlanFor(ctx context.Context, o Object) (Plan, error) {
	p, err := e.newPlanner(ctx, e.Settings())
	if err != nil {
		return Plan{}, err
	}
	var plan Plan
	p.done = func(_ context.Context, s step) error {
		plan = s.plan
		return nil
	}
	return plan, p.page(ctx, []directory.Imported{imported(o)})
}
