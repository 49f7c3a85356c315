package directory

import (
	"errors"
	"fmt"
	"time"
)

// ErrLeased says that a synchronisation is at work, here or at another gateway. ErrLeaseLost says that this one is no longer
// the one that may write: it was taken for dead, or another took over.
var (
	ErrLeased    = errors.New("another synchronisation is at work")
	ErrLeaseLost = errors.New("the right to synchronise was lost")
)

// Lease is the right to synchronise: one run at a time, whichever gateway carries it out.
type Lease struct {
	Epoch  int64     `json:"-"` // greater than that of every lease before it
	Run    string    `json:"run"`
	Kind   string    `json:"kind"`
	Holder string    `json:"holder"` // the gateway
	Began  time.Time `json:"began"`
	Until  time.Time `json:"until"` // it is taken for dead after that
}

// Cursor says where the last read of a kind ended.
type Cursor struct {
	Kind   string
	Place  []byte    // in the agent's own words; nil: the next read reads all
	About  string    // what the read was for: another wish reads all
	At     time.Time // when it was moved
	FullAt time.Time // when all was read last
}

// Imported is an object of the premises as the connector space holds it: what its directory says, and what became of it here.
type Imported struct {
	ID     string // what its directory knows it by
	Kind   string // user, group or contact
	Anchor string
	UPN    string // the name that it asks for, normalised; "" when it is none
	Ref    string // what groups name it by
	Object []byte // as the agent sent it, without members and times, in JSON
	Gone   bool   // deleted there or out of scope, and Object is empty
	Reason string // of Gone

	Members []string // of a group, on its way in: the Ref of each

	Due   bool      // it is to be planned: something changed, or it could not be taken
	Error string    // why it could not be taken
	Since time.Time // when that was so first
	Tries int

	PasswordAt time.Time // when the password was changed there, as far as is known
	HashAt     time.Time // the change that the stored hash came with; also when a later one is withheld
	HashTried  time.Time
	HashStatus HashStatus
	HashReason string
	Withheld   string // in the agent's words: temporary, filtered, missing, malformed
	Temporary  bool   // the stored hash is of a password that must be changed
}

// ImportedMember is a member of a group of the connector space that is in scope.
type ImportedMember struct {
	Kind, Anchor string
	Account      string // the id of what stands for it here; "" while there is none
	Failed       bool   // it could not be taken
}

// HashStatus is what became of one person's password hash, in the words of the Microsoft document ("Troubleshoot password
// hash synchronization with Microsoft Entra Connect Sync": status).
type HashStatus string

// The statuses.
const (
	HashSuccess     HashStatus = "Success"
	HashFiltered    HashStatus = "FilteredByTarget"             // temporary, or filtered by adminDescription
	HashNoTarget    HashStatus = "NoTargetConnection"           // the domain's switch is off
	HashNoSource    HashStatus = "SourceConnectorNotPresent"    // the object is not in scope
	HashNotExported HashStatus = "TargetNotExportedToDirectory" // the account is not here yet
	HashError       HashStatus = "Error"
	HashUnknown     HashStatus = "Unknown" // not looked at yet
	HashMissing     HashStatus = "MissingAttribute"
	HashRetry       HashStatus = "RetryRequestedByTarget"
)

// Import is a part of what an agent read, on its way into the connector space.
type Import struct {
	Epoch      int64
	Generation int64 // of the full read that it is part of; 0: of a delta
	Again      bool  // all of it is due, also what has not changed
	Objects    []Imported
	Same       []string // ids of those that are as they were
	Last       bool     // of a full read: what it didn't name is gone
	Cursor     *Cursor  // is kept with it; nil: the last one stays
}

// Settled says what became of an object of the connector space.
type Settled struct {
	ID    string
	Error string // why it could not be taken and is tried again; "": it was
	Gone  bool   // it was gone, and what stood for it here is gone too
}

// HashUpdate is what a hash run does for one person.
type HashUpdate struct {
	ID         string // of the object
	Account    Credential
	Drop       bool // the account keeps no synchronised hash
	Status     HashStatus
	Reason     string
	Withheld   string
	PasswordAt time.Time
	Temporary  bool // it must be changed at the next sign-in
}

// SpaceCounts counts the connector space.
type SpaceCounts struct {
	Objects  int // in scope
	Due      int // to be planned, the failed ones with them
	Gone     int // gone there, and here still
	Failed   int // could not be taken
	Withheld int // people whose hash is withheld
}

// Refusal says that one object could not be stored. It is what is inside.
type Refusal struct {
	Anchor string
	Err    error
}

func (r Refusal) Error() string { return r.Err.Error() }

// Unwrap gives the cause.
func (r Refusal) Unwrap() error { return r.Err }

// Held is the refusal of a second run.
func (l Lease) Held() error {
	return fmt.Errorf("%w: %s run %s at %s, since %s; if that gateway is gone, its right ends at %s", ErrLeased, l.Kind, l.Run, l.Holder,
		l.Began.UTC().Format(time.TimeOnly), l.Until.UTC().Format(time.TimeOnly))
}
