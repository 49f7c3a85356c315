package harbour

import (
	"slices"
	"sync"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Result says what came of one posted password, or that an answer was sent.
type Result string

// The results.
const (
	SignedIn      Result = "signed_in"
	WrongPassword Result = "wrong_password"
	Refused       Result = "refused"        // the directory knows the person and says no
	ForeignDomain Result = "foreign_domain" // another issuer's person; the directory was not asked
	Unreachable   Result = "unreachable"    // the directory could not be asked
	Issued        Result = "issued"         // an assertion or an ID token left
)

// Event is a line of Harbour ID's own log: one posted password, or one answer that was sent. Neither the password nor the
// answer is in it.
type Event struct {
	At        time.Time    `json:"at"` // by Options.Clock
	Domain    string       `json:"domain"`
	Protocol  string       `json:"protocol"` // saml or oidc
	Who       string       `json:"who"`      // as typed, normalised
	Result    Result       `json:"result"`
	Reason    authn.Reason `json:"reason"`
	Request   string       `json:"request"`             // SAML: the request's ID. OpenID Connect: the first eight bytes of SHA-256 of state, in hex
	Assertion string       `json:"assertion,omitempty"` // of Issued: the assertion's ID, or the ID token's jti
	Names     string       `json:"names,omitempty"`     // of Issued: the UPN of whom the answer speaks
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

// Events are the last ones, oldest first.
func (s *Server) Events() []Event { return s.events.all() }

// EventsOf are those of one sign-in, oldest first; request is as in Event.
func (s *Server) EventsOf(request string) []Event {
	return slices.DeleteFunc(s.events.all(), func(e Event) bool { return e.Request != request })
}

func (s *Server) record(l *login, who string, result Result, reason authn.Reason) {
	s.note(Event{Domain: l.domain, Protocol: l.protocol, Who: who, Result: result, Reason: reason, Request: l.request})
}

// note adds the time and keeps the event.
func (s *Server) note(e Event) {
	e.At = s.options.Clock.Now()
	s.events.add(e)
	if s.options.Log != nil {
		s.options.Log(e)
	}
}
