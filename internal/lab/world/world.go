// Package world says who lives in the demo world: the cast, what befalls each of them, their groups and contacts, and the
// crowd. All of it comes out of a seed.
//
// In come what the world is made of and what its people's passwords begin with; out come names, entries for a directory,
// ids and times, the same ones for the same seed. It starts nothing, dials nothing, and reads neither a file nor a clock.
package world

import (
	"fmt"

	"github.com/fourways-id/fourways/authn"
)

// The domains of the demo world. LabDomain is the one to switch.
const (
	CloudDomain = "cloud.example.test"
	PHSDomain   = "phs.example.test"
	PTADomain   = "pta.example.test"
	SAMLDomain  = "saml.example.test"
	OIDCDomain  = "oidc.example.test"
	LabDomain   = "lab.example.test"
)

// ForestDomain is the domain of the forest itself; the tenant doesn't have it.
const ForestDomain = "corp.example.test"

// Where the forest keeps its people.
const (
	BaseDN   = "DC=corp,DC=example,DC=test"
	PeopleDN = "OU=Synced," + BaseDN // those who are synchronised
)

// Hybrid lists the domains whose people live in the forest.
func Hybrid() []string { return []string{PHSDomain, PTADomain, SAMLDomain, OIDCDomain, LabDomain} }

// Domains lists the tenant's domains: the cloud's, then the hybrid ones.
func Domains() []string { return append([]string{CloudDomain}, Hybrid()...) }

// PathOf is the path that a domain of the demo world begins with.
func PathOf(domain string) authn.Path {
	switch domain {
	case CloudDomain:
		return authn.PathCloud
	case PTADomain:
		return authn.PathPTA
	case SAMLDomain, OIDCDomain:
		return authn.PathFederated
	default:
		return authn.PathPHS
	}
}

// MostCrowd bounds the crowd.
const MostCrowd = 1_000_000

// Spec says what a lab's world is made of. It is written down when the lab is made and never changes: a world that is
// half of one seed and half of another would be nobody's.
type Spec struct {
	Seed         int  `json:"seed"`                   // the same seed makes the same people, ids, anchors and times; 0: the folder's, or 1
	Crowd        int  `json:"crowd"`                  // so many people beside the cast; 0: the folder's, or none
	UniqueHashes bool `json:"uniqueHashes,omitempty"` // each of the crowd has a hash of its own, as in production
	Exposed      bool `json:"exposed,omitempty"`      // others reach it, so its passwords are random
}

// CrowdText says what the crowd is, for people.
func (s Spec) CrowdText() string {
	switch {
	case s.Crowd == 0:
		return "no crowd"
	case s.UniqueHashes:
		return fmt.Sprintf("a crowd of %d with hashes of their own", s.Crowd)
	}
	return fmt.Sprintf("a crowd of %d who share a hash", s.Crowd)
}
