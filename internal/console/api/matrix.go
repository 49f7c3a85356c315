package api

import (
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Matrix is one run of the account states by the paths.
type Matrix struct {
	At         time.Time    `json:"at"`
	Took       int64        `json:"milliseconds"`
	Live       int          `json:"live"`       // cells that were run
	AsExpected int          `json:"asExpected"` // of those
	Cells      []MatrixCell `json:"cells"`      // row by row, in the order of the table
	Traces     []Trace      `json:"traces"`     // of the live cells: the copy they ran in is gone
}

// MatrixCell is one account state on one path.
type MatrixCell struct {
	State    string          `json:"state"`
	Path     authn.Path      `json:"path"`
	Live     bool            `json:"live"` // false: this state can't be on this path
	UPN      string          `json:"userPrincipalName,omitempty"`
	Expected string          `json:"expected,omitempty"` // success, a code such as 50126, fails at the IdP, interrupted
	Saw      string          `json:"saw,omitempty"`
	OK       bool            `json:"ok"`
	Amber    bool            `json:"amber,omitempty"`    // the cloud says yes although the premises say no
	Source   string          `json:"source,omitempty"`   // URL of Microsoft's page, or "ours"
	Evidence []string        `json:"evidence,omitempty"` // lines of the domain controller's and the identity provider's own logs
	TraceID  authn.AttemptID `json:"traceId,omitempty"`
}
