// Package console is the operator's listener: the API under /api/v1, for people and programs that hold a token.
//
// In come requests with a bearer token; out come JSON, problem documents (RFC 9457) and an audit entry for everything that
// was changed. It decides what a role may do and nothing else: what a change means is the business of the ports that
// internal/gateway joins. It sets no cookie, answers no other origin, and never gives a secret back, save the one that it
// has just made.
package console

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
)

// Ports is what the console steers. Lab is nil outside the lab.
type Ports struct {
	Access   Access
	Books    BookPorts
	Tenant   TenantPorts
	Modes    Modes
	History  History
	Premises PremisesPorts
	Settings Settings
	Lab      *LabPorts
}

// BookPorts are what the console keeps about itself.
type BookPorts struct {
	Tokens  Tokens
	Log     AuditLog
	Answers Answers // nil: every request is carried out, also a repeated one
}

// PremisesPorts are the way to the premises.
type PremisesPorts struct {
	Syncs  Syncs
	Views  SyncViews
	Switch SyncSwitch
	Agents Agents
}

// Access is who may do what, and what they did.
type Access interface {
	Token(ctx context.Context, secret string) (api.Token, error) // directory.ErrNotFound when unknown or revoked, ErrExpired when over
	NewToken(ctx context.Context, t api.NewToken) (api.Token, error)
	Audit(ctx context.Context, e Entry) error
}

// ErrExpired says that a token is over.
var ErrExpired = errors.New("the token has expired")

// Tokens are the console's tokens, without their secrets.
type Tokens interface {
	Tokens(ctx context.Context) ([]api.Token, error) // by name, those that are over too until they are purged
	RevokeToken(ctx context.Context, id string) (api.RevokedToken, error)
}

// AuditLog is what was changed, or tried.
type AuditLog interface {
	// AuditEntries gives the newest entries first, those before the entry with that id: "" for the last ones.
	AuditEntries(ctx context.Context, before string, most int) ([]api.AuditEntry, error)
}

// History is what happened at the door.
type History interface {
	SignIns(ctx context.Context, last int) ([]api.SignIn, error)
	Trace(ctx context.Context, id authn.AttemptID) (api.Trace, error)
}

// Agents are the on-premises agents.
type Agents interface {
	Agents(ctx context.Context) ([]api.Agent, error)
	Invite(ctx context.Context, i api.Invite, by string) (api.Invitation, error)
	RevokeAgent(ctx context.Context, id string) (api.Agent, error) // cuts it off now, for good
}

// Settings is the configuration in force, and how the gateway fares with it.
type Settings interface {
	Doctor
	ShowConfig(ctx context.Context) (string, error)
	Reload(ctx context.Context) (api.Reload, error)
}

// Entry is one line of the audit log.
type Entry struct {
	At                        time.Time
	Who, From, Action, Target string
	Before, After, Result     string
}

type console struct {
	Ports
	clock    authn.Clock
	document func() ([]byte, error) // OpenAPI; made when it is first asked for
}

// longest bounds a request's body, in bytes, save where an operation says otherwise.
const longest = 64 << 10

// New makes the handler.
func New(p Ports, clock authn.Clock) http.Handler {
	c := &console{Ports: p, clock: clock}
	c.document = sync.OnceValues(c.openAPI)
	mux := http.NewServeMux()
	for _, o := range c.operations() {
		mux.Handle(o.pattern(), o)
	}
	mux.HandleFunc("/api/openapi.json", c.serveOpenAPI)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem(api.Problem{Title: "Not Found", Status: http.StatusNotFound, Detail: "There is no such page: the API is under /api/v1."}).write(w, r)
	})
	// A token is not sent by a browser on its own, so this is the second line of defence, not the first.
	return http.NewCrossOriginProtection().Handler(noStore(mux))
}

func noStore(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}
