package world

import (
	"slices"
	"strings"
	"testing"
)

// Everybody of the cast has a way to a licence but ivan, nobody has two, and there are seats for all of them.
func TestEverybodyButIvanHasALicenceToCome(t *testing.T) {
	seats := map[string]int{}
	for _, p := range Plans() {
		seats[p.ID] = p.Seats
	}
	frontline, cloud := FrontlineMembers(), CloudLicensed()
	for _, a := range Accounts("") {
		name, domain, _ := strings.Cut(a.UPN, "@")
		ways := 0
		for _, in := range []bool{slices.Contains(frontline, a.UPN), slices.Contains(cloud, a.UPN), domain != CloudDomain && slices.Contains(licensedE3(), name)} {
			if in {
				ways++
			}
		}
		if licensed := name != unlicensed; licensed != (ways == 1) || !licensed && ways != 0 {
			t.Errorf("%s has %d ways to a licence", a.UPN, ways)
		}
	}
	if n := len(licensedE3()) * len(Hybrid()); n != seats[PlanE3] || len(cloud) >= seats[PlanE5] || len(frontline) > seats[PlanFrontline] {
		t.Errorf("%d of %v, %d, %d", n, seats, len(cloud), len(frontline))
	}
	if MailPeople()["peggy@"+CloudDomain] != "admin" || MailPeople()["ivan@"+PHSDomain] != "user" {
		t.Errorf("%v", MailPeople())
	}
}
