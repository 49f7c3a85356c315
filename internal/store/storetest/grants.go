package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// testGrantsResume: what a group gives, or takes away, reaches all its members although the program ended in the middle.
func testGrantsResume(t *testing.T, b *bench) {
	const many = 4000
	ctx := t.Context()
	must(t, b.CreatePlan(ctx, plan("E3", many)))
	people, ids := make([]directory.User, many), make([]authn.AccountID, many)
	for i := range many {
		people[i] = located(fmt.Sprintf("%05d", i))
		ids[i] = people[i].ID
	}
	must(t, b.LoadUsers(ctx, people, nil))
	must(t, b.PutGroup(ctx, directory.Group{ID: "g", Name: "g", Members: ids}))
	used := func() int {
		u, err := b.Plan(context.WithoutCancel(ctx), "E3")
		must(t, err)
		return u.Used
	}
	for _, way := range []struct {
		what  string
		do    func(context.Context) error
		begun func() bool
		end   int
	}{
		{"give", func(ctx context.Context) error { return b.AssignGroup(ctx, "E3", "g") }, func() bool { return used() > 0 }, many},
		{"take", func(ctx context.Context) error { return b.RevokeGroup(ctx, "E3", "g") }, func() bool { return used() < many }, 0},
	} {
		cut, stop := context.WithCancel(ctx)
		ended := make(chan error)
		go func() { ended <- way.do(cut) }()
		for !way.begun() {
			continue
		}
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: it was not interrupted: %v", way.what, err)
		}
		b.reopen(t)
		if n := used(); n == way.end {
			t.Fatalf("%s: all was done before the end", way.what)
		}
		n, err := b.ResumeLicences(ctx)
		must(t, err)
		equal(t, way.what+": grants that were resumed", n, 1)
		equal(t, way.what+": seats", used(), way.end)
		n, err = b.ResumeLicences(ctx)
		must(t, err)
		equal(t, way.what+": grants that are left", n, 0)
	}
}
