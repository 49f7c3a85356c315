package fourwaystest

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Lab is a running lab. Its methods may be called from several tests at once.
type Lab struct {
	SignInURL  string // origin of the public listener
	ConsoleURL string // origin of the operator's
	MetricsURL string
	IdPURL     string // the other company's identity provider
	LDAPURL    string // the simulated domain controller
	Token      string // of the console, role admin
	Users      []User

	t testing.TB
	p *program
}

// User is a demo person with a password that is right now.
type User struct {
	UPN      string     `json:"upn"`
	Password string     `json:"password"`
	Path     authn.Path `json:"path"`
}

// Start starts a lab and waits until it is ready. It is ended when the test is.
func Start(t testing.TB, opts ...Option) *Lab {
	t.Helper()
	o := options{binary: os.Getenv(envBinary)}
	for _, set := range opts {
		set(&o)
	}
	if o.binary == "" {
		built, err := build()
		if err != nil {
			t.Fatal(err)
		}
		o.binary = built
	}
	p, ready, err := run(o, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	})
	return &Lab{
		SignInURL: ready.SignInURL, ConsoleURL: ready.ConsoleURL, MetricsURL: ready.MetricsURL, IdPURL: ready.IdPURL, LDAPURL: ready.LDAPURL,
		Token: ready.Token, Users: ready.Users, t: t, p: p,
	}
}

// In is the same lab for a subtest: its failures are the subtest's, and what it broke or swapped is put right when that ends.
func (l *Lab) In(t testing.TB) *Lab {
	sub := *l
	sub.t = t
	return &sub
}

// Password is the password that is right for a demo person.
func (l *Lab) Password(upn string) string {
	l.t.Helper()
	for _, u := range l.Users {
		if strings.EqualFold(u.UPN, upn) {
			return u.Password
		}
	}
	l.t.Fatalf("fourwaystest: the lab has no demo person %s: Lab.Users lists them", upn)
	return ""
}

// Result is how a sign-in ended.
type Result struct {
	Verdict       authn.Verdict
	Path          authn.Path
	Account       string          // user principal name of who was let in
	Name          string          // display name of the same
	CorrelationID authn.AttemptID // for Trace
	Code          int             // what the person was told, as a public code; 0 for nothing
	Message       string          // its sentence
	Reason        authn.Reason    // the operator's, from the sign-in log
	Note          string          // what kept a federated sign-in from ending
	Shown         string          // what the identity provider's last page said, when it let nobody through
	Took          time.Duration
}

// SignIn signs somebody in at the public endpoint as a browser would, through the identity provider's pages if the path
// leads there. A refusal is a result. Only a sign-in that could not be made ends the test.
func (l *Lab) SignIn(upn, password string) Result {
	l.t.Helper()
	var said struct {
		Verdict       authn.Verdict      `json:"verdict"`
		Path          authn.Path         `json:"path"`
		Account       string             `json:"account"`
		Name          string             `json:"displayName"`
		CorrelationID authn.AttemptID    `json:"correlationId"`
		Milliseconds  int64              `json:"milliseconds"`
		Error         *authn.PublicError `json:"error"`
		Reason        authn.Reason       `json:"reason"`
		Note          string             `json:"note"`
		Shown         string             `json:"shown"`
	}
	ctx, cancel := context.WithTimeout(context.Background(), hangGuard)
	defer cancel()
	if err := l.p.signIn(ctx, l, upn, password, &said); err != nil {
		l.t.Fatalf("fourwaystest: %s could not be signed in: %v", upn, err)
	}
	r := Result{
		Verdict: said.Verdict, Path: said.Path, Account: said.Account, Name: said.Name,
		CorrelationID: said.CorrelationID, Reason: said.Reason, Note: said.Note, Shown: said.Shown,
		Took: time.Duration(said.Milliseconds) * time.Millisecond,
	}
	if said.Error != nil {
		r.Code, r.Message = said.Error.Code, said.Error.Message
	}
	return r
}

// Trace is everything that the gateway wrote of one sign-in.
type Trace struct {
	ID      authn.AttemptID `json:"id"`
	Records []authn.Record  `json:"records"` // one for each request of it, in order
}

// Steps are the steps of all records, in order.
func (t Trace) Steps() []authn.Step {
	var all []authn.Step
	for _, r := range t.Records {
		all = append(all, r.Steps...)
	}
	return all
}

// Faults names what was broken on purpose and hit this sign-in, each once.
func (t Trace) Faults() []string {
	var all []string
	for _, s := range t.Steps() {
		for name := range strings.SplitSeq(s.Fault, ",") {
			if name = strings.TrimSpace(name); name != "" && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// Trace reads the trace of a sign-in.
func (l *Lab) Trace(id authn.AttemptID) Trace {
	l.t.Helper()
	var trace Trace
	if err := l.ask(http.MethodGet, "traces/"+url.PathEscape(string(id)), nil, &trace); err != nil {
		l.t.Fatalf("fourwaystest: the trace of %s can't be read: %v", id, err)
	}
	return trace
}

// Fault breaks something until the test ends; `fourways fault list` shows what can be broken. A fault ends by itself after
// 10 minutes, or what For says.
func (l *Lab) Fault(name string, opts ...FaultOption) {
	l.t.Helper()
	s := faultSetting{Reason: l.t.Name()}
	for _, set := range opts {
		set(&s)
	}
	if err := l.ask(http.MethodPut, "faults/"+url.PathEscape(name), s, nil); err != nil {
		l.t.Fatalf("fourwaystest: the fault %s can't be set: %v", name, err)
	}
	l.t.Cleanup(func() { l.ClearFault(name) })
}

// ClearFault mends what Fault broke. Nothing is restarted. It does no harm when the fault is not on.
func (l *Lab) ClearFault(name string) {
	l.t.Helper()
	if err := l.ask(http.MethodDelete, "faults/"+url.PathEscape(name), nil, nil); err != nil {
		l.t.Errorf("fourwaystest: the fault %s can't be cleared: %v", name, err)
	}
}

// SetMode swaps the path of a domain until the test ends; then the domain goes by its configuration again.
func (l *Lab) SetMode(domain string, path authn.Path) {
	l.t.Helper()
	at := "mode/" + url.PathEscape(domain)
	if err := l.ask(http.MethodPut, at, map[string]string{"path": string(path), "reason": l.t.Name()}, nil); err != nil {
		l.t.Fatalf("fourwaystest: %s can't be set to %s: %v", domain, path, err)
	}
	l.t.Cleanup(func() {
		if err := l.ask(http.MethodDelete, at, nil, nil); err != nil {
			l.t.Errorf("fourwaystest: the path of %s can't be reset: %v", domain, err)
		}
	})
}
