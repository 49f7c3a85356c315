package lab

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/fault"
)

// ahead is policy time that was moved on.
type ahead time.Duration

func (a ahead) Now() time.Time { return time.Now().Add(time.Duration(a)) }

// step is a piece of evidence: its id, with an x in front where it was refused.
func step(id string) authn.Step {
	id, refused := strings.CutPrefix(id, "x")
	s := authn.Step{ID: authn.StepID(id), Result: authn.StepOK}
	if !refused {
		return s
	}
	s.Result = authn.StepRefused
	return s
}

// ending is a record of alice that ended there; no check is a good end.
func ending(now time.Time, path authn.Path, check authn.StepID, steps ...string) authn.Record {
	r := authn.Record{
		Who: "alice@pta.example.test", Realm: authn.Realm{Path: path}, Check: check, Verdict: authn.Allowed,
		Began: now.Add(-3 * time.Second), At: now.Add(-time.Second),
	}
	if check != "" {
		r.Verdict = authn.Unavailable
	}
	for _, id := range steps {
		r.Steps = append(r.Steps, step(id))
	}
	return r
}

func marked(steps []authn.Step) []string {
	all := []string{}
	for _, s := range steps {
		if s.Fault != "" {
			all = append(all, fmt.Sprint(s.ID, " ", s.Fault))
		}
	}
	return all
}

func TestTheBadgeStandsOnTheStepThatWasHit(t *testing.T) {
	for _, clock := range []ahead{0, ahead(40 * 24 * time.Hour)} {
		now := clock.Now()
		pta, federated, phs := authn.PathPTA, authn.PathFederated, authn.PathPHS
		for _, try := range []struct {
			fault string
			who   string
			r     authn.Record
			want  []string
		}{
			{"dc-down", "alice", ending(now, pta, authn.P6, "P5", "xP6", "P7", "P8"), []string{"P6 dc-down"}},
			{"dc-slow", "alice", ending(now, pta, "", "P5", "P6", "P7", "P8"), []string{"P6 dc-slow"}},
			{"dc-slow", "alice", ending(now, pta, authn.P4, "P3", "P4", "C10"), []string{"P4 dc-slow"}}, // no answer came: no P6
			{"agent-bad-key", "alice", ending(now, pta, authn.P5, "P4", "xP5", "P8"), []string{"P5 agent-bad-key"}},
			{"agent-down", "alice", ending(now, pta, authn.P2, "P1", "xP2"), []string{"P2 agent-down"}},
			{"agent-down", "alice", ending(now, pta, "", "P1", "P2", "P4", "P5"), []string{}}, // another agent did it
			{"idp-wrong-signature", "alice", ending(now, federated, authn.F4Signature, "F3", "xF4.signature"), []string{"F4.signature idp-wrong-signature"}},
			{"idp-wrong-audience", "alice", ending(now, federated, authn.F4Structure, "F3", "xF4.structure"), []string{"F4.structure idp-wrong-audience"}},
			{"hash-missing", "alice", ending(now, phs, authn.H0, "H0", "H1", "xH6"), []string{"H0 hash-missing"}},
			{"dc-down", "alice", ending(now, authn.PathCloud, "", "K1", "K2", "K3"), []string{}},
			{"dc-down", "alice", ending(now, pta, authn.C3, "C2", "xC3"), []string{}},      // it never came to the directory
			{"dc-down", "alice", ending(now, pta, "", "P5", "P6", "P7", "P8"), []string{}}, // it hit her other sign-in: this one came through
			{"dc-tls-bad", "alice", ending(now, pta, "", "P5", "P6", "P7", "P8"), []string{}},
			{"agent-bad-key", "alice", ending(now, pta, "", "P4", "P5", "P8"), []string{}},
			{"agent-hang", "alice", ending(now, pta, "", "P4", "P5", "P8"), []string{}},
			{"hash-missing", "alice", ending(now, phs, "", "H0", "H1", "H6"), []string{}},
			{"idp-wrong-signature", "alice", ending(now, federated, "", "F3", "F4.signature"), []string{}},
			{"idp-expired-assertion", "alice", ending(now, federated, "", "F3", "F4.time"), []string{}},
			{"idp-cert-rotated", "alice", ending(now, federated, "", "F3", "F4.signature"), []string{"F4.signature idp-cert-rotated"}}, // oidc goes on
			{"dc-down", "bob", ending(now, pta, authn.P6, "P5", "xP6"), []string{}},
		} {
			b := fault.NewBoard()
			if _, err := b.Set(fault.Setting{Name: try.fault, Next: 9}); err != nil {
				t.Fatal(err)
			}
			b.Strikes(try.fault, fault.Target{User: try.who + "@pta.example.test"})
			before := slices.Clone(try.r.Steps)
			if got := marked(Hops{b, clock}.Badge(try.r)); !slices.Equal(got, try.want) {
				t.Errorf("%s hit %s: %q, want %q", try.fault, try.who, got, try.want)
			}
			if len(marked(try.r.Steps)) > 0 || len(before) != len(try.r.Steps) {
				t.Error("the record itself was changed")
			}
			b.Close()
		}
	}
}

func TestWhatHitBeforeOrAfterIsNotThisSignIns(t *testing.T) {
	b := fault.NewBoard()
	defer b.Close()
	if _, err := b.Set(fault.Setting{Name: "dc-down", Next: 9}); err != nil {
		t.Fatal(err)
	}
	b.Strikes("dc-down", fault.Target{User: "alice@pta.example.test"})
	r := ending(time.Now().Add(time.Minute), authn.PathPTA, authn.P6, "xP6") // begins later
	if got := marked(Hops{b, ahead(0)}.Badge(r)); len(got) > 0 {
		t.Errorf("the badges are %q", got)
	}
	r = ending(time.Now(), authn.PathPTA, authn.P6, "xP6")
	if got := marked(Hops{b, ahead(0)}.Badge(r)); len(got) != 1 {
		t.Errorf("control: the badges are %q", got)
	}
}

func TestTwoFaultsOnOneStepAreBothNamed(t *testing.T) {
	b := fault.NewBoard()
	defer b.Close()
	for _, name := range []string{"dc-slow", "dc-tls-bad"} {
		if _, err := b.Set(fault.Setting{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	r := ending(time.Now(), authn.PathPTA, authn.P6, "xP6")
	if got := marked(Hops{b, ahead(0)}.Badge(r)); !slices.Equal(got, []string{"P6 dc-slow, dc-tls-bad"}) {
		t.Errorf("the badges are %q", got)
	}
}

func TestANarrowPoolShowsOnlyWhereSomebodyWaited(t *testing.T) {
	b := fault.NewBoard()
	defer b.Close()
	if _, err := b.Set(fault.Setting{Name: "hash-pool-small", Scope: "path=cloud"}); err != nil {
		t.Fatal(err)
	}
	for wait, want := range map[time.Duration]int{0: 0, 20 * time.Microsecond: 0, time.Second: 1} {
		r := ending(time.Now(), authn.PathCloud, "", "K2")
		r.Steps = append(r.Steps, step("K3").With(authn.FactWait, wait.String()))
		if got := marked(Hops{b, ahead(0)}.Badge(r)); len(got) != want {
			t.Errorf("waited %s: the badges are %q", wait, got)
		}
	}
}

func TestEveryFaultHasItsPlaceInATrace(t *testing.T) {
	for _, k := range fault.Kinds() {
		m, ok := markOf(k.Name)
		if !ok || len(m.steps) == 0 {
			t.Errorf("%s has none", k.Name)
		}
		for _, id := range slices.Concat(m.steps, m.checks) {
			if !slices.Contains(authn.StepIDs(), id) {
				t.Errorf("%s: there is no step %s", k.Name, id)
			}
		}
	}
}

func TestMendingASlowStoreAnswersWhoWaits(t *testing.T) {
	b := fault.NewBoard()
	defer b.Close()
	if _, err := b.Set(fault.Setting{Name: "store-slow", Param: "30m"}); err != nil {
		t.Fatal(err)
	}
	passed := make(chan error, 1)
	go func() { passed <- Hops{b, ahead(0)}.Pass(t.Context(), "store", "alice@pta.example.test") }()
	for b.Active()[0].Hits == 0 {
		time.Sleep(time.Millisecond)
	}
	b.Clear("store-slow")
	if err := <-passed; err != nil { // hangs when it waits on
		t.Error(err)
	}
}

func TestAProbeUsesNothingUp(t *testing.T) {
	b := fault.NewBoard()
	defer b.Close()
	h := Hops{b, ahead(0)}
	if err := h.Pass(t.Context(), "probe", ""); err != nil {
		t.Errorf("nothing is broken: %v", err)
	}
	if _, err := b.Set(fault.Setting{Name: "store-down", Next: 1}); err != nil {
		t.Fatal(err)
	}
	if err := h.Pass(t.Context(), "probe", ""); err != nil || !b.On("store-down") {
		t.Errorf("one message is to be hit, and the probe was: %v", err)
	}
	if h.Pass(t.Context(), "store", "alice@pta.example.test") == nil || b.On("store-down") {
		t.Error("the one message was not hit, or it is not over")
	}
	if _, err := b.Set(fault.Setting{Name: "store-down"}); err != nil {
		t.Fatal(err)
	}
	if h.Pass(t.Context(), "probe", "") == nil {
		t.Error("the store is down, and the probe finds it well")
	}
	if h.Pass(t.Context(), "disk", "") == nil {
		t.Error("a hop is passed that there is not")
	}
}
