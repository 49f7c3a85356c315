package dirsync

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// longestAddress bounds one of proxyAddresses, in characters (Microsoft 365: "Prepare for directory synchronization").
const longestAddress = 256

// attributeLimits are the attributes by kind of object and name: "user mail".
func attributeLimits() map[string]directory.Attribute {
	all := map[string]directory.Attribute{}
	for _, a := range directory.Attributes() {
		if a.Back == "" {
			all[cmp.Or(a.Of, User)+" "+a.Name] = a
		}
	}
	return all
}

// takeAttributes takes over what the source says of a person. What can't be taken stays what it was, is listed, and keeps
// nobody from the rest.
func (d *differ) takeAttributes(e entry, u *directory.User) {
	u.DisplayName = cmp.Or(d.take(e, "displayName", cmp.Or(e.DisplayName, e.UPN), u.DisplayName), authn.ParseIdentifier(e.UPN).UPN(), u.UPN)
	u.GivenName = d.take(e, "givenName", e.GivenName, u.GivenName)
	u.Surname = d.take(e, "surname", e.Surname, u.Surname)
	u.Mail = d.take(e, "mail", e.Mail, u.Mail)
	u.Department = d.take(e, "department", e.Department, u.Department)
	u.JobTitle = d.take(e, "jobTitle", e.JobTitle, u.JobTitle)
	u.Onprem.SAM = d.take(e, "onPremisesSamAccountName", e.SAM, u.Onprem.SAM)
	if location := d.take(e, "usageLocation", e.UsageLocation, u.Onprem.Location); location != "" {
		location, _ = directory.UsageLocation(location) // judged
		u.Onprem.Location = location
	} else {
		u.Onprem.Location = ""
	}
	for _, a := range e.ProxyAddresses {
		if n := utf8.RuneCountInString(a); n > longestAddress {
			d.plan.skip(e.Object, "one of proxyAddresses has %d characters, %d is the most: left out", n, longestAddress)
		}
	}
}

// take is what an attribute will be: what is wanted, or what it is now when that can't be taken.
func (d *differ) take(e entry, name, wanted, now string) string {
	a := d.limits[e.Kind+" "+name]
	if wanted == "" || wanted == now || a.Check(wanted) == nil {
		return wanted
	}
	shown := name
	if name == "onPremisesSamAccountName" {
		shown = "sAMAccountName"
	}
	d.plan.skip(e.Object, "%s %s: left out", shown, wrong(a, wanted))
	return now
}

// wrong says why a value can't be taken.
func wrong(a directory.Attribute, s string) string {
	most := cmp.Or(a.Most, longestAddress)
	switch n := utf8.RuneCountInString(s); {
	case n > most:
		return fmt.Sprintf("has %d characters, %d is the most", n, most)
	case a.Name == "mail" && printable(s):
		return fmt.Sprintf("%q is no mail address", shortened(s))
	case a.Name == "usageLocation" && printable(s):
		return fmt.Sprintf("%q is no country of ISO 3166-1", shortened(s))
	}
	return "is not one line of printable characters"
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !directory.Printable(r) })
}

// title is the name of a group or contact: the first of these that can be one, and the object is listed when that is not the
// first that it has.
func (d *differ) title(e entry, now string, names ...string) string {
	first := cmp.Or(names...)
	if name := d.take(e, "displayName", first, now); name != "" {
		return name
	}
	a := d.limits[e.Kind+" displayName"]
	for _, name := range names {
		if name != "" && a.Check(name) == nil {
			return name
		}
	}
	return e.Anchor
}
