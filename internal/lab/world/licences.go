package world

import (
	"slices"
	"time"
)

// Location is the usage location of everybody who has one.
const Location = "NL"

// The plans of the demo world. The frontline's has room for everybody of the cast whom neither of the others is for.
const (
	PlanE3        = "E3"
	PlanE5        = "E5"
	PlanFrontline = "F3"
)

// Product is a plan that the demo company has bought.
type Product struct {
	ID, Name string
	Seats    int
	Services []string
}

// Plans are the products that the demo company has bought.
func Plans() []Product {
	return []Product{
		{ID: PlanE3, Name: "Enterprise 3", Seats: 25, Services: []string{"mail", "files"}},
		{ID: PlanE5, Name: "Enterprise 5", Seats: 5, Services: []string{"mail", "files", "analytics"}},
		{ID: PlanFrontline, Name: "Frontline 3", Seats: 50, Services: []string{"mail"}},
	}
}

// The groups that give licences: one of the forest, one that is mastered in the cloud.
const (
	GroupE3        = "Licensed-E3"
	GroupFrontline = "Frontline"
)

// licensedE3 are the direct members of GroupE3; judy, who has no usage location, is refused what it gives.
func licensedE3() []string { return []string{"alice", "bob", "heidi", "judy", "rita"} }

// Application is what the demo application asks of people.
type Application struct {
	Name, Service string
	Roles         []string
}

// Mail is the demo application: it needs a licence for its service, and an assignment.
func Mail() Application {
	return Application{Name: "Harbour Mail", Service: "mail", Roles: []string{"user", "admin"}}
}

// FrontlineMembers are the members of GroupFrontline: the people of the forest's cast who have no other licence. ivan has none.
func FrontlineMembers() []string {
	var all []string
	for _, d := range Hybrid() {
		for _, p := range cast() {
			if !p.unsynced && p.name != unlicensed && !slices.Contains(licensedE3(), p.name) {
				all = append(all, p.upn(d))
			}
		}
	}
	return all
}

// unlicensed has a usage location and an assignment, and no licence.
const unlicensed = "ivan"

// CloudUPNs are the cloud's people.
func CloudUPNs() []string {
	var all []string
	for _, p := range cloudOnly() {
		all = append(all, p.upn(CloudDomain))
	}
	return all
}

// CloudLicensed are those of the cloud's people who have a licence of their own.
func CloudLicensed() []string {
	return slices.DeleteFunc(CloudUPNs(), func(upn string) bool { return upn == unlicensed+"@"+CloudDomain })
}

// MailPeople are those who are assigned to Harbour Mail themselves, and not by a group of theirs, each with the role.
func MailPeople() map[string]string {
	all := map[string]string{}
	for _, p := range cloudOnly() {
		all[p.upn(CloudDomain)] = "user"
		if p.admin {
			all[p.upn(CloudDomain)] = "admin"
		}
	}
	for _, d := range Hybrid() {
		all[unlicensed+"@"+d] = "user"
	}
	return all
}

// Licensed is since when everybody has what they have: nothing of it tells when a lab was started.
func Licensed() time.Time {
	_, _, still := years()
	return still
}
