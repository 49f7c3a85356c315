package storetest

import (
	"context"
	"errors"
	"testing"
)

// testInspect: a sound store is told as one, and whoever can't wait for that is told why they know nothing.
func testInspect(t *testing.T, b *bench) {
	b.create(t, user("alice", "alice@cloud.test"))
	schema, err := b.Inspect(t.Context())
	must(t, err)
	if schema <= 0 {
		t.Errorf("the schema has version %d", schema)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Inspect(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
