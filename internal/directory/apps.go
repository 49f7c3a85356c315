package directory

import (
	"fmt"
	"slices"

	"github.com/fourways-id/fourways/authn"
)

// App is an application behind the door.
type App struct {
	ID       string   `json:"id"` // mail
	Name     string   `json:"displayName"`
	Service  string   `json:"requiredService,omitempty"` // the service of a plan that is needed; "": none
	Assigned bool     `json:"assignmentRequired"`        // only who is assigned may use it
	Roles    []string `json:"roles"`                     // that an assignment may give
	File     bool     `json:"file,omitempty"`            // declared in the configuration file, and changed there
}

// Assignment lets an account or the direct members of a group use an application in a role.
type Assignment struct {
	App     string          `json:"app"`
	Account authn.AccountID `json:"account,omitempty"`
	Group   string          `json:"group,omitempty"`
	Role    string          `json:"role,omitempty"`
}

// AssignmentRow is an assignment as a list shows it.
type AssignmentRow struct {
	Assignment
	Name string `json:"name"` // of the account or the group
}

// Tag is the application's version.
func (a App) Tag() string { return Tag(a) }

// Check says what is wrong with an application, as a sentence.
func (a App) Check() error {
	if !validName(a.ID) {
		return fmt.Errorf("%.64q is no id of an application: %s", a.ID, namesAre)
	}
	if a.Service != "" && !validName(a.Service) {
		return fmt.Errorf("%.64q is no service: %s", a.Service, namesAre)
	}
	return allNames("role", a.Roles)
}

// Role finds the role that an assignment asks for; "" asks for the application's first.
func (a App) Role(asked string) (string, error) {
	switch {
	case asked == "" && len(a.Roles) > 0:
		return a.Roles[0], nil
	case asked == "" || slices.Contains(a.Roles, asked):
		return asked, nil
	case len(a.Roles) == 0:
		return "", fmt.Errorf("the application %s has no roles: leave the role out", a.ID)
	}
	return "", fmt.Errorf("%.64q is no role of %s: it has %v", asked, a.ID, a.Roles)
}

// Held is a licence with what it is for.
type Held struct {
	Licence
	Services []string `json:"services"`
}

// Covers reports that the licence lets its holder use the service.
func (h Held) Covers(service string) bool {
	return h.State == LicenceActive && slices.Contains(h.Services, service)
}

// Access is all that decides whether one account may use one application.
type Access struct {
	App         App
	Licences    []Held
	Assignments []Assignment // of the account and of the groups that it is a direct member of
}

// Grant is what came of it.
type Grant struct {
	App    string       `json:"app"`
	Name   string       `json:"displayName"`
	Roles  []string     `json:"roles"`              // in the application's order
	Plans  []string     `json:"plans,omitempty"`    // whose licence lets the person use the required service
	Held   []Held       `json:"licences,omitempty"` // all that the person has, whatever they are worth
	Reason authn.Reason `json:"reason"`             // None, NotAssigned or NotLicensed
}

// MayUse decides. The assignment comes first: Microsoft's door asks for it when it issues the token (AADSTS50105), and it is
// the service behind the door that asks for a licence. A role alone is no licence, and a suspended or refused licence is none.
func (a Access) MayUse() Grant {
	g := Grant{App: a.App.ID, Name: a.App.Name, Roles: []string{}, Held: a.Licences}
	for _, role := range a.App.Roles {
		if slices.ContainsFunc(a.Assignments, func(s Assignment) bool { return s.Role == role }) {
			g.Roles = append(g.Roles, role)
		}
	}
	for _, l := range a.Licences {
		if l.Covers(a.App.Service) && !slices.Contains(g.Plans, l.Plan) {
			g.Plans = append(g.Plans, l.Plan)
		}
	}
	switch {
	case a.App.Assigned && len(a.Assignments) == 0:
		g.Reason = authn.NotAssigned
	case a.App.Service != "" && len(g.Plans) == 0:
		g.Reason = authn.NotLicensed
	}
	return g
}
