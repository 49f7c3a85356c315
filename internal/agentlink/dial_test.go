package agentlink

import (
	"testing"
	"time"
)

func TestWaitsGrowWhenConnectionsDoNotLast(t *testing.T) {
	clock := &fixedClock{time.Now()}
	r := &retry{now: clock.Now}
	if w := r.wait(1); w > firstRetry {
		t.Errorf("the first attempt of all waits %s", w)
	}
	if w := r.wait(9); w < lastRetry/2 || w > lastRetry {
		t.Errorf("the ninth waits %s", w)
	}
	for range 9 { // connected each time, and cut off soon
		r.connected()
		clock.now = clock.now.Add(time.Second)
		r.wait(1)
	}
	if w := r.wait(1); w < lastRetry/2 || w > lastRetry {
		t.Errorf("after nine connections that did not last: %s", w)
	}
	r.connected()
	clock.now = clock.now.Add(steady)
	if w := r.wait(1); w > firstRetry {
		t.Errorf("after one that lasted: %s", w)
	}
}
