package directory

import "github.com/fourways-id/fourways/authn"

// Group is a set of accounts, groups and contacts. A listed group carries no members: they are read page by page.
type Group struct {
	ID          string            `json:"id"`
	Name        string            `json:"displayName"`
	Description string            `json:"description,omitempty"`
	Synced      bool              `json:"onPremisesSyncEnabled"`
	Onprem      Onprem            `json:"onPremises,omitzero"`
	Members     []authn.AccountID `json:"members,omitempty"`  // accounts
	Nested      []string          `json:"groups,omitempty"`   // groups that are members
	Contacts    []string          `json:"contacts,omitempty"` // contacts that are members
}

// Contact is somebody outside who is in the address book and can't sign in.
type Contact struct {
	ID     string `json:"id"`
	Name   string `json:"displayName"`
	Mail   string `json:"mail"`
	Synced bool   `json:"onPremisesSyncEnabled"`
	Onprem Onprem `json:"onPremises,omitzero"`
}
