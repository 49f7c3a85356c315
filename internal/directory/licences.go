package directory

import (
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Plan is a product that people are given licences for, with its seats and services.
type Plan struct {
	ID       string   `json:"id"` // E3
	Name     string   `json:"displayName"`
	Seats    int      `json:"seats"`
	Services []string `json:"services"`       // what it lets people use: mail, files
	File     bool     `json:"file,omitempty"` // declared in the configuration file, and changed there
}

// LicenceState is what a licence is worth.
type LicenceState string

// The states of a licence. A suspended one was given by a group that the person has left; a refused one could not be
// given, and says why.
const (
	LicenceActive    LicenceState = "active"
	LicenceSuspended LicenceState = "suspended"
	LicenceRefused   LicenceState = "refused"
)

// Licence is one person's right to a plan, from one source.
type Licence struct {
	Account authn.AccountID `json:"account"`
	Plan    string          `json:"plan"`
	Group   string          `json:"group,omitempty"` // the group that gives it; "": given directly
	State   LicenceState    `json:"state"`
	Why     string          `json:"why,omitempty"` // of a suspended or refused one
	Since   time.Time       `json:"since"`
}

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
