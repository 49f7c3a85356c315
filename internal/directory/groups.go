package directory

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/fourways-id/fourways/authn"
)

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

// What a group can be told: the bounds of Microsoft Graph's group resource (displayName, description), and the members
// that a synchronised group may have ("Microsoft Entra Connect Sync: Understand the default configuration").
const (
	LongestName        = 256     // characters of a group's or a contact's name
	LongestDescription = 1024    // characters
	MostMembers        = 250_000 // direct members of a group, of whatever kind
)

// MemberKind is what a member of a group is.
type MemberKind string

// The kinds of members, in the order in which a list has them.
const (
	ContactMember MemberKind = "contact"
	GroupMember   MemberKind = "group"
	UserMember    MemberKind = "user"
)

// MemberKinds lists them.
func MemberKinds() []MemberKind { return []MemberKind{ContactMember, GroupMember, UserMember} }

// MemberRef names one member.
type MemberRef struct {
	Kind MemberKind `json:"kind"`
	ID   string     `json:"id"`
}

// Member is one member as a list shows it.
type Member struct {
	MemberRef
	Name   string `json:"displayName"`
	UPN    string `json:"userPrincipalName,omitempty"` // of a user
	Mail   string `json:"mail,omitempty"`              // of a contact
	Synced bool   `json:"onPremisesSyncEnabled"`
	Direct bool   `json:"direct"` // false: a member of a nested group only
}

// Cursor is where the next page goes on.
func (m MemberRef) Cursor() string { return string(m.Kind) + " " + m.ID }

// MemberQuery pages through the members of a group, by kind and id.
type MemberQuery struct {
	Kind       MemberKind // "" for all
	Transitive bool       // also the members of nested groups, however deep
	After      string     // of the last member before: Cursor
	Limit      int        // 0: the store's own bound
}

// GroupQuery pages through groups, and through contacts, by name and id.
type GroupQuery struct {
	Prefix string // that the name begins with, spelled exactly; "" for all
	After  string // of the last one before: Cursor
	Limit  int    // 0: the store's own bound
}

// GroupUses is what a group is good for, besides its members.
type GroupUses struct {
	Members  int      `json:"memberCount"`            // direct ones, of all kinds
	Plans    []string `json:"plans,omitempty"`        // that it gives its direct members
	Apps     []string `json:"applications,omitempty"` // to which it is assigned
	Rollout  bool     `json:"stagedRollout,omitempty"`
	PartOf   int      `json:"memberOfCount"` // groups of which it is a direct member
	Contains int      `json:"groupCount"`    // groups that are direct members
}

// Busy says what would be lost with the group, as half a sentence; "" when nothing but its members.
func (u GroupUses) Busy() string {
	var all []string
	if len(u.Plans) > 0 {
		all = append(all, "gives the licences "+strings.Join(u.Plans, ", "))
	}
	if len(u.Apps) > 0 {
		all = append(all, "is assigned to "+strings.Join(u.Apps, ", "))
	}
	if u.Rollout {
		all = append(all, "is in a staged roll-out")
	}
	return strings.Join(all, " and ")
}

// Membership is one group of an account, of a group or of a contact.
type Membership struct {
	Group
	Direct bool `json:"direct"` // false: by way of another group only
}

// Tag is the group's version, whoever its members are.
func (g Group) Tag() string { return Tag(g.Bare()) }

// Bare is the group without its members.
func (g Group) Bare() Group {
	g.Members, g.Nested, g.Contacts = nil, nil, nil
	return g
}

// Cursor is where the next page goes on.
func (g Group) Cursor() string { return cursor(g.ID, g.Name) }

// Tag is the contact's version.
func (c Contact) Tag() string { return Tag(c) }

// Cursor is where the next page goes on.
func (c Contact) Cursor() string { return cursor(c.ID, c.Name) }

func cursor(id, name string) string { return id + " " + name }

// AfterName takes the After of a GroupQuery apart.
func (q GroupQuery) AfterName() (name, id string) {
	id, name, _ = strings.Cut(q.After, " ")
	return name, id
}

// Check says what is wrong with a group that is mastered here, as a sentence.
func (g Group) Check() error {
	if n := utf8.RuneCountInString(g.Description); n > LongestDescription {
		return fmt.Errorf("the description has %d characters: at most %d fit", n, LongestDescription)
	}
	return checkName("group", g.Name)
}

// Check says what is wrong with a contact that is mastered here, as a sentence.
func (c Contact) Check() error {
	return errors.Join(checkName("contact", c.Name), CheckMail(c.Mail))
}

func checkName(what, name string) error {
	switch n := utf8.RuneCountInString(name); {
	case strings.TrimSpace(name) == "":
		return fmt.Errorf("a %s needs a name", what)
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("%q begins or ends with a space: leave it out", name)
	case n > LongestName:
		return fmt.Errorf("the name has %d characters: at most %d fit", n, LongestName)
	}
	return nil
}

// longestMail bounds an address, in octets (RFC 5321, section 4.5.3.1.3: a path of 256 has two brackets).
const longestMail = 254

// CheckMail says what is wrong with a mail address, as a sentence. It is local@domain and nothing around it (RFC 5322,
// section 3.4.1); the domain may be spelled in another script (RFC 5890), the part before the @ is ASCII, because few mail
// servers take more (RFC 6531). Whether anybody reads mail there is not asked.
func CheckMail(address string) error {
	wrong := func(why string) error {
		return fmt.Errorf("%.80q is no mail address: %s", address, why)
	}
	a, err := mail.ParseAddress(address)
	if err != nil || a.Address != address {
		return wrong("give it as name@domain, with nothing around it")
	}
	at := strings.LastIndexByte(address, '@')
	local, domain := address[:at], address[at+1:]
	if strings.ContainsFunc(local, func(r rune) bool { return r > '~' || r < '!' }) {
		return wrong("the part before the @ is ASCII, without spaces")
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil || !strings.Contains(ascii, ".") {
		return wrong("what follows the @ is no domain name")
	}
	if n := len(local) + 1 + len(ascii); n > longestMail || len(local) > 64 {
		return wrong(fmt.Sprintf("it is too long: at most 64 characters before the @ and %d in all", longestMail))
	}
	return nil
}

// CycleError says that a group would contain itself. It names the way: A -> B -> A.
type CycleError struct{ Way []string }

func (e CycleError) Error() string {
	return "a group can't contain itself: " + strings.Join(e.Way, " -> ")
}

// Unwrap makes it a conflict with what is there.
func (CycleError) Unwrap() error { return ErrConflict }
