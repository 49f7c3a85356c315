package load

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
)

const (
	patience    = 60 * time.Second // how long one answer may take
	amendWithin = 10 * time.Second // how long the end of a run may take, for all who were guessed at
	amendAtOnce = 4
)

// door is where people sign in.
type door interface {
	signIn(ctx context.Context, l login) (browser.Attempt, error)
}

// front is a real one.
type front struct {
	origin string
	via    browser.SignInOptions
}

func (f front) signIn(ctx context.Context, l login) (browser.Attempt, error) {
	o := f.via
	o.Door, o.UPN, o.Password = f.origin, l.upn, authn.NewSecret([]byte(l.password))
	defer o.Password.Wipe()
	return browser.SignIn(ctx, o)
}

// Run carries out the plan and waits until the last sign-in has ended. When ctx ends first, the open sign-ins are given up
// and the result is what there was by then, with Complete false and no error. The error wraps ErrNotLoopback when something
// led away from this machine: the run stops at once, and the result comes all the same. version is the fourways version.
func Run(ctx context.Context, to Target, p Plan, people []Person, version string) (Result, error) {
	if err := p.Check(); err != nil {
		return Result{}, err
	}
	crowd, err := newCrowd(p, people)
	if err != nil {
		return Result{}, err
	}
	client := to.client(p.InFlight, patience)
	defer client.CloseIdleConnections()
	r := run{
		door: front{origin: to.origin, via: browser.SignInOptions{Client: client}}, crowd: crowd, tally: newTally(crowd.paths),
		shape: constant{rate: p.Rate, span: time.Duration(p.WarmUp + p.Duration)}, warm: time.Duration(p.WarmUp), span: time.Duration(p.Duration),
		slots: make(chan struct{}, p.InFlight),
	}
	result, err := r.all(ctx)
	result.Target, result.Plan, result.Environment = to.origin, p, environment(version)
	return result, err
}

// run is one run's parts.
type run struct {
	door  door
	crowd *crowd
	tally *tally
	shape shape
	warm  time.Duration
	span  time.Duration // what is measured
	slots chan struct{} // taken by open sign-ins
}

func (r *run) all(ctx context.Context) (Result, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	began := time.Now() //nolint:forbidigo // load is measured in real time
	var open sync.WaitGroup
	complete := r.arrivals(ctx, began, func(at time.Duration, l login) {
		open.Go(func() {
			defer func() { <-r.slots }()
			if err := r.one(ctx, began.Add(at), l, at >= r.warm); errors.Is(err, ErrNotLoopback) {
				stop(err)
			}
		})
	})
	open.Wait()
	complete = complete && ctx.Err() == nil
	measured := began.Add(r.warm)
	wall := max(0, time.Since(measured))
	if complete {
		wall = max(wall, r.span) // after the last arrival, nobody came for a while: that is part of the rate
	}
	result := r.tally.result(r.crowd.paths, wall)
	result.Began, result.Complete = measured.UTC(), complete
	r.amend(ctx)
	if cause := context.Cause(ctx); errors.Is(cause, ErrNotLoopback) {
		return result, cause
	}
	return result, nil
}

// arrivals starts each arrival when it is meant to start, whatever became of those before; false when ctx ended first.
func (r *run) arrivals(ctx context.Context, began time.Time, start func(time.Duration, login)) bool {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := 0; ; n++ {
		at, more := r.shape.at(n)
		if !more {
			return true
		}
		timer.Reset(time.Until(began.Add(at)))
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
		}
		l := r.crowd.login(n)
		select {
		case r.slots <- struct{}{}:
			start(at, l)
		default:
			if at >= r.warm {
				r.tally.drop(l)
			}
		}
	}
}

// amend signs in everybody who was guessed at, unmeasured, so that their count of wrong guesses ends with the run.
func (r *run) amend(ctx context.Context) {
	ctx, done := context.WithTimeout(ctx, amendWithin)
	defer done()
	var open sync.WaitGroup
	defer open.Wait()
	places := make(chan struct{}, amendAtOnce)
	for _, l := range r.crowd.guessedAt() {
		places <- struct{}{}
		if ctx.Err() != nil {
			return
		}
		open.Go(func() {
			_, _ = r.door.signIn(ctx, l) // one that fails leaves a count behind, and that wears off
			<-places
		})
	}
}

func (r *run) one(ctx context.Context, intended time.Time, l login, measured bool) error {
	sent := time.Now() //nolint:forbidigo // as above
	did, err := r.door.signIn(ctx, l)
	if measured {
		ended := time.Now() //nolint:forbidigo // as above
		r.tally.add(arrived{login: l, intended: intended, sent: sent, ended: ended, did: did, err: err, cut: ctx.Err() != nil})
	}
	return err
}
