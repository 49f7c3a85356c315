package agent

import (
	"testing"
	"time"
)

func TestBookTakesARequestOnce(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b := newBook()
	if !b.take("a", now.Add(time.Second)) || b.take("a", now.Add(time.Hour)) {
		t.Error("a request must be taken once")
	}
	b.forget(now)
	if b.take("a", now.Add(time.Second)) {
		t.Error("forgotten before it was over")
	}
	b.forget(now.Add(2 * time.Second))
	if !b.take("a", now.Add(3*time.Second)) {
		t.Error("never forgotten")
	}
}

func TestBookIsBounded(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b := newBook()
	for i := 0; len(b.seen) < mostSeen; i++ {
		b.seen[time.Duration(i).String()] = now
	}
	if b.take("one more", now) {
		t.Error("the book grows without end")
	}
	b.forget(now.Add(time.Second))
	if !b.take("one more", now.Add(time.Minute)) {
		t.Error("a full book never empties")
	}
}
