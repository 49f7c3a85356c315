package world

import "github.com/fourways-id/fourways/authn"

// Password is the password of nearly everybody in a lab whose passwords are public.
const Password = "Spring-2025!"

// The public passwords of the people for whom another one works.
const (
	heidiNew  = "Summer-2025!"  // on-premises, not synchronised
	graceTemp = "Welcome-2025!" // on-premises, good only for being changed
	malloryPW = "Password1"     // spray bait
)

// Passwords is what every person's password begins with in a lab that others reach; "": they are public.
type Passwords string

// Common is the password of nearly everybody.
func (s Passwords) Common() string { return s.spoken(Password) }

// spoken is the password that stands for a public one in this lab.
func (s Passwords) spoken(public string) string {
	switch {
	case s == "":
		return public
	case public == Password:
		return string(s)
	}
	return string(s) + "-" + public
}

// first is the person's password before anything befalls them.
func (s Passwords) first(p person) string {
	if p.password != "" {
		return s.spoken(p.password)
	}
	return s.Common()
}

// worksOn is the password that the path would take: phs knows the synchronised one, the others the directory's.
func (s Passwords) worksOn(path authn.Path, p person) string {
	if p.newPassword != "" && path != authn.PathPHS && path != authn.PathCloud {
		return s.spoken(p.newPassword)
	}
	return s.first(p)
}
