package api

import (
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// NewUser asks for an account that no on-premises directory masters.
type NewUser struct {
	UPN           string `json:"userPrincipalName"`
	DisplayName   string `json:"displayName,omitempty"` // "": the name
	GivenName     string `json:"givenName,omitempty"`
	Surname       string `json:"surname,omitempty"`
	Mail          string `json:"mail,omitempty"`
	Department    string `json:"department,omitempty"`
	JobTitle      string `json:"jobTitle,omitempty"`
	UsageLocation string `json:"usageLocation,omitempty"`
	ImmutableID   string `json:"immutableId,omitempty"` // by which another identity provider names the person
	Admin         bool   `json:"admin,omitempty"`
	MustChange    bool   `json:"forceChangePasswordNextSignIn,omitempty"`
	Password      string `json:"password,omitempty"` // may be left out where the gateway doesn't ask for one
}

// NewPassword sets or resets a cloud password.
type NewPassword struct {
	Password   string `json:"password,omitempty"`
	Generate   bool   `json:"generate,omitempty"`                      // the answer holds one that was made up
	MustChange bool   `json:"forceChangePasswordNextSignIn,omitempty"` // at the next sign-in
	Force      bool   `json:"force,omitempty"`                         // also where the person's path asks for another password
}

// PasswordSet is the answer; Password is shown this once, when it was made up.
type PasswordSet struct {
	User     string `json:"userPrincipalName"`
	Password string `json:"password,omitempty"`
	Done     string `json:"done"` // what was set, and where and how long it counts
}

// UserDetail is all that an administrator may know of an account.
type UserDetail struct {
	directory.User
	SignsIn     SignsIn             `json:"signIn"`
	Groups      []directory.Group   `json:"groups"`
	Licences    []directory.Licence `json:"licenses"`
	Credentials []CredentialKind    `json:"credentials"`
	LockedUntil time.Time           `json:"lockedUntil,omitzero"`
	Failures    int                 `json:"failures,omitempty"` // wrong passwords in a row
	Sessions    int                 `json:"sessions"`
}

// SignsIn is the way in that an account takes now, and the rule that decides.
type SignsIn struct {
	Path authn.Path `json:"path"`
	IdP  string     `json:"idp,omitempty"`
	Rule string     `json:"rule"`
}

// CredentialKind is which credential is stored, never the credential.
type CredentialKind struct {
	Scheme  string    `json:"scheme"` // cloud or phs
	Source  string    `json:"source"`
	Changed time.Time `json:"changed,omitzero"`
}

// Removed is an account that was deleted; until then it can be restored. Zero: it is gone for good.
type Removed struct {
	User  directory.User `json:"user"`
	Until time.Time      `json:"restorableUntil,omitzero"`
}

// Restore brings a deleted account back, under another name where one is given.
type Restore struct {
	UPN string `json:"userPrincipalName,omitempty"`
}
