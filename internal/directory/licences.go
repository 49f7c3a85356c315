package directory

import (
	"fmt"
	"regexp"
	"slices"
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
// given, and says why. Only an active one takes a seat and lets anybody use anything.
const (
	LicenceActive    LicenceState = "active"
	LicenceSuspended LicenceState = "suspended"
	LicenceRefused   LicenceState = "refused"
)

// LicenceStates lists them.
func LicenceStates() []LicenceState {
	return []LicenceState{LicenceActive, LicenceSuspended, LicenceRefused}
}

// Why a licence is refused or suspended. Who waits for a seat, or for a usage location, gets the licence when it is there.
const (
	WhyNoSeat     = "no seats left"
	WhyNoLocation = "no usage location"
	WhyLeft       = "the group no longer gives it"
	WhyDeleted    = "the account is deleted"
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

// Holder is what decides about a person's licences, seats apart.
type Holder struct {
	Deleted  bool                // the account can still be brought back
	Location string              // the person's usage location, else the tenant's; "": none
	Gives    map[string][]string // by group of which the person is a direct member: the plans that it gives
}

// Judge says what becomes of a licence if there is a seat for it. One from a group follows the direct membership (nested
// groups don't count: Microsoft, "What is group-based licensing in Microsoft Entra ID"). A usage location is asked for when
// a licence is given, and not again.
func (l Licence) Judge(h Holder) (LicenceState, string) {
	switch {
	case h.Deleted:
		return LicenceSuspended, WhyDeleted
	case l.Group == "":
		return LicenceActive, ""
	case !slices.Contains(h.Gives[l.Group], l.Plan):
		return LicenceSuspended, WhyLeft
	case h.Location == "" && l.State != LicenceActive:
		return LicenceRefused, WhyNoLocation
	}
	return LicenceActive, ""
}

// MostSeats bounds the seats of a plan.
const MostSeats = 10_000_000

// Check says what is wrong with a plan, as a sentence.
func (p Plan) Check() error {
	switch {
	case !validName(p.ID):
		return fmt.Errorf("%.64q is no id of a plan: %s", p.ID, namesAre)
	case p.Seats < 0 || p.Seats > MostSeats:
		return fmt.Errorf("%d is no number of seats: give 0 to %d", p.Seats, MostSeats)
	case len(p.Services) == 0:
		return fmt.Errorf("the plan %s lets nobody use anything: name its services, such as mail", p.ID)
	}
	return allNames("service", p.Services)
}

// Tag is the plan's version, whatever is used of it.
func (p Plan) Tag() string { return Tag(p) }

// LicenceRow is a licence as a list shows it.
type LicenceRow struct {
	Licence
	UPN       string `json:"userPrincipalName,omitempty"` // "" of an account that is deleted
	GroupName string `json:"groupDisplayName,omitempty"`
}

// LicenceQuery pages through licences by account.
type LicenceQuery struct {
	Plan    string          // "" for all
	Account authn.AccountID // "" for all
	State   LicenceState    // "" for all
	After   string          // of the last row before: LicenceRow.Cursor
	Limit   int
}

// Cursor is where the next page goes on.
func (l Licence) Cursor() string { return string(l.Account) + " " + l.Plan + " " + l.Group }

// Usage is a plan and how it is used.
type Usage struct {
	Plan
	Used      int      `json:"used"`      // seats: people with an active licence
	Refused   int      `json:"refused"`   // licences
	Suspended int      `json:"suspended"` // licences
	Groups    []string `json:"groups"`    // that give it, by id
}

const namesAre = "letters, digits, - _ and ., beginning with a letter or digit, at most 64"

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func validName(s string) bool { return namePattern.MatchString(s) }

func allNames(what string, names []string) error {
	for i, name := range names {
		if !validName(name) {
			return fmt.Errorf("%.64q is no %s: %s", name, what, namesAre)
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("the %s %s is named twice", what, name)
		}
	}
	return nil
}
