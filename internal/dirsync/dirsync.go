// Package dirsync brings the on-premises directory into the tenant: import, plan, guards, apply.
//
// In come Parts of Objects that a syncing agent read on the premises. They are imported into the connector space, which
// holds every object in scope as its directory has it. What changed there is planned against the tenant (pure data, a
// golden text in tests and in `sync preview`), guarded and applied, chunk by chunk, and every run is remembered as a
// directory.Run, a failed one too. The package never speaks LDAP, never sees a password or an NT hash (the agent sends the
// hash of the hash), never deletes on the word of an empty or incomplete source, and never takes over a privileged cloud
// account.
package dirsync

import (
	"context"
	"slices"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Kind is what an agent is asked to do.
type Kind string

// The kinds. A run is of the first two, which have cursors and schedules of their own.
const (
	KindDirectory Kind = "directory"  // read people, groups and contacts
	KindHash      Kind = "hash"       // read the password hashes of people who are here
	KindChanges   Kind = "changes"    // read who changed a password since the hash cursor: times, no hashes
	KindLook      Kind = "look"       // read one object by name, in scope or not
	KindWriteBack Kind = "write-back" // write what the cloud masters into the on-premises directory
)

// Known reports that the kind is one of these.
func (k Kind) Known() bool {
	return slices.Contains([]Kind{KindDirectory, KindHash, KindChanges, KindLook, KindWriteBack}, k)
}

// The kinds of an Object.
const (
	User    = "user"
	Group   = "group"
	Contact = "contact"
)

// Ask is what an agent is to read.
type Ask struct {
	Kind      Kind     `json:"kind"`
	Cursor    []byte   `json:"cursor,omitempty"`    // where the last read ended, in the agent's own words; none: read all. KindChanges is given that of KindHash
	IDs       []string `json:"ids,omitempty"`       // Object.ID. KindHash: whose hash is wanted too, whatever the cursor says. KindDirectory: these alone are read
	Name      string   `json:"name,omitempty"`      // KindLook: UPN, sAMAccountName, mail, DN or anchor
	Temporary bool     `json:"temporary,omitempty"` // KindHash: passwords that must be changed at the next logon too
	Domains   []string `json:"domains,omitempty"`   // KindHash: of the names in the tenant whose hashes are wanted; none: of all
	Writes    []Write  `json:"writes,omitempty"`    // KindWriteBack
}

// Write is one attribute to be written on-premises.
type Write struct {
	ID        string `json:"id"` // Object.ID
	Attribute string `json:"attribute"`
	Value     string `json:"value"`
}

// LongestCursor bounds what a gateway keeps for an agent, in bytes.
const LongestCursor = 64 << 10

// Object is one on-premises object as the agent read it.
type Object struct {
	Kind           string    `json:"kind"`                // user, group or contact
	ID             string    `json:"id"`                  // base64 of the octets of objectGUID or entryUUID: what the directory itself knows it by
	Anchor         string    `json:"anchor,omitempty"`    // base64 of the raw octets of objectGUID or ms-DS-ConsistencyGuid: its name for good
	DN             string    `json:"dn,omitempty"`        // for people to read; nothing is decided by it
	Ref            string    `json:"ref,omitempty"`       // Ref of the DN: what groups name it by
	UPN            string    `json:"upn,omitempty"`       // the name in the tenant
	OnpremUPN      string    `json:"onpremUpn,omitempty"` // the name that the directory binds; "" when it is the same
	SAM            string    `json:"sam,omitempty"`
	DisplayName    string    `json:"displayName,omitempty"`
	GivenName      string    `json:"givenName,omitempty"`
	Surname        string    `json:"surname,omitempty"`
	Mail           string    `json:"mail,omitempty"`
	Nickname       string    `json:"nickname,omitempty"`       // mailNickname
	ProxyAddresses []string  `json:"proxyAddresses,omitempty"` // SMTP: the primary one, smtp: the others
	Department     string    `json:"department,omitempty"`
	JobTitle       string    `json:"jobTitle,omitempty"`
	Description    string    `json:"description,omitempty"` // of a group
	UsageLocation  string    `json:"usageLocation,omitempty"`
	Enabled        bool      `json:"enabled,omitempty"`
	Members        []string  `json:"members,omitempty"`    // of a group: the Ref of each
	MustChange     bool      `json:"mustChange,omitempty"` // the password must be changed at the next logon
	ChangedAt      time.Time `json:"changedAt,omitzero"`
	PasswordAt     time.Time `json:"passwordAt,omitzero"` // when the password was changed (pwdLastSet)

	Gone   bool   `json:"gone,omitempty"`   // deleted, or out of scope
	Reason string `json:"reason,omitempty"` // of Gone, for people
	Same   bool   `json:"same,omitempty"`   // of a full read: as the cursor has it; only Kind and ID are given
	Error  string `json:"error,omitempty"`  // why this one could not be read, or written

	Hash     string `json:"hash,omitempty"`     // v1;PPH1_MD4,salt,rounds,hash; KindHash only
	Withheld string `json:"withheld,omitempty"` // why there is none

	Written map[string]string `json:"written,omitempty"` // what stands in the attributes that may be written back
}

// Why the agent sends no hash of somebody.
const (
	WithheldTemporary = "temporary" // it must be changed at the next logon
	WithheldFiltered  = "filtered"  // by adminDescription, or no user
	WithheldMissing   = "missing"   // there is none, or none that may be read
	WithheldMalformed = "malformed"
	WithheldUnasked   = "unasked" // of another domain than those that were asked for
)

// Part is a part of what an agent read.
type Part struct {
	Objects  []Object `json:"objects,omitempty"`
	Cursor   []byte   `json:"cursor,omitempty"`   // everything up to here has been yielded; nil: not said. The last part carries one
	Full     bool     `json:"full,omitempty"`     // all is read: what does not come until the end is gone. The same in every part
	Note     string   `json:"note,omitempty"`     // why all is read although a cursor was given
	Writable []string `json:"writable,omitempty"` // attributes that this agent may write back
}

// Batch is a part on its way to the gateway. An answer is complete only when its batches came in order and the last said
// Last.
type Batch struct {
	Part
	Run   string `json:"run"`
	Seq   int    `json:"seq"` // 0, 1, 2, …
	Kind  Kind   `json:"kind"`
	Last  bool   `json:"last,omitempty"`
	Error string `json:"error,omitempty"` // the agent could not read on
	Agent string `json:"-"`               // who sent it; set by the gateway's side of the link, never taken from the wire
}

// Source reads the on-premises directory; implemented where LDAP is spoken.
type Source interface {
	// Read yields what is asked for, in parts of any size, and stops at yield's first error.
	Read(ctx context.Context, ask Ask, yield func(Part) error) error
}

// Incoming is an object of the connector space on its way into the tenant.
type Incoming struct {
	Object
	Members Members // of a group: who is or will be here. Object.Members is not looked at
}

// Members are those of a group, by id.
type Members struct {
	Users    []authn.AccountID
	Groups   []string
	Contacts []string
}
