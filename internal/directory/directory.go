// Package directory is the tenant: who has an account, in which groups, under which domain, and which rule decides how a
// domain's people sign in.
//
// In come the configured domains and what the store holds; out come authn.Account and authn.Realm. It never checks a
// password, never speaks a protocol, and never writes an on-premises attribute of a synchronised account.
package directory

import (
	"errors"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// ErrNotFound says that there is no such object. ErrConflict says that another object has that name or anchor already.
// ErrChanged says that somebody else changed the object since it was read. ErrMastered says that the object, or the
// attribute, is mastered elsewhere and can't be changed here.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("exists already")
	ErrChanged  = errors.New("changed meanwhile")
	ErrMastered = errors.New("mastered elsewhere")
)

// ErrLastAdmin says that nobody would be left who could administer with everything on-premises down.
var ErrLastAdmin = errors.New("the last cloud-only administrator who can sign in")

// ErrLicensed says that a licence needs the usage location of its holder (Microsoft Graph, user: "Required for users that are
// assigned licenses", "Not nullable").
var ErrLicensed = errors.New("licences need a usage location")

// User is a person's account.
type User struct {
	ID            authn.AccountID `json:"id"`
	UPN           string          `json:"userPrincipalName"` // normalised by authn.ParseIdentifier
	DisplayName   string          `json:"displayName"`
	GivenName     string          `json:"givenName,omitempty"`
	Surname       string          `json:"surname,omitempty"`
	Mail          string          `json:"mail,omitempty"`
	Department    string          `json:"department,omitempty"`
	JobTitle      string          `json:"jobTitle,omitempty"`
	UsageLocation string          `json:"usageLocation,omitempty"`        // ISO 3166-1 alpha-2
	LocationHere  bool            `json:"usageLocationSetHere,omitempty"` // of a synchronised user: an administrator has set it, so the premises' value does not count
	Enabled       bool            `json:"accountEnabled"`
	Blocked       bool            `json:"signInBlocked,omitempty"` // in the cloud, whatever the premises say
	MustChange    bool            `json:"forceChangePasswordNextSignIn,omitempty"`
	Leaked        time.Time       `json:"leakedCredentialsDateTime,omitzero"` // when its password was found in a leak
	Admin         bool            `json:"admin,omitempty"`
	Synced        bool            `json:"onPremisesSyncEnabled"`
	Onprem        Onprem          `json:"onPremises,omitzero"` // of a synchronised user
	Created       time.Time       `json:"createdDateTime"`
	Changed       time.Time       `json:"changedDateTime"`
}

// Onprem is what the on-premises directory says of a synchronised object; it can be changed there only.
type Onprem struct {
	Anchor   string    `json:"immutableId,omitempty"` // base64 of the raw octets of objectGUID or ms-DS-ConsistencyGuid
	DN       string    `json:"distinguishedName,omitempty"`
	UPN      string    `json:"userPrincipalName,omitempty"` // the name that its directory binds
	SAM      string    `json:"samAccountName,omitempty"`
	Location string    `json:"usageLocation,omitempty"` // that the premises give; one that was set in the cloud wins
	SyncedAt time.Time `json:"lastSyncDateTime,omitzero"`
}

// The schemes of a Credential.
const (
	SchemeCloud = "cloud" // PHC string of the cloud password
	SchemePHS   = "phs"   // v1;PPH1_MD4,salt,rounds,hash;
)

// Credential is what can prove a password: sealed at rest, bound to account and scheme. Never rendered.
type Credential struct {
	Account authn.AccountID
	Scheme  string
	Record  []byte
	Source  string    // "cloud", or the id of the synchronisation run
	Changed time.Time // when the password was changed, as its master says
	Stored  time.Time
}

// Query pages through objects by name.
type Query struct {
	Domain string // "" for all
	Admins bool   // only administrators
	After  string // the last name of the page before
	Limit  int    // 0: the store's own bound
}

// Objects is everything that is mastered on-premises.
type Objects struct {
	Users    []User
	Groups   []Group
	Contacts []Contact
	Deleted  []User // accounts of the premises that can still be brought back; never part of a change
}

// Changes is what one synchronisation run does to the tenant.
type Changes struct {
	Put    Objects      // added or replaced, by anchor
	Delete Objects      // removed, by id
	Hashes []Credential // replaced
	Run    string       // id of the run
	Epoch  int64        // of its lease; 0: it is no run's
}

// Run is one synchronisation run, as it is remembered.
type Run struct {
	ID        string        `json:"id"`
	Kind      string        `json:"kind"`           // directory or hash
	Mode      string        `json:"mode,omitempty"` // full or delta
	Note      string        `json:"note,omitempty"` // why all was read
	Result    string        `json:"result"`         // success, failed, stopped, interrupted
	Agent     string        `json:"agent"`
	Began     time.Time     `json:"began"`
	Took      time.Duration `json:"took"`
	Read      int           `json:"read"` // objects that came from the premises
	Added     int           `json:"added"`
	Updated   int           `json:"updated"`
	Deleted   int           `json:"deleted"`
	Hashes    int           `json:"hashes"`
	Withheld  int           `json:"withheld,omitempty"`  // hashes that the agent keeps back
	WroteBack int           `json:"wroteBack,omitempty"` // attributes that were written on the premises
	Blocked   int           `json:"blocked,omitempty"`   // deletions that a guard held up
	Skipped   []string      `json:"skipped,omitempty"`   // one line an object that could not be taken, with the reason
	Error     string        `json:"error,omitempty"`
}
