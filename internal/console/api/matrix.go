package api

import (
	"time"

	"github.com/fourways-id/fourways/authn"
)

// MatrixRequest asks for a run.
type MatrixRequest struct {
	IdP string `json:"idp,omitempty"` // which federation: saml, which "" is too, or oidc
}

// Matrix is one run of the account states by the paths.
type Matrix struct {
	At         time.Time    `json:"at"`
	Took       int64        `json:"milliseconds"`     // with the copy's start
	IdP        string       `json:"idp"`              // saml or oidc
	Live       int          `json:"live"`             // cells that were run
	AsExpected int          `json:"asExpected"`       // of those
	Cells      []MatrixCell `json:"cells"`            // row by row, in the order of the table
	Traces     []Trace      `json:"traces,omitempty"` // of the live cells: the copy they ran in is gone
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
	Amber    bool            `json:"amber,omitempty"`         // the cloud says yes although the premises say no
	Source   string          `json:"source,omitempty"`        // URL of Microsoft's page, or "ours"
	Evidence []string        `json:"evidence,omitempty"`      // lines of the domain controller's and the identity provider's own logs
	TraceID  authn.AttemptID `json:"traceId,omitempty"`       // also the correlation id
	Second   authn.AttemptID `json:"secondTraceId,omitempty"` // of a cell that tries two passwords
}
