package trace

import (
	"fmt"
	"slices"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Comparison is what `compare` says of one path, drawn from one real sign-in.
type Comparison struct {
	WhereChecked  string `json:"whereChecked"`  // gateway, on-premises, identity provider, or nowhere
	SeenInClearBy string `json:"seenInClearBy"` // lanes, joined by commas
	StoredInCloud string `json:"storedInCloud"`
	DCContacted   string `json:"dcContacted"`
	Steps         int    `json:"steps"`
}

// Compare draws the comparison from the Records of one attempt; now is for the age of the last synchronisation.
func Compare(records []authn.Record, now time.Time) Comparison {
	steps, l := allSteps(records), Custody(records)
	var seen []string
	for _, lane := range l.Clear() {
		name := laneName(lane)
		if lane == authn.OnpremDir {
			name = "DC"
		}
		seen = append(seen, name)
	}
	if l.Away {
		seen = append(seen, "browser and IdP (not seen by us)")
	}
	stored := l.storedInCloud()
	if rounds := Fact(steps, authn.FactRounds); rounds != "" && stored != "nothing" {
		stored += " (PBKDF2, " + printable(rounds) + " rounds)"
	}
	return Comparison{
		WhereChecked: whereChecked(steps), SeenInClearBy: orNobody(seen, "nobody"), StoredInCloud: stored,
		DCContacted: dcContacted(steps, now), Steps: len(steps),
	}
}

func whereChecked(steps []authn.Step) string {
	switch {
	case Has(steps, authn.K3), Has(steps, authn.H6):
		return "gateway"
	case Has(steps, authn.P7):
		return "on-premises agent and DC"
	case Has(steps, authn.F3):
		return "external IdP"
	}
	return "nowhere"
}

func dcContacted(steps []authn.Step, now time.Time) string {
	switch {
	case Has(steps, authn.P7):
		return "yes"
	case slices.ContainsFunc(steps, func(s authn.Step) bool { return s.ID == authn.P7 }):
		return "yes, about the agent's own account"
	case Has(steps, authn.P6):
		return "tried, without an answer"
	case Has(steps, authn.F1), Has(steps, authn.F3):
		return "not by us"
	}
	if at, err := time.Parse(time.RFC3339, Fact(steps, authn.FactSynced)); err == nil {
		what := "last sync"
		if Fact(steps, authn.FactSource) != "" {
			what = "set in the cloud"
		}
		return fmt.Sprintf("no (%s %s ago)", what, age(now.Sub(at)))
	}
	return "no"
}

// age is a duration without fractions of a second.
func age(d time.Duration) string { return max(0, d).Round(time.Second).String() }
