package authn

import "time"

// Verdict is what came of a step. The zero value is Undecided, which lets nobody in.
type Verdict uint8

// The verdicts. Denied and Unavailable are never the same value: only a Denied can count towards lockout.
const (
	Undecided   Verdict = iota
	Allowed             // the provider names the person; settle still has to agree
	Challenged          // more is needed; see Challenge
	Denied              // somebody looked, and the answer is no
	Unavailable         // nobody could look
)

var verdictNames = [...]string{"undecided", "allowed", "challenged", "denied", "unavailable"}

func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return verdictNames[Undecided]
}

// MarshalText writes the verdict's name.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads a verdict's name; anything else is Undecided.
func (v *Verdict) UnmarshalText(b []byte) error {
	*v = Undecided
	for i, name := range verdictNames {
		if name == string(b) {
			*v = Verdict(i)
		}
	}
	return nil
}

// MetricOutcome is the verdict's `outcome` label once an attempt has ended: success, failure, error or interrupted.
func (v Verdict) MetricOutcome() string {
	switch v {
	case Allowed:
		return "success"
	case Denied:
		return "failure"
	case Challenged:
		return "interrupted"
	default:
		return "error"
	}
}

// Outcome is all that a provider says about one step. Evidence (Steps) comes back on failure too, and never holds a secret.
type Outcome struct {
	Verdict   Verdict
	Reason    Reason
	Check     StepID  // the check that refused
	Subject   Subject // whom an Allowed names; Allowed without a Subject is refused
	Proof     Proof
	Challenge Challenge
	Keep      []byte // to be handed back in Attempt.Kept: at most MaxKeep bytes, sealed by session, never a clear secret
	Once      []Once // good once: checked and stored in Commit
	Record    []byte // new credential record (rehash, or the changed password), stored in Commit
	Checked   []byte // of a cloud password: the stored record that it was checked against; no other is replaced, and none lets in later
	Steps     []Step
	Err       error // private cause, for the operator only
}

// MaxKeep bounds Outcome.Keep, in bytes: it travels in a cookie.
const MaxKeep = 2048

// Subject is whom an Allowed names: one of our accounts, or a federated person by issuer and name.
type Subject struct {
	Account AccountID // managed paths
	Issuer  string    // federated: who says so
	Anchor  string    // federated: the ImmutableID
	UPN     string    // federated, for Match upn
}

// Proof is how the person was authenticated.
type Proof struct {
	Methods    []string // RFC 8176 names: pwd, mfa, sc
	Context    string   // acr or AuthnContextClassRef
	At         time.Time
	IdPSession string    // SessionIndex or sid, for logout
	NotAfter   time.Time // the IdP's limit on our session; zero: none
}

// Once is an id that may be used one time only, until it expires anyhow.
type Once struct {
	Kind  string // "assertion", "code", "state"
	ID    string
	Until time.Time
}

// ChallengeKind says what a Challenge asks for.
type ChallengeKind string

// The closed list of challenges.
const (
	AskPassword    ChallengeKind = "password"
	ChangePassword ChallengeKind = "change_password"
	AskCode        ChallengeKind = "code"
	Redirect       ChallengeKind = "redirect"
	Post           ChallengeKind = "post"
)

// Challenge is what the browser is to do next, as data. URL is for Redirect and Post, Form for Post. Message is what the
// person is told about it: why a password must be changed, or why the new one was not taken.
type Challenge struct {
	Kind    ChallengeKind
	URL     string
	Form    map[string]string
	Message string
}

// Allow is the outcome of a provider that knows the person.
func Allow(s Subject, p Proof, steps ...Step) Outcome {
	return Outcome{Verdict: Allowed, Subject: s, Proof: p, Steps: steps}
}

// Deny is the outcome of a provider that looked and says no; check is the step that refused.
func Deny(r Reason, check StepID, cause error, steps ...Step) Outcome {
	return Outcome{Verdict: Denied, Reason: r, Check: check, Err: cause, Steps: steps}
}

// Fail is the outcome of a provider that could not look.
func Fail(r Reason, check StepID, cause error, steps ...Step) Outcome {
	return Outcome{Verdict: Unavailable, Reason: r, Check: check, Err: cause, Steps: steps}
}

// Ask is the outcome of a provider that needs something first.
func Ask(c Challenge, keep []byte, steps ...Step) Outcome {
	return Outcome{Verdict: Challenged, Challenge: c, Keep: keep, Steps: steps}
}
