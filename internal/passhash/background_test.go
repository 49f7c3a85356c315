package passhash_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fourways-id/fourways/internal/passhash"
)

func TestBackgroundWorkIsDoneOneAtATime(t *testing.T) {
	b := passhash.NewBackground()
	var working, most, done atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			err := b.Do(t.Context(), func() {
				most.Store(max(most.Load(), working.Add(1)))
				done.Add(1)
				working.Add(-1)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most.Load() != 1 || done.Load() != 8 {
		t.Errorf("%d pieces of work, up to %d at once", done.Load(), most.Load())
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Do(over, func() { t.Error("work began for a caller that has gone") }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
