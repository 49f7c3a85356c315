package agent

import (
	"sync"
	"time"
)

// book remembers requests until they are over, so that none is taken twice.
type book struct {
	mu   sync.Mutex
	seen map[string]time.Time // until when
}

// mostSeen bounds the book: ten times what one agent can answer in the longest deadline.
const mostSeen = 200_000

func newBook() *book { return &book{seen: map[string]time.Time{}} }

// take notes a request; false when it was there already, or the book is full.
func (b *book) take(id string, until time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.seen[id]; ok || len(b.seen) >= mostSeen {
		return false
	}
	b.seen[id] = until
	return true
}

// forget drops what is over.
func (b *book) forget(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, until := range b.seen {
		if now.After(until) {
			delete(b.seen, id)
		}
	}
}
