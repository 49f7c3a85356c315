package dirsync

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// ErrBusy says that another run is at work.
var ErrBusy = errors.New("another synchronisation is running: wait for its end")

// The results of a run.
const (
	Success = "success"
	Failed  = "failed"  // it could not be carried out; what was applied before that stays
	Stopped = "stopped" // a guard stopped it before it changed anything
)

// Agents asks an agent that may synchronise.
type Agents interface {
	// Sync has an agent do what is asked and hands its batches on in order. It returns at the first error of take.
	Sync(ctx context.Context, run string, ask Ask, take func(Batch) error) error
}

// Target is where a plan is carried out.
type Target interface {
	Synced(ctx context.Context) (directory.Objects, error)
	// ApplySync leaves out what conflicts (directory.ErrConflict in the joined error) and does the rest.
	ApplySync(ctx context.Context, c directory.Changes) error
	SaveRun(ctx context.Context, r directory.Run) error
}

// People finds the cloud accounts that the source claims. directory.ErrNotFound means nobody.
type People interface {
	UserByUPN(ctx context.Context, upn string) (directory.User, error)
	UserByAnchor(ctx context.Context, anchor string) (directory.User, error)
}

// Domains says what the tenant knows of a domain.
type Domains interface {
	Verified(domain string) bool // it is one of ours
	HashSync(domain string) bool // its password hashes are synchronised
}

// Engine carries out runs, one at a time. Every field but Done must be set.
type Engine struct {
	Agents  Agents
	Target  Target
	People  People
	Domains func(ctx context.Context) (Domains, error) // as they are when a run begins to plan
	Clock   authn.Clock
	Limits  func() Limits       // asked at each run, so that a reload counts
	Done    func(directory.Run) // told of each run after it was saved; may be nil

	one sync.Mutex
}

// saveWithin bounds the wait for the store when a run is written down; the caller's own deadline doesn't count there.
const saveWithin = 5 * time.Second

// Run reads, plans, guards, applies, and saves the run, a failed one too. The error says why it did not succeed; the Run is
// what was saved.
func (e *Engine) Run(ctx context.Context, kind Kind) (directory.Run, error) {
	if !e.one.TryLock() {
		return directory.Run{}, ErrBusy
	}
	defer e.one.Unlock()
	run := directory.Run{ID: newRunID(), Kind: string(kind), Began: e.Clock.Now()}
	err := e.carryOut(ctx, &run, kind)
	run.Took = e.Clock.Now().Sub(run.Began)
	switch {
	case err == nil:
		run.Result = Success
	case errors.Is(err, ErrTooManyDeletes), errors.Is(err, ErrEmptySource):
		run.Result, run.Error = Stopped, err.Error()
	default:
		run.Result, run.Error = Failed, err.Error()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveWithin)
	defer cancel()
	if failed := e.Target.SaveRun(ctx, run); failed != nil {
		err = errors.Join(err, fmt.Errorf("the run could not be written down: %w", failed))
	}
	if e.Done != nil {
		e.Done(run)
	}
	return run, err
}

// Preview reads and plans without changing anything. The error is that of the guard when the plan would be stopped; the
// plan is whole then too.
func (e *Engine) Preview(ctx context.Context, kind Kind) (Plan, error) {
	if !e.one.TryLock() {
		return Plan{}, ErrBusy
	}
	defer e.one.Unlock()
	run := directory.Run{ID: newRunID(), Kind: string(kind)}
	plan, err := e.plan(ctx, &run, kind)
	if err == nil && kind == KindDirectory {
		err = plan.Guard(e.Limits())
	}
	return plan, err
}

func (e *Engine) carryOut(ctx context.Context, run *directory.Run, kind Kind) error {
	plan, err := e.plan(ctx, run, kind)
	if err != nil {
		return err
	}
	for _, s := range plan.Skipped {
		run.Skipped = append(run.Skipped, s.String())
	}
	if kind == KindDirectory {
		if err := plan.Guard(e.Limits()); err != nil {
			return err
		}
	}
	conflicts, err := leftOut(e.Target.ApplySync(ctx, plan.Changes(run.ID, e.Clock.Now())))
	run.Skipped = append(run.Skipped, conflicts...)
	if err != nil {
		return fmt.Errorf("apply the plan: %w", err)
	}
	run.Added, run.Updated, run.Deleted, run.Hashes = len(plan.Adds), len(plan.Updates), len(plan.Deletes), len(plan.Hashes)
	return nil
}

func (e *Engine) plan(ctx context.Context, run *directory.Run, kind Kind) (Plan, error) {
	if kind != KindDirectory && kind != KindHash {
		return Plan{}, fmt.Errorf("there is no synchronisation of kind %q: it is %s or %s", kind, KindDirectory, KindHash)
	}
	wanted, err := e.read(ctx, run, kind)
	if err != nil {
		return Plan{}, fmt.Errorf("read the on-premises directory: %w", err)
	}
	now, err := e.Target.Synced(ctx)
	if err != nil {
		return Plan{}, fmt.Errorf("read the tenant: %w", err)
	}
	domains, err := e.Domains(ctx)
	if err != nil {
		return Plan{}, fmt.Errorf("read the tenant: %w", err)
	}
	if kind == KindHash {
		return Hashes(now.Users, wanted, domains.HashSync), nil
	}
	if now.Users, err = e.withClaimed(ctx, now.Users, wanted); err != nil {
		return Plan{}, fmt.Errorf("read the tenant: %w", err)
	}
	return Diff(now, wanted, domains.Verified), nil
}

// read takes an agent's batches. Only an unbroken row of them that ends in Last counts: half a directory looks like one
// that half of the people have left.
func (e *Engine) read(ctx context.Context, run *directory.Run, kind Kind) ([]Object, error) {
	var all []Object
	next, last := 0, false
	err := e.Agents.Sync(ctx, run.ID, Ask{Kind: kind}, func(b Batch) error {
		if b.Agent != "" {
			run.Agent = b.Agent
		}
		switch {
		case b.Error != "":
			return fmt.Errorf("the agent says: %s", shortened(b.Error))
		case last || b.Run != run.ID || b.Kind != kind || b.Seq != next:
			return fmt.Errorf("batch %d of run %.40q came where batch %d of run %q was due", b.Seq, b.Run, next, run.ID)
		}
		next, last = next+1, b.Last
		all = append(all, b.Objects...)
		return nil
	})
	if err == nil && !last {
		err = errors.New("the agent stopped before the end: nothing is changed on half an answer")
	}
	return all, err
}

// withClaimed adds the cloud accounts that have an anchor or a name that the source claims.
func (e *Engine) withClaimed(ctx context.Context, synced []directory.User, wanted []Object) ([]directory.User, error) {
	users, upns, anchors := synced, map[string]bool{}, map[string]bool{}
	for _, u := range synced {
		upns[u.UPN], anchors[u.Onprem.Anchor] = true, true
	}
	have := map[authn.AccountID]bool{}
	add := func(u directory.User, err error) error {
		switch {
		case errors.Is(err, directory.ErrNotFound):
			return nil
		case err != nil:
			return err
		}
		if !u.Synced && !have[u.ID] {
			have[u.ID] = true
			users = append(users, u)
		}
		return nil
	}
	for _, o := range wanted {
		if o.Kind != User {
			continue
		}
		if upn := authn.ParseIdentifier(o.UPN).UPN(); upn != "" && !upns[upn] {
			if err := add(e.People.UserByUPN(ctx, upn)); err != nil {
				return nil, err
			}
		}
		if o.Anchor != "" && !anchors[o.Anchor] {
			if err := add(e.People.UserByAnchor(ctx, o.Anchor)); err != nil {
				return nil, err
			}
		}
	}
	return users, nil
}

// leftOut parts the conflicts of single objects, which are reported and stop nothing, from what went wrong.
func leftOut(err error) (conflicts []string, rest error) {
	if err == nil {
		return nil, nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { // only a join is taken apart, not what it is wrapped in
		for _, one := range joined.Unwrap() {
			lines, other := leftOut(one)
			conflicts, rest = append(conflicts, lines...), errors.Join(rest, other)
		}
		return conflicts, rest
	}
	if errors.Is(err, directory.ErrConflict) {
		return []string{shortened(err.Error())}, nil
	}
	return nil, err
}

// newRunID makes a random id that sorts nowhere and is easy to say.
func newRunID() string { return "run-" + rand.Text()[:10] }
