package load

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
)

// doorFunc is a door made of one function. Time in these tests is that of a synctest bubble: it passes only while
// everybody waits.
type doorFunc func(ctx context.Context, l login) (browser.Attempt, error)

func (f doorFunc) signIn(ctx context.Context, l login) (browser.Attempt, error) { return f(ctx, l) }

func allowed() browser.Attempt { return browser.Attempt{Verdict: authn.Allowed, Path: authn.PathPHS} }

func runOf(t *testing.T, p Plan, d door, people ...Person) *run {
	t.Helper()
	if people == nil {
		people = []Person{{UPN: "alice@phs.example.test", Password: "Spring-2025!", Path: authn.PathPHS}}
	}
	c, err := newCrowd(p, people)
	if err != nil {
		t.Fatal(err)
	}
	return &run{
		door: d, crowd: c, tally: newTally(c.paths), warm: time.Duration(p.WarmUp), span: time.Duration(p.Duration), slots: make(chan struct{}, p.InFlight),
		shape: constant{rate: p.Rate, span: time.Duration(p.WarmUp + p.Duration)},
	}
}

// stalling is a server that serves one at a time, 1 ms each; once, it stands still for a second.
func stalling() doorFunc {
	line := make(chan struct{}, 1)
	served := 0
	return func(context.Context, login) (browser.Attempt, error) {
		line <- struct{}{}
		defer func() { <-line }()
		if served++; served == 100 {
			time.Sleep(time.Second)
		}
		time.Sleep(time.Millisecond)
		return allowed(), nil
	}
}

func TestAStallShowsInLatencyAlthoughWaitingForEachAnswerWouldHideIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits histogram // control: who sends the next one only after the answer meets the stall once
		for queue := stalling(); waits.total < 400; {
			sent := time.Now()
			_, _ = queue(t.Context(), login{})
			waits.add(time.Since(sent))
		}
		if waits.quantile(.99) > 2*time.Millisecond || waits.max < time.Second {
			t.Fatalf("control: p99 %s, max %s", waits.quantile(.99), waits.max)
		}
		queue := stalling()
		got, err := runOf(t, Plan{Rate: 100, Duration: Span(4 * time.Second), InFlight: 1000}, queue).all(t.Context())
		if err != nil || !got.Complete {
			t.Fatal(got.Complete, err)
		}
		p := got.Paths[0]
		if p.Sent != 400 || p.AsExpected != 400 || p.Dropped != 0 {
			t.Fatalf("%+v", p)
		}
		if p.Latency.P90 < Milliseconds(500*time.Millisecond) {
			t.Errorf("a quarter of all came while the server stood still, but the p90 is %s", time.Duration(p.Latency.P90))
		}
	})
}

// With too few places, the generator would have to wait for the server. It does not: what is measured then is what was
// sent, and what was not is counted. Service time alone looks well, which is the mistake that latency is here to prevent.
func TestFullHouseDropsAndCountsInsteadOfWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		stalls := doorFunc(func(context.Context, login) (browser.Attempt, error) {
			if n.Add(1) == 100 {
				time.Sleep(time.Second)
			}
			time.Sleep(time.Millisecond)
			return allowed(), nil
		})
		got, err := runOf(t, Plan{Rate: 100, Duration: Span(4 * time.Second), InFlight: 1}, stalls).all(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p := got.Paths[0]
		if p.Sent+p.Dropped != 400 || p.Dropped != 100 {
			t.Errorf("%d sent and %d dropped of 400; 100 came while the only place was taken", p.Sent, p.Dropped)
		}
		if p.Service.P99 > Milliseconds(2*time.Millisecond) {
			t.Errorf("control: the service time's p99 of %s would tell of the stall by itself", time.Duration(p.Service.P99))
		}
		if p.Service.Max < Milliseconds(time.Second) {
			t.Errorf("the stall itself is missing: %s", time.Duration(p.Service.Max))
		}
	})
}

// late is a schedule whose second arrival was meant to start long ago: the generator itself was held up.
type late struct{}

func (late) at(n int) (time.Duration, bool) { return -time.Duration(n) * time.Second, n < 2 }

func TestTheGeneratorsOwnDelayCountsAsLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runOf(t, Plan{Rate: 1, Duration: Span(time.Second), InFlight: 9}, doorFunc(func(context.Context, login) (browser.Attempt, error) {
			return allowed(), nil
		}))
		r.shape, r.warm = late{}, -time.Hour
		got, _ := r.all(t.Context())
		p := got.Paths[0]
		if p.Latency.Max != Milliseconds(time.Second) || got.Lag.Max != p.Latency.Max || p.Service.Max != 0 {
			t.Errorf("latency %v, lag %v, service %v", p.Latency.Max, got.Lag.Max, p.Service.Max)
		}
	})
}

func TestWarmUpIsSentAndLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int32
		d := doorFunc(func(context.Context, login) (browser.Attempt, error) {
			if sent.Add(1) <= 100 {
				time.Sleep(300 * time.Millisecond) // cold
			}
			return allowed(), nil
		})
		got, err := runOf(t, Plan{Rate: 100, WarmUp: Span(time.Second), Duration: Span(2 * time.Second), InFlight: 100}, d).all(t.Context())
		if p := got.Paths[0]; err != nil || sent.Load() != 300 || p.Sent != 200 || p.Latency.Max != 0 {
			t.Errorf("%d sent, %d counted, slowest %v, %v", sent.Load(), p.Sent, p.Latency.Max, err)
		}
		if rate := got.Paths[0].PerSecond; rate < 99 || rate > 101.5 {
			t.Errorf("%g in a second", rate)
		}
	})
}

func TestCancelGivesWhatThereWasByThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var n atomic.Int32
		d := doorFunc(func(ctx context.Context, _ login) (browser.Attempt, error) {
			if n.Add(1) > 90 { // these hang
				<-ctx.Done()
				return browser.Attempt{}, ctx.Err()
			}
			return allowed(), nil
		})
		time.AfterFunc(995*time.Millisecond, cancel)
		got, err := runOf(t, Plan{Rate: 100, Duration: Span(time.Hour), InFlight: 1000}, d).all(ctx)
		if p := got.Paths[0]; err != nil || got.Complete || p.AsExpected != 90 || p.Unfinished != 10 || p.Failed != 0 || p.Sent != 100 {
			t.Errorf("complete %v, %+v, %v", got.Complete, p, err)
		}
	})
}

func TestErrorsAndOutagesCountAsLatencyAndNeverAsExpected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		d := doorFunc(func(context.Context, login) (browser.Attempt, error) {
			time.Sleep(5 * time.Millisecond)
			switch n.Add(1) % 4 {
			case 0:
				return browser.Attempt{}, browser.ErrUnreachable
			case 1:
				return browser.Attempt{}, browser.Refused{Status: 429}
			case 2:
				public := authn.NoAgent.Public()
				return browser.Attempt{Verdict: authn.Unavailable, Public: &public}, nil
			}
			return allowed(), nil
		})
		got, _ := runOf(t, Plan{Rate: 10, Duration: Span(2 * time.Second), InFlight: 10}, d).all(t.Context())
		p := got.Paths[0]
		if p.AsExpected != 5 || p.Unexpected != 5 || p.Failed != 10 || p.Errors["unreachable"] != 5 || p.Errors["refused with status 429"] != 5 || p.Latency.Count != 20 {
			t.Errorf("%+v", p)
		}
		want := []Outcome{{Right, "error", 80001, 5}, {Right, "success", 0, 5}}
		if len(p.Outcomes) != 2 || p.Outcomes[0] != want[0] || p.Outcomes[1] != want[1] {
			t.Errorf("%+v, want %+v", p.Outcomes, want)
		}
	})
}

func TestLeavingTheMachineStopsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		d := doorFunc(func(context.Context, login) (browser.Attempt, error) {
			if n.Add(1) == 10 {
				return browser.Attempt{}, ErrNotLoopback
			}
			return allowed(), nil
		})
		got, err := runOf(t, Plan{Rate: 10, Duration: Span(time.Minute), InFlight: 10}, d).all(t.Context())
		if !errors.Is(err, ErrNotLoopback) || got.Complete || n.Load() > 11 {
			t.Errorf("%d were sent, complete %v, %v", n.Load(), got.Complete, err)
		}
	})
}

func TestRateIsThatOfThePlannedTimeAndOfWhatWasServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		d := doorFunc(func(context.Context, login) (browser.Attempt, error) {
			if n.Add(1)%2 == 0 { // turned away, at once
				return browser.Attempt{Verdict: authn.Unavailable}, nil
			}
			return allowed(), nil
		})
		got, err := runOf(t, Plan{Rate: 1, Duration: Span(4 * time.Second), InFlight: 9}, d).all(t.Context())
		if p := got.Paths[0]; err != nil || p.AsExpected != 2 || p.Unexpected != 2 || p.PerSecond != .5 || got.Wall != Milliseconds(4*time.Second) {
			t.Errorf("%g in a second, over %s: %+v, %v", p.PerSecond, time.Duration(got.Wall), p, err)
		}
	})
}

// A lab locks an account after ten wrong guesses without a right one in between. Ten runs are thirty guesses at each.
func TestRunAfterRunLocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		people := []Person{
			{UPN: "alice@phs.example.test", Password: "Spring-2025!", Path: authn.PathPHS},
			{UPN: "alice@pta.example.test", Password: "Autumn-2025!", Path: authn.PathPTA},
		}
		var mu sync.Mutex
		since, most := map[string]int{}, 0 // guesses since the last right one
		d := doorFunc(func(_ context.Context, l login) (browser.Attempt, error) {
			mu.Lock()
			defer mu.Unlock()
			switch l.kind {
			case Right:
				since[l.upn] = 0
				return allowed(), nil
			case Wrong:
				since[l.upn]++
				most = max(most, since[l.upn])
			}
			return browser.Attempt{Verdict: authn.Denied}, nil
		})
		for range 10 {
			got, err := runOf(t, Plan{Rate: 10, Duration: Span(2 * time.Second), InFlight: 9, Wrong: 1}, d, people...).all(t.Context())
			if err != nil || got.Paths[0].Sent != 10 || got.Paths[0].Outcomes[0] != (Outcome{Unknown, "failure", 0, 7}) {
				t.Fatalf("what makes amends is counted: %+v, %v", got.Paths[0], err)
			}
		}
		if most != WrongPerAccount {
			t.Errorf("%d wrong guesses in a row", most)
		}
	})
}

func TestCutRunMakesNoAmends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := doorFunc(func(_ context.Context, l login) (browser.Attempt, error) {
			if l.kind == Right {
				t.Error("somebody waits for the end, and it signs people in")
			}
			return browser.Attempt{Verdict: authn.Denied}, nil
		})
		time.AfterFunc(time.Second, cancel)
		if got, err := runOf(t, Plan{Rate: 9, Duration: Span(time.Hour), InFlight: 9, Wrong: 1}, d).all(ctx); err != nil || got.Complete {
			t.Error(got.Complete, err)
		}
	})
}

func TestServerThatHangsAtTheEndHoldsARunForItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := doorFunc(func(ctx context.Context, l login) (browser.Attempt, error) {
			if l.kind == Right {
				<-ctx.Done()
				return browser.Attempt{}, ctx.Err()
			}
			return browser.Attempt{Verdict: authn.Denied}, nil
		})
		began := time.Now()
		got, err := runOf(t, Plan{Rate: 10, Duration: Span(time.Second), InFlight: 9, Wrong: 1}, d).all(t.Context())
		if took := time.Since(began); err != nil || !got.Complete || took > time.Second+amendWithin {
			t.Errorf("it took %s, complete %v, %v", took, got.Complete, err)
		}
	})
}
