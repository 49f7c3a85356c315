// Package fault is the board of what is broken in a lab on purpose.
//
// In come settings ("dc-slow, for this person, every second message, for five minutes") and questions of the hops ("is this
// message hit?"); out go yes or no, and what hit whom and when. A fault breaks a socket, a key, a clock or a message. It
// never says how a sign-in ends: nothing here knows what a reason is, and the real code finds out by itself.
package fault

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// Setting asks for a fault.
type Setting struct {
	Name   string
	Scope  string // "user=", "domain=", "agent=" or "path=" and a value; "" is everybody
	Param  string // "" is the kind's default
	By     string // who asks
	Reason string
	Rate   float64       // share of the messages that are hit: 0 and 1 are all of them
	Next   int           // so many messages are hit, then it clears itself; 0: no limit
	For    time.Duration // 0 is 10 minutes; at most 30
}

// Active is a fault that is on. Its setting is complete: no default is left open.
type Active struct {
	Setting
	Since, Until time.Time // real time
	Hits         int
	strike       Strike
}

// Total reports that everybody is hit, always: such a fault may be broken as a whole, at the socket.
func (a Active) Total() bool { return a.Scope == "" && a.Rate == 1 && a.Next == 0 }

// Strike is the parameter, parsed.
func (a Active) Strike() Strike { return a.strike }

// Target is what the message at hand is about, as far as the hop knows. User is the tenant's name of a person, or the
// forest's where only that is known. Case doesn't matter.
type Target struct{ User, Domain, Agent, Path string }

// Strike is a fault's parameter, parsed: one of the first two, by the kind's unit.
type Strike struct {
	Wait  time.Duration
	Count int
	Over  <-chan struct{} // closes when the fault is mended, so that nobody waits on; not when it hit the last of a number
}

// Board holds what is broken. It is safe for use by many. Time is real time: a fault ends when it was said to, wherever the
// lab's clock stands.
type Board struct {
	mu       sync.Mutex
	on       map[string]*entry
	past     history
	watchers map[string][]func(bool, Active)
	ended    func(Active)
	closed   bool
	chance   func() float64 // in [0,1)
	news     *teller
}

type entry struct {
	Active
	aim   aim
	timer *time.Timer
	over  chan struct{} // the strike's
}

// NewBoard makes a board on which nothing is broken. Close ends it.
func NewBoard() *Board { return newBoard(rand.Float64) }

func newBoard(chance func() float64) *Board {
	return &Board{on: map[string]*entry{}, watchers: map[string][]func(bool, Active){}, chance: chance, news: newTeller()}
}

// ErrClosed says that the lab is ending.
var ErrClosed = errors.New("the lab is ending: nothing can be broken any more")

// Set breaks something, or breaks it in another way: what was set before under that name is replaced, hits and all. It
// comes back when all watchers were told, so a watcher must not set or clear.
func (b *Board) Set(s Setting) (Active, error) {
	e, err := parse(s)
	if err != nil {
		return Active{}, err
	}
	told, a, err := b.set(e)
	if err != nil {
		return Active{}, err
	}
	told()
	return a, nil
}

func (b *Board) set(e *entry) (told func(), _ Active, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, Active{}, ErrClosed
	}
	if before, ok := b.on[e.Name]; ok {
		b.mend(before)
	}
	e.Since = realNow()
	e.Until = e.Since.Add(e.For)
	e.timer = time.AfterFunc(e.For, func() { b.expire(e) })
	b.on[e.Name] = e
	b.past.began(e.Active)
	return b.tell(true, e.Active), e.Active, nil
}

// realNow is real time.
func realNow() time.Time { return time.Now() } //nolint:forbidigo // a fault ends when it was said to, wherever policy time stands

// expire ends a fault whose time is over, unless it was replaced.
func (b *Board) expire(e *entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.on[e.Name] != e {
		return
	}
	b.mend(e)
	b.passed(e.Active)
}

// passed tells whoever asked that a fault ended by itself.
func (b *Board) passed(a Active) {
	if ended := b.ended; ended != nil {
		b.news.say(func() { ended(a) })
	}
}

// mend takes a fault off the board, and whoever it holds up goes on. The caller holds the lock.
func (b *Board) mend(e *entry) (told func()) {
	close(e.over)
	return b.take(e)
}

// take takes a fault off the board. The caller holds the lock.
func (b *Board) take(e *entry) (told func()) {
	e.timer.Stop()
	delete(b.on, e.Name)
	b.past.ended(e.Active, realNow())
	return b.tell(false, e.Active)
}

// Clear mends one thing, and reports whether it was broken. It comes back when all watchers were told.
func (b *Board) Clear(name string) bool {
	return len(b.clear(func(n string) bool { return n == name })) > 0
}

// ClearAll mends everything, and gives the names of what was broken.
func (b *Board) ClearAll() []string {
	return b.clear(func(string) bool { return true })
}

func (b *Board) clear(which func(name string) bool) []string {
	names, told := b.takeAll(which)
	for _, wait := range told {
		wait()
	}
	return names
}

func (b *Board) takeAll(which func(name string) bool) (names []string, told []func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.active() {
		if which(a.Name) {
			names = append(names, a.Name)
			told = append(told, b.mend(b.on[a.Name]))
		}
	}
	return names, told
}

// Active lists what is broken, by name.
func (b *Board) Active() []Active {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.active()
}

func (b *Board) active() []Active {
	all := make([]Active, 0, len(b.on))
	for _, e := range b.on {
		all = append(all, e.Active)
	}
	slices.SortFunc(all, func(x, y Active) int { return strings.Compare(x.Name, y.Name) })
	return all
}

// On reports whether a fault is on, for whomever.
func (b *Board) On(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.on[name]
	return ok
}

// Close mends everything, tells the watchers and ends the board. It may be called twice.
func (b *Board) Close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.ClearAll()
	b.news.close()
}
