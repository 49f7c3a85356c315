package api

import "github.com/fourways-id/fourways/internal/directory"

// NewDomain asks for a domain; it is unverified.
type NewDomain struct {
	Name string `json:"name"`
}

// VerifyDomain proves a domain: by its TXT record, or because an administrator vouches for it.
type VerifyDomain struct {
	Vouch bool `json:"vouch,omitempty"`
}

// DomainChange changes settings of a domain; what is left out stays as it is. "file" gives a setting back to the configuration file.
type DomainChange struct {
	HashSync *string `json:"passwordHashSync,omitempty"` // on, off or file
	Expiry   *string `json:"passwordExpiry,omitempty"`   // 90d, 36h, none or file
}

// DomainChanged is a domain after a change.
type DomainChanged struct {
	directory.DomainDetail
	Dropped int `json:"droppedHashes,omitempty"` // synchronised hashes that the switch removed
}
