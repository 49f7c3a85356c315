package api

import (
	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// Mode is how a domain's people sign in now, and why.
type Mode struct {
	Domain   string              `json:"domain"`
	Model    string              `json:"identityModel"`      // cloud-only or hybrid
	Type     string              `json:"authenticationType"` // Managed or Federated
	Path     authn.Path          `json:"path"`
	IdP      string              `json:"idp,omitempty"`
	Protocol string              `json:"protocol,omitempty"`
	PHS      bool                `json:"passwordHashSync"`
	Rule     string              `json:"rule"`
	File     authn.Path          `json:"file"` // what the configuration file says; cloud for a domain that was added at run time
	Override *directory.Override `json:"override,omitempty"`
	Ready    bool                `json:"ready"`
	Why      string              `json:"why,omitempty"` // why it is not ready, or what to know
}

// Version is that of the path and what decided it; whether it is ready may change by itself.
func (m Mode) Version() string { return ModeVersion(m.File, m.Override) }

// ModeVersion is the version of a domain's path.
func ModeVersion(file authn.Path, o *directory.Override) string {
	return directory.Tag(struct {
		File     authn.Path
		Override *directory.Override
	}{file, o})
}

// Tag is the version that a change names, and one of all that is shown.
func (m Mode) Tag() string { return m.Version() + "." + directory.Tag(m) }

// ModeChange swaps a domain's path at run time.
type ModeChange struct {
	Path   authn.Path `json:"path"`
	IdP    string     `json:"idp,omitempty"` // id or protocol; "" for the domain's own
	Reason string     `json:"reason,omitempty"`
}

// ModePreview says what a swap would do. Nothing was changed.
type ModePreview struct {
	Domain string               `json:"domain"`
	From   authn.Path           `json:"from"`
	To     authn.Path           `json:"to"`
	IdP    string               `json:"idp,omitempty"`
	Counts directory.ModeCensus `json:"counts"`
	Agents int                  `json:"liveAgents"` // with the role pta
	Ready  bool                 `json:"ready"`
	Why    string               `json:"why,omitempty"`
	Says   []string             `json:"says"` // in sentences
}
