package harbour

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// The bounds of a login that waits for its person.
const (
	loginGood  = 10 * time.Minute
	mostLogins = 2048
	mostTries  = 10
)

// browserCookie ties a login to the browser that began it, against login forms sent from elsewhere.
const browserCookie = "harbour_browser"

// login is a request that waits for a person to prove who they are.
type login struct {
	id       string
	token    string // of its form
	browser  string // value of browserCookie
	domain   string
	protocol string
	request  string // for the log
	hint     string // user name to fill in
	target   string // origin that the answer goes to, for the page's form-action
	until    time.Time
	tries    int
	met      bool
	asked    string    // the name that way is for
	way      Tampering // what is broken between this browser and us
	finish   func(w http.ResponseWriter, r *http.Request, a answer)
}

// logins are the open ones, in memory: a restart means starting again.
type logins struct {
	clock authn.Clock
	mu    sync.Mutex
	open  map[string]*login
}

var errTooManyLogins = errors.New("too many people are signing in at this moment")

func (ls *logins) begin(l *login) error {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	now := ls.clock.Now()
	for id, old := range ls.open {
		if now.After(old.until) {
			delete(ls.open, id)
		}
	}
	if len(ls.open) >= mostLogins {
		return errTooManyLogins
	}
	l.id, l.token, l.until = rand.Text(), rand.Text(), now.Add(loginGood)
	ls.open[l.id] = l
	return nil
}

func (ls *logins) find(id, browser string) *login {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l := ls.open[id]
	if l == nil || ls.clock.Now().After(l.until) || !same(l.browser, browser) {
		return nil
	}
	return l
}

// try counts one posted password.
func (ls *logins) try(l *login) bool {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l.tries++
	return l.tries <= mostTries
}

// end takes a login away; only one of several posts at once can.
func (ls *logins) end(l *login) bool {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	_, open := ls.open[l.id]
	delete(ls.open, l.id)
	return open
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// beginLogin remembers the request and sends the browser to the form.
func (s *Server) beginLogin(w http.ResponseWriter, r *http.Request, l *login) {
	if c, err := r.Cookie(browserCookie); err == nil && len(c.Value) == len(rand.Text()) {
		l.browser = c.Value
	} else {
		l.browser = rand.Text()
	}
	if err := s.logins.begin(l); err != nil {
		s.pages.message(w, http.StatusServiceUnavailable, l.domain, "Too many people are signing in at this moment. Please try again shortly.")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: browserCookie, Value: l.browser, Path: "/login/", HttpOnly: true, SameSite: http.SameSiteLaxMode}) //nolint:gosec // G124: the lab speaks plain http on loopback
	http.Redirect(w, r, "/login/"+l.id, http.StatusSeeOther)
}

// findLogin is the login of this address and this browser; without one it answers the request itself.
func (s *Server) findLogin(w http.ResponseWriter, r *http.Request) *login {
	browser := ""
	if c, err := r.Cookie(browserCookie); err == nil {
		browser = c.Value
	}
	l := s.logins.find(r.PathValue("id"), browser)
	if l == nil {
		s.pages.message(w, http.StatusNotFound, "", "This sign-in is over, or was begun in another browser. Go back to where you came from and start again.")
	}
	return l
}

func (s *Server) showLogin(w http.ResponseWriter, r *http.Request) {
	if l := s.findLogin(w, r); l != nil {
		s.reach(w, r, l, authn.ParseIdentifier(l.hint).Key())
		s.pages.login(w, http.StatusOK, l, l.hint, "")
	}
}

func (s *Server) postLogin(w http.ResponseWriter, r *http.Request) {
	l := s.findLogin(w, r)
	if l == nil {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	if err := r.ParseForm(); err != nil {
		s.pages.message(w, http.StatusBadRequest, l.domain, "The form could not be read.")
		return
	}
	who := authn.ParseIdentifier(r.PostForm.Get("username"))
	s.reach(w, r, l, who.Key())
	if !same(r.PostForm.Get("token"), l.token) {
		s.pages.message(w, http.StatusForbidden, l.domain, "The form was not sent from this page. Go back and start again.")
		return
	}
	if !s.logins.try(l) {
		s.logins.end(l)
		s.pages.message(w, http.StatusTooManyRequests, l.domain, "There were too many tries. Go back to where you came from and start again.")
		return
	}
	password := authn.NewSecret([]byte(r.PostForm.Get("password")))
	defer password.Wipe()
	s.check(w, r, l, who, password)
}

// check asks the directory, in this order: is the person ours, is the password right, who is it.
func (s *Server) check(w http.ResponseWriter, r *http.Request, l *login, who authn.Identifier, password authn.Secret) {
	again := func(status int, result Result, reason authn.Reason, say string) {
		s.record(l, who.Key(), result, reason)
		s.pages.login(w, status, l, who.Key(), say)
	}
	if who.Domain() != l.domain {
		again(http.StatusUnauthorized, ForeignDomain, authn.DomainUnknown, "This Harbour ID knows people of "+l.domain+" only.")
		return
	}
	if who.UPN() == "" || password.Empty() { // an empty password is a bind that proves nothing (RFC 4513, 5.1.2)
		again(http.StatusUnauthorized, WrongPassword, authn.BadPassword, wrongPassword)
		return
	}
	verdict := s.options.Directory.Bind(r.Context(), who.UPN(), password)
	switch {
	case verdict.Reason == authn.None:
	case verdict.Reason == authn.BadPassword || verdict.Reason == authn.UnknownUser:
		again(http.StatusUnauthorized, WrongPassword, verdict.Reason, wrongPassword)
		return
	case verdict.Reason.Verdict() == authn.Denied:
		again(http.StatusForbidden, Refused, verdict.Reason, "The directory refused this sign-in: "+refusal(verdict.Reason)+".")
		return
	default:
		s.options.ErrorLog.Warn("the directory could not check a password", "domain", l.domain, "reason", verdict.Reason, "cause", verdict.Cause)
		again(http.StatusServiceUnavailable, Unreachable, verdict.Reason, unreachable)
		return
	}
	person, err := s.person(r.Context(), l.domain, who)
	if err != nil {
		s.options.ErrorLog.Warn("the directory could not be read after a right password", "domain", l.domain, "cause", err)
		again(http.StatusServiceUnavailable, Unreachable, authn.ADUnreachable, unreachable)
		return
	}
	if !s.logins.end(l) {
		s.pages.message(w, http.StatusConflict, l.domain, "This sign-in was answered already.")
		return
	}
	s.record(l, who.Key(), SignedIn, authn.None)
	out, err := s.prepare(r.Context(), l, who, person)
	if err != nil {
		s.options.ErrorLog.Warn("the person to be named instead was not found", "domain", l.domain, "cause", err)
		s.pages.message(w, http.StatusServiceUnavailable, l.domain, unreachable)
		return
	}
	l.finish(w, r, out)
}

// person is whom the answer will name: with an anchor, and of this issuer's own domain.
func (s *Server) person(ctx context.Context, domain string, who authn.Identifier) (Person, error) {
	p, err := s.options.People.Person(ctx, who.UPN())
	switch {
	case err != nil:
		return Person{}, err
	case p.Anchor == "":
		return Person{}, errors.New("the directory gave no objectGUID")
	case authn.ParseIdentifier(p.UPN).Domain() != domain:
		return Person{}, fmt.Errorf("the directory named %q, who is not of %s", p.UPN, domain)
	}
	return p, nil
}

// What the form says.
const (
	wrongPassword = "The user name or password is wrong."
	unreachable   = "The directory cannot be reached. Nobody can be signed in now; please try again in a moment."
)

// refusal says why, as AD FS does: the directory tells it after the right password only, but for a lock.
func refusal(r authn.Reason) string {
	switch r {
	case authn.OnpremLocked:
		return "the account is locked"
	case authn.AccountDisabled:
		return "the account is disabled"
	case authn.AccountExpired:
		return "the account has expired"
	case authn.OnpremPasswordExpired:
		return "the password has expired"
	case authn.OnpremMustChange:
		return "the password must be changed first"
	case authn.LogonHours:
		return "the account may not sign in at this hour"
	default:
		return "the account may not sign in"
	}
}
