package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/trace"
)

// Options is what the public listener needs. Federation, Enrol and Apps may be nil; everything else must be set.
type Options struct {
	Flow       Flow
	Sessions   Sessions
	Pending    Pending
	People     People
	Realms     Realms
	Federation Federation // nil: no identity provider is configured
	Enrol      Enrol      // nil: agents can't enrol here
	Apps       Apps       // nil: there are no applications to ask about
	Site       Site
}

// Flow decides sign-ins; *authn.Flow is one.
type Flow interface {
	SignIn(ctx context.Context, r authn.Request) authn.Result
	Continue(ctx context.Context, p authn.Pending, a authn.Answer, from authn.Place) authn.Result
}

// Sessions finds and ends browser sessions by their token.
type Sessions interface {
	// Lookup answers session.ErrNone when there is none; any other error means that nobody could look.
	Lookup(ctx context.Context, token string) (authn.Session, error)
	End(ctx context.Context, token string) error
}

// Pending seals a sign-in that waits for its next step into a cookie.
type Pending interface {
	SealPending(p authn.Pending) (string, error)
	OpenPending(cookie string) (authn.Pending, error)
}

// People finds the account of a session.
type People interface {
	// UserByID answers directory.ErrNotFound when the account is gone.
	UserByID(ctx context.Context, id authn.AccountID) (directory.User, error)
}

// Realms tells what anybody may learn of a domain.
type Realms interface {
	Discover(ctx context.Context, domain string) (directory.Discovery, error)
}

// Federation tells what the listener itself must know of the configured identity providers. Both answers may change
// when the configuration is read again.
type Federation interface {
	// Metadata is our SAML metadata for that identity provider; false when there is no such SAML provider.
	Metadata(idp string) ([]byte, bool)
	// Origins lists the origins (scheme://host:port) that a sign-in may send the browser to. Browsers check the sign-in
	// form's form-action against every redirect that follows it, so an origin that is missing here can't be reached.
	Origins() []string
}

// Apps tells who may use what. Signing in does not depend on it: applications ask.
type Apps interface {
	// Grant answers directory.ErrNotFound when there is no such application.
	Grant(ctx context.Context, app string, who Visitor) (directory.Grant, error)
}

// Enrol admits an agent that shows a one-time token; *agentlink.Enroller does.
type Enrol interface {
	// Enrol answers agentlink.ErrToken when the token is not good.
	Enrol(ctx context.Context, r agentlink.EnrolRequest) (agentlink.EnrolResponse, error)
}

// Site is how the listener looks from outside. PublicURL and Clock must be set.
type Site struct {
	Tenant         string         // the organisation's name, shown beside our own; "" shows none
	PublicURL      *url.URL       // https makes every cookie Secure and gives it the __Host- prefix
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	Lab            *Lab           // nil outside the lab
	App            http.Handler   // mounted at /app/; it finds its visitor by VisitorFrom. nil: no application
	Clock          authn.Clock
	Limits         Limits
	Log            *slog.Logger // for the operator: what went wrong beside a sign-in; nil discards
}

// Lab turns on the banner that says so, and lists people anybody may sign in as.
type Lab struct {
	Users      []LabUser
	ConsoleURL string // "" when there is none to link to
	// Broken is what is broken on purpose now, for the banner; nil: nothing ever is.
	Broken func() []string
	Traces Traces // shown at /trace/{id}, to anybody; nil: not at all
}

// Traces finds what happened in a sign-in.
type Traces interface {
	// Trace answers directory.ErrNotFound when there is no such sign-in.
	Trace(ctx context.Context, id authn.AttemptID) (trace.Attempt, error)
}

// Faults names what is broken on purpose now.
func (l *Lab) Faults() []string {
	if l.Broken == nil {
		return nil
	}
	return l.Broken()
}

// LabUser is a demo person; the password is public.
type LabUser struct {
	UPN      string
	Password string
	Path     authn.Path
}

// Limits bounds what one address and all together may ask for. The zero value of a field means its default.
type Limits struct {
	PerSecond float64 // requests a second from one address (IPv6: one /64); default 200
	Burst     int     // at once; default twice PerSecond
	InFlight  int     // sign-ins being decided at the same time; default 1024
	Callbacks int     // federation callbacks being decided at the same time; default 64: XML costs CPU
	// Busy reports that the path which the people of a domain take can't serve one more now; nil: never. It looks at the
	// domain alone. A flood is turned away for less than it costs to look anybody up.
	Busy func(ctx context.Context, domain string) (authn.Path, bool)
	Shed func(authn.Path) // told of every sign-in that was turned away for lack of a place; nil: nobody
}

func (l Limits) withDefaults() Limits {
	if l.PerSecond <= 0 {
		l.PerSecond = 200
	}
	if l.Burst <= 0 {
		l.Burst = max(1, int(2*l.PerSecond))
	}
	if l.InFlight <= 0 {
		l.InFlight = 1024
	}
	if l.Callbacks <= 0 {
		l.Callbacks = 64
	}
	if l.Busy == nil {
		l.Busy = func(context.Context, string) (authn.Path, bool) { return "", false }
	}
	if l.Shed == nil {
		l.Shed = func(authn.Path) {}
	}
	return l
}
