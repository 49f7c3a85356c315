package gateway

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/config"
)

// hanging is a provider whose other side says nothing until it is let go.
type hanging struct{ begun, letGo chan struct{} }

func (h hanging) Step(context.Context, authn.Attempt) authn.Outcome {
	h.begun <- struct{}{}
	<-h.letGo
	return authn.Deny(authn.BadPassword, "", nil)
}

// A directory that hangs may keep its own people waiting; whoever finds no place is told at once and keeps none at the door.
func TestAPathThatHangsKeepsABoundedNumberOfPlaces(t *testing.T) {
	const most = 3
	h := hanging{make(chan struct{}), make(chan struct{})}
	b, ends := newBounded(h, most), make(chan authn.Reason)
	for range most {
		go func() { ends <- b.Step(t.Context(), authn.Attempt{}).Reason }()
		<-h.begun
	}
	if out := b.Step(t.Context(), authn.Attempt{}); out.Verdict != authn.Unavailable || out.Reason != authn.Overloaded {
		t.Errorf("one too many: %s %s, want overloaded at once", out.Verdict, out.Reason)
	}
	close(h.letGo)
	for range most {
		if r := <-ends; r != authn.BadPassword {
			t.Errorf("control: %s", r)
		}
	}
	go func() { ends <- b.Step(t.Context(), authn.Attempt{}).Reason }()
	<-h.begun
	if r := <-ends; r != authn.BadPassword {
		t.Errorf("afterwards: %s", r)
	}
}

// Argon2id takes a hundred times as long as a synchronised hash.
func TestACrowdAtOnePathsHashesKeepsNobodyFromTheOthers(t *testing.T) {
	p := newPools(config.Hashing{Workers: 1, QueueLimit: 1})
	busy, letGo := make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() {
		_, err := p.cloud.Do(t.Context(), func() { close(busy); <-letGo })
		done <- err
	}()
	<-busy
	waits := make(chan error)
	go func() {
		_, err := p.cloud.Do(t.Context(), func() {})
		waits <- err
	}()
	for !p.full(authn.PathCloud) {
		runtime.Gosched()
	}
	if p.full(authn.PathPHS) || p.Waiting() != 1 {
		t.Errorf("one waits at cloud: %d wait, phs is full: %t", p.Waiting(), p.full(authn.PathPHS))
	}
	if _, err := p.phs.Do(t.Context(), func() {}); err != nil { // hangs when the two share their workers
		t.Error(err)
	}
	close(letGo)
	if err := errors.Join(<-done, <-waits); err != nil {
		t.Error(err)
	}
	if p.full(authn.PathCloud) {
		t.Error("nobody waits any more, and the path is full")
	}
}
