package api

import (
	"github.com/fourways-id/fourways/internal/directory"
)

// PlanChange changes a plan; what is left out stays as it is.
type PlanChange struct {
	Name     *string   `json:"displayName,omitempty"`
	Seats    *int      `json:"seats,omitempty"`
	Services *[]string `json:"services,omitempty"`
}

// NewPlan asks for a plan.
type NewPlan struct {
	ID       string   `json:"id"`
	Name     string   `json:"displayName,omitempty"` // "": the id
	Seats    int      `json:"seats"`
	Services []string `json:"services"`
}

// NewApp asks for an application.
type NewApp struct {
	ID       string   `json:"id"`
	Name     string   `json:"displayName,omitempty"` // "": the id
	Service  string   `json:"requiredService,omitempty"`
	Assigned bool     `json:"assignmentRequired,omitempty"`
	Roles    []string `json:"roles,omitempty"`
}

// AppChange changes an application; what is left out stays as it is.
type AppChange struct {
	Name     *string   `json:"displayName,omitempty"`
	Service  *string   `json:"requiredService,omitempty"`
	Assigned *bool     `json:"assignmentRequired,omitempty"`
	Roles    *[]string `json:"roles,omitempty"`
}

// AppDetail is an application and who is assigned to it.
type AppDetail struct {
	directory.App
	Assignments []directory.AssignmentRow `json:"assignments"`
}

// NewAssignment assigns a person or the direct members of a group to an application; one of the two is named.
type NewAssignment struct {
	User  string `json:"user,omitempty"`  // user principal name or id
	Group string `json:"group,omitempty"` // name or id
	Role  string `json:"role,omitempty"`  // "": the application's first
}

// LicenceQuery names the licences of a list.
type LicenceQuery struct {
	Plan  string
	User  string // user principal name or id
	State directory.LicenceState
	After string
	Limit int
}
