package world

import (
	"encoding/base64"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/lab/dc"
)

const crowdDN = "OU=Crowd," + PeopleDN

// CrowdUnit is the part of the forest that the crowd lives in.
func CrowdUnit() dc.Entry { return unit("Crowd", PeopleDN) }

// CrowdName is the name of the i-th of the crowd, from 1 on. They are dealt to the domains in turn: 1 to the cloud's, 2 to
// that of password hash synchronisation, then pta, saml, oidc and lab, and 7 to the cloud's again.
func CrowdName(i int) string { return fmt.Sprintf("user%06d@%s", i, crowdDomain(i)) }

func crowdDomain(i int) string {
	all := Domains()
	return all[(i-1)%len(all)]
}

// Member is one of the crowd.
type Member struct {
	UPN, Domain string

	number string
	guid   string    // of the forest's entry
	set    time.Time // the password
}

// Member is the i-th of this world's crowd, from 1 on.
func (s Spec) Member(i int) Member {
	upn := CrowdName(i)
	_, changed := s.Times(upn)
	return Member{UPN: upn, Domain: crowdDomain(i), number: fmt.Sprintf("%06d", i), guid: s.guid(upn), set: changed}
}

// Display is the member's name for people.
func (m Member) Display() string { return "User " + m.number }

func (m Member) dn() string  { return "CN=" + m.Display() + " (" + key(m.Domain) + ")," + crowdDN }
func (m Member) sam() string { return "user" + m.number + "." + key(m.Domain) }

// Entry is the member in the forest.
func (m Member) Entry(password string) dc.Entry {
	return dc.Entry{DN: m.dn(), Password: password, Attrs: map[string][]string{
		"objectClass": {"user"}, "objectGUID": {m.guid}, "sAMAccountName": {m.sam()},
		"userPrincipalName": {m.UPN}, "mail": {m.UPN}, "displayName": {m.Display()}, "givenName": {"User"}, "sn": {m.number},
		"userAccountControl": {"66048"}, "pwdLastSet": {filetime(m.set)}, "msExchUsageLocation": {"NL"},
	}}
}

// Object is the member as a synchronisation reads that entry, but for the hash.
func (m Member) Object() dirsync.Object {
	id := base64.StdEncoding.EncodeToString([]byte(m.guid))
	return dirsync.Object{
		Kind: dirsync.User, ID: id, Anchor: id, DN: m.dn(), UPN: m.UPN, SAM: m.sam(), Mail: m.UPN,
		DisplayName: m.Display(), GivenName: "User", Surname: m.number, UsageLocation: "NL", Enabled: true, PasswordAt: m.set,
	}
}
