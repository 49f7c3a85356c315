package agent

import (
	"sync"
	"time"
)

// book remembers requests until they are over: none is taken twice, and one that the gateway gave to somebody else is
// dropped.
type book struct {
	mu   sync.Mutex
	seen map[string]entry
}

type entry struct {
	until     time.Time
	cancelled bool
}

// mostSeen bounds the book: ten times what one agent can answer in the longest deadline.
const mostSeen = 200_000

func newBook() *book { return &book{seen: map[string]entry{}} }

// take notes a request; false when it was there already, or the book is full.
func (b *book) take(id string, until time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.seen[id]; ok || len(b.seen) >= mostSeen {
		return false
	}
	b.seen[id] = entry{until: until}
	return true
}

// cancel notes that a request is somebody else's, also one that has not arrived yet.
func (b *book) cancel(id string, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e, ok := b.seen[id]; ok && e.until.After(until) {
		until = e.until
	}
	b.seen[id] = entry{until: until, cancelled: true}
}

func (b *book) cancelled(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen[id].cancelled
}

// forget drops what is over.
func (b *book) forget(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, e := range b.seen {
		if now.After(e.until) {
			delete(b.seen, id)
		}
	}
}
