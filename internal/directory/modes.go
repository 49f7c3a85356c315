package directory

import (
	"time"

	"github.com/fourways-id/fourways/authn"
)

// The kinds of a change of path.
const (
	ModeSet   = "set"
	ModeUndo  = "undo"
	ModeReset = "reset"
	ModeFile  = "file" // the configuration file was reloaded
)

// ModeChange is one change of how a domain's people sign in, as it is remembered.
type ModeChange struct {
	ID     int64      `json:"id"`
	Domain string     `json:"domain"`
	Kind   string     `json:"kind"` // set, undo, reset, file
	From   authn.Path `json:"from"`
	To     authn.Path `json:"to"`
	IdP    string     `json:"idp,omitempty"`
	By     string     `json:"by"`
	Reason string     `json:"reason,omitempty"`
	At     time.Time  `json:"at"`
	Before *Override  `json:"before,omitempty"` // the override that undoing brings back; nil: none
	Undoes int64      `json:"undoes,omitempty"` // kind undo: the change that it took back
	Hidden bool       `json:"hidden,omitempty"` // kind file: an override hid it, so nobody's path changed
}

// Change is what is to become of a domain's override, and how it is remembered.
type Change struct {
	Override *Override // nil: none
	Entry    ModeChange
}

// LastToUndo finds the change that an undo takes back, in the newest changes of one domain, the newest first: the last that
// was neither taken back nor hidden. Undoing again so goes back one change at a time, and an undo is never itself undone.
func LastToUndo(changes []ModeChange) (ModeChange, bool) {
	var before int64 // only what is older counts; 0: everything
	for _, c := range changes {
		switch {
		case before != 0 && c.ID >= before, c.Hidden:
		case c.Kind == ModeUndo:
			before = c.Undoes
		default:
			return c, true
		}
	}
	return ModeChange{}, false
}

// ModeCensus counts whom a path would take in, or turn away.
type ModeCensus struct {
	Users      int `json:"users"`
	NoHash     int `json:"withoutHash"`          // no synchronised password hash: 50056 on phs
	NoPassword int `json:"withoutCloudPassword"` // no cloud password: 50056 on cloud
	NoAnchor   int `json:"withoutImmutableId"`   // no immutable ID: not found by a provider that names people by it
	NotSynced  int `json:"cloudOnly"`            // the premises don't know them: not found on pta
}

// FileChange is what is remembered of a reload that changed a domain's path in the file; nil when another gateway has
// written the same down. now, the override in force, stays.
func FileChange(was, is Domain, now *Override, last []ModeChange, at time.Time) *Change {
	for _, c := range last {
		if c.Kind == ModeFile {
			if c.From == was.Path && c.To == is.Path && c.IdP == is.idp() {
				return nil
			}
			break
		}
	}
	e := ModeChange{Kind: ModeFile, From: was.Path, To: is.Path, IdP: is.idp(), By: "configuration file", At: at, Before: now, Hidden: now != nil}
	if now == nil { // what an undo brings back is an override: the file is its writer's
		e.Before = &Override{Domain: is.Name, Path: was.Path, IdP: was.idp(), By: e.By, Reason: "as before the reload", At: at}
	}
	return &Change{Override: now, Entry: e}
}
