package lab_test

import (
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/lab/world"
	"github.com/fourways-id/fourways/internal/onprem"
)

// The people of the stories, by number.
const (
	steady   = iota // nothing befalls them
	disabled        // their account is disabled on-premises
	staff
)

// signIn is the code that somebody is told; 0: they are let in.
func (s *site) signIn(i int, password string) int {
	s.tb.Helper()
	a, err := browser.SignIn(s.tb.Context(), browser.SignInOptions{Door: s.door, UPN: employeeUPN(i), Password: authn.NewSecret([]byte(password))})
	if err != nil {
		s.tb.Fatal(err)
	}
	if a.Public == nil {
		return 0
	}
	return a.Public.Code
}

// control sets somebody's userAccountControl, over LDAP as the administrator.
func (s *site) control(i int, flags string) {
	s.tb.Helper()
	err := s.admin.Modify(s.tb.Context(), employeeDN(i), onprem.Change{Op: onprem.Replace, Attr: "userAccountControl", Values: []string{flags}})
	if err != nil {
		s.tb.Fatal(err)
	}
}

func (s *site) synchronise(kinds ...dirsync.Kind) {
	s.tb.Helper()
	for _, k := range kinds {
		if _, err := s.console.SyncRun(s.tb.Context(), string(k)); err != nil {
			s.tb.Fatalf("%s run: %v\n%s", k, err, s.agent.said())
		}
	}
}

// Who is disabled on-premises signs in until the directory cycle, whatever the hash cycle does.
func TestADisabledAccountComesWithTheDirectoryCycle(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	var people []dc.Entry
	for i := range staff {
		people = append(people, employee(i))
	}
	if err := s.premises.Forest().Seed(people); err != nil {
		t.Fatal(err)
	}
	s.synchronise(dirsync.KindDirectory, dirsync.KindHash)
	wrong, off := authn.BadPassword.Code(), authn.AccountDisabled.Code()
	for _, at := range []struct {
		when string
		do   func()
		want [staff]int
	}{
		{"at first", func() {}, [staff]int{}},
		{"when the premises have changed", func() { s.control(disabled, "66050") }, [staff]int{}},
		{"after a hash run", func() { s.synchronise(dirsync.KindHash) }, [staff]int{}},
		{"after a directory run", func() { s.synchronise(dirsync.KindDirectory) }, [staff]int{disabled: off}},
		{"when it is enabled again", func() { s.control(disabled, "66048") }, [staff]int{disabled: off}},
		{"after another hash run", func() { s.synchronise(dirsync.KindHash) }, [staff]int{disabled: off}},
		{"after another directory run", func() { s.synchronise(dirsync.KindDirectory) }, [staff]int{}},
	} {
		at.do()
		for i, want := range at.want {
			if got := s.signIn(i, world.Password); got != want {
				t.Errorf("%s, %s is told %d, want %d", at.when, employeeUPN(i), got, want)
			}
		}
	}
	s.control(disabled, "66050")
	s.synchronise(dirsync.KindDirectory)
	if got := s.signIn(disabled, "Wrong-2025!"); got != wrong {
		t.Errorf("who guesses at a disabled account is told %d, want %d", got, wrong)
	}
}
