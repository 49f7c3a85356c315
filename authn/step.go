package authn

import "time"

// StepID is one of the closed step ids of a trace: API, anchors in the docs and translation keys.
type StepID string

// Step ids: C common, K cloud, H password hash synchronisation, P pass-through, F federated.
const (
	C1  StepID = "C1"  // user name posted
	C2  StepID = "C2"  // realm discovered
	C3  StepID = "C3"  // lockout checked
	C7  StepID = "C7"  // account settled
	C8  StepID = "C8"  // licences read
	C9  StepID = "C9"  // session issued
	C10 StepID = "C10" // secret wiped

	K1 StepID = "K1" // password posted
	K2 StepID = "K2" // hash loaded
	K3 StepID = "K3" // verified

	H0 StepID = "H0" // last synchronised
	H1 StepID = "H1" // password posted
	H2 StepID = "H2" // NT hash
	H3 StepID = "H3" // expanded to 64 bytes
	H4 StepID = "H4" // salted
	H5 StepID = "H5" // PBKDF2 x N
	H6 StepID = "H6" // compared

	P1 StepID = "P1" // password posted
	P2 StepID = "P2" // agent chosen
	P3 StepID = "P3" // sealed to its key
	P4 StepID = "P4" // queued
	P5 StepID = "P5" // opened by agent
	P6 StepID = "P6" // bound to the directory
	P7 StepID = "P7" // directory's verdict
	P8 StepID = "P8" // signed answer
	P9 StepID = "P9" // checked and correlated

	F1           StepID = "F1" // request built
	F2           StepID = "F2" // away at the IdP
	F3           StepID = "F3" // response arrived
	F4Structure  StepID = "F4.structure"
	F4Signature  StepID = "F4.signature"
	F4Issuer     StepID = "F4.issuer"
	F4Realm      StepID = "F4.realm"
	F4Audience   StepID = "F4.audience"
	F4Recipient  StepID = "F4.recipient"
	F4InResponse StepID = "F4.in_response_to" // SAML InResponseTo, OIDC state and nonce
	F4Time       StepID = "F4.time"
	F4Replay     StepID = "F4.replay"
	F4Subject    StepID = "F4.subject"
	F5           StepID = "F5" // token call and keys
)

// StepIDs lists every step id, in the order of a sign-in.
func StepIDs() []StepID {
	return []StepID{
		C1, C2, C3, C7, C8, C9, C10, K1, K2, K3, H0, H1, H2, H3, H4, H5, H6, P1, P2, P3, P4, P5, P6, P7, P8, P9, F1, F2, F3,
		F4Structure, F4Signature, F4Issuer, F4Realm, F4Audience, F4Recipient, F4InResponse, F4Time, F4Replay, F4Subject, F5,
	}
}

// StepResult is how a step ended.
type StepResult string

// The closed list of step results.
const (
	StepOK      StepResult = "ok"
	StepRefused StepResult = "refused"
	StepSkipped StepResult = "skipped"
)

// Lane is a component that a step runs between.
type Lane string

// The closed list of lanes.
const (
	Browser   Lane = "browser"
	Gateway   Lane = "gateway"
	Store     Lane = "store"
	Queue     Lane = "queue"
	Agent     Lane = "agent"
	OnpremDir Lane = "directory"
	Sync      Lane = "sync"
	IdP       Lane = "idp"
)

// Form is how a lane holds the secret after a step. SealedFor makes the form for one agent.
type Form string

// The closed list of forms; a Form with the suffix Stored persists.
const (
	FormClear      Form = "clear"
	FormNTHash     Form = "nt-hash"
	FormHashOfHash Form = "hash-of-hash"
	FormArgon2id   Form = "argon2id"
	FormForeign    Form = "foreign-hash" // of another scheme, brought along and not yet hashed anew
	FormAssertion  Form = "assertion"
	FormNone       Form = "none"
	Stored         Form = " stored"
)

// SealedFor is the form of a secret that only that agent can open.
func SealedFor(agent string) Form { return Form("sealed:" + agent) }

// Fact is a closed key of Step.Facts. What a step says is catalogue(ID, Facts), so a fact is data, never a sentence.
type Fact string

// The closed list of facts.
const (
	FactDomain    Fact = "domain"
	FactPath      Fact = "path"
	FactRule      Fact = "rule"
	FactReason    Fact = "reason"
	FactAgent     Fact = "agent"
	FactServer    Fact = "server"
	FactCode      Fact = "code"     // LDAP result code
	FactData      Fact = "data"     // AD sub-code
	FactScheme    Fact = "scheme"   // hash scheme
	FactParams    Fact = "params"   // its cost
	FactWait      Fact = "wait"     // in a queue, Go duration
	FactSynced    Fact = "synced"   // RFC 3339 time of the last synchronisation
	FactRun       Fact = "run"      // its run
	FactChanged   Fact = "changed"  // RFC 3339 time of the last on-premises change that is not yet here
	FactWithheld  Fact = "withheld" // why a hash stays on-premises: temporary, filtered, missing or malformed
	FactSource    Fact = "source"   // cloud, when the password was set here and not on-premises
	FactRounds    Fact = "rounds"   // iterations
	FactIdP       Fact = "idp"      // configured id
	FactProtocol  Fact = "protocol" // saml or oidc
	FactBinding   Fact = "binding"
	FactIssuer    Fact = "issuer"
	FactRequest   Fact = "request"   // id of the request
	FactMatch     Fact = "match"     // immutable_id or upn
	FactExpected  Fact = "expected"  // of a check that compares
	FactGot       Fact = "got"       // bounded in length
	FactRemaining Fact = "remaining" // failures left before a lock
	FactUntil     Fact = "until"     // RFC 3339
	FactAlgorithm Fact = "algorithm"
	FactLength    Fact = "length"   // bytes
	FactDecoy     Fact = "decoy"    // whom the agent bound instead, when nobody here has the typed name
	FactLicences  Fact = "licences" // what the account may use, in words
)

// Step is one piece of evidence. Steps travel in Outcome.Steps, across the agent's wire and into the Record; the diagram,
// waterfall and custody ledger are drawn from them alone. A Step never holds a secret.
type Step struct {
	ID        StepID          `json:"id"`
	From      Lane            `json:"from"`
	To        Lane            `json:"to"`
	Result    StepResult      `json:"result"`
	Facts     map[Fact]string `json:"facts,omitempty"`
	Held      map[Lane]Form   `json:"held,omitempty"`
	At        time.Time       `json:"at"`
	Took      time.Duration   `json:"took"` // nanoseconds
	Simulated bool            `json:"simulated,omitempty"`
	Fault     string          `json:"fault,omitempty"`
}
