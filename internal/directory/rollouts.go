package directory

import (
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Rollout moves the direct members of a group from federation to a managed path, one person at a time (Microsoft:
// "Migrate to cloud authentication using Staged Rollout").
type Rollout struct {
	Group string     `json:"group"`
	Path  authn.Path `json:"path"` // phs or pta
	By    string     `json:"by,omitempty"`
	At    time.Time  `json:"at,omitzero"`
	File  bool       `json:"file,omitempty"` // declared in the configuration file, and changed there
}

// ModeChange is one change of how a domain's people sign in, as it is remembered.
type ModeChange struct {
	ID     int64      `json:"id"`
	Domain string     `json:"domain"`
	Kind   string     `json:"kind"` // set, undo, reset
	From   authn.Path `json:"from"`
	To     authn.Path `json:"to"`
	IdP    string     `json:"idp,omitempty"`
	By     string     `json:"by"`
	Reason string     `json:"reason,omitempty"`
	At     time.Time  `json:"at"`
	Before *Override  `json:"before,omitempty"` // the override that undoing brings back; nil: none
}
