package lab

import (
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/lab/fault"
	"github.com/fourways-id/fourways/internal/lab/harbour"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// Each fault of the identity provider goes wrong in its own way, and none that the board offers goes wrong in none.
func TestEachFaultOfTheIdentityProviderBreaksItsOwnMessage(t *testing.T) {
	want := map[string]harbour.Tampering{
		"idp-down":              {Down: true},
		"idp-slow":              {Wait: 5 * time.Second},
		"idp-wrong-signature":   {OtherKey: true},
		"idp-expired-assertion": {Behind: 10 * time.Minute},
		"idp-wrong-audience":    {Audience: anotherService},
		"idp-replay":            {Replay: true},
		"idp-wrong-subject":     {Subject: "alice@saml.example.test"},
		"idp-cert-rotated":      {NextKey: true},
	}
	l := &Lab{faults: fault.NewBoard()}
	defer l.faults.Close()
	bob := harbour.Login{UPN: "bob@saml.example.test", Domain: world.SAMLDomain, Protocol: "saml"}
	both := func() harbour.Tampering {
		asked, answered := bob, bob
		answered.Moment = harbour.Answered
		out := l.atIdP(answered)
		way := l.atIdP(asked)
		out.Down, out.Wait = way.Down, way.Wait
		if (way.Wait > 0 || way.Down) != (way.Until != nil) {
			t.Errorf("what nobody can end: %+v", way)
		}
		return out
	}
	for _, k := range fault.Kinds() {
		if k.Hop != "idp" {
			continue
		}
		for _, scope := range []string{"", "user=bob@saml.example.test", "domain=saml.example.test"} {
			if _, err := l.faults.Set(fault.Setting{Name: k.Name, Scope: scope}); err != nil {
				t.Fatal(err)
			}
			if got := both(); got != want[k.Name] || got == (harbour.Tampering{}) {
				t.Errorf("%s %s: %+v, want %+v", k.Name, scope, got, want[k.Name])
			}
		}
		if _, err := l.faults.Set(fault.Setting{Name: k.Name, Scope: "domain=oidc.example.test"}); err != nil {
			t.Fatal(err)
		}
		if got := both(); got != (harbour.Tampering{}) {
			t.Errorf("%s aimed at another domain: %+v", k.Name, got)
		}
		l.faults.ClearAll()
		delete(want, k.Name)
	}
	if len(want) != 0 {
		t.Errorf("the board does not offer %v", want)
	}
}

func TestAWrongSubjectIsNeverThePersonThemselves(t *testing.T) {
	for upn, other := range map[string]string{"alice@x.test": "rita@x.test", "rita@x.test": "alice@x.test", "bob@x.test": "alice@x.test"} {
		if got := somebodyElse(upn); got != other {
			t.Errorf("%s became %s", upn, got)
		}
	}
}
