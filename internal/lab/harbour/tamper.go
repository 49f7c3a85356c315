package harbour

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Tamper is asked what goes wrong with one message. It is how a workshop breaks Harbour ID on purpose; what comes of it,
// the asking service finds out by itself.
type Tamper func(Login) Tampering

// Login is the sign-in that a message belongs to.
type Login struct {
	UPN      string // in lower case; before the password, what the service or the form said; "" when nobody said
	Domain   string
	Protocol string // saml or oidc
	Moment   Moment
}

// Moment is when a Tamper is asked.
type Moment uint8

// The moments. A browser is asked for once for each name that it comes with.
const (
	Asked    Moment = iota // a browser came with a request or a password: Down and Wait count
	Answered               // the person proved who they are, and the answer is made: the rest counts
)

// Tampering is what goes wrong. The zero value is nothing.
type Tampering struct {
	Down  bool            // the connection is hung up
	Wait  time.Duration   // before anything is said
	Until <-chan struct{} // when it closes, that is over; nil: a wait takes its time, and a login that was hung up on stays so

	OtherKey bool          // signed by a key that was never published
	NextKey  bool          // signed by the key that RollOver published
	Replay   bool          // what this person was sent the time before is sent again; without such, nothing is wrong
	Behind   time.Duration // made by a clock that is behind: the answer ran out this long ago
	Audience string        // made for this service instead
	Subject  string        // speaks of this person of the same domain instead (UPN)
}

// RollOver gives every issuer a new key and publishes it beside the one in use, as an identity provider does that rolls
// its keys over. An answer is signed by it when its Tampering says so.
func (s *Server) RollOver() error {
	for _, i := range s.idps {
		for _, k := range []*keys{i.saml.keys, i.oidc.storage.keys} {
			if err := k.rollOver(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Server) tamper(l *login, upn string, m Moment) Tampering {
	if s.options.Tamper == nil {
		return Tampering{}
	}
	return s.options.Tamper(Login{UPN: upn, Domain: l.domain, Protocol: l.protocol, Moment: m})
}

// reach lets what is broken between the browser and us strike. A login that was hung up on stays so until that is mended:
// browsers try again by themselves.
func (s *Server) reach(w http.ResponseWriter, r *http.Request, l *login, upn string) {
	way := s.logins.way(l, upn, func() Tampering { return s.tamper(l, upn, Asked) })
	if way.Wait > 0 && !wait(w, r, way) || way.Down {
		panic(http.ErrAbortHandler) // how net/http is told to hang up
	}
}

// way is what is broken for this name. It is asked for once, and waited for once.
func (ls *logins) way(l *login, upn string, ask func() Tampering) Tampering {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if !l.met || l.asked != upn || l.way.Down && l.way.over() {
		l.met, l.asked, l.way = true, upn, ask()
	}
	way := l.way
	l.way.Wait = 0
	return way
}

// over reports that this was mended.
func (t Tampering) over() bool {
	select {
	case <-t.Until:
		return true
	default:
		return false
	}
}

// wait reports whether the browser is still there. The connection's own bounds must not end it first.
func wait(w http.ResponseWriter, r *http.Request, way Tampering) bool {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{})
	_ = control.SetWriteDeadline(realClock{}.Now().Add(way.Wait + writeWithin))
	timer := time.NewTimer(way.Wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-way.Until:
		return true
	case <-r.Context().Done():
		return false
	}
}

// answer is what is about to be said.
type answer struct {
	who   string // as typed, normalised
	names Person // whom it speaks of: the same, unless it is tampered with
	Tampering
}

// prepare makes the answer for a person who proved who they are.
func (s *Server) prepare(ctx context.Context, l *login, who authn.Identifier, p Person) (answer, error) {
	a := answer{who: who.Key(), names: p, Tampering: s.tamper(l, who.Key(), Answered)}
	if a.Subject == "" {
		return a, nil
	}
	var err error
	a.names, err = s.person(ctx, l.domain, authn.ParseIdentifier(a.Subject))
	return a, err
}

// behind is how far the clock of this answer is behind, when answers are good that long.
func (a answer) behind(good time.Duration) time.Duration {
	if a.Behind == 0 {
		return 0
	}
	return a.Behind + good
}

// sent is an answer that left.
type sent struct {
	id    string // of the assertion or the ID token
	names string
	text  string
}

func (s *Server) issued(domain, protocol, request string, a answer, out sent) {
	s.note(Event{Domain: domain, Protocol: protocol, Who: a.who, Result: Issued, Request: request, Assertion: out.id, Names: out.names})
}

// mostEarlier bounds how many persons' last answers an issuer remembers.
const mostEarlier = 1024

// earlier are the last good answers of an issuer, for Tampering.Replay. They are nobody's to use: each was used.
type earlier struct {
	mu   sync.Mutex
	last map[string]sent // by who
}

// of is what is sent again, if that is what goes wrong and there is such.
func (e *earlier) of(a answer) (sent, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before, ok := e.last[a.who]
	return before, ok && a.Replay
}

// remember keeps an answer that nothing is wrong with, where somebody may ask for it again.
func (s *Server) remember(e *earlier, a answer, out sent) {
	a.Replay = false
	if s.options.Tamper != nil && a.Tampering == (Tampering{}) {
		e.keep(a.who, out)
	}
}

func (e *earlier) keep(who string, out sent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.last == nil {
		e.last = map[string]sent{}
	}
	if _, known := e.last[who]; !known && len(e.last) >= mostEarlier {
		for other := range e.last { // any one
			delete(e.last, other)
			break
		}
	}
	e.last[who] = out
}
