package load

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/authn"
)

// Person is somebody who may sign in. The password is a lab's, and public.
type Person struct {
	UPN      string
	Password string
	Path     authn.Path // of the person's domain
}

// The kinds of an arrival.
const (
	Right   = "right"   // the person's own password: is to be let in
	Wrong   = "wrong"   // a wrong password for a real name: is to be refused
	Unknown = "unknown" // a name that nobody has: is to be refused
)

// WrongPerAccount bounds the wrong guesses at one real account in one run. It stays below every threshold that a lab comes
// with, so a run locks nobody's account; the wrong guesses that are left over go to names that nobody has. After the run,
// everybody who was guessed at is signed in once, which ends their count: run after run would lock them otherwise.
const WrongPerAccount = 3

// login is what one arrival sends.
type login struct {
	path     authn.Path
	kind     string
	upn      string
	password string
}

// crowd gives out logins, path by path in turn. It is used by the one goroutine that plans.
type crowd struct {
	plan    Plan
	paths   []authn.Path
	people  map[authn.Path][]Person
	next    map[authn.Path]int
	guesses map[string]int
	dice    *rand.Rand
	nobody  int
}

func newCrowd(p Plan, people []Person) (*crowd, error) {
	if len(people) == 0 {
		return nil, errors.New("there is nobody to sign in")
	}
	c := &crowd{
		plan: p, people: map[authn.Path][]Person{}, next: map[authn.Path]int{}, guesses: map[string]int{},
		dice: rand.New(rand.NewPCG(p.Seed, 0)), //nolint:gosec // a plan that can be repeated is wanted, not a secret
	}
	for _, who := range people {
		if !slices.Contains(c.paths, who.Path) {
			c.paths = append(c.paths, who.Path)
		}
		c.people[who.Path] = append(c.people[who.Path], who)
	}
	return c, nil
}

// login is what the arrival with number n sends.
func (c *crowd) login(n int) login {
	path := c.paths[n%len(c.paths)]
	who := c.people[path][c.next[path]%len(c.people[path])]
	c.next[path]++
	l := login{path: path, kind: Right, upn: who.UPN, password: who.Password}
	switch roll := c.dice.Float64(); {
	case roll < c.plan.Unknown || roll < c.plan.Unknown+c.plan.Wrong && c.guesses[who.UPN] >= WrongPerAccount:
		_, domain, _ := strings.Cut(who.UPN, "@")
		c.nobody++
		// A name of its own each time: a name that nobody has is locked like any other.
		l.kind, l.upn, l.password = Unknown, fmt.Sprintf("nobody-%x-%d@%s", c.plan.Seed, c.nobody, domain), "Wrong-guess-1!"
	case roll < c.plan.Unknown+c.plan.Wrong:
		c.guesses[who.UPN]++
		l.kind, l.password = Wrong, fmt.Sprintf("Wrong-guess-%d!", c.guesses[who.UPN])
	}
	return l
}

// guessedAt are right logins of all who got a wrong guess.
func (c *crowd) guessedAt() []login {
	var all []login
	for _, path := range c.paths {
		for _, who := range c.people[path] {
			if c.guesses[who.UPN] > 0 {
				all = append(all, login{path: path, kind: Right, upn: who.UPN, password: who.Password})
			}
		}
	}
	return all
}
