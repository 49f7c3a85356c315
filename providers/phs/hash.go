package phs

import (
	"errors"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Hash is a synchronised record, where it came from, and what is known of the password on-premises.
type Hash struct {
	Record        string    // v1;PPH1_MD4,salt,rounds,hash;  "" when the account has none
	Source        string    // id of the run that brought it, or SourceCloud
	Synced        time.Time // when it was stored here
	ChangedOnprem time.Time // the on-premises change of the password that Record is of; zero: not known, or set in the cloud
	PendingSince  time.Time // a later on-premises change, whose hash is not here; zero: none is known
	Withheld      string    // why the on-premises hash does not come: one of the Withheld... below, or in words; "": it does
	MustChange    bool      // Record is of a temporary password, which has to be changed before it lets anybody in
}

// SourceCloud is the Source of a password that an administrator set in the cloud. It counts until the next change on-premises.
const SourceCloud = "cloud"

// Why a hash stays on-premises, in the words of the agents.
const (
	WithheldTemporary = "temporary" // it must be changed at the next logon
	WithheldFiltered  = "filtered"  // adminDescription keeps it out (selective password hash synchronisation)
	WithheldMissing   = "missing"   // the agent can't read one
	WithheldMalformed = "malformed" // what the agent reads is no NT hash
)

// syncNow is what brings a hash that was changed a moment ago.
const syncNow = "`fourways sync run --kind hash`"

var (
	errTemporary = errors.New("the password is a temporary one, and there is no write-back: let the person change it on-premises, then " + syncNow)
	errNone      = errors.New("no password hash of this account has been synchronised yet: run `fourways sync run`, or look why its domain has none")
)

// pending is the on-premises change whose hash is not here; zero: none.
func (h Hash) pending() time.Time {
	if !h.PendingSince.After(h.ChangedOnprem) {
		return time.Time{}
	}
	return h.PendingSince
}

// temporary reports that the password lets nobody in before it is changed. One that was set in the cloud took the place of a
// temporary one of the premises.
func (h Hash) temporary() bool { return h.MustChange && h.Source != SourceCloud }

// tell puts what is known into step H0, which ended as skipped when nothing was loaded.
func (h Hash) tell(s authn.Step) authn.Step {
	if h.Record != "" {
		s.Result = authn.StepOK
		s = s.With(authn.FactSynced, h.Synced.UTC().Format(time.RFC3339)).Hold(authn.Store, authn.FormHashOfHash+authn.Stored)
		if h.Source == SourceCloud {
			s = s.With(authn.FactSource, SourceCloud)
		} else {
			s = s.With(authn.FactRun, h.Source)
		}
	}
	if at := h.pending(); !at.IsZero() {
		s = s.With(authn.FactChanged, at.UTC().Format(time.RFC3339))
	}
	return s.With(authn.FactWithheld, h.Withheld)
}

// whyWrong is the operator's hint beside a wrong password; nil when nothing is known but that it is wrong.
func (h Hash) whyWrong(now time.Time) error {
	switch {
	case !h.pending().IsZero():
		return h.late(now)
	case h.Source == SourceCloud:
		return errors.New("the password was set in the cloud: the one on-premises counts again after its next change there")
	}
	return nil
}

// whyNone is the operator's hint beside a hash that is not here.
func (h Hash) whyNone(now time.Time) error {
	if h.Withheld != "" || !h.pending().IsZero() {
		return fmt.Errorf("no password hash of this account is here: %w", h.late(now))
	}
	return errNone
}

// late says why a password that was changed on-premises is not here.
func (h Hash) late(now time.Time) error {
	changed := "the password"
	if at := h.pending(); !at.IsZero() {
		changed = fmt.Sprintf("the password was changed on-premises %s ago and", ago(now.Sub(at)))
	}
	switch h.Withheld {
	case "":
		return fmt.Errorf("%s has not been synchronised yet: %s", changed, syncNow)
	case WithheldTemporary:
		return fmt.Errorf("%s is withheld until it is changed: it is a temporary one, to be changed at the next logon on-premises", changed)
	case WithheldFiltered:
		return fmt.Errorf("%s is not synchronised: its adminDescription keeps the hash on-premises", changed)
	case WithheldMissing, WithheldMalformed:
		return fmt.Errorf("%s could not be synchronised, since its hash is %s: `fourways sync explain` says more", changed, h.Withheld)
	default:
		return fmt.Errorf("%s could not be synchronised: %s", changed, h.Withheld)
	}
}

// ago is a time span as an operator says it: seconds below two minutes, else minutes or whole hours.
func ago(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	default:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
}
