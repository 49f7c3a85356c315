// Package api is the console's wire format: what /api/v1 takes and gives. The console serves it, the client speaks it.
//
// In and out come JSON objects. Field names of people are those of Microsoft Graph where it has one. Nothing here holds a
// password on its way out.
package api

import (
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/journal"
	"github.com/fourways-id/fourways/internal/trace"
)

// Problem is an error answer (RFC 9457).
type Problem struct {
	Type   string `json:"type"` // about:blank, or a page of the docs
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"` // what happened and what to do
}

// UnderWay is the Type of a Problem whose request was made before, with the same Idempotency-Key, and has not ended yet.
const UnderWay = "urn:fourways:under-way"

// Error makes a Problem an error.
func (p Problem) Error() string {
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title
}

// Page is one page of a list. Next is the cursor of the next one; "" on the last.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// PageOf is a whole list; an empty one is [] and never null.
func PageOf[T any](items []T) Page[T] {
	return Page[T]{Items: append([]T{}, items...)}
}

// SignIn is a row of the sign-in log.
type SignIn = journal.SignIn

// Trace is every Record of one attempt.
type Trace struct {
	ID      authn.AttemptID `json:"id"`
	Records []authn.Record  `json:"records"`
	Away    []trace.Away    `json:"away,omitempty"` // what the lab's identity provider wrote of it
}

// Agent is an on-premises agent as the operator sees it.
type Agent struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Roles    []string  `json:"roles"`
	State    string    `json:"state"` // active, inactive or revoked
	Version  string    `json:"version,omitempty"`
	Created  time.Time `json:"created"`
	LastSeen time.Time `json:"lastSeen,omitzero"`
	InFlight int       `json:"inFlight"`
}

// Invite asks for a one-time enrolment token.
type Invite struct {
	Name  string   `json:"name"`
	Roles []string `json:"roles"`
	Valid string   `json:"valid,omitempty"` // Go duration; default 1h
}

// Invitation is the token, shown once.
type Invitation struct {
	Token   string    `json:"token"`
	Until   time.Time `json:"until"`
	Gateway string    `json:"gateway"`
}

// OnpremUser is a person in the lab's own directory.
type OnpremUser struct {
	UPN     string   `json:"userPrincipalName"`
	Mail    string   `json:"mail"`
	SAM     string   `json:"samAccountName"`
	Name    string   `json:"displayName"`
	DN      string   `json:"distinguishedName"`
	States  []string `json:"states"` // disabled, locked, expired, …; empty: healthy
	Changed string   `json:"passwordLastSet,omitempty"`
}

// OnpremChange names one thing to do to a person in the lab's own directory: create, change, disable, enable, password or
// delete.
type OnpremChange struct {
	Do            string `json:"do"`
	Password      string `json:"password,omitempty"`      // create, password
	Name          string `json:"displayName,omitempty"`   // create, change
	UsageLocation string `json:"usageLocation,omitempty"` // create, change
}

// ConfigText is the configuration in force, as TOML.
type ConfigText struct {
	Text string `json:"text"`
}

// Reload says what a re-read configuration file changed.
type Reload struct {
	Live      []string `json:"live"`      // in force now
	Restart   []string `json:"restart"`   // in force after a restart
	Overrides []string `json:"overrides"` // sentences about domains whose path an override hides
}

// NewToken asks for a token.
type NewToken struct {
	Name  string `json:"name"`
	Role  string `json:"role"` // admin, operator or reader
	Valid string `json:"valid,omitempty"`
}

// Token is a console token; Secret is shown once, when it is made.
type Token struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Created time.Time `json:"created"`
	Until   time.Time `json:"until"`
	Secret  string    `json:"secret,omitempty"`
}

// RevokedToken is a token that was ended, and how many tokens with the role admin are good still.
type RevokedToken struct {
	Token
	AdminsLeft int `json:"adminsLeft"`
}

// AuditEntry is one change that somebody made, or tried to make.
type AuditEntry struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Who    string    `json:"who"`  // name of the token
	From   string    `json:"from"` // address
	Action string    `json:"action"`
	Target string    `json:"target"`
	Before string    `json:"before,omitempty"`
	After  string    `json:"after,omitempty"`
	Result string    `json:"result"` // success, or failure: why
}
