package api

import "github.com/fourways-id/fourways/internal/directory"

// NewGroup asks for a group that is mastered here.
type NewGroup struct {
	Name        string `json:"displayName"`
	Description string `json:"description,omitempty"`
}

// GroupChange changes a group; what is left out stays as it is.
type GroupChange struct {
	Name        *string `json:"displayName,omitempty"`
	Description *string `json:"description,omitempty"`
}

// GroupDetail is a group and what it is good for. Its version is that of the group, whoever its members are.
type GroupDetail struct {
	directory.Group
	directory.GroupUses
}

// MemberChange names members that are added to a group or removed from it.
type MemberChange struct {
	Users    []string `json:"users,omitempty"`    // user principal names or ids
	Groups   []string `json:"groups,omitempty"`   // names or ids
	Contacts []string `json:"contacts,omitempty"` // names, mail addresses or ids
}

// MembersChanged is what came of it.
type MembersChanged struct {
	Group   string   `json:"group"`
	Members []string `json:"members"` // that were named, by name
	Changed int      `json:"changed"` // how many of them were not members before, or are none any more
}

// NewContact asks for a contact that is mastered here.
type NewContact struct {
	Name string `json:"displayName,omitempty"` // "": the address
	Mail string `json:"mail"`
}

// ContactChange changes a contact; what is left out stays as it is.
type ContactChange struct {
	Name *string `json:"displayName,omitempty"`
	Mail *string `json:"mail,omitempty"`
}
