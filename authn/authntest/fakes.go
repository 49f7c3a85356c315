package authntest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Clock is a clock that tests move. The zero value stands at the zero time.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock makes a clock that stands at t.
func NewClock(t time.Time) *Clock { return &Clock{now: t} }

// Now is where the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// ErrDown is what a fake that was told to be down answers.
var ErrDown = errors.New("down, as the test asked")

// World is a whole gateway's surroundings in memory: it fakes every port of authn. Fill the exported fields before use.
type World struct {
	Clock    *Clock
	People   map[string]authn.Account // by UPN
	RealmOf  map[string]authn.Realm   // by domain
	Provider authn.Provider
	Refuse   authn.Reason // what the guard answers
	Down     bool         // the store can't commit
	LookDown bool         // the directory can't look

	mu       sync.Mutex
	finals   []authn.Final
	tallies  map[string]authn.Tally
	once     map[authn.Once]bool
	released int
}

// Flow is a flow over the world.
func (w *World) Flow() *authn.Flow {
	if w.Clock == nil {
		w.Clock = NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	}
	return &authn.Flow{Directory: w, Realms: w, Guard: w, Providers: w, Sessions: w, Committer: w, Clock: w.Clock}
}

// Find implements authn.Directory.
func (w *World) Find(_ context.Context, who authn.Identifier) (authn.Account, error) {
	if w.LookDown {
		return authn.Account{}, ErrDown
	}
	return w.People[who.UPN()], nil
}

// Of implements authn.Realms.
func (w *World) Of(_ context.Context, who authn.Identifier, _ authn.Account) (authn.Realm, error) {
	return w.RealmOf[who.Domain()], nil
}

// For implements authn.Providers.
func (w *World) For(authn.Realm) authn.Provider { return w.Provider }

// Reserve implements authn.Guard.
func (w *World) Reserve(context.Context, string, authn.Place) authn.Ticket { return ticket{w} }

type ticket struct{ w *World }

func (t ticket) Refused() (authn.Reason, error) { return t.w.Refuse, nil }

func (ticket) Settle(now authn.Tally, e authn.Effect) authn.Tally {
	switch e {
	case authn.CountFailure:
		now.Failures++
	case authn.ClearTally:
		now = authn.Tally{}
	case authn.LeaveTally:
	}
	return now
}

func (t ticket) Release() {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	t.w.released++
}

// New implements authn.Sessions.
func (w *World) New(s authn.Subject, p authn.Proof) (authn.Session, string, error) {
	return authn.Session{Hash: []byte("hash"), Account: s.Account, Proof: p, Began: w.Clock.Now()}, "token", nil
}

// Commit implements authn.Committer.
func (w *World) Commit(_ context.Context, f authn.Final) (authn.Receipt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.Down {
		return authn.Receipt{}, ErrDown
	}
	if w.once == nil {
		w.once, w.tallies = map[authn.Once]bool{}, map[string]authn.Tally{}
	}
	for _, o := range f.Once {
		o.Until = time.Time{}
		if w.once[o] {
			return authn.Receipt{Replayed: true}, nil
		}
		w.once[o] = true
	}
	if f.Ticket != nil {
		w.tallies[f.TallyKey] = f.Ticket.Settle(w.tallies[f.TallyKey], f.Effect)
	}
	w.finals = append(w.finals, f)
	return authn.Receipt{}, nil
}

// Finals is what was committed so far.
func (w *World) Finals() []authn.Final {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]authn.Final(nil), w.finals...)
}

// Tally is the count of wrong guesses under key.
func (w *World) Tally(key string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tallies[key].Failures
}

// Released is how many tickets came back.
func (w *World) Released() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.released
}
