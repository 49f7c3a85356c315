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
	steady  = iota // nothing befalls them
	changed        // something befalls them on-premises
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
		{"when the premises have changed", func() { s.control(changed, "66050") }, [staff]int{}},
		{"after a hash run", func() { s.synchronise(dirsync.KindHash) }, [staff]int{}},
		{"after a directory run", func() { s.synchronise(dirsync.KindDirectory) }, [staff]int{changed: off}},
		{"when it is enabled again", func() { s.control(changed, "66048") }, [staff]int{changed: off}},
		{"after another hash run", func() { s.synchronise(dirsync.KindHash) }, [staff]int{changed: off}},
		{"after another directory run", func() { s.synchronise(dirsync.KindDirectory) }, [staff]int{}},
	} {
		at.do()
		for i, want := range at.want {
			if got := s.signIn(i, world.Password); got != want {
				t.Errorf("%s, %s is told %d, want %d", at.when, employeeUPN(i), got, want)
			}
		}
	}
	s.control(changed, "66050")
	s.synchronise(dirsync.KindDirectory)
	if got := s.signIn(changed, "Wrong-2025!"); got != wrong {
		t.Errorf("who guesses at a disabled account is told %d, want %d", got, wrong)
	}
}

// Who may sign in by smart card alone has a random password on-premises, at an unchanged pwdLastSet. The old one lets in
// until the hash cycle, whatever the directory cycle does.
func TestASmartCardThatIsRequiredComesWithTheHashCycle(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	if err := s.premises.Forest().Seed([]dc.Entry{employee(steady), employee(changed)}); err != nil {
		t.Fatal(err)
	}
	s.synchronise(dirsync.KindDirectory, dirsync.KindHash)
	s.control(changed, "328192")
	for _, at := range []struct {
		kind dirsync.Kind
		want int
	}{{dirsync.KindDirectory, 0}, {dirsync.KindHash, authn.BadPassword.Code()}, {dirsync.KindDirectory, authn.BadPassword.Code()}} {
		s.synchronise(at.kind)
		if steadily, got := s.signIn(steady, world.Password), s.signIn(changed, world.Password); steadily != 0 || got != at.want {
			t.Errorf("after a %s run they are told %d and %d, want 0 and %d", at.kind, steadily, got, at.want)
		}
	}
}
