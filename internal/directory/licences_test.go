package directory_test

import (
	"fmt"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

func TestALicenceFollowsItsHolder(t *testing.T) {
	gives := map[string][]string{"g": {"E3"}}
	for name, row := range map[string]struct {
		licence directory.Licence
		holder  directory.Holder
		state   directory.LicenceState
		why     string
	}{
		"a member with a location":          {directory.Licence{Group: "g"}, directory.Holder{Location: "NL", Gives: gives}, directory.LicenceActive, ""},
		"a member without":                  {directory.Licence{Group: "g"}, directory.Holder{Gives: gives}, directory.LicenceRefused, directory.WhyNoLocation},
		"who loses the location":            {directory.Licence{Group: "g", State: directory.LicenceActive}, directory.Holder{Gives: gives}, directory.LicenceActive, ""},
		"who left":                          {directory.Licence{Group: "g", State: directory.LicenceActive}, directory.Holder{Location: "NL"}, directory.LicenceSuspended, directory.WhyLeft},
		"a member whose group gives others": {directory.Licence{Group: "g"}, directory.Holder{Location: "NL", Gives: map[string][]string{"g": {"E5"}}}, directory.LicenceSuspended, directory.WhyLeft},
		"one of their own":                  {directory.Licence{State: directory.LicenceActive}, directory.Holder{}, directory.LicenceActive, ""},
		"who is deleted":                    {directory.Licence{State: directory.LicenceActive}, directory.Holder{Deleted: true, Location: "NL"}, directory.LicenceSuspended, directory.WhyDeleted},
	} {
		row.licence.Plan = "E3"
		if state, why := row.licence.Judge(row.holder); state != row.state || why != row.why {
			t.Errorf("%s: %s %q, want %s %q", name, state, why, row.state, row.why)
		}
	}
}

func TestWhoMayUseAnApplication(t *testing.T) {
	mail := directory.App{ID: "mail", Service: "mail", Assigned: true, Roles: []string{"user", "admin"}}
	open, free := mail, mail
	open.Assigned, free.Service = false, ""
	held := func(state directory.LicenceState, services ...string) directory.Held {
		return directory.Held{Licence: directory.Licence{Plan: "E3", State: state}, Services: services}
	}
	user, admin := directory.Assignment{Account: "a", Role: "user"}, directory.Assignment{Group: "g", Role: "admin"}
	active := []directory.Held{held(directory.LicenceActive, "files", "mail")}
	for name, row := range map[string]struct {
		access directory.Access
		want   string
	}{
		"both":                           {directory.Access{App: mail, Licences: active, Assignments: []directory.Assignment{admin, user}}, "none [user admin] [E3]"},
		"no licence":                     {directory.Access{App: mail, Assignments: []directory.Assignment{user}}, "not_licensed [user] []"},
		"a suspended licence":            {directory.Access{App: mail, Licences: []directory.Held{held(directory.LicenceSuspended, "mail")}, Assignments: []directory.Assignment{user}}, "not_licensed [user] []"},
		"a refused licence":              {directory.Access{App: mail, Licences: []directory.Held{held(directory.LicenceRefused, "mail")}, Assignments: []directory.Assignment{user}}, "not_licensed [user] []"},
		"a licence for something else":   {directory.Access{App: mail, Licences: []directory.Held{held(directory.LicenceActive, "files")}, Assignments: []directory.Assignment{user}}, "not_licensed [user] []"},
		"not assigned":                   {directory.Access{App: mail, Licences: active}, "not_assigned [] [E3]"},
		"neither: the assignment first":  {directory.Access{App: mail}, "not_assigned [] []"},
		"no assignment is asked for":     {directory.Access{App: open, Licences: active}, "none [] [E3]"},
		"no service is needed":           {directory.Access{App: free, Assignments: []directory.Assignment{user}}, "none [user] []"},
		"the same plan from two sources": {directory.Access{App: open, Licences: append(active, active...)}, "none [] [E3]"},
	} {
		g := row.access.MayUse()
		if got := fmt.Sprintf("%s %v %v", g.Reason, g.Roles, g.Plans); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
		if g.Reason != authn.None && g.Reason.Public().Message == "" {
			t.Errorf("%s: the person is told nothing", name)
		}
	}
}

func TestARoleIsOneOfTheApplications(t *testing.T) {
	mail, bare := directory.App{ID: "mail", Roles: []string{"user", "admin"}}, directory.App{ID: "bare"}
	for _, row := range []struct {
		app         directory.App
		asked, want string
		good        bool
	}{{mail, "", "user", true}, {mail, "admin", "admin", true}, {mail, "captain", "", false}, {bare, "", "", true}, {bare, "user", "", false}} {
		if got, err := row.app.Role(row.asked); got != row.want || (err == nil) != row.good {
			t.Errorf("%s %q: %q, %v", row.app.ID, row.asked, got, err)
		}
	}
}

func TestAUsageLocationIsACountry(t *testing.T) {
	if got, err := directory.UsageLocation("nl"); got != "NL" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	for _, bad := range []string{"", "N", "NLD", "N1", "ñl", "N L"} {
		if got, err := directory.UsageLocation(bad); err == nil || got != "" {
			t.Errorf("%q is %q", bad, got)
		}
	}
}
