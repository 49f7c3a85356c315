package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/keyring"
	"github.com/fourways-id/fourways/internal/store"
	"github.com/fourways-id/fourways/internal/store/storetest"
)

const (
	loadBatch  = 10_000 // accounts in memory at once
	signInRate = 100    // a second, beside the load
	idleFor    = 10 * time.Second
	lookUps    = 2000
)

// TestAMillionAccounts loads a million accounts with their hashes while people sign in, and prints what that costs and how
// lookups fare at each size. It asserts what is stored, and no time: that belongs to the machine.
func TestAMillionAccounts(t *testing.T) {
	if os.Getenv("FOURWAYS_LONG") != "1" {
		t.Skip("SKIPPED: loads a million accounts; run `make test-long` (it sets FOURWAYS_LONG=1, with FOURWAYS_REAL=1 on PostgreSQL too)")
	}
	t.Run("sqlite", func(t *testing.T) { scale(t, storetest.SQLite()) })
	t.Run("postgres", func(t *testing.T) { scale(t, postgres(t)) })
}

func scale(t *testing.T, e storetest.Engine) {
	o := e.New(t)
	ring, err := keyring.Create(filepath.Join(t.TempDir(), "root.key"))
	must(t, err)
	o.Ring, o.Clock = ring, authntest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	db, err := store.Open(t.Context(), o)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	must(t, db.CreateUser(t.Context(), directory.User{ID: "ann", UPN: "ann@cloud.test", Enabled: true}))
	idle := signIns(t, db, "idle", func() { time.Sleep(idleFor) })
	t.Logf("sign-ins alone at %d a second: median %v, p99 %v", signInRate, at(idle, 50), at(idle, 99))
	loaded := 0
	for _, size := range []int{1_000, 100_000, 1_000_000} {
		var took time.Duration
		var peak uint64
		beside := signIns(t, db, fmt.Sprint("beside ", size), func() { took, peak = load(t, db, loaded, size) })
		perSecond := float64(size-loaded) / took.Seconds()
		loaded = size
		n, err := db.CountUsers(t.Context())
		if must(t, err); n != size+1 {
			t.Fatalf("%d accounts are stored, want %d", n, size+1)
		}
		t.Logf("%9d accounts: loaded %.0f a second, heap at most %d MiB; sign-ins beside it (%d) median %v, p99 %v (%.1f times idle)",
			size, perSecond, peak>>20, len(beside), at(beside, 50), at(beside, 99), float64(at(beside, 99))/float64(at(idle, 99)))
		lookups(t, db, size)
	}
}

// load adds the accounts from one number up to another.
func load(t *testing.T, db *store.DB, from, to int) (took time.Duration, peak uint64) {
	t.Helper()
	began := time.Now()
	for ; from < to; from += loadBatch {
		var users []directory.User
		var hashes []directory.Credential
		for i := from; i < min(from+loadBatch, to); i++ {
			u := account(i)
			users = append(users, u)
			hashes = append(hashes, directory.Credential{Account: u.ID, Scheme: directory.SchemePHS, Record: []byte("v1;PPH1_MD4,0123456789,1000,00112233445566778899aabbccddeeff;"), Source: "run"})
		}
		must(t, db.LoadUsers(t.Context(), users, hashes))
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapAlloc)
	}
	return time.Since(began), peak
}

func account(i int) directory.User {
	id := fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(i)*2654435761, i)
	return directory.User{
		ID: authn.AccountID(id), UPN: fmt.Sprintf("user%07d@phs.test", i), DisplayName: fmt.Sprint("User ", i), Enabled: true,
		Synced: true, Onprem: directory.Onprem{Anchor: "anchor-" + id},
	}
}

// signIns commits sign-ins at a steady rate for the time of do and gives how long each took.
func signIns(t *testing.T, db *store.DB, name string, do func()) []time.Duration {
	t.Helper()
	ctx, done := context.WithCancel(t.Context())
	var mu sync.Mutex
	var all []time.Duration
	var people sync.WaitGroup
	people.Go(func() {
		tick := time.NewTicker(time.Second / signInRate)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			people.Go(func() {
				began := time.Now()
				id := fmt.Sprint(name, n)
				_, err := db.Commit(context.WithoutCancel(ctx), authn.Final{
					Record:  authn.Record{ID: authn.AttemptID(id), At: began, Who: "ann@cloud.test", Account: "ann", Verdict: authn.Allowed, Final: true, Steps: make([]authn.Step, 8)},
					Session: &authn.Session{Hash: []byte(id), Account: "ann", Began: began, Until: began.Add(time.Hour)},
				})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				all = append(all, time.Since(began))
			})
		}
	})
	do()
	done()
	people.Wait()
	return all
}

// lookups prints what a look-up, a page and a count take at a size.
func lookups(t *testing.T, db *store.DB, size int) {
	t.Helper()
	measure := func(n int, do func(i int) error) time.Duration {
		var all []time.Duration
		for i := range n {
			began := time.Now()
			must(t, do(i*7919%size))
			all = append(all, time.Since(began))
		}
		return at(all, 50)
	}
	ctx := t.Context()
	t.Logf("%9d accounts: by name %v, by id %v, hash %v, page of 100 %v, all counted %v, a domain's hashes counted %v", size,
		measure(lookUps, func(i int) error { _, err := db.UserByUPN(ctx, account(i).UPN); return err }),
		measure(lookUps, func(i int) error { _, err := db.UserByID(ctx, account(i).ID); return err }),
		measure(lookUps, func(i int) error { _, err := db.Credential(ctx, account(i).ID, directory.SchemePHS); return err }),
		measure(100, func(i int) error {
			_, err := db.Users(ctx, directory.Query{Domain: "phs.test", After: account(i).UPN, Limit: 100})
			return err
		}),
		measure(3, func(int) error { _, err := db.CountUsers(ctx); return err }),
		measure(3, func(int) error { _, err := db.CountCredentials(ctx, directory.SchemePHS, "phs.test"); return err }))
}

// at is a percentile.
func at(all []time.Duration, percent int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)].Round(time.Microsecond)
}
