package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/guard"
	"github.com/fourways-id/fourways/internal/store"
)

// testGateways: several programs that have one store open keep each promise as one does.
func testGateways(t *testing.T, b *bench) {
	if b.opts.URL == "" {
		t.Skip("SKIPPED: a SQLite file belongs to one program")
	}
	fresh := b.another(t)
	all := make([]*store.DB, 3)
	var starting sync.WaitGroup
	for i := range all {
		starting.Go(func() { // all at once, on a database that is empty
			var err error
			if all[i], err = b.Open(t.Context(), fresh); err != nil {
				t.Errorf("gateway %d: %v", i, err)
			}
		})
	}
	starting.Wait()
	if t.Failed() {
		return
	}
	t.Cleanup(func() {
		for _, db := range all {
			must(t, db.Close())
		}
	})
	alice := user("alice", "alice@cloud.test")
	must(t, all[0].CreateUser(t.Context(), alice))
	t.Run("an override is seen at once", func(t *testing.T) {
		for i, db := range all {
			path := []authn.Path{authn.PathPHS, authn.PathPTA, authn.PathCloud}[i]
			swap(t, db, "cloud.test", &directory.Override{Domain: "cloud.test", Path: path})
			for _, other := range all {
				o, err := other.Override(t.Context(), "cloud.test")
				must(t, err)
				equal(t, "path", o.Path, path)
			}
		}
	})
	t.Run("an id is good once", func(t *testing.T) { onceAmong(t, b, all, alice) })
	t.Run("no guess is lost", func(t *testing.T) { guessAmong(t, b, all, alice) })
	t.Run("an unfinished attempt is closed once", func(t *testing.T) { sweepAmong(t, b, all) })
}

func onceAmong(t *testing.T, b *bench, all []*store.DB, alice directory.User) {
	t.Helper()
	var won atomic.Int64
	var racing sync.WaitGroup
	for i := range 30 {
		racing.Go(func() {
			f := b.final(fmt.Sprint("once", i), alice, authn.None)
			f.Once = []authn.Once{{Kind: "assertion", ID: "raced", Until: began().Add(time.Hour)}}
			r, err := all[i%len(all)].Commit(t.Context(), f)
			if err != nil {
				t.Error(err)
			} else if !r.Replayed {
				won.Add(1)
			}
		})
	}
	racing.Wait()
	equal(t, "winners", won.Load(), 1)
}

// guessAmong guesses at one account through every gateway, each with a guard of its own as in a gateway: a burst gets no
// further than the threshold and one guess for each gateway.
func guessAmong(t *testing.T, b *bench, all []*store.DB, alice directory.User) {
	t.Helper()
	const threshold = 5
	key := "account:alice"
	must(t, all[0].SetTally(t.Context(), key, authn.Tally{}))
	guards := make([]*guard.Guard, len(all))
	for i, db := range all {
		guards[i] = guard.New(db, guard.Policy{Threshold: threshold, Duration: time.Minute, Shared: true}, b.clock)
	}
	var passed atomic.Int64
	var guessing sync.WaitGroup
	for i := range 60 {
		guessing.Go(func() {
			ticket := guards[i%len(all)].Reserve(t.Context(), key, authn.Place{})
			defer ticket.Release()
			if reason, _ := ticket.Refused(); reason != authn.None {
				return
			}
			passed.Add(1)
			f := b.final(fmt.Sprint("guess", i), alice, authn.BadPassword)
			f.Ticket = ticket
			if _, err := all[i%len(all)].Commit(t.Context(), f); err != nil {
				t.Error(err)
			}
		})
	}
	guessing.Wait()
	if n := passed.Load(); n < threshold || n > threshold+int64(len(all)) {
		t.Errorf("%d guesses passed a threshold of %d in %d gateways", n, threshold, len(all))
	}
	for _, db := range all {
		tally, err := db.Tally(t.Context(), key)
		must(t, err)
		if !tally.LockedUntil.After(b.clock.Now()) {
			t.Errorf("the account is not locked: %+v", tally)
		}
	}
	log, err := all[0].SignIns(t.Context(), store.SignInQuery{Reason: authn.BadPassword.String()})
	must(t, err)
	equal(t, "guesses in the sign-in log", int64(len(log)), passed.Load())
}

func sweepAmong(t *testing.T, b *bench, all []*store.DB) {
	t.Helper()
	for i := range 250 {
		_, err := all[i%len(all)].Commit(t.Context(), b.challenged(fmt.Sprint("open", i), 0, authn.PathCloud))
		must(t, err)
	}
	var closed sync.Map
	var sweeping sync.WaitGroup
	for _, db := range all {
		sweeping.Go(func() {
			some, err := db.Sweep(t.Context(), b.clock.Now().Add(time.Second))
			if err != nil {
				t.Error(err)
			}
			for _, r := range some {
				if _, twice := closed.LoadOrStore(r.ID, true); twice {
					t.Errorf("%s was closed twice", r.ID)
				}
			}
		})
	}
	sweeping.Wait()
	n := 0
	closed.Range(func(any, any) bool { n++; return true })
	equal(t, "closed", n, 250)
}
