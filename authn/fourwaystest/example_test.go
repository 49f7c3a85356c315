package fourwaystest_test

import (
	"fmt"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/fourwaystest"
)

// A test of an application that stands behind the gateway: it signs in, breaks the domain controller, and looks at what the
// gateway says then. It is written as a function here because an example has no testing.T.
func Example() {
	test := func(t *testing.T) {
		lab := fourwaystest.Start(t, fourwaystest.Seed(1))
		const alice = "alice@pta.example.test"

		if got := lab.SignIn(alice, lab.Password(alice)); got.Verdict != authn.Allowed {
			t.Fatalf("%s: %s", got.Verdict, got.Reason)
		}
		lab.Fault("dc-down")
		got := lab.SignIn(alice, lab.Password(alice))
		if got.Verdict != authn.Unavailable || got.Reason != authn.ADUnreachable {
			t.Errorf("%s: %s", got.Verdict, got.Reason)
		}
		for _, step := range lab.Trace(got.CorrelationID).Steps() {
			fmt.Println(step.ID, step.From, step.To, step.Result)
		}
	}
	_ = test
}
