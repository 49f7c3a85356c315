package directory

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/fourways-id/fourways/authn"
)

// MaySignIn reports that neither the account's master nor an administrator keeps the person out.
func (u User) MaySignIn() bool { return u.Enabled && !u.Blocked }

// Emergency reports an administrator who can sign in with everything on-premises down.
func (u User) Emergency() bool { return u.Admin && !u.Synced && u.MaySignIn() }

// Tag is the version of the account. When it was last synchronised is no part of it.
func (u User) Tag() string {
	u.Onprem.SyncedAt = time.Time{}
	return Tag(u)
}

// Mastered is who masters the account, in words.
func (u User) Mastered() string {
	if u.Synced {
		return "on-premises"
	}
	return "in the cloud"
}

// KeepCloud is a synchronised account with what the cloud masters taken from the account as it stands now, so that a
// synchronisation that read it earlier undoes no administrator's change.
func (u User) KeepCloud(now User) User {
	u.ID, u.Created = now.ID, now.Created
	u.Blocked, u.Admin, u.MustChange, u.Leaked = now.Blocked, now.Admin, now.MustChange, now.Leaked
	u.UsageLocation = u.Onprem.Location
	// One that differs from the premises' was set here before the account was taken over.
	if u.LocationHere = now.UsageLocation != "" && (now.LocationHere || now.UsageLocation != now.Onprem.Location); u.LocationHere {
		u.UsageLocation = now.UsageLocation
	}
	return u
}

// UserChange changes an account; what is nil stays as it is.
type UserChange struct {
	UPN           *string `json:"userPrincipalName,omitempty"`
	DisplayName   *string `json:"displayName,omitempty"`
	GivenName     *string `json:"givenName,omitempty"`
	Surname       *string `json:"surname,omitempty"`
	Mail          *string `json:"mail,omitempty"`
	Department    *string `json:"department,omitempty"`
	JobTitle      *string `json:"jobTitle,omitempty"`
	ImmutableID   *string `json:"immutableId,omitempty"` // by hand, where another identity provider signs the person in and no directory masters the account
	UsageLocation *string `json:"usageLocation,omitempty"`
	Enabled       *bool   `json:"accountEnabled,omitempty"`
	Blocked       *bool   `json:"signInBlocked,omitempty"`
	Admin         *bool   `json:"admin,omitempty"`
	MustChange    *bool   `json:"forceChangePasswordNextSignIn,omitempty"`
}

// Apply changes u, or refuses as a whole: an attribute that is mastered on-premises is an ErrMastered, a value that can't be
// is an error that says what can.
func (c UserChange) Apply(u User) (User, error) {
	before := u
	for _, f := range []struct {
		name string
		to   *string
		at   *string
	}{
		{"userPrincipalName", c.UPN, &u.UPN},
		{"displayName", c.DisplayName, &u.DisplayName},
		{"givenName", c.GivenName, &u.GivenName},
		{"surname", c.Surname, &u.Surname},
		{"mail", c.Mail, &u.Mail},
		{"department", c.Department, &u.Department},
		{"jobTitle", c.JobTitle, &u.JobTitle},
		{"immutableId", c.ImmutableID, &u.Onprem.Anchor},
		{"usageLocation", c.UsageLocation, &u.UsageLocation},
	} {
		if f.to == nil {
			continue
		}
		if err := setText(attribute(f.name), before, f.at, strings.TrimSpace(*f.to)); err != nil {
			return before, err
		}
	}
	if c.Enabled != nil && *c.Enabled != u.Enabled && u.Synced {
		return before, attribute("accountEnabled").mastered(u.UPN)
	}
	setFlag(&u.Enabled, c.Enabled)
	setFlag(&u.Blocked, c.Blocked)
	setFlag(&u.Admin, c.Admin)
	setFlag(&u.MustChange, c.MustChange)
	if c.UsageLocation != nil {
		u.LocationHere = u.Synced && u.UsageLocation != ""
	}
	if u.UsageLocation == "" {
		u.UsageLocation = u.Onprem.Location
	}
	return u, nil
}

func setFlag(at, to *bool) {
	if to != nil {
		*at = *to
	}
}

// setText judges one text attribute and sets it.
func setText(a Attribute, u User, at *string, to string) error {
	if a.Name == "userPrincipalName" {
		to = authn.ParseIdentifier(to).UPN()
		if to == "" {
			return errors.New("this is no user principal name: give name@domain, ASCII, at most 64 characters before the @ and 48 after it, and no dot beside the @")
		}
	}
	if to == strings.TrimSpace(*at) {
		return nil
	}
	if u.Synced && !a.Cloud {
		return a.mastered(u.UPN)
	}
	if err := a.Check(to); err != nil {
		return err
	}
	if a.Name == "usageLocation" && to != "" {
		to, _ = UsageLocation(to) // judged above
	}
	*at = to
	return nil
}

// Printable reports that a character may stand in a name: what can be seen, every kind of space, and the joiners that Persian,
// Indic scripts and emoji are written with.
func Printable(r rune) bool { return unicode.IsGraphic(r) || r == '\u200C' || r == '\u200D' }

// Check judges a value of the attribute; "" clears one that may be empty.
func (a Attribute) Check(s string) error {
	most := a.Most
	if most == 0 {
		most = 256
	}
	if utf8.RuneCountInString(s) > most || !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError) || strings.ContainsFunc(s, func(r rune) bool { return !Printable(r) }) {
		return fmt.Errorf("%s is one line of at most %d printable characters", a.Name, most)
	}
	switch a.Name {
	case "displayName":
		if s == "" {
			return fmt.Errorf("%s can't be empty", a.Name)
		}
	case "mail":
		if at, err := mail.ParseAddress(s); s != "" && (err != nil || at.Address != s) {
			return fmt.Errorf("%q is no mail address: give name@domain", s)
		}
	case "usageLocation":
		if s != "" {
			_, err := UsageLocation(s)
			return err
		}
	case "immutableId":
		if strings.ContainsFunc(s, func(r rune) bool { return r > '~' || r <= ' ' }) {
			return fmt.Errorf("an immutable ID is ASCII without blanks, at most %d characters", most)
		}
	}
	return nil
}

// Differences says what changed from a to b, for the audit log: "displayName: Ann -> Anna". Attributes alone, never a
// credential.
func Differences(a, b User) []string {
	var all []string
	note := func(name string, before, after any) {
		if before != after {
			all = append(all, fmt.Sprintf("%s: %v -> %v", name, shown(before), shown(after)))
		}
	}
	note("userPrincipalName", a.UPN, b.UPN)
	note("displayName", a.DisplayName, b.DisplayName)
	note("givenName", a.GivenName, b.GivenName)
	note("surname", a.Surname, b.Surname)
	note("mail", a.Mail, b.Mail)
	note("department", a.Department, b.Department)
	note("jobTitle", a.JobTitle, b.JobTitle)
	note("immutableId", a.Onprem.Anchor, b.Onprem.Anchor)
	note("usageLocation", a.UsageLocation, b.UsageLocation)
	note("accountEnabled", a.Enabled, b.Enabled)
	note("signInBlocked", a.Blocked, b.Blocked)
	note("admin", a.Admin, b.Admin)
	note("forceChangePasswordNextSignIn", a.MustChange, b.MustChange)
	return all
}

func shown(v any) any {
	if v == "" {
		return "none"
	}
	return v
}

// DeletedFor is how long a deleted account can be brought back (Microsoft: "Restore or remove a recently deleted user").
const DeletedFor = 30 * 24 * time.Hour

// DeletedUser is an account that can be brought back for a while, with what comes back with it.
type DeletedUser struct {
	User
	Deleted time.Time `json:"deletedDateTime"`
	Groups  []string  `json:"groups"` // ids of those that it comes back to
}
