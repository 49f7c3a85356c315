package guard_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/guard"
)

// tallies is a store of one table: Commit settles as the real one does, in one transaction.
type tallies struct {
	mu   sync.Mutex
	rows map[string]authn.Tally
	down bool
	read int
}

func (s *tallies) Tally(_ context.Context, key string) (authn.Tally, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read++; s.down {
		return authn.Tally{}, authntest.ErrDown
	}
	return s.rows[key], nil
}

func (s *tallies) commit(key string, t authn.Ticket, e authn.Effect) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[key] = t.Settle(s.rows[key], e)
}

func world(p guard.Policy) (*guard.Guard, *tallies, *authntest.Clock) {
	s, c := &tallies{rows: map[string]authn.Tally{}}, authntest.NewClock(time.Unix(1e9, 0))
	return guard.New(s, p, c), s, c
}

// guess makes one guess and says how the guard took it.
func guess(ctx context.Context, g *guard.Guard, s *tallies, e authn.Effect) authn.Reason {
	t := g.Reserve(ctx, "account:a", authn.Place{})
	defer t.Release()
	if r, _ := t.Refused(); r != authn.None {
		return r
	}
	s.commit("account:a", t, e)
	return authn.None
}

func TestTheThresholdLocksAndOneMoreFailureLocksAgain(t *testing.T) {
	g, s, clock := world(guard.Policy{Threshold: 3, Duration: time.Minute})
	for i := range 3 {
		if r := guess(t.Context(), g, s, authn.CountFailure); r != authn.None {
			t.Fatalf("guess %d: %v", i, r)
		}
	}
	if r := guess(t.Context(), g, s, authn.ClearTally); r != authn.CloudLocked {
		t.Fatalf("after three: %v", r)
	}
	clock.Advance(time.Minute + time.Second)
	if r := guess(t.Context(), g, s, authn.CountFailure); r != authn.None {
		t.Fatalf("after the lock ran out: %v", r)
	}
	clock.Advance(time.Minute + time.Second)
	if r := guess(t.Context(), g, s, authn.CountFailure); r != authn.CloudLocked {
		t.Errorf("the second lock is not longer than the first: %v", r)
	}
	clock.Advance(time.Minute)
	if r := guess(t.Context(), g, s, authn.ClearTally); r != authn.None {
		t.Errorf("after the second lock: %v", r)
	}
	for range 2 {
		if r := guess(t.Context(), g, s, authn.CountFailure); r != authn.None {
			t.Errorf("a right password did not clear the count: %v", r)
		}
	}
}

func TestOnlyWhatCountsIsCounted(t *testing.T) {
	g, s, _ := world(guard.Policy{Threshold: 2})
	for range 20 {
		if r := guess(t.Context(), g, s, authn.LeaveTally); r != authn.None {
			t.Fatal(r)
		}
	}
}

func TestAParallelBurstOfGuessesGetsNoFurtherThanTheThreshold(t *testing.T) {
	g, s, _ := world(guard.Policy{Threshold: 10, Duration: time.Hour})
	var verified, locked atomic.Int64
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			switch r := guess(t.Context(), g, s, authn.CountFailure); r {
			case authn.None:
				verified.Add(1)
			case authn.CloudLocked:
				locked.Add(1)
			default:
				t.Error(r)
			}
		})
	}
	wg.Wait()
	if verified.Load() != 10 || locked.Load() != 190 {
		t.Errorf("%d guesses were checked and %d refused, want 10 and 190", verified.Load(), locked.Load())
	}
}

// Two gateways that share a store know nothing of each other's open guesses.
func TestABurstAtSeveralGatewaysGetsNoFurtherThanTheThresholdAndOneForEach(t *testing.T) {
	const threshold, gateways = 10, 4
	policy := guard.Policy{Threshold: threshold, Duration: time.Hour, Shared: true}
	first, s, clock := world(policy)
	all := []*guard.Guard{first}
	for len(all) < gateways {
		all = append(all, guard.New(s, policy, clock))
	}
	var verified atomic.Int64
	var wg sync.WaitGroup
	for i := range 400 {
		wg.Go(func() {
			if guess(t.Context(), all[i%gateways], s, authn.CountFailure) == authn.None {
				verified.Add(1)
			}
		})
	}
	wg.Wait()
	if n := verified.Load(); n < threshold || n > threshold+gateways {
		t.Errorf("%d guesses were checked, want %d to %d", n, threshold, threshold+gateways)
	}
}

func TestAParallelBurstOfGoodSignInsIsNotRefused(t *testing.T) {
	g, s, _ := world(guard.Policy{Threshold: 3})
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if r := guess(t.Context(), g, s, authn.ClearTally); r != authn.None {
				t.Error(r)
			}
		})
	}
	wg.Wait()
}

func TestWaitingEndsWithTheDeadlineAndLocksNobody(t *testing.T) {
	g, s, _ := world(guard.Policy{Threshold: 1})
	holder := g.Reserve(t.Context(), "account:a", authn.Place{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := guess(ctx, g, s, authn.CountFailure); r != authn.Throttled {
		t.Errorf("while the only place is taken: %v", r)
	}
	other := g.Reserve(t.Context(), "account:b", authn.Place{})
	if r, _ := other.Refused(); r != authn.None {
		t.Errorf("another account: %v", r)
	}
	other.Release()
	holder.Release()
	if r := guess(t.Context(), g, s, authn.ClearTally); r != authn.None {
		t.Errorf("after the place came back: %v", r)
	}
}

func TestAStoreThatIsDownRefusesWithoutCounting(t *testing.T) {
	g, s, _ := world(guard.Policy{})
	s.down = true
	ticket := g.Reserve(t.Context(), "account:a", authn.Place{})
	defer ticket.Release()
	if r, err := ticket.Refused(); r != authn.Internal || err == nil {
		t.Errorf("%v %v", r, err)
	}
}

// Who waits keeps a place at the door: a crowd at one slow account must not keep everybody else out.
func TestACrowdAtOneAccountIsBounded(t *testing.T) {
	const waiting, more = 512, 40
	g, s, _ := world(guard.Policy{Threshold: 1})
	first := g.Reserve(t.Context(), "account:a", authn.Place{})
	reasons := make(chan authn.Reason)
	for range waiting + more {
		go func() { reasons <- guess(t.Context(), g, s, authn.ClearTally) }()
	}
	for i := range more { // they are told while all the others wait
		if r := <-reasons; r != authn.Throttled {
			t.Fatalf("turned away number %d: %v", i, r)
		}
	}
	other := g.Reserve(t.Context(), "account:b", authn.Place{})
	if r, _ := other.Refused(); r != authn.None {
		t.Errorf("control: an account without a crowd was refused: %v", r)
	}
	other.Release()
	first.Release()
	for i := range waiting {
		if r := <-reasons; r != authn.None {
			t.Fatalf("waiting number %d: %v", i, r)
		}
	}
}

func TestNobodyAsksTheStoreWhileNoPlaceCanBeLeft(t *testing.T) {
	g, s, _ := world(guard.Policy{Threshold: 2})
	a, b := g.Reserve(t.Context(), "account:a", authn.Place{}), g.Reserve(t.Context(), "account:a", authn.Place{})
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if r := guess(over, g, s, authn.LeaveTally); r != authn.Throttled || s.read != 2 {
		t.Errorf("%v after %d reads, want throttled after 2", r, s.read)
	}
	a.Release()
	b.Release()
	if r := guess(t.Context(), g, s, authn.LeaveTally); r != authn.None || s.read != 3 {
		t.Errorf("control: %v after %d reads, want none after 3", r, s.read)
	}
}
