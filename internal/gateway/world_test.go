package gateway

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/fourways-id/fourways/internal/console/api"
)

// What a synchronisation reads while only one half of a world is back is of the other world.
func TestNothingIsSynchronisedBetweenTheHalvesOfAWorld(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	o, kept := h.Operator(), filepath.Join(t.TempDir(), "kept.db")
	if _, err := o.KeepWorld(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	called := false
	_, err := o.RestoreWorld(t.Context(), kept, func() error {
		called = true
		_, err := o.SyncRun(t.Context(), nil)
		var p api.Problem
		if !errors.As(err, &p) || p.Status != http.StatusConflict {
			t.Errorf("a synchronisation between the halves: %v, want a conflict", err)
		}
		return nil
	})
	if err != nil || !called {
		t.Fatalf("%v; the rest was brought back: %v", err, called)
	}
	cut := errors.New("cut")
	if _, err := o.RestoreWorld(t.Context(), kept, func() error { return cut }); !errors.Is(err, cut) {
		t.Errorf("a rest that fails: %v", err)
	}
	_, err = o.RestoreWorld(t.Context(), kept+".none", func() error {
		t.Error("one half came back, the other does not exist")
		return nil
	})
	if err == nil {
		t.Error("a world that does not exist was brought back")
	}
}

// A reset that comes while a synchronisation is at work waits for its end, and is refused when there is none in sight.
func TestAWorldWaitsForASynchronisation(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	o, kept := h.Operator(), filepath.Join(t.TempDir(), "kept.db")
	atWork, end := make(chan struct{}), make(chan struct{})
	over := make(chan error)
	go func() {
		over <- h.engine.Hold(func() error {
			close(atWork)
			<-end
			return nil
		})
	}()
	<-atWork
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	var p api.Problem
	if _, err := o.KeepWorld(impatient, kept); !errors.As(err, &p) || p.Status != http.StatusConflict {
		t.Errorf("while one is at work: %v, want a conflict", err)
	}
	done := make(chan error)
	go func() {
		_, err := o.KeepWorld(t.Context(), kept)
		done <- err
	}()
	close(end)
	if err := errors.Join(<-over, <-done); err != nil {
		t.Errorf("when it has ended: %v", err)
	}
}
