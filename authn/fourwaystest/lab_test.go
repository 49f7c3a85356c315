package fourwaystest_test

import (
	"net/http"
	"os"
	"slices"
	"strings"
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
		if bind, ok := trace.Step(authn.P6); !ok || bind.Result != authn.StepOK {
			t.Errorf("the directory was not asked: %+v", trace.Steps())
		}
		if _, ok := trace.Step(authn.F1); ok {
			t.Error("the identity provider was asked")
		}
		if final, ok := trace.Final(); !ok || final.Verdict != authn.Allowed {
			t.Errorf("it ended as %+v, %v", final, ok)
		}
		const saml = "alice@saml.example.test"
		if final, ok := lab.Trace(lab.SignIn(saml, "no such password").CorrelationID).Final(); ok {
			t.Errorf("the identity provider keeps them, but it ended as %+v", final)
		}
	})
	t.Run("every address answers", func(t *testing.T) {
		for at, want := range map[string]int{lab.SignInURL + "/": http.StatusOK, lab.MetricsURL: http.StatusOK, lab.ConsoleURL + "/": 0, lab.IdPURL + "/": 0} {
			res, err := http.Get(at)
			if err != nil {
				t.Error(err)
				continue
			}
			_ = res.Body.Close()
			if want != 0 && res.StatusCode != want {
				t.Errorf("%s answers %s", at, res.Status)
			}
		}
		if _, err := os.Stat(lab.DataDir); err != nil || lab.AgentURL == "" || lab.LDAPURL == "" {
			t.Errorf("%v; agents connect to %q, the directory is %q", err, lab.AgentURL, lab.LDAPURL)
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
	t.Run("what an inner test changes, the outer gets back", func(t *testing.T) {
		outer := lab.In(t)
		const switched, judy, domain = "alice@lab.example.test", "judy@pta.example.test", "lab.example.test"
		outer.SetMode(domain, authn.PathPTA)
		outer.Fault("dc-down", fourwaystest.Scope("user="+alice))
		t.Run("inner", func(t *testing.T) {
			inner := lab.In(t)
			inner.SetMode(domain, authn.PathPHS)
			inner.Fault("dc-down", fourwaystest.Scope("user="+judy))
			if got := inner.SignIn(switched, inner.Password(switched)); got.Path != authn.PathPHS {
				t.Errorf("%+v", got)
			}
			if got := inner.SignIn(alice, inner.Password(alice)); got.Verdict != authn.Allowed {
				t.Errorf("the fault was aimed at another: %+v", got)
			}
		})
		if got := outer.SignIn(switched, outer.Password(switched)); got.Path != authn.PathPTA {
			t.Errorf("the swap was dropped: %+v", got)
		}
		if got := outer.SignIn(alice, outer.Password(alice)); got.Reason != authn.ADUnreachable {
			t.Errorf("the fault was dropped: %+v", got)
		}
		if got := outer.SignIn(judy, outer.Password(judy)); got.Verdict != authn.Allowed {
			t.Errorf("the inner fault is still on: %+v", got)
		}
	})
	t.Run("parallel tests may break the same thing", func(t *testing.T) {
		firstEnds, secondIsOn := make(chan struct{}), make(chan struct{})
		t.Run("first", func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() { close(firstEnds) }) // runs after the lab's own
			lab := lab.In(t)
			lab.Fault("dc-down")
			<-secondIsOn
		})
		t.Run("second", func(t *testing.T) {
			t.Parallel()
			lab := lab.In(t)
			lab.Fault("dc-down")
			close(secondIsOn)
			<-firstEnds
			if got := lab.SignIn(alice, lab.Password(alice)); got.Reason != authn.ADUnreachable {
				t.Errorf("the other's end mended it: %+v", got)
			}
		})
	})
	t.Run("and find it mended", func(t *testing.T) {
		lab := lab.In(t)
		if got := lab.SignIn(alice, lab.Password(alice)); got.Verdict != authn.Allowed {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a fault cleared within is on again outside", func(t *testing.T) {
		outer := lab.In(t)
		outer.Fault("dc-down")
		t.Run("inner", func(t *testing.T) {
			inner := lab.In(t)
			inner.ClearFault("dc-down")
			if got := inner.SignIn(alice, inner.Password(alice)); got.Verdict != authn.Allowed {
				t.Errorf("%+v", got)
			}
		})
		if got := outer.SignIn(alice, outer.Password(alice)); got.Reason != authn.ADUnreachable {
			t.Errorf("%+v", got)
		}
	})
	t.Run(strings.Repeat("a long name ", 40), func(t *testing.T) {
		lab := lab.In(t)
		lab.Fault("dc-down")
		lab.SetMode("lab.example.test", authn.PathPTA)
	})
}

func TestStartInATestWithALongName(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts the program")
	}
	t.Run(strings.Repeat("a long name/", 40), func(t *testing.T) {
		lab := fourwaystest.Start(t)
		const alice = "alice@phs.example.test"
		if got := lab.SignIn(alice, lab.Password(alice)); got.Verdict != authn.Allowed {
			t.Errorf("%+v", got)
		}
	})
}
