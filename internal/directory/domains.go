package directory

import (
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Domain is a domain of the tenant as configured.
type Domain struct {
	Name   string        `json:"name"`
	Path   authn.Path    `json:"path"`
	IdP    string        `json:"idp,omitempty"` // federated: which one
	PHS    bool          `json:"passwordHashSync"`
	Expiry time.Duration `json:"passwordExpiry,omitempty"` // of cloud passwords; 0: none
}

// IdP is an external identity provider as configured: for which domains it may speak, and how it names their people.
type IdP struct {
	ID       string
	Protocol string // saml or oidc
	Issuer   string
	Domains  []string
	Match    authn.Match
}

// Override is a swap of a domain's path at run time. It wins over the file until it is dropped.
type Override struct {
	Domain string     `json:"domain"`
	Path   authn.Path `json:"path"`
	IdP    string     `json:"idp,omitempty"`
	By     string     `json:"by"`
	Reason string     `json:"reason,omitempty"`
	At     time.Time  `json:"at"`
}

// Discovery is what anybody may learn of a domain.
type Discovery struct {
	Domain        string `json:"domain"`
	NamespaceType string `json:"namespaceType"` // Managed, Federated or Unknown
	Protocol      string `json:"protocol,omitempty"`
	IdP           string `json:"idp,omitempty"`
}
