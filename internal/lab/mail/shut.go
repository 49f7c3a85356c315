package mail

import (
	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// shutView is why the mailbox stays shut.
type shutView struct {
	Visitor
	Reason authn.Reason
	Grant  directory.Grant
}

// Unavailable reports that nobody could tell.
func (v shutView) Unavailable() bool { return v.Reason == authn.Internal }

// Told is what the person may learn of the reason.
func (v shutView) Told() authn.PublicError { return v.Reason.Public() }

// Do is what the person can do about it.
func (v shutView) Do() string {
	switch v.Reason {
	case authn.NotLicensed:
		return "Ask your administrator for a licence that includes mail. When you have one, open this page again: there is no need to sign in anew."
	case authn.NotAssigned:
		return "Ask your administrator to assign you to Harbour Mail. When that is done, open this page again: there is no need to sign in anew."
	default:
		return "Open this page again in a moment."
	}
}

// Licences are those that the person has and that don't help, each in words; none where it isn't for want of one.
func (v shutView) Licences() []string {
	if v.Reason != authn.NotLicensed {
		return nil
	}
	var all []string
	for _, h := range v.Grant.Held {
		words := h.Plan + " is " + string(h.State)
		if h.Why != "" {
			words += ": " + h.Why
		}
		if h.State == directory.LicenceActive {
			words += ", and does not include what this application needs"
		}
		all = append(all, words)
	}
	return all
}

// Hints are the commands by which an administrator looks and helps.
func (v shutView) Hints() []string {
	switch v.Reason {
	case authn.NotLicensed:
		return append([]string{"fourways license list --user " + v.UPN}, v.repairs()...)
	case authn.NotAssigned:
		return []string{"fourways app show " + ID, "fourways app assign " + ID + " " + v.UPN}
	default:
		return nil
	}
}

// repairs gives what each refused licence waits for; where none is refused, a licence is missing.
func (v shutView) repairs() []string {
	var all []string
	for _, h := range v.Grant.Held {
		switch h.Why {
		case directory.WhyNoLocation:
			all = append(all, "fourways user update "+v.UPN+" --usage-location NL")
		case directory.WhyNoSeat:
			all = append(all, "fourways license plans")
		}
	}
	if len(all) == 0 {
		all = append(all, "fourways license assign PLAN "+v.UPN)
	}
	return all
}
