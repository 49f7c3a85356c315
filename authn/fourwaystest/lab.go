package fourwaystest

import (
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
)

// Lab is a running lab of one test.
//
// A method that can't do what it is for ends the test with t.Fatal. So, as testing says of that, it is to be called from the
// goroutine that runs the test. A subtest takes the lab by In, whether it runs in parallel or not; there may be any number
// of those at once. They share the lab, though: what one breaks or swaps is broken for all.
type Lab struct {
	SignInURL  string // origin of the public listener
	ConsoleURL string // origin of the operator's
	MetricsURL string // whole: what Prometheus would read
	AgentURL   string // where pass-through agents connect to
	IdPURL     string // the other company's identity provider
	LDAPURL    string // the simulated domain controller
	DataDir    string // what `fourways --dir` takes; gone with the lab
	Token      string // of the console, role admin
	Users      []User // the characters of the demo world; a crowd is not among them

	t      testing.TB
	p      *program
	wishes *wishes
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
	o := options{ready: readyWithin}
	for _, set := range opts {
		set(&o)
	}
	home := t.TempDir()
	if err := o.find(home); err != nil {
		t.Fatal(err)
	}
	p, ready, err := run(o, home)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	})
	return &Lab{
		SignInURL: ready.SignInURL, ConsoleURL: ready.ConsoleURL, MetricsURL: ready.MetricsURL, AgentURL: ready.AgentURL, IdPURL: ready.IdPURL,
		LDAPURL: ready.LDAPURL, DataDir: ready.DataDir, Token: ready.Token, Users: ready.Users, t: t, p: p,
		wishes: &wishes{at: map[string][]wish{}},
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
