package fault

import "time"

// Strikes decides whether the message at hand is hit by a fault. A hit is counted and remembered, and the last one of a
// limited number mends the fault.
func (b *Board) Strikes(name string, t Target) (Strike, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.on[name]
	now := realNow()
	if !ok || !now.Before(e.Until) || !e.aim.meets(t) {
		return Strike{}, false
	}
	if e.Rate < 1 && b.chance() >= e.Rate {
		return Strike{}, false
	}
	e.Hits++
	b.past.hit(name, t, now)
	if e.Next > 0 && e.Hits >= e.Next {
		b.take(e) // nobody waits for the watchers here: one of them may wait for this very message
		b.passed(e.Active)
	}
	return e.strike, true
}

// Struck names the faults that hit somebody in that time, sorted. who "" is anybody; a message that was about no person
// counts for everybody, and so does a total fault as long as it is on: what is broken as a whole asks nobody.
func (b *Board) Struck(from, to time.Time, who string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.past.struck(from, to, who)
}
