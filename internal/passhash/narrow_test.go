package passhash

import (
	"runtime"
	"testing"
)

func TestANarrowPoolHasTheWorkersThatWereLeft(t *testing.T) {
	const workers, left = 4, 1
	p := NewPool(workers, 8)
	widen := p.Narrow(left)
	for len(p.slots) < workers-left { // they are taken on goroutines of their own
		runtime.Gosched()
	}
	begun, letGo, ends := make(chan struct{}), make(chan struct{}), make(chan error)
	work := func() {
		_, err := p.Do(t.Context(), func() { begun <- struct{}{}; <-letGo })
		ends <- err
	}
	go work()
	<-begun
	go work()
	for p.Waiting() == 0 { // the second finds no place
		runtime.Gosched()
	}
	widen()
	<-begun // and gets one of those that are given back
	close(letGo)
	for range 2 {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
	for len(p.slots) > 0 {
		runtime.Gosched()
	}
	widen() // again does nothing
}

func TestAPoolIsNeverNarrowedToNothing(t *testing.T) {
	p := NewPool(2, 1)
	defer p.Narrow(-5)()
	for len(p.slots) < 1 {
		runtime.Gosched()
	}
	if _, err := p.Do(t.Context(), func() {}); err != nil { // hangs when no worker is left
		t.Error(err)
	}
}
