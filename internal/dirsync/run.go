package dirsync

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/fourways-id/fourways/internal/directory"
)

// pageSize is how many objects are planned at once; mostRenames bounds those who change names with each other in one run,
// mostSkips the lines that a run remembers of those that could not be taken: the connector space has them all.
const (
	pageSize    = 500
	mostRenames = 5000
	mostSkips   = 1000
)

// directory is a run of people, groups and contacts: import, then what is due is planned and applied.
func (j *job) directory(ctx context.Context) error {
	if err := j.importAll(ctx); err != nil {
		return err
	}
	p, err := j.planner(ctx)
	if err != nil {
		return err
	}
	if err := j.guard(ctx); err != nil {
		return err
	}
	j.progress.change(func(p *Progress) { p.Phase = PhaseApply })
	p.done, p.nest, p.most = j.apply, j.nest, 0
	err = p.all(ctx)
	for _, s := range p.plan.Skipped {
		j.run.Skipped = append(j.run.Skipped, s.String())
	}
	j.run.Skipped = j.run.Skipped[:min(len(j.run.Skipped), mostSkips)]
	return err
}

// guard counts what would be deleted, before anything is done.
func (j *job) guard(ctx context.Context) error {
	gone, had, err := j.Store.CountGone(ctx)
	if err != nil {
		return err
	}
	err = Guard(gone, had, j.limits())
	if err != nil {
		j.run.Blocked = gone
	}
	return err
}

// apply carries out the plan of a page, and settles its objects. Conflicts of single objects stop nobody else.
func (j *job) apply(ctx context.Context, s step) error {
	changes := s.plan.Changes(j.run.ID, j.Clock.Now())
	changes.Epoch = j.epoch
	refused, err := refusals(j.Store.ApplySync(ctx, changes))
	if err != nil {
		return fmt.Errorf("apply the plan: %w", err)
	}
	page := map[string]Object{}
	for _, o := range s.page {
		page[o.ID] = o.Object
	}
	settled := j.settled(s.plan.Settled, refused)
	for i := range settled {
		o := page[settled[i].ID]
		settled[i].Gone = o.Gone && settled[i].Error == ""
		if o.Error != "" && settled[i].Error == "" { // it was taken without what could not be read
			settled[i].Error = sentence(o.Error)
			j.run.Skipped = append(j.run.Skipped, Skip{Kind: o.Kind, Name: nameOf(o), Reason: settled[i].Error}.String())
		}
	}
	j.count(s.plan, len(refused))
	j.writeBack(ctx, s, settled)
	return j.Store.Settle(ctx, j.epoch, settled)
}

// settled is what became of the objects of a plan. What is quarantined was taken without it, and is tried again.
func (j *job) settled(all []Settled, refused map[string]string) []directory.Settled {
	settled := make([]directory.Settled, len(all))
	for i, s := range all {
		why := cmp.Or(s.Error, s.Quarantined)
		if conflict, ok := refused[s.Anchor]; ok {
			why = conflict
			j.run.Skipped = append(j.run.Skipped, conflict)
		}
		settled[i] = directory.Settled{ID: s.ID, Error: why}
	}
	return settled
}

// nest gives groups that contain groups their members once more: all groups are here now.
func (j *job) nest(ctx context.Context, late containing) error {
	refused, err := refusals(j.Store.ApplyMembers(ctx, j.epoch, late.groups))
	if err != nil {
		return fmt.Errorf("apply the plan: %w", err)
	}
	settled := j.settled(late.settled, refused)
	for i := range settled {
		settled[i].Error = cmp.Or(settled[i].Error, j.unwritten[settled[i].ID])
	}
	return j.Store.Settle(ctx, j.epoch, settled)
}

func (j *job) count(p Plan, refused int) {
	j.run.Added += len(p.Adds)
	j.run.Updated += len(p.Updates)
	j.run.Deleted += len(p.Deletes)
	j.progress.change(func(now *Progress) {
		now.Planned += len(p.Adds) + len(p.Updates) + len(p.Deletes)
		now.Applied += len(p.Settled) - refused
	})
}

// refusals parts the conflicts of single objects, by anchor, from what went wrong.
func refusals(err error) (refused map[string]string, rest error) {
	refused = map[string]string{}
	var part func(err error) error
	part = func(err error) error {
		if joined, ok := err.(interface{ Unwrap() []error }); ok { // only a join is taken apart, not what it is wrapped in
			var rest error
			for _, one := range joined.Unwrap() {
				rest = errors.Join(rest, part(one))
			}
			return rest
		}
		var one directory.Refusal
		if errors.As(err, &one) && errors.Is(err, directory.ErrConflict) {
			refused[one.Anchor] = sentence(err.Error())
			return nil
		}
		return err
	}
	if err == nil {
		return refused, nil
	}
	return refused, part(err)
}
