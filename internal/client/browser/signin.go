package browser

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// ErrUnreachable says that nobody answered at the sign-in endpoint.
var ErrUnreachable = errors.New("the sign-in endpoint can't be reached")

// ErrInClear says that the password would have travelled readable over a network, so it was not sent.
var ErrInClear = errors.New("plain http to another machine")

// Refused is an answer of the sign-in endpoint that decides nothing: it did not accept the request as such.
type Refused struct {
	Status int
	Public *authn.PublicError // nil when it gave none
}

func (r Refused) Error() string {
	return fmt.Sprintf("the sign-in endpoint refused the request with status %d: %s", r.Status, r.Why())
}

// Why is what the endpoint said, else what its status means.
func (r Refused) Why() string {
	if r.Public != nil && r.Public.Message != "" {
		return r.Public.Message
	}
	return http.StatusText(r.Status)
}

// SignInOptions say who signs in and where.
type SignInOptions struct {
	Door     string // the origin of the public listener, without a slash at its end
	UPN      string // as the person types it
	Password authn.Secret
	New      authn.Secret // the password that the person wants from now on; empty: no change
	Client   *http.Client // gives Transport and Timeout; nil: a client of its own that waits a minute
}

// Attempt is one sign-in over the public endpoint, as the person at the door sees it.
type Attempt struct {
	User          string             `json:"user"`
	Verdict       authn.Verdict      `json:"verdict"`
	Path          authn.Path         `json:"path"`
	Account       string             `json:"account,omitempty"` // user principal name
	Name          string             `json:"displayName,omitempty"`
	CorrelationID authn.AttemptID    `json:"correlationId"`
	Milliseconds  int64              `json:"milliseconds"`
	Public        *authn.PublicError `json:"error,omitempty"`  // what the person was told
	Reason        string             `json:"reason,omitempty"` // the operator's, from the sign-in log; SignIn leaves it empty
	Note          string             `json:"note,omitempty"`
	Shown         string             `json:"shown,omitempty"` // what the identity provider's last page said, when it let nobody through
}

// MustChange reports that the password was right, and lets nobody in before it is changed.
func (a Attempt) MustChange() bool {
	return a.Verdict == authn.Challenged && a.Public != nil && a.Public.Code == authn.CloudMustChange.Code()
}

// Bounds of one sign-in: how long an answer may take, and how many pages an identity provider may show.
const (
	patience = 60 * time.Second
	maxPages = 8
	maxShown = 200 // characters
)

// answer is what POST /signin says.
type answer struct {
	Verdict       authn.Verdict   `json:"verdict"`
	Path          authn.Path      `json:"path"`
	CorrelationID authn.AttemptID `json:"correlationId"`
	Account       *account        `json:"account"`
	Challenge     *struct {
		Kind authn.ChallengeKind `json:"kind"`
		URL  string              `json:"url"`
		Form map[string]string   `json:"form"`
		authn.PublicError
	} `json:"challenge"`
	Error *authn.PublicError `json:"error"`
}

type account struct {
	UPN         string `json:"userPrincipalName"`
	DisplayName string `json:"displayName"`
}

// SignIn signs a person in at the door as a browser without scripts would, through an identity provider's form if the door
// sends there. A refusal is an attempt, not an error. The error is ErrUnreachable, ErrInClear, a Refused, or tells of an
// answer that can't be understood; the attempt is then what was known by that time.
func SignIn(ctx context.Context, o SignInOptions) (Attempt, error) {
	if at, err := url.Parse(o.Door); err == nil && InClear(at) {
		return Attempt{}, fmt.Errorf("%s://%s is %w", at.Scheme, at.Host, ErrInClear)
	}
	began := time.Now() //nolint:forbidigo // how long the person waits, on a real clock
	b := New(cmp.Or(o.Client, &http.Client{Timeout: patience}))
	status, ans, err := o.post(ctx, b)
	if err != nil {
		return Attempt{}, noDoor(err)
	}
	if ans.Verdict == authn.Undecided {
		return Attempt{}, Refused{Status: status, Public: ans.Error}
	}
	did := Attempt{User: o.UPN, Verdict: ans.Verdict, Path: ans.Path, CorrelationID: ans.CorrelationID, Public: ans.Error}
	if ans.Account != nil {
		did.Account, did.Name = ans.Account.UPN, ans.Account.DisplayName
	}
	switch {
	case ans.Challenge == nil:
	case ans.Challenge.Kind == authn.ChangePassword || !o.New.Empty():
		did.Public = &ans.Challenge.PublicError
		did.Public.Message = cmp.Or(did.Public.Message, "The password can't be changed here: an identity provider keeps it.")
	default:
		err = walk{SignInOptions: o, b: b}.follow(ctx, &did, ans)
	}
	did.Milliseconds = time.Since(began).Milliseconds()
	return did, err
}

// post gives name and password at the door. Like a person on the first page it keeps the password until it knows that the
// gateway is who checks it.
func (o SignInOptions) post(ctx context.Context, b *Browser) (status int, ans answer, err error) {
	ask := map[string]string{"username": o.UPN}
	var realm struct {
		NamespaceType string `json:"namespaceType"`
	}
	if _, err := b.PostJSON(ctx, o.Door+"/realm", ask, &realm); err != nil {
		return 0, answer{}, err
	}
	if realm.NamespaceType == "Federated" {
		status, err = b.PostJSON(ctx, o.Door+"/signin", ask, &ans)
		if err != nil || ans.Challenge == nil || ans.Challenge.Kind != authn.AskPassword {
			return status, ans, err
		}
		ans = answer{} // this person signs in otherwise than the domain does
	}
	ask["password"] = string(o.Password.Reveal())
	if !o.New.Empty() {
		ask["newPassword"] = string(o.New.Reveal())
	}
	status, err = b.PostJSON(ctx, o.Door+"/signin", ask, &ans)
	return status, ans, err
}

// InClear reports an address to which everything would travel readable over a network.
func InClear(u *url.URL) bool {
	if u.Scheme != "http" || u.Hostname() == "localhost" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return (err != nil || !ip.IsLoopback()) && !atHome(u.Hostname())
}

func noDoor(err error) error {
	var away net.Error
	if errors.As(err, &away) {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return err
}

// publicOf finds what goes with a public code; nil when no reason tells it.
func publicOf(code string) *authn.PublicError {
	for _, r := range authn.Reasons() {
		if p := r.Public(); strconv.Itoa(p.Code) == code && p.Message != "" {
			return &p
		}
	}
	return nil
}
