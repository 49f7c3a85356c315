package fourwaystest_test

import (
	"slices"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/fourwaystest"
)

// One lab, and everything that can be asked of it: its subtests run one after another, and each finds it mended.
func TestLab(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts the program")
	}
	lab := fourwaystest.Start(t, fourwaystest.Seed(1))
	const alice = "alice@pta.example.test"

	t.Run("every path lets in and refuses", func(t *testing.T) {
		lab := lab.In(t)
		for _, domain := range []string{"cloud", "phs", "pta", "saml", "oidc"} {
			upn := "alice@" + domain + ".example.test"
			good := lab.SignIn(upn, lab.Password(upn))
			if good.Verdict != authn.Allowed || good.Account != upn || good.Reason != authn.None || good.CorrelationID == "" {
				t.Errorf("%s: %+v", upn, good)
			}
			bad := lab.SignIn(upn, "no such password")
			want := fourwaystest.Result{Verdict: authn.Denied, Code: 50126, Reason: authn.BadPassword}
			if good.Path == authn.PathFederated { // the identity provider keeps the person, the gateway hears nothing
				want = fourwaystest.Result{Verdict: authn.Challenged, Reason: authn.IdPAbandoned}
			}
			if bad.Verdict != want.Verdict || bad.Code != want.Code || bad.Reason != want.Reason || bad.Path != good.Path {
				t.Errorf("%s with a wrong password: %+v", upn, bad)
			}
		}
	})
	t.Run("a trace is data", func(t *testing.T) {
		lab := lab.In(t)
		trace := lab.Trace(lab.SignIn(alice, lab.Password(alice)).CorrelationID)
		bound := slices.ContainsFunc(trace.Steps(), func(s authn.Step) bool { return s.ID == authn.P6 && s.Result == authn.StepOK })
		if !bound || !trace.Records[len(trace.Records)-1].Final {
			t.Errorf("the directory was not asked: %+v", trace.Steps())
		}
	})
	t.Run("a fault breaks one aim", func(t *testing.T) {
		lab := lab.In(t)
		lab.Fault("dc-down", fourwaystest.Scope("user="+alice))
		hit := lab.SignIn(alice, lab.Password(alice))
		if hit.Verdict != authn.Unavailable || hit.Reason != authn.ADUnreachable {
			t.Errorf("with the fault: %+v", hit)
		}
		if got := lab.Trace(hit.CorrelationID).Faults(); !slices.Equal(got, []string{"dc-down"}) {
			t.Errorf("the trace names the faults %q", got)
		}
		const ivan = "ivan@pta.example.test"
		if got := lab.SignIn(ivan, lab.Password(ivan)); got.Verdict != authn.Allowed {
			t.Errorf("beside the aim: %+v", got)
		}
		lab.ClearFault("dc-down")
		if got := lab.SignIn(alice, lab.Password(alice)); got.Verdict != authn.Allowed {
			t.Errorf("cleared: %+v", got)
		}
		lab.Fault("dc-down") // left on: the end of this subtest mends it
	})
	t.Run("a swap lasts as long as its test", func(t *testing.T) {
		const switched = "alice@lab.example.test"
		if got := lab.In(t).SignIn(alice, lab.Password(alice)); got.Verdict != authn.Allowed {
			t.Fatalf("the fault of the test before is still on: %+v", got)
		}
		t.Run("swapped", func(t *testing.T) {
			lab := lab.In(t)
			lab.SetMode("lab.example.test", authn.PathPTA)
			if got := lab.SignIn(switched, lab.Password(switched)); got.Path != authn.PathPTA || got.Verdict != authn.Allowed {
				t.Errorf("%+v", got)
			}
		})
		if got := lab.In(t).SignIn(switched, lab.Password(switched)); got.Path != authn.PathPHS {
			t.Errorf("afterwards: %+v", got)
		}
	})
}
