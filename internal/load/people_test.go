package load

import (
	"math"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
)

func everybody() []Person {
	return []Person{
		{"alice@cloud.example.test", "Spring-2025!", authn.PathCloud},
		{"alice@pta.example.test", "Spring-2025!", authn.PathPTA},
		{"mallory@pta.example.test", "Password1", authn.PathPTA},
	}
}

func plan() Plan {
	return Plan{Rate: 10, Duration: Span(time.Second), InFlight: 1, Wrong: .2, Unknown: .1, Seed: 7}
}

func TestNobodyIsGuessedAtOftenEnoughToBeLocked(t *testing.T) {
	c, err := newCrowd(plan(), everybody())
	if err != nil {
		t.Fatal(err)
	}
	wrong, names, kinds := map[string]int{}, map[string]int{}, map[string]int{}
	for n := range 2000 {
		l := c.login(n)
		kinds[l.kind]++
		switch l.kind {
		case Wrong:
			wrong[l.upn]++
		case Unknown:
			names[l.upn]++
		}
	}
	if len(wrong) != 3 || kinds[Wrong] != 3*WrongPerAccount {
		t.Errorf("wrong guesses: %v", wrong)
	}
	if len(names) != kinds[Unknown] {
		t.Errorf("%d guesses at %d names that nobody has: none may come twice", kinds[Unknown], len(names))
	}
	if share := float64(kinds[Right]) / 2000; math.Abs(share-.7) > .05 {
		t.Errorf("%g of all have the right password, want .7", share)
	}
}

func TestTheSameSeedPlansTheSameArrivals(t *testing.T) {
	a, _ := newCrowd(plan(), everybody())
	b, _ := newCrowd(plan(), everybody())
	other := plan()
	other.Seed++
	c, _ := newCrowd(other, everybody())
	differ := 0
	for n := range 100 {
		one := a.login(n)
		if one != b.login(n) {
			t.Fatalf("arrival %d differs", n)
		}
		if one.kind != c.login(n).kind {
			differ++
		}
	}
	if differ == 0 {
		t.Error("control: another seed plans the same")
	}
}

func TestEveryPathGetsItsShare(t *testing.T) {
	c, _ := newCrowd(plan(), everybody())
	got := map[authn.Path]int{}
	for n := range 100 {
		got[c.login(n).path]++
	}
	if got[authn.PathCloud] != 50 || got[authn.PathPTA] != 50 {
		t.Errorf("%v", got)
	}
}

func TestPlansAreBounded(t *testing.T) {
	if err := plan().Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Plan){
		"no rate":         func(p *Plan) { p.Rate = 0 },
		"NaN":             func(p *Plan) { p.Rate = math.NaN() },
		"too fast":        func(p *Plan) { p.Rate = MaxRate + 1 },
		"no time":         func(p *Plan) { p.Duration = 0 },
		"overflowing":     func(p *Plan) { p.WarmUp, p.Duration = Span(math.MaxInt64), Span(math.MaxInt64) },
		"too long":        func(p *Plan) { p.WarmUp, p.Duration = Span(time.Minute), Span(MaxDuration) },
		"warm-up before":  func(p *Plan) { p.WarmUp = -1 },
		"no place":        func(p *Plan) { p.InFlight = 0 },
		"too many places": func(p *Plan) { p.InFlight = MaxInFlight + 1 },
		"more than all":   func(p *Plan) { p.Wrong, p.Unknown = .6, .6 },
		"less than none":  func(p *Plan) { p.Wrong = -.1 },
		"NaN of all":      func(p *Plan) { p.Unknown = math.NaN() },
	} {
		p := plan()
		spoil(&p)
		if p.Check() == nil {
			t.Errorf("%s is accepted", name)
		}
		if _, err := Run(t.Context(), Target{}, p, everybody(), "test"); err == nil {
			t.Errorf("%s is run", name)
		}
	}
	if _, err := Run(t.Context(), Target{}, plan(), nil, "test"); err == nil {
		t.Error("nobody at all is run")
	}
}
