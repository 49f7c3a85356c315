package harbour

import (
	"slices"
	"sync"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Result says what came of one posted password.
type Result string

// The results.
const (
	SignedIn      Result = "signed_in"
	WrongPassword Result = "wrong_password"
	Refused       Result = "refused"        // the directory knows the person and says no
	ForeignDomain Result = "foreign_domain" // another issuer's person; the directory was not asked
	Unreachable   Result = "unreachable"    // the directory could not be asked
)

// Event is a line of Harbour ID's own log: one posted password, which is not in it.
type Event struct {
	At       time.Time    `json:"at"`
	Domain   string       `json:"domain"`
	Protocol string       `json:"protocol"` // saml or oidc
	Who      string       `json:"who"`      // as typed, normalised
	Result   Result       `json:"result"`
	Reason   authn.Reason `json:"reason"`
	Request  string       `json:"request"` // SAML: the request's ID. OpenID Connect: the first eight bytes of SHA-256 of state, in hex
}

// mostEvents bounds what a Server remembers of its own log.
const mostEvents = 1024

// ring keeps the last events.
type ring struct {
	mu   sync.Mutex
	last []Event
}

func (r *ring) add(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.last) == mostEvents {
		r.last = slices.Delete(r.last, 0, 1)
	}
	r.last = append(r.last, e)
}

func (r *ring) all() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.last)
}

func (s *Server) record(l *login, who string, result Result, reason authn.Reason) {
	e := Event{
		At: s.options.Clock.Now(), Domain: l.domain, Protocol: l.protocol, Who: who, Result: result, Reason: reason, Request: l.request,
	}
	s.events.add(e)
	if s.options.Log != nil {
		s.options.Log(e)
	}
}
