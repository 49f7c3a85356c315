package directory

import (
	"slices"
	"strings"
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

// KeptDomain is what the store knows of a domain: one that was added at run time, or what was set at run time for one of
// the configuration file. What is nil is as the file has it, or as a new domain begins.
type KeptDomain struct {
	Name     string         `json:"name"`
	Added    time.Time      `json:"added,omitzero"`      // at run time; zero: the file's, of which only settings are kept
	Token    string         `json:"token,omitempty"`     // what the TXT record must hold
	Verified time.Time      `json:"verified,omitzero"`   // zero: nobody signs in there
	Vouched  string         `json:"vouchedBy,omitempty"` // who said so without DNS
	PHS      *bool          `json:"passwordHashSync,omitempty"`
	Expiry   *time.Duration `json:"passwordExpiry,omitempty"`
	By       string         `json:"by"` // who changed it last
	At       time.Time      `json:"at"`
}

// Tag is the version of what is kept.
func (k KeptDomain) Tag() string { return Tag(k) }

// Empty reports that nothing is kept any more.
func (k KeptDomain) Empty() bool { return k.Added.IsZero() && k.PHS == nil && k.Expiry == nil }

// Served reports a domain that was added at run time and verified.
func (k KeptDomain) Served() bool { return !k.Added.IsZero() && !k.Verified.IsZero() }

// over puts what was set at run time over a configured domain.
func (k KeptDomain) over(d Domain) Domain {
	if k.PHS != nil {
		d.PHS = *k.PHS
	}
	if k.Expiry != nil {
		d.Expiry = *k.Expiry
	}
	return d
}

// Standing is what the store says of a domain and, when it was asked for, of one account.
type Standing struct {
	Override *Override
	Domain   *KeptDomain
	Rollouts []NamedRollout // of the groups that the account is a direct member of
	Groups   []NamedGroup   // those of the configuration's roll-outs that it is a direct member of
}

// NamedGroup is a group's id and name.
type NamedGroup struct{ ID, Name string }

// merged is a domain that is served: one of the file, or one that was added and verified, with what was set at run time.
func merged(conf []Domain, name string, kept *KeptDomain) (Domain, bool) {
	i := slices.IndexFunc(conf, func(d Domain) bool { return d.Name == name })
	switch {
	case i >= 0 && kept == nil:
		return conf[i], true
	case i >= 0:
		return kept.over(conf[i]), true
	case kept != nil && kept.Served():
		return kept.over(Domain{Name: kept.Name, Path: authn.PathCloud}), true
	}
	return Domain{}, false
}

// DomainDetail is a domain as an administrator sees it: verified or not, and where each setting comes from.
type DomainDetail struct {
	Name       string        `json:"name"`
	Source     string        `json:"source"` // file, or tenant: added at run time
	Verified   bool          `json:"verified"`
	VerifiedBy string        `json:"verifiedBy,omitempty"` // file, dns, or who vouched
	Record     string        `json:"record,omitempty"`     // unverified: the TXT record that proves it
	Initial    bool          `json:"initial,omitempty"`    // new accounts get it when none is named
	Path       authn.Path    `json:"path,omitempty"`       // in force
	PHS        bool          `json:"passwordHashSync"`
	PHSFrom    string        `json:"passwordHashSyncFrom"` // file, default, or who set it at run time
	Expiry     time.Duration `json:"passwordExpiry"`       // nanoseconds; 0: none
	ExpiryFrom string        `json:"passwordExpiryFrom"`
	Version    string        `json:"version,omitempty"` // of what was set at run time
}

// Tag is the version that a change names, and one of all that is shown.
func (d DomainDetail) Tag() string { return d.Version + "." + Tag(d) }

// VerificationRecord is the TXT record that proves a domain, by its token.
func VerificationRecord(token string) string { return "fourways-domain-verification=" + token }

// SamePath reports that people sign in the same way by both: by the same path and, federated, at the same provider.
func (d Domain) SamePath(o Domain) bool { return d.Path == o.Path && d.idp() == o.idp() }

// Way is the path in short, with the identity provider when there is one.
func (d Domain) Way() string { return strings.TrimSpace(string(d.Path) + " " + d.idp()) }

// idp is the identity provider that counts: none unless the path is federated.
func (d Domain) idp() string {
	if d.Path != authn.PathFederated {
		return ""
	}
	return d.IdP
}

// With is the domain with its swap, if there is one.
func (d Domain) With(o *Override) Domain {
	if o != nil {
		d.Path, d.IdP = o.Path, o.IdP
	}
	return d
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
