package agent

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestRunsTakeTurns(t *testing.T) {
	var all turns
	var work sync.WaitGroup
	at := time.Unix(1, 0)
	first, done := all.take(t.Context(), at)
	if first.Err() != nil {
		t.Fatal(first.Err())
	}
	for i := range 3 { // each ends the one before it, and none begins before that has ended
		waiting := make(chan struct{})
		work.Go(func() {
			close(waiting)
			_, end := all.take(t.Context(), at.Add(time.Duration(i+1)*time.Second))
			end()
		})
		<-waiting
	}
	<-first.Done()
	if !errors.Is(context.Cause(first), errNewer) {
		t.Errorf("ended because %v", context.Cause(first))
	}
	done()
	work.Wait()
	if all.now != nil {
		t.Error("somebody's turn, and nobody is there")
	}
	newer, done := all.take(t.Context(), at.Add(time.Hour))
	late, end := all.take(t.Context(), at)
	if !errors.Is(context.Cause(late), errNewer) || newer.Err() != nil {
		t.Errorf("an older order: %v, %v", context.Cause(late), newer.Err())
	}
	end()
	done()
}
