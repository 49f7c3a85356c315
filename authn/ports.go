package authn

import (
	"context"
	"net/netip"
	"time"
)

// Clock tells policy time, which the lab may move: lockout, sessions, retention. Protocol time (SAML, OIDC, TLS) stays real.
type Clock interface{ Now() time.Time }

// Directory finds people.
type Directory interface {
	// Find returns the zero Account when nobody has that name, and an error only when it could not look.
	Find(ctx context.Context, who Identifier) (Account, error)
}

// Realms decides which way in a person takes.
type Realms interface {
	// Of answers for the account, or for its domain when there is nobody; the zero Realm when the domain isn't served.
	Of(ctx context.Context, who Identifier, a Account) (Realm, error)
}

// Guard bounds guessing.
type Guard interface {
	// Reserve takes a place among the open guesses at one account. It waits for one within ctx and never returns nil.
	Reserve(ctx context.Context, key string, from Place) Ticket
}

// Ticket is one reserved guess.
type Ticket interface {
	// Refused is None when the guess may be made, else CloudLocked, Throttled or Internal.
	Refused() (Reason, error)
	// Settle computes the next tally. It is pure: the Committer calls it inside its transaction with the tally of Key.
	Settle(now Tally, e Effect) Tally
	// Release gives the place back; called once, after the Commit.
	Release()
}

// Tally is what is remembered of the guesses at one account.
type Tally struct {
	Failures    int       // wrong guesses in a row
	Lockouts    int       // locks in a row
	LastFailure time.Time // zero: none
	LockedUntil time.Time // zero: not locked
}

// Effect is what a finished step does to the tally.
type Effect uint8

// The effects.
const (
	LeaveTally Effect = iota
	CountFailure
	ClearTally
)

// Providers is the table of ways in.
type Providers interface {
	// For never returns nil: a path that can't work now has a provider that says why.
	For(r Realm) Provider
}

// Licences tells what an account may use.
type Licences interface {
	// Of says it in words for the trace, such as "E3, Harbour Mail: user", or "none".
	Of(ctx context.Context, id AccountID) (string, error)
}

// Sessions makes browser sessions.
type Sessions interface {
	// New makes a session of the account that s names. The row is stored in Commit; the token is for the browser alone.
	New(s Subject, p Proof) (Session, string, error)
}

// Committer makes a finished step durable.
type Committer interface {
	// Commit stores all of f or nothing, durably, before it returns. An error means nothing was stored.
	Commit(ctx context.Context, f Final) (Receipt, error)
}

// Place is where a request came from.
type Place struct {
	Addr      netip.Addr `json:"addr"`
	UserAgent string     `json:"userAgent,omitempty"`
	App       string     `json:"app,omitempty"`
}

// Session is a browser session as stored: the token itself is not in it.
type Session struct {
	Hash     []byte // SHA-256 of the token
	Account  AccountID
	Attempt  AttemptID
	Path     Path
	Proof    Proof
	Began    time.Time
	Until    time.Time // absolute end
	IdleFor  time.Duration
	LastSeen time.Time
}

// Final is all that one finished step leaves behind: one transaction.
type Final struct {
	Record     Record
	TallyKey   string // "" when no ticket was taken
	Ticket     Ticket // its Settle is applied to the tally of TallyKey
	Effect     Effect
	Session    *Session // nil: nobody was let in
	Once       []Once
	Credential []byte // new credential record of Record.Account; nil: none

	// Changed says that Credential is that of a password which the person chose just now, not the same one hashed anew. It
	// takes the place of the record Checked and of no other, is good from now on, clears what asked for a change, and ends
	// the account's other sessions.
	Changed bool

	// Checked is the stored record that the password was checked against, on the cloud path. A session is not stored once
	// another password has taken its place: whoever set that one meant to keep the old one out.
	Checked []byte
}

// Receipt says what Commit found.
type Receipt struct {
	Replayed  bool // an id of Once had been used: nothing was stored, and the step must be denied
	Overtaken bool // the password that was checked is no longer the account's: nothing was stored, and the step must be denied
	Locked    bool // this step's failure locked the account
}
