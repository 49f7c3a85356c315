// Package dirsync brings the on-premises directory into the tenant: snapshot, diff, printable plan, guards, apply.
//
// In come batches of Objects that a syncing agent read on the premises, and what the tenant holds already. Out go a Plan
// (pure data, a golden text in tests and in `sync preview`), the directory.Changes that carry it out, and one
// directory.Run for every run, a failed one too. The package never speaks LDAP, never sees a password or an NT hash (the
// agent sends the hash of the hash), never deletes on the word of an empty or incomplete source, and never takes over a
// privileged cloud account.
package dirsync

import (
	"context"
	"time"
)

// Kind is what a run synchronises.
type Kind string

// The kinds of a run. They have cursors and schedules of their own.
const (
	KindDirectory Kind = "directory" // people, groups, contacts
	KindHash      Kind = "hash"      // password hashes of people who are here already
)

// The kinds of an Object.
const (
	User    = "user"
	Group   = "group"
	Contact = "contact"
)

// Object is one on-premises object as the agent read it.
type Object struct {
	Kind          string    `json:"kind"`                // user, group or contact
	Anchor        string    `json:"anchor"`              // base64 of the raw octets of objectGUID or ms-DS-ConsistencyGuid: its name for good
	DN            string    `json:"dn,omitempty"`        // for people to read; nothing is decided by it
	UPN           string    `json:"upn,omitempty"`       // the name in the tenant
	OnpremUPN     string    `json:"onpremUpn,omitempty"` // the name that the directory binds; "" when it is the same
	SAM           string    `json:"sam,omitempty"`
	DisplayName   string    `json:"displayName,omitempty"`
	GivenName     string    `json:"givenName,omitempty"`
	Surname       string    `json:"surname,omitempty"`
	Mail          string    `json:"mail,omitempty"`
	UsageLocation string    `json:"usageLocation,omitempty"`
	Enabled       bool      `json:"enabled,omitempty"`
	Members       []string  `json:"members,omitempty"` // of a group: anchors
	Hash          string    `json:"hash,omitempty"`    // v1;PPH1_MD4,salt,rounds,hash; in hash runs only
	HashAt        time.Time `json:"hashAt,omitzero"`   // when the password was changed (pwdLastSet)
	ChangedAt     time.Time `json:"changedAt,omitzero"`
}

// Batch is a part of what an agent read. A run is complete only when its batches came in order and the last said Last.
type Batch struct {
	Run     string   `json:"run"`
	Seq     int      `json:"seq"` // 0, 1, 2, …
	Kind    Kind     `json:"kind"`
	Objects []Object `json:"objects,omitempty"`
	Last    bool     `json:"last,omitempty"`
	Error   string   `json:"error,omitempty"` // the agent could not read on: the run fails and changes nothing
	Agent   string   `json:"-"`               // who sent it; set by the gateway's side of the link, never taken from the wire
}

// Source reads the on-premises directory; implemented where LDAP is spoken.
type Source interface {
	// Read yields everything of that kind that is in scope, in parts of any size, and stops at yield's first error.
	Read(ctx context.Context, kind Kind, yield func([]Object) error) error
}
