package fault

import (
	"slices"
	"strings"
	"time"
)

// remembered bounds what the board knows of the past: the oldest is forgotten.
const remembered = 4096

// history is what hit whom, and when what was broken as a whole.
type history struct {
	hits  ring[hit]
	spans ring[*span]
}

type hit struct {
	name, who string
	at        time.Time
}

// span is the time of one fault that hits without asking; to is zero as long as it is on.
type span struct {
	name     string
	from, to time.Time
}

func (h *history) hit(name string, t Target, at time.Time) {
	h.hits.add(hit{name, strings.ToLower(t.User), at})
}

func (h *history) began(a Active) {
	k, _ := Find(a.Name)
	always := a.Rate == 1 && a.Next == 0
	if a.Total() || k.Whole || k.agents && always && strings.HasPrefix(a.Scope, AimAgent+"=") {
		h.spans.add(&span{name: a.Name, from: a.Since})
	}
}

func (h *history) ended(a Active, at time.Time) {
	for _, s := range h.spans.all {
		if s.name == a.Name && s.to.IsZero() {
			s.to = at
		}
	}
}

func (h *history) struck(from, to time.Time, who string) []string {
	who = strings.ToLower(who)
	var names []string
	for _, x := range h.hits.all {
		if !x.at.Before(from) && !x.at.After(to) && (who == "" || x.who == "" || x.who == who) {
			names = append(names, x.name)
		}
	}
	for _, s := range h.spans.all {
		if !s.from.After(to) && (s.to.IsZero() || !s.to.Before(from)) {
			names = append(names, s.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ring keeps the newest.
type ring[T any] struct {
	all  []T
	next int
}

func (r *ring[T]) add(x T) {
	if len(r.all) < remembered {
		r.all = append(r.all, x)
		return
	}
	r.all[r.next] = x
	r.next = (r.next + 1) % remembered
}
