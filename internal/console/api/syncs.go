package api

import (
	"time"

	"github.com/fourways-id/fourways/internal/directory"
)

// SyncRequest asks for runs; both kinds when empty: directory first, then hashes.
type SyncRequest struct {
	Kinds      []string `json:"kinds,omitempty"`
	Full       bool     `json:"full,omitempty"`       // read all, also where a cursor says what has changed since
	MaxDeletes *int     `json:"maxDeletes,omitempty"` // of this run alone; the ratio is not looked at then
}

// SyncRuns are the runs that a request came to.
type SyncRuns struct {
	Runs []directory.Run `json:"runs"`
}

// SyncStatus is the state of the synchronisation.
type SyncStatus struct {
	At       time.Time       `json:"at"` // the gateway's clock: what ages count from
	Paused   bool            `json:"paused"`
	PausedBy string          `json:"pausedBy,omitempty"` // file or operator
	Switch   *SyncSwitch     `json:"switch,omitempty"`   // none: the file counts
	Running  *SyncProgress   `json:"running,omitempty"`
	Cycles   []SyncCycle     `json:"cycles"`
	Pending  SyncPending     `json:"pending"`
	Lag      SyncLag         `json:"lag"`
	Runs     []directory.Run `json:"runs"` // newest first, 20 at most
}

// SyncSwitch is what an operator set over the file: the schedule is paused, or goes on.
type SyncSwitch struct {
	Paused bool      `json:"paused"`
	By     string    `json:"by"` // name of the token
	At     time.Time `json:"at"`
}

// SyncProgress is how far a run has come.
type SyncProgress struct {
	Run     string    `json:"run"`
	Kind    string    `json:"kind"` // directory or hash
	Agent   string    `json:"agent,omitempty"`
	Phase   string    `json:"phase"`   // read, plan, apply or write back
	Read    int       `json:"read"`    // objects, so far
	Planned int       `json:"planned"` // changes, so far
	Applied int       `json:"applied"`
	Began   time.Time `json:"began"`
	Full    bool      `json:"full"` // all is read
}

// SyncCycle is what the schedule does again and again.
type SyncCycle struct {
	Kind       string     `json:"kind"`          // directory or hash
	Every      string     `json:"every"`         // Go duration
	Last       time.Time  `json:"last,omitzero"` // end of the last run that succeeded
	LastResult string     `json:"lastResult"`    // of the last run: success, failed or stopped; "" before the first
	Next       time.Time  `json:"next,omitzero"` // none while the schedule is paused
	Cursor     SyncCursor `json:"cursor"`
}

// SyncCursor is where the last read ended; what it is made of stays between agent and store.
type SyncCursor struct {
	At     time.Time `json:"at,omitzero"`     // none: the next read reads all
	FullAt time.Time `json:"fullAt,omitzero"` // when all was read last
	Mode   string    `json:"mode"`            // of the next read: delta or full
}

// SyncPending is what is to be done, and what is in the way.
type SyncPending struct {
	Objects    int  `json:"objects"`    // are to be planned
	Deletes    int  `json:"deletes"`    // are gone on-premises, and here still
	MaxDeletes int  `json:"maxDeletes"` // may be deleted by one run
	Blocked    bool `json:"blocked"`    // the deletion guard stopped the last run
	Errors     int  `json:"errors"`     // can't be taken
	Withheld   int  `json:"withheld"`   // people whose hash the agent withholds
	Total      int  `json:"total"`      // objects in scope
}

// SyncLag is what people notice: passwords that were changed on-premises and are not here yet.
type SyncLag struct {
	Passwords int       `json:"passwords"`
	Oldest    time.Time `json:"oldest,omitzero"` // the earliest of these changes
}

// SyncPreviewRequest asks what a run of the directory would do.
type SyncPreviewRequest struct {
	Full bool `json:"full,omitempty"`
}

// SyncPreview is what a run of the directory would do.
type SyncPreview struct {
	Adds    []SyncChange `json:"adds"`
	Updates []SyncChange `json:"updates"`
	Deletes []SyncChange `json:"deletes"`
	Skipped []SyncSkip   `json:"skipped"`
	Hashes  int          `json:"hashes,omitempty"`  // are to be replaced, as far as is known
	Read    int          `json:"read"`              // objects that the agent named
	Full    bool         `json:"full"`              // all was read
	Stopped string       `json:"stopped,omitempty"` // why the deletion guard would stop the run
	Text    string       `json:"text"`              // all of it as a person reads it
}

// SyncChange is an object that would be added, changed or deleted.
type SyncChange struct {
	Kind string   `json:"kind"`           // user, group or contact
	Name string   `json:"name"`           // user principal name, or display name
	What []string `json:"what,omitempty"` // "displayName \"A\" -> \"B\""
}

// SyncSkip is an object that can't be taken.
type SyncSkip struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// SyncExplain is the way of one object from the premises to here.
type SyncExplain struct {
	Name    string     `json:"name"`              // as its directory has it
	Ticks   []SyncTick `json:"ticks"`             // in order
	Account string     `json:"account,omitempty"` // user principal name here
	Hash    *SyncHash  `json:"hash,omitempty"`    // of a person
}

// The names of the ticks.
const (
	TickImported = "imported" // the agent sent it
	TickInScope  = "in scope" // the agent's scope has it
	TickMatched  = "matched"  // an account is, or can be, what stands for it here
	TickAction   = "action"   // what the last run did, or the next one does
)

// SyncTick is one step of that way.
type SyncTick struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Reason string `json:"reason"`
}

// SyncHash is what became of a person's password hash. Status has the words of the Microsoft document "Troubleshoot password
// hash synchronization with Microsoft Entra Connect Sync": Success, FilteredByTarget, NoTargetConnection,
// SourceConnectorNotPresent, TargetNotExportedToDirectory, Error, Unknown, MissingAttribute, RetryRequestedByTarget.
type SyncHash struct {
	Status    string    `json:"status"`
	ChangedAt time.Time `json:"changedAt,omitzero"` // the password, on-premises
	SyncedAt  time.Time `json:"syncedAt,omitzero"`  // the hash that is here
	Source    string    `json:"source,omitempty"`   // the run that brought it, or reset
	Reason    string    `json:"reason,omitempty"`
}

// SyncError is an object that can't be taken. Each run tries it again.
type SyncError struct {
	ID     string    `json:"id"` // what its directory knows it by
	Kind   string    `json:"kind"`
	Name   string    `json:"name"`
	DN     string    `json:"distinguishedName,omitempty"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since,omitzero"`
	Tries  int       `json:"tries"`
}
