package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/fault"
)

// Hops is what the board breaks inside a gateway; it implements gateway.Hops.
type Hops struct {
	board *fault.Board
	clock authn.Clock
}

// Hops joins the board with a gateway.
func (l *Lab) Hops() Hops { return Hops{l.faults, l.clock} }

// On is every fault by name, and whether it is on.
func (h Hops) On() map[string]bool {
	all := map[string]bool{}
	for _, k := range fault.Kinds() {
		all[k.Name] = h.board.On(k.Name)
	}
	return all
}

// Pass implements gateway.Hops.
func (h Hops) Pass(ctx context.Context, hop, who string) error {
	t := fault.Target{User: who}
	switch hop {
	case "store":
		slow, _ := h.board.Strikes("store-slow", t)
		_, down := h.board.Strikes("store-down", t)
		return store(ctx, slow, down)
	case "probe":
		return h.probe(ctx)
	case "cloud hash":
		t.Path = string(authn.PathCloud)
	case "phs hash":
		t.Path = string(authn.PathPHS)
	default:
		return fmt.Errorf("nobody breaks the hop %q", hop)
	}
	if _, hit := h.board.Strikes("hash-missing", t); hit {
		return errors.New("the hash is missing on purpose (hash-missing)")
	}
	return nil
}

// probe meets only what hits everybody: it is about no person, and must not use up a number of hits.
func (h Hops) probe(ctx context.Context) error {
	var slow fault.Strike
	down := false
	for _, a := range h.board.Active() {
		switch {
		case !a.Total():
		case a.Name == "store-down":
			down = true
		case a.Name == "store-slow":
			slow = a.Strike()
		}
	}
	return store(ctx, slow, down)
}

// store is a disk that takes its time, or gives no answer.
func store(ctx context.Context, slow fault.Strike, down bool) error {
	if slow.Wait > 0 {
		timer := time.NewTimer(slow.Wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-slow.Over:
		case <-ctx.Done():
			return fmt.Errorf("the store did not answer in time (store-slow): %w", ctx.Err())
		}
	}
	if down {
		return errors.New("the store is out of reach on purpose (store-down)")
	}
	return nil
}

// Narrow implements gateway.Hops.
func (h Hops) Narrow(leave func(path string, workers int)) {
	h.board.Watch("hash-pool-small", func(on bool, a fault.Active) {
		path, _ := strings.CutPrefix(a.Scope, "path=")
		if !on {
			leave(path, 0)
			return
		}
		leave(path, a.Strike().Count)
	})
}

// Badge implements gateway.Hops. It reads what the board remembers of the time of this record and of its person, and changes
// nothing else of a step.
func (h Hops) Badge(r authn.Record) []authn.Step {
	now := time.Now()               //nolint:forbidigo // the board's time
	ahead := h.clock.Now().Sub(now) // how far the steps' time is before it
	from, steps := r.At, slices.Clone(r.Steps)
	if r.Realm.Path == authn.PathFederated { // what was struck away at the identity provider lies before the last step
		from = r.Began
	}
	b := badges{record: r, steps: steps}
	for _, name := range h.board.Struck(from.Add(-ahead), now, r.Who) {
		m, ok := markOf(name)
		switch {
		case !ok:
		case m.each:
			b.each(name, m, func(from, to time.Time) bool {
				return slices.Contains(h.board.Struck(from.Add(-ahead), to.Add(-ahead), r.Who), name)
			})
		default:
			b.put(name, m)
		}
	}
	return b.steps
}
