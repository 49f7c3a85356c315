package fourwaystest

import (
	"slices"
	"sync"
	"testing"
)

// wish is how a test wants a fault or a mode to be: a request to the console.
type wish struct {
	of     testing.TB // nil for what was there before any test asked
	method string
	body   any
}

// wishes are those for each path of the API, the latest last. One lab's subtests may wish at the same time, and end in any
// order: what holds is the latest wish of those that still run, and at the end what was there before.
type wishes struct {
	mu sync.Mutex
	at map[string][]wish
}

// change fulfils a wish until its test ends. before reads what is there, as a wish; it is asked for the first one only.
func (l *Lab) change(at, method string, body any, before func() (wish, error)) error {
	l.wishes.mu.Lock()
	defer l.wishes.mu.Unlock()
	all := l.wishes.at[at]
	if len(all) == 0 {
		was, err := before()
		if err != nil {
			return err
		}
		all = append(all, was)
	}
	if err := l.ask(method, at, body, nil); err != nil {
		return err
	}
	if !slices.ContainsFunc(all, l.ours) {
		l.t.Cleanup(func() { l.undo(at) })
	}
	others := slices.DeleteFunc(all, l.ours)
	l.wishes.at[at] = append(others, wish{l.t, method, body})
	return nil
}

// undo takes back this test's wish.
func (l *Lab) undo(at string) {
	l.wishes.mu.Lock()
	defer l.wishes.mu.Unlock()
	all := l.wishes.at[at]
	held := l.ours(all[len(all)-1])
	all = slices.DeleteFunc(all, l.ours)
	latest := all[len(all)-1]
	if len(all) == 1 {
		delete(l.wishes.at, at)
	} else {
		l.wishes.at[at] = all
	}
	if !held {
		return
	}
	if err := l.ask(latest.method, at, latest.body, nil); err != nil {
		l.t.Errorf("fourwaystest: %s can't be put back as it was: %v", at, err)
	}
}

func (l *Lab) ours(w wish) bool { return w.of == l.t }

// page is a list as the console gives it.
type page[T any] struct {
	Items []T `json:"items"`
}
