package authn

import "slices"

// Reason is why a sign-in did not simply succeed: a closed list, the same in API, log, trace and metric.
type Reason uint8

// The reasons. What each means, counts and tells stands in reasonTable, one line each.
const (
	None Reason = iota
	UnknownUser
	BadPassword
	NoPasswordHash
	UPNMismatch
	OnpremLocked
	CloudLocked
	Throttled
	Overloaded
	AccountDisabled
	AccountExpired
	CloudPasswordExpired
	CloudMustChange
	OnpremPasswordExpired
	OnpremMustChange
	LogonHours
	WorkstationDenied
	MFARequired
	NoAgent
	AgentTimeout
	AgentBadResponse
	AgentError
	ADUnreachable
	AgentDecrypt
	AgentKey
	TimeSkew
	AgentLate
	DomainUnknown
	RealmUnknown
	IdPUnreachable
	IdPError
	IdPAbandoned
	SAMLInvalid
	JWTInvalid
	SignatureInvalid
	IssuerMismatch
	AudienceMismatch
	StateMismatch
	AssertionTime
	Replay
	SubjectUnknown
	ImmutableIDMismatch
	NotLicensed
	NotAssigned
	Internal
)

// telling says what the person at the door may learn of a reason.
type telling uint8

const (
	uniform     telling = iota // the answer of a wrong password, whatever the reason: nothing can be enumerated
	afterRight                 // told only after the password was right
	ownAnswer                  // an answer of its own
	assertion                  // one sentence for all refused assertions
	nothingTold                // never reaches the door
)

type reasonRow struct {
	name    string
	code    int  // AADSTS code
	ours    bool // our mapping, where Microsoft documents none
	counts  bool // towards lockout
	tell    telling
	verdict Verdict
	paths   []Path
	public  string // "" for uniform, assertion and nothingTold
}

func (r Reason) row() reasonRow {
	if int(r) >= len(reasonTable) {
		return reasonTable[Internal]
	}
	return reasonTable[r]
}

func (r Reason) String() string { return r.row().name }

// MarshalText writes the reason's name.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a reason's name; one that is not in the list is Internal.
func (r *Reason) UnmarshalText(b []byte) error {
	*r, _ = ParseReason(string(b))
	return nil
}

// ParseReason finds a reason by name; Internal and false when there is none.
func ParseReason(name string) (Reason, bool) {
	for i := range reasonTable {
		if reasonTable[i].name == name {
			return Reason(i), true
		}
	}
	return Internal, false
}

// Reasons lists the whole table in its order.
func Reasons() []Reason {
	all := make([]Reason, len(reasonTable))
	for i := range all {
		all[i] = Reason(i)
	}
	return all
}

// Code is the AADSTS code of the operator's view (Microsoft: Entra authentication and authorization error codes).
func (r Reason) Code() int { return r.row().code }

// OwnMapping reports that Microsoft documents no code for this reason and the choice of Code is ours.
func (r Reason) OwnMapping() bool { return r.row().ours }

// Counts reports that a Denied for this reason is a wrong guess and counts towards lockout.
func (r Reason) Counts() bool { return r.row().counts }

// Verdict is the verdict that goes with the reason: Denied or Unavailable; Allowed for None.
func (r Reason) Verdict() Verdict { return r.row().verdict }

// VerdictOn is Verdict on that path. A cloud password that is good only for changing it is changed at the door, so there it
// asks for more; a synchronised one can't be changed here.
func (r Reason) VerdictOn(p Path) Verdict {
	if p == PathCloud && (r == CloudPasswordExpired || r == CloudMustChange) {
		return Challenged
	}
	return r.Verdict()
}

// Verdicts lists the verdicts that go with the reason on any path.
func (r Reason) Verdicts() []Verdict {
	all := []Verdict{r.Verdict()}
	for _, p := range r.row().paths {
		all = append(all, r.VerdictOn(p))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// On reports that the reason can occur on that path.
func (r Reason) On(p Path) bool { return slices.Contains(r.row().paths, p) }

// Outcomes lists the metric outcomes that the reason can end an attempt of path p with; none when it can't occur there.
func (r Reason) Outcomes(p Path) []string {
	switch {
	case !r.On(p):
		return nil
	case r == None:
		return []string{Allowed.MetricOutcome(), Challenged.MetricOutcome()}
	default:
		return []string{r.VerdictOn(p).MetricOutcome()}
	}
}

// PublicError is what the person at the door is told.
type PublicError struct {
	Code    int    `json:"code"`
	Name    string `json:"name"`
	Message string `json:"message"`
}

// Public is the answer for the person at the door. Reasons that would tell a stranger something about an account all give
// the answer of a wrong password, to the byte.
func (r Reason) Public() PublicError {
	row := r.row()
	switch row.tell {
	case uniform:
		return PublicError{Code: 50126, Name: BadPassword.String(), Message: "The user name or password is incorrect."}
	case assertion:
		return PublicError{Code: 50008, Name: SAMLInvalid.String(), Message: "The answer of your organisation's identity provider could not be accepted. Please start again."}
	case nothingTold:
		return PublicError{Code: 0, Name: None.String()}
	default:
		return PublicError{Code: row.code, Name: row.name, Message: row.public}
	}
}
