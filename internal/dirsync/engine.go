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
	Success     = "success"
	Failed      = "failed"      // it could not be carried out; what was applied before that stays
	Stopped     = "stopped"     // a guard stopped it before it changed anything
	Interrupted = "interrupted" // its gateway ended in the middle
)

// The modes of a read.
const (
	Full  = "full"
	Delta = "delta"
)

// Agents asks an agent that may synchronise.
type Agents interface {
	// Sync has an agent do what is asked and hands its batches on in order. It returns at the first error of take.
	Sync(ctx context.Context, run string, ask Ask, take func(Batch) error) error
}

// Domains says what the tenant knows of a domain.
type Domains interface {
	Verified(domain string) bool // it is one of ours
	HashSync(domain string) bool // its password hashes are synchronised
	HashSynced() []string        // all of which that is so
}

// Settings are what an operator decides. They are asked for at each run, so that a reload counts.
type Settings struct {
	Limits    Limits
	Initial   string        // the domain of those whose UPN suffix is not one of the tenant's; "": they are left out
	SoftMatch bool          // a new object may take over an account of the cloud by name or address
	HardMatch bool          // or by an immutable ID that was given by hand
	Temporary bool          // hashes of passwords that must be changed at the next logon are wanted
	FullEvery time.Duration // all is read at least that often
}

// Wish is a run that somebody asks for.
type Wish struct {
	Kind       Kind
	Full       bool // read and plan all
	MaxDeletes *int // of this run alone; the share is not looked at then
}

// Engine carries out runs, one at a time over all gateways that share a store. Every field but Done must be set.
type Engine struct {
	Agents   Agents
	Store    Store
	Domains  func(ctx context.Context) (Domains, error) // as they are when a run begins to plan
	Clock    authn.Clock
	Settings func() Settings
	Holder   string              // this gateway, for the others
	Done     func(directory.Run) // told of each run after it was saved; may be nil

	one      sync.Mutex // a run is at work
	agent    sync.Mutex // an agent is asked something
	progress meter
}

// How long a gateway that is silent is taken for alive, and how often it says that it is.
const (
	leaseFor   = time.Minute
	leaseEvery = 10 * time.Second
)

// saveWithin bounds the wait for the store when a run is written down; the caller's own deadline doesn't count there.
const saveWithin = 5 * time.Second

// Run reads, plans, guards, applies, and saves the run, a failed one too. The error says why it did not succeed; the Run is
// what was saved.
func (e *Engine) Run(ctx context.Context, w Wish) (directory.Run, error) {
	if w.Kind != KindDirectory && w.Kind != KindHash {
		return directory.Run{}, fmt.Errorf("there is no synchronisation of kind %q: it is %s or %s", w.Kind, KindDirectory, KindHash)
	}
	run := directory.Run{ID: newRunID(), Kind: string(w.Kind)}
	err := e.leased(ctx, &run, func(ctx context.Context, epoch int64) error {
		j := &job{Engine: e, epoch: epoch, run: &run, wish: w, settings: e.Settings(), unwritten: map[string]string{}}
		if w.Kind == KindHash {
			return j.hashes(ctx)
		}
		return j.directory(ctx)
	})
	return run, err
}

// leased carries out a run under the lease, and saves what became of it.
func (e *Engine) leased(ctx context.Context, run *directory.Run, do func(ctx context.Context, epoch int64) error) error {
	err := e.exclusively(ctx, run, do)
	if run.Began.IsZero() {
		return err // it did not begin
	}
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
	if failed := e.Store.SaveRun(ctx, *run); failed != nil {
		err = errors.Join(err, fmt.Errorf("the run could not be written down: %w", failed))
	}
	if e.Done != nil {
		e.Done(*run)
	}
	return err
}

// exclusively does something while no other run is at work, at this gateway or another.
func (e *Engine) exclusively(ctx context.Context, run *directory.Run, do func(ctx context.Context, epoch int64) error) error {
	if !e.one.TryLock() {
		return ErrBusy
	}
	defer e.one.Unlock()
	e.agent.Lock() // whoever only asks something is done soon
	defer e.agent.Unlock()
	began := e.Clock.Now()
	lease, before, err := e.Store.TakeSync(ctx, directory.Lease{Run: run.ID, Kind: run.Kind, Holder: e.Holder, Began: began, Until: began.Add(leaseFor)})
	if errors.Is(err, directory.ErrLeased) {
		return fmt.Errorf("%w (%w)", ErrBusy, err)
	}
	if err != nil {
		return fmt.Errorf("begin a synchronisation: %w", err)
	}
	run.Began = began
	e.progress.begin(run)
	defer e.progress.end()
	err = e.interrupted(ctx, before)
	if err == nil {
		err = e.keeping(ctx, lease.Epoch, do)
	}
	run.Took = e.Clock.Now().Sub(run.Began)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveWithin)
	defer cancel()
	return errors.Join(err, e.Store.EndSync(ctx, lease.Epoch))
}

// interrupted writes down a run whose gateway ended in the middle. What it had imported stays; this run goes on with it.
func (e *Engine) interrupted(ctx context.Context, l directory.Lease) error {
	if l.Run == "" || !Kind(l.Kind).Known() { // or it was a preview
		return nil
	}
	return e.Store.SaveRun(ctx, directory.Run{
		ID: l.Run, Kind: l.Kind, Began: l.Began, Result: Interrupted,
		Error: "the gateway " + l.Holder + " ended in the middle of it; the next run went on with what it had read",
	})
}

// keeping prolongs the lease while do is at work, and cancels it when the lease was lost.
func (e *Engine) keeping(ctx context.Context, epoch int64, do func(ctx context.Context, epoch int64) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel(nil)
	work.Go(func() {
		tick := time.NewTicker(leaseEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := e.Store.KeepSync(ctx, epoch, e.Clock.Now().Add(leaseFor)); errors.Is(err, directory.ErrLeaseLost) {
					cancel(err)
				}
			}
		}
	})
	err := do(ctx, epoch)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return errors.Join(cause, err)
	}
	return err
}

// job is one run at work.
type job struct {
	*Engine
	epoch    int64
	run      *directory.Run
	wish     Wish
	settings Settings
	writable []string // what the agent may write back

	unwritten map[string]string // why it could not, by object
}

// limits are the run's own, else those that are set.
func (j *job) limits() Limits {
	if j.wish.MaxDeletes != nil {
		return Limits{MaxDeletes: *j.wish.MaxDeletes, MaxRatio: -1}
	}
	return j.settings.Limits
}

// ask has an agent do something and hands its batches on. Only an unbroken row of them that ends in Last counts: half a
// directory looks like one that half of the people have left.
func (e *Engine) ask(ctx context.Context, run *directory.Run, ask Ask, take func(Batch) error) error {
	next, last := 0, false
	order := run.ID + "-" + rand.Text()[:4] // an agent carries out an order once, and a run may need several
	err := e.Agents.Sync(ctx, order, ask, func(b Batch) error {
		if b.Agent != "" {
			run.Agent = b.Agent
		}
		switch {
		case b.Error != "":
			return fmt.Errorf("the agent says: %s", sentence(b.Error))
		case last || b.Run != order || b.Kind != ask.Kind || b.Seq != next:
			return fmt.Errorf("batch %d of run %.40q came where batch %d of run %q was due", b.Seq, b.Run, next, order)
		case len(b.Cursor) > LongestCursor:
			return fmt.Errorf("the agent's cursor has %d bytes, %d is the most", len(b.Cursor), LongestCursor)
		}
		next, last = next+1, b.Last
		run.Read += len(b.Objects)
		e.progress.read(run, b)
		return take(b)
	})
	if err == nil && !last {
		err = errors.New("the agent stopped before the end: nothing is changed on half an answer")
	}
	if err != nil {
		return fmt.Errorf("read the on-premises directory: %w", err)
	}
	return nil
}

// briefly has an agent be asked something beside the runs. ErrBusy when one is at work.
func (e *Engine) briefly(ctx context.Context, do func() error) error {
	tick := time.NewTicker(brieflyEvery)
	defer tick.Stop()
	for range brieflyTries {
		if e.agent.TryLock() {
			defer e.agent.Unlock()
			return do()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ErrBusy
}

// What somebody waits who only asks something: most others who do are done by then.
const (
	brieflyEvery = 20 * time.Millisecond
	brieflyTries = 50
)

// newRunID makes a random id that sorts nowhere and is easy to say.
func newRunID() string { return "run-" + rand.Text()[:10] }
