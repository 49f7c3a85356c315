package authn

import (
	"context"
	"time"
)

// AttemptID is shared by every step of one sign-in; it is the correlationId that a person sees. A random UUID.
type AttemptID string

// AccountID names an account for good: a UUID that survives renames.
type AccountID string

// Path is one of the ways in, as it stands in API, logs and the signin_path label.
type Path string

// The closed list of paths. PathNone is that of a name whose domain we don't serve.
const (
	PathNone      Path = "none"
	PathCloud     Path = "cloud"
	PathPHS       Path = "phs"
	PathPTA       Path = "pta"
	PathFederated Path = "federated"
)

// Paths lists every path, PathNone last.
func Paths() []Path { return []Path{PathCloud, PathPHS, PathPTA, PathFederated, PathNone} }

// Managed reports that fourways itself takes the password.
func (p Path) Managed() bool { return p == PathCloud || p == PathPHS || p == PathPTA }

// InWords names the path as Microsoft's documentation does.
func (p Path) InWords() string {
	switch p {
	case PathCloud:
		return "cloud authentication"
	case PathPHS:
		return "password hash synchronisation"
	case PathPTA:
		return "pass-through authentication"
	case PathFederated:
		return "federation"
	default:
		return string(p)
	}
}

// Provider carries out one sign-in path. One method, no error result, no HTTP: a provider that could not look says so
// (Fail), so the caller has nothing left to classify. authntest.TestProvider holds what every provider promises.
type Provider interface {
	Step(ctx context.Context, a Attempt) Outcome
}

// Attempt is one step of one sign-in, as a provider sees it.
type Attempt struct {
	ID      AttemptID
	Who     Identifier
	Account Account // zero: the directory has nobody of that name; the step is taken all the same (decoy work)
	Realm   Realm
	Want    Want
	Answer  Answer
	Kept    []byte // what this provider asked to keep last time
}

// Account is what a sign-in needs to know of a person. The zero value is nobody.
type Account struct {
	ID          AccountID
	UPN         string // normalised; equal to Identifier.UPN of its owner
	DisplayName string
	OnpremUPN   string // what the on-premises directory calls the person; "" means UPN
	Anchor      string // source anchor (ImmutableID): base64 of the raw octets; "" for an account that lives only here
	Synced      bool   // mastered on-premises
	Disabled    bool   // accountEnabled is false, or sign-in was blocked here
	MustChange  bool   // the cloud password is good only for changing it
}

// Exists reports that the directory has this account.
func (a Account) Exists() bool { return a.ID != "" }

// BindName is the name under which the on-premises directory knows the person.
func (a Account) BindName() string {
	if a.OnpremUPN != "" {
		return a.OnpremUPN
	}
	return a.UPN
}

// Realm says how a domain's people sign in, and which rule decided it. The zero Realm is that of an unknown domain.
type Realm struct {
	Domain   string
	Path     Path   // "" and PathNone let nobody in
	Rule     string // e.g. "domain pta.example.test", "override by admin", for the trace
	IdP      string // federated: the IdP's id in the configuration
	Protocol string // federated: "saml" or "oidc"
	Issuer   string // federated: the one issuer that speaks for this domain
	Match    Match  // federated: how an issuer names our people
}

// Match says which property of an account a federated subject must equal.
type Match string

// MatchAnchor is what Microsoft documents (ImmutableID); MatchUPN is for providers that know no anchor.
const (
	MatchAnchor Match = "immutable_id"
	MatchUPN    Match = "upn"
)

// Want is what the asking application wants of the sign-in. Providers that can't honour a wish ignore it, except Fresh.
type Want struct {
	Fresh     bool          // ForceAuthn, prompt=login
	MaxAge    time.Duration // 0: any age
	Context   []string      // acr values, AuthnContextClassRef
	LoginHint string
	ReturnTo  string // local path, checked by web before it gets here
}

// Answer is what the browser brought for this step; the closed set is Nothing, Password, NewPassword, Callback and Code.
type Answer interface{ answer() }

// Nothing was brought: the provider says what it needs.
type Nothing struct{}

// Password is a typed password.
type Password struct{ Secret Secret }

// NewPassword changes the password at sign-in: one that is good only for that, or any that the person wants to change.
type NewPassword struct{ Old, New Secret }

// Callback is what the browser carried back from an IdP. Values keep repeated parameters, so that a provider can refuse them.
type Callback struct {
	IdP     string // the IdP at whose callback address it arrived
	Binding string // "post" or "redirect"
	Values  map[string][]string
}

// Code is a one-time code.
type Code struct{ Secret Secret }

func (Nothing) answer()     {}
func (Password) answer()    {}
func (NewPassword) answer() {}
func (Callback) answer()    {}
func (Code) answer()        {}

// secrets lists what must be wiped when the step is over.
func secrets(a Answer) []Secret {
	switch a := a.(type) {
	case Password:
		return []Secret{a.Secret}
	case NewPassword:
		return []Secret{a.Old, a.New}
	case Code:
		return []Secret{a.Secret}
	}
	return nil
}
