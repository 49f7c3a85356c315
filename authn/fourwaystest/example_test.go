package fourwaystest_test

import (
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/fourwaystest"
)

func TestWhatPeopleSeeWhenTheDomainControllerIsDown(t *testing.T) {
	lab := fourwaystest.Start(t, fourwaystest.Seed(1))
	const alice = "alice@pta.example.test"

	if got := lab.SignIn(alice, lab.Password(alice)); got.Verdict != authn.Allowed {
		t.Fatalf("%s: %s", got.Verdict, got.Reason)
	}

	lab.Fault("dc-down") // until the test ends, or lab.ClearFault
	got := lab.SignIn(alice, lab.Password(alice))
	if got.Reason != authn.ADUnreachable || got.Code != 80007 {
		t.Errorf("%s (%d): %s", got.Reason, got.Code, got.Message)
	}
	if bind, ok := lab.Trace(got.CorrelationID).Step(authn.P6); !ok || bind.Fault != "dc-down" {
		t.Errorf("the directory was asked: %v, and broken by %q", ok, bind.Fault)
	}

	lab.ClearFault("dc-down")
	lab.SetMode("lab.example.test", authn.PathPTA) // until the test ends
	t.Run("swapped", func(t *testing.T) {
		lab := lab.In(t) // what this subtest breaks or swaps is put back when it ends
		const switched = "alice@lab.example.test"
		if got := lab.SignIn(switched, lab.Password(switched)); got.Path != authn.PathPTA || got.Verdict != authn.Allowed {
			t.Errorf("%s by %s: %s", got.Verdict, got.Path, got.Reason)
		}
	})
}
