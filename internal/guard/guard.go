// Package guard bounds guessing: a plain threshold per account, counted in the store, that parallel guesses can't beat.
//
// In comes a key (an account, or the typed name when nobody has it); out comes a ticket, or a reason to refuse. A ticket
// is one guess: the open ones and the counted ones together never pass the threshold, so a burst of wrong passwords gets
// no further than a slow one, and a burst of right ones only waits. It never sees a password and writes nothing itself:
// the count changes in the sign-in's one transaction, through Ticket.Settle.
package guard

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Policy is when and for how long an account locks (Microsoft: "Protect user accounts from attacks with Microsoft Entra
// smart lockout"). Microsoft does not publish the growth; doubling is ours.
type Policy struct {
	Threshold int           // wrong guesses that lock; default 10
	Duration  time.Duration // of the first lock; default 60 s. Each further lock doubles it
	Longest   time.Duration // default 1 h

	// Shared says that other gateways count in the same store. None knows what is open at the others, so each lets one guess
	// at an account be open at a time: a burst over all of them gets no further than the threshold and one for each.
	Shared bool
}

// DefaultPolicy is Microsoft's documented default.
func DefaultPolicy() Policy {
	return Policy{Threshold: 10, Duration: time.Minute, Longest: time.Hour}
}

// Tallies reads the counts.
type Tallies interface {
	Tally(ctx context.Context, key string) (authn.Tally, error)
}

// mostWaiting bounds who waits for a place, all accounts together. Who waits holds a place at the door as well: a stranger
// must not fill the door by crowding at accounts whose directory is slow.
const mostWaiting = 512

// Guard implements authn.Guard.
type Guard struct {
	tallies Tallies
	clock   authn.Clock
	policy  atomic.Pointer[Policy]
	waiting atomic.Int64

	mu    sync.Mutex
	gates map[string]*gate
}

// gate is one key's open tickets. It lives while somebody holds or awaits one.
type gate struct {
	mu      sync.Mutex // held while the tally is read, so that no commit slips in between reading and comparing
	open    int
	changed chan struct{} // closed and replaced at every release
	users   int           // guarded by Guard.mu
}

// New makes a guard.
func New(t Tallies, p Policy, c authn.Clock) *Guard {
	g := &Guard{tallies: t, clock: c, gates: map[string]*gate{}}
	g.SetPolicy(p)
	return g
}

// SetPolicy changes the policy from the next guess on.
func (g *Guard) SetPolicy(p Policy) {
	d := DefaultPolicy()
	if p.Threshold < 1 {
		p.Threshold = d.Threshold
	}
	if p.Duration <= 0 {
		p.Duration = d.Duration
	}
	if p.Longest < p.Duration {
		p.Longest = max(d.Longest, p.Duration)
	}
	g.policy.Store(&p)
}

// Reserve implements authn.Guard. It waits while as many guesses are open as are left to the threshold; when too many wait
// already, it refuses as Throttled.
func (g *Guard) Reserve(ctx context.Context, key string, _ authn.Place) authn.Ticket {
	t := &ticket{guard: g, key: key, gate: g.enter(key)}
	for waits := false; ; {
		reason, wait, err := t.gate.try(ctx, g, key)
		if wait == nil {
			t.reason, t.err, t.held = reason, err, reason == authn.None
			return t
		}
		if !waits {
			waits = true
			defer g.waiting.Add(-1)
			if g.waiting.Add(1) > mostWaiting {
				t.reason = authn.Throttled
				return t
			}
		}
		select {
		case <-wait:
		case <-ctx.Done():
			t.reason = authn.Throttled
			return t
		}
	}
}

// try takes a place (None), refuses for good (a reason), or says what to wait for.
func (gt *gate) try(ctx context.Context, g *Guard, key string) (authn.Reason, <-chan struct{}, error) {
	gt.mu.Lock()
	defer gt.mu.Unlock()
	policy := g.policy.Load()
	threshold, most := policy.Threshold, policy.Threshold
	if policy.Shared {
		most = 1
	}
	if gt.open >= most { // never is more left: a crowd that is woken by one release asks the store once, not each
		return authn.None, gt.changed, nil
	}
	tally, err := g.tallies.Tally(ctx, key)
	if err != nil {
		return authn.Internal, nil, fmt.Errorf("read the lockout count: %w", err)
	}
	if tally.LockedUntil.After(g.clock.Now()) {
		return authn.CloudLocked, nil, nil
	}
	// Once a lock has run out, one more failure locks again.
	left := max(1, threshold-tally.Failures)
	if gt.open >= min(left, most) {
		return authn.None, gt.changed, nil
	}
	gt.open++
	return authn.None, nil, nil
}

func (g *Guard) enter(key string) *gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	gt := g.gates[key]
	if gt == nil {
		gt = &gate{changed: make(chan struct{})}
		g.gates[key] = gt
	}
	gt.users++
	return gt
}

func (g *Guard) leave(key string, gt *gate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if gt.users--; gt.users == 0 {
		delete(g.gates, key)
	}
}

// ticket implements authn.Ticket.
type ticket struct {
	guard  *Guard
	key    string
	gate   *gate
	held   bool
	reason authn.Reason
	err    error
}

func (t *ticket) Refused() (authn.Reason, error) { return t.reason, t.err }

func (t *ticket) Settle(now authn.Tally, e authn.Effect) authn.Tally {
	p := t.guard.policy.Load()
	switch e {
	case authn.ClearTally:
		return authn.Tally{}
	case authn.CountFailure:
		now.Failures = min(now.Failures+1, p.Threshold)
		now.LastFailure = t.guard.clock.Now()
		if now.Failures >= p.Threshold {
			now.LockedUntil = now.LastFailure.Add(p.lockFor(now.Lockouts))
			now.Lockouts++
		}
	case authn.LeaveTally:
	}
	return now
}

func (p *Policy) lockFor(before int) time.Duration {
	d := p.Duration
	for range min(before, 32) {
		if d >= p.Longest/2 {
			return p.Longest
		}
		d *= 2
	}
	return d
}

func (t *ticket) Release() {
	if t.held {
		t.gate.mu.Lock()
		t.gate.open--
		close(t.gate.changed)
		t.gate.changed = make(chan struct{})
		t.gate.mu.Unlock()
		t.held = false
	}
	t.guard.leave(t.key, t.gate)
}
