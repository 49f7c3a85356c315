package fault

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func board(t *testing.T) *Board {
	t.Helper()
	b := NewBoard()
	t.Cleanup(b.Close)
	return b
}

func set(t *testing.T, b *Board, s Setting) Active {
	t.Helper()
	a, err := b.Set(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func alice() Target { return Target{User: "Alice@pta.example.test", Agent: "agent-1", Path: "pta"} }

func TestNothingStrikesUntilItIsSetAndAfterItIsCleared(t *testing.T) {
	b := board(t)
	hit := func() bool { _, hit := b.Strikes("dc-slow", alice()); return hit }
	if hit() || b.On("dc-slow") || len(b.Active()) != 0 {
		t.Error("a new board breaks something")
	}
	a := set(t, b, Setting{Name: "dc-slow", Param: "3s", By: "ada", Reason: "a demo"})
	if !a.Total() || a.Rate != 1 || a.Until.Sub(a.Since) != 10*time.Minute || a.By != "ada" || a.Reason != "a demo" {
		t.Errorf("the defaults are not filled in: %+v", a)
	}
	if s, hit := b.Strikes("dc-slow", alice()); !hit || s.Wait != 3*time.Second {
		t.Errorf("set: %v %v", s, hit)
	}
	if _, other := b.Strikes("dc-down", alice()); other || !b.On("dc-slow") || b.On("dc-down") {
		t.Error("another fault is on")
	}
	if !b.Clear("dc-slow") || b.Clear("dc-slow") || hit() {
		t.Error("clear does not mend, or mends twice")
	}
}

func TestSettingAgainReplacesHitsAndAll(t *testing.T) {
	b := board(t)
	set(t, b, Setting{Name: "dc-slow", Param: "3s"})
	b.Strikes("dc-slow", alice())
	if a := set(t, b, Setting{Name: "dc-slow", Param: "1s", Scope: "domain=pta.example.test"}); a.Hits != 0 || a.Total() {
		t.Errorf("%+v", a)
	}
	if s, _ := b.Strikes("dc-slow", alice()); s.Wait != time.Second {
		t.Errorf("the old parameter: %v", s)
	}
	if all := b.Active(); len(all) != 1 || all[0].Hits != 1 {
		t.Errorf("%+v", all)
	}
}

func TestWhoeverAFaultHoldsUpGoesOnWhenItIsMended(t *testing.T) {
	for how, mend := range map[string]func(*Board){
		"cleared":   func(b *Board) { b.Clear("dc-slow") },
		"replaced":  func(b *Board) { set(t, b, Setting{Name: "dc-slow"}) },
		"the end":   (*Board).Close,
		"time over": func(b *Board) { b.expire(b.on["dc-slow"]) },
	} {
		b := board(t)
		set(t, b, Setting{Name: "dc-slow", Param: "30m"})
		s, _ := b.Strikes("dc-slow", alice())
		select {
		case <-s.Over:
			t.Errorf("%s: it is over before", how)
		default:
		}
		mend(b)
		<-s.Over // hangs when it is not
	}
	b := board(t)
	set(t, b, Setting{Name: "dc-slow", Next: 1})
	s, hit := b.Strikes("dc-slow", alice())
	select {
	case <-s.Over:
		t.Error("the last of a number does not wait")
	default:
	}
	if !hit || b.On("dc-slow") {
		t.Error("the last of a number does not mend")
	}
}

func TestScopeHitsWhomItNamesAndNobodyElse(t *testing.T) {
	for _, try := range []struct {
		name, scope string
		hit, miss   []Target
	}{
		{"dc-down", "user=alice@pta.example.test", []Target{alice()}, []Target{{User: "bob@pta.example.test"}, {}}},
		{"dc-down", "USER=Alice@PTA.example.test", []Target{alice()}, []Target{{User: "bob@pta.example.test"}}},
		{"dc-down", "domain=pta.example.test", []Target{alice(), {Domain: "PTA.example.test"}}, []Target{{User: "alice@phs.example.test"}, {}}},
		{"agent-hang", "agent=agent-1", []Target{alice()}, []Target{{Agent: "agent-2"}, {}}},
		{"hash-missing", "path=phs", []Target{{Path: "phs"}}, []Target{alice(), {}}},
	} {
		b := board(t)
		set(t, b, Setting{Name: try.name, Scope: try.scope})
		for _, who := range try.hit {
			if _, hit := b.Strikes(try.name, who); !hit {
				t.Errorf("%s %s misses %+v", try.name, try.scope, who)
			}
		}
		for _, who := range try.miss {
			if _, hit := b.Strikes(try.name, who); hit {
				t.Errorf("%s %s hits %+v", try.name, try.scope, who)
			}
		}
	}
}

func TestRateHitsItsShare(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, rate := range []float64{0.01, 0.25, 0.5, 0.9} {
		b := newBoard(random.Float64)
		set(t, b, Setting{Name: "dc-down", Rate: rate})
		const n = 20_000
		hits := 0
		for range n {
			if _, hit := b.Strikes("dc-down", alice()); hit {
				hits++
			}
		}
		// Five standard deviations of at most 0.5/sqrt(n).
		if got := float64(hits) / n; got < rate-0.018 || got > rate+0.018 {
			t.Errorf("rate %g hit %g", rate, got)
		}
		if a := b.Active()[0]; a.Hits != hits || a.Total() {
			t.Errorf("%d were hit, and the board says %+v", hits, a)
		}
		b.Close()
	}
}

func TestTheLastOfANumberMends(t *testing.T) {
	b := board(t)
	ended, off := make(chan Active, 1), make(chan bool, 2)
	b.OnEnd(func(a Active) { ended <- a })
	b.Watch("agent-hang", func(on bool, _ Active) { off <- on })
	set(t, b, Setting{Name: "agent-hang", Next: 2})
	for i, want := range []bool{true, true, false} {
		if _, hit := b.Strikes("agent-hang", alice()); hit != want {
			t.Errorf("message %d: hit %v", i, hit)
		}
	}
	if a := <-ended; a.Hits != 2 || b.On("agent-hang") {
		t.Errorf("%+v", a)
	}
	if !<-off || <-off {
		t.Error("the watcher was not told of the beginning and the end")
	}
}

func TestItEndsByItself(t *testing.T) {
	b := board(t)
	told, ended := make(chan bool, 2), make(chan Active, 1)
	b.Watch("dc-down", func(on bool, _ Active) { told <- on })
	b.OnEnd(func(a Active) { ended <- a })
	set(t, b, Setting{Name: "dc-down", For: time.Millisecond})
	if !<-told || <-told { // hangs when it stays
		t.Error("the watcher was not told of the beginning and the end")
	}
	if a := <-ended; a.Name != "dc-down" || b.On("dc-down") {
		t.Errorf("%+v", a)
	}
	if _, hit := b.Strikes("dc-down", alice()); hit {
		t.Error("it strikes after its time")
	}
}

func TestAnOldTimerDoesNotEndTheNextSetting(t *testing.T) {
	b := board(t)
	set(t, b, Setting{Name: "dc-down"})
	old := b.on["dc-down"]
	set(t, b, Setting{Name: "dc-down", Next: 3})
	b.expire(old) // it fired just before it was stopped
	if !b.On("dc-down") {
		t.Error("the old timer ended the new setting")
	}
}

func TestWatchersAreToldInOrderAndMayAskTheBoard(t *testing.T) {
	b := board(t)
	var told []string
	watch := func(who string) func(bool, Active) {
		return func(on bool, a Active) {
			if b.On("dc-down") != on && a.Param == "" { // asking must not hang: no lock is held
				told = append(told, "wrong")
			}
			told = append(told, fmt.Sprint(who, on, a.Scope))
		}
	}
	b.Watch("dc-down", watch("1:"))
	b.Watch("dc-down", watch("2:"))
	b.Watch("dc-slow", watch("other:"))
	set(t, b, Setting{Name: "dc-down"})
	b.Clear("dc-down")
	set(t, b, Setting{Name: "dc-slow", Scope: "domain=a.example"})
	set(t, b, Setting{Name: "dc-slow", Scope: "domain=b.example"})
	b.Watch("dc-slow", watch("late:"))
	b.Close()
	want := []string{
		"1:true", "2:true", "1:false", "2:false", "other:truedomain=a.example", "other:falsedomain=a.example",
		"other:truedomain=b.example", "late:truedomain=b.example", "other:falsedomain=b.example", "late:falsedomain=b.example",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told\n%q, want\n%q", told, want)
	}
}

func TestCloseMendsEverythingAndTakesNothingMore(t *testing.T) {
	b := NewBoard()
	set(t, b, Setting{Name: "dc-down"})
	b.Close()
	b.Close()
	if _, err := b.Set(Setting{Name: "dc-down"}); err == nil || len(b.Active()) != 0 {
		t.Error("a closed board breaks something")
	}
	if b.Clear("dc-down") || len(b.ClearAll()) != 0 {
		t.Error("a closed board clears something")
	}
}

func TestStruckKnowsWhomAndWhen(t *testing.T) {
	b := board(t)
	before := time.Now()
	set(t, b, Setting{Name: "dc-down", Scope: "user=alice@pta.example.test"})
	set(t, b, Setting{Name: "idp-slow", Rate: 0.999999})
	b.Strikes("dc-down", alice())
	b.Strikes("idp-slow", Target{})
	after := time.Now()
	for who, want := range map[string][]string{
		"alice@PTA.example.test": {"dc-down", "idp-slow"}, "bob@pta.example.test": {"idp-slow"}, "": {"dc-down", "idp-slow"},
	} {
		if got := b.Struck(before, after, who); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", who, got, want)
		}
	}
	if got := b.Struck(before.Add(-time.Hour), before.Add(-time.Minute), ""); len(got) != 0 {
		t.Errorf("an hour ago: %q", got)
	}
	set(t, b, Setting{Name: "dc-tls-bad"}) // total: it asks nobody
	if got := b.Struck(time.Now(), time.Now(), "anybody@a.example"); !slices.Equal(got, []string{"dc-tls-bad"}) {
		t.Errorf("while a total one is on: %q", got)
	}
	b.Clear("dc-tls-bad")
	end := time.Now().Add(time.Nanosecond)
	if got := b.Struck(end, end.Add(time.Hour), ""); len(got) != 0 {
		t.Errorf("after it was cleared: %q", got)
	}
}

func TestTheMemoryIsBounded(t *testing.T) {
	b := board(t)
	set(t, b, Setting{Name: "dc-down"})
	for range 3 * remembered {
		b.Strikes("dc-down", alice())
	}
	if n := len(b.past.hits.all); n != remembered {
		t.Errorf("%d hits are kept", n)
	}
}

// Many set, clear, strike and watch at once: run with -race. A watcher must be told of the end as often as of the beginning.
func TestABoardIsForMany(t *testing.T) {
	b := NewBoard()
	kinds := Kinds()
	open := map[string]int{}
	for _, k := range kinds {
		b.Watch(k.Name, func(on bool, a Active) {
			if on {
				open[a.Name]++
			} else {
				open[a.Name]--
			}
			if n := open[a.Name]; n != 0 && n != 1 {
				t.Errorf("%s: %d beginnings more than ends", a.Name, n)
			}
		})
	}
	var wg sync.WaitGroup
	for seed := range uint64(8) {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, 0))
			for range 300 {
				name := kinds[random.IntN(len(kinds))].Name
				switch random.IntN(6) {
				case 0:
					b.Clear(name)
				case 1:
					b.ClearAll()
				case 2, 3:
					next := 1 + random.IntN(2)
					if k, _ := Find(name); k.Whole {
						next = 0
					}
					if _, err := b.Set(Setting{Name: name, Next: next, For: time.Duration(1+random.IntN(2000)) * time.Microsecond}); err != nil {
						t.Error(err)
					}
				case 4:
					b.Strikes(name, alice())
				case 5:
					b.Struck(time.Now().Add(-time.Second), time.Now(), "")
					_ = b.Active()
				}
			}
		})
	}
	wg.Wait()
	b.Close()
	for name, n := range open {
		if n != 0 {
			t.Errorf("%s was never mended", name)
		}
	}
}

func TestEveryKindIsWhole(t *testing.T) {
	all := Kinds()
	if len(all) != 25 {
		t.Errorf("%d kinds", len(all))
	}
	b := board(t)
	seen := map[string]bool{}
	for _, k := range all {
		if k.Name == "" || k.Hop == "" || k.Shows == "" || !strings.HasSuffix(k.Summary, ".") || seen[k.Name] || (k.Unit == "") != (k.Default == "") {
			t.Errorf("%+v", k)
		}
		seen[k.Name] = true
		if a := set(t, b, Setting{Name: k.Name}); a.Param != k.Default {
			t.Errorf("%s: the default %q became %q", k.Name, k.Default, a.Param)
		}
		if found, ok := Find(k.Name); !ok || found.Hop != k.Hop {
			t.Errorf("%s can't be found", k.Name)
		}
	}
	if _, ok := Find("dc-up"); ok {
		t.Error("a fault is found that there is not")
	}
}
