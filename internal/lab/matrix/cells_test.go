package matrix

import (
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
)

func TestTheTableHasAllItsCells(t *testing.T) {
	for _, idp := range []string{"saml", "oidc"} {
		live, amber, ours := 0, 0, 0
		cells := Cells(idp)
		for _, c := range cells {
			if !c.Live() {
				if c.Path != authn.PathCloud {
					t.Errorf("%s is not run on %s: only an account that lives in the cloud alone can't have a state of the premises", c.State, c.Path)
				}
				continue
			}
			live++
			if c.Amber {
				amber++
				if c.Path != authn.PathPHS || c.Tries[0].Want != success {
					t.Errorf("%s on %s is amber, but the cloud does not say yes by itself there", c.State, c.Path)
				}
			}
			if c.Source == Ours {
				ours++
			} else if !strings.HasPrefix(c.Source, "https://learn.microsoft.com/") {
				t.Errorf("%s on %s has the source %q", c.State, c.Path, c.Source)
			}
			if c.Path == authn.PathFederated && !strings.HasSuffix(c.UPN, "@"+idp+".example.test") {
				t.Errorf("%s signs in at another identity provider than %s", c.UPN, idp)
			}
		}
		if len(cells) != 44 || live != 36 || amber != 6 || ours != 4 {
			t.Errorf("%d cells, %d live, %d amber, %d ours; want 44, 36, 6 and 4", len(cells), live, amber, ours)
		}
	}
}

func TestACodeThatIsOurChoiceIsSaidToBe(t *testing.T) {
	for _, c := range Cells("saml") {
		for _, try := range c.Tries {
			if w := try.Want; w.ending == endsRefused && (w.reason.OwnMapping() && c.Source != Ours) {
				t.Errorf("%s on %s: Microsoft documents no code for %s", c.State, c.Path, w.reason)
			}
		}
	}
}

func TestNobodyIsLockedByTheMatrix(t *testing.T) {
	const threshold = 10 // of the smart lockout, by default
	wrongs := map[string]int{}
	for _, c := range Cells("saml") {
		for _, try := range c.Tries {
			if try.Want == denied(authn.BadPassword) || try.Want == failsThere {
				wrongs[c.UPN]++
			}
		}
	}
	for who, n := range wrongs {
		if n >= threshold/2 {
			t.Errorf("%s fails %d times", who, n)
		}
	}
}
