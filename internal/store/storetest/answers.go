package storetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fourways-id/fourways/internal/store"
)

// testAnswers: of many who ask with one key one is the first; what it came to is told to the others, and sealed.
func testAnswers(t *testing.T, b *bench) {
	ctx := t.Context()
	o := store.Once{Token: "t1", Key: "k1", Request: []byte("POST /x CANARY-request")}
	var firsts atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			c, err := b.ClaimAnswer(context.WithoutCancel(ctx), o)
			if err != nil || !c.Same {
				t.Errorf("claim: %+v %v", c, err)
			}
			if c.First {
				firsts.Add(1)
			} else if c.Busy.IsZero() {
				t.Error("the one who came second was not told that the first is at work")
			}
		})
	}
	wg.Wait()
	equal(t, "how many were first", firsts.Load(), int32(1))

	must(t, b.KeepAnswer(ctx, o, []byte("CANARY-answer")))
	b.reopen(t)
	c, err := b.ClaimAnswer(ctx, o)
	must(t, err)
	equal(t, "the answer", string(c.Answer), "CANARY-answer")
	other := o
	other.Request = []byte("POST /y")
	c, err = b.ClaimAnswer(ctx, other)
	must(t, err)
	if c.First || c.Same || len(c.Answer) > 0 {
		t.Errorf("another request with the same key: %+v", c)
	}
	other.Token = "t2"
	c, err = b.ClaimAnswer(ctx, other)
	must(t, err)
	equal(t, "another token's key is another key", c.First, true)
	must(t, b.KeepAnswer(ctx, other, nil))
	c, err = b.ClaimAnswer(ctx, other)
	must(t, err)
	if c.First || !c.Same || !c.Busy.IsZero() || len(c.Answer) > 0 {
		t.Errorf("work whose end nobody knows: %+v", c)
	}
}
