package premises

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/keyring"
	"github.com/fourways-id/fourways/internal/lab/fault"
	"github.com/fourways-id/fourways/internal/lab/world"
	"github.com/fourways-id/fourways/internal/store"
	"github.com/fourways-id/fourways/internal/store/storetest"
)

// tenantry is a tenant that is synchronised.
type tenantry struct{ *store.DB }

// domains are those of the demo world; one of them synchronises hashes.
type domains struct{}

func (domains) Verified(domain string) bool { return slices.Contains(world.Hybrid(), domain) }
func (domains) HashSync(domain string) bool { return domain == world.PHSDomain }
func (domains) HashSynced() []string        { return []string{world.PHSDomain} }

// openSync is a ward whose forest was synchronised once.
func openSync(t *testing.T) (*ward, *tenantry, func(dirsync.Kind) (directory.Run, error)) {
	t.Helper()
	v, o := openWard(t, 1), storetest.SQLite().New(t)
	ring, err := keyring.Create(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	o.Ring, o.Clock = ring, wallClock{}
	db, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	e := &dirsync.Engine{
		Agents: v.world.Link, Store: db, Domains: func(context.Context) (dirsync.Domains, error) { return domains{}, nil }, Clock: wallClock{}, Holder: "test",
		Settings: func() dirsync.Settings {
			return dirsync.Settings{Limits: dirsync.Limits{MaxDeletes: 500, MaxRatio: 0.2}, FullEvery: 24 * time.Hour}
		},
	}
	run := func(k dirsync.Kind) (directory.Run, error) { return e.Run(t.Context(), dirsync.Wish{Kind: k}) }
	if r, err := run(dirsync.KindDirectory); err != nil || r.Added < 50 || len(r.Skipped) != 0 {
		t.Fatalf("the first run: %+v, %v", r, err)
	}
	return v, &tenantry{db}, run
}

// everybody is who the tenant has, by name.
func (c *tenantry) everybody(t *testing.T) []string {
	t.Helper()
	users, err := c.Users(t.Context(), directory.Query{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, u := range users {
		all = append(all, u.UPN)
	}
	slices.Sort(all)
	return all
}

func TestAnEmptyOrHalvedForestDeletesNobody(t *testing.T) {
	t.Parallel()
	v, c, run := openSync(t)
	before := c.everybody(t)
	for _, b := range []struct {
		set  fault.Setting
		want error
	}{
		{fault.Setting{Name: "sync-empty-result"}, dirsync.ErrEmptySource},
		{fault.Setting{Name: "sync-mass-delete"}, dirsync.ErrTooManyDeletes},
		{fault.Setting{Name: "sync-mass-delete", Param: "20"}, dirsync.ErrTooManyDeletes},
	} {
		v.set(b.set)
		r, err := run(dirsync.KindDirectory)
		if !errors.Is(err, b.want) || r.Result != dirsync.Stopped || !slices.Equal(c.everybody(t), before) {
			t.Errorf("%s %s: %+v, %v; %d of %d people are left", b.set.Name, b.set.Param, r, err, len(c.everybody(t)), len(before))
		}
		v.clear(b.set.Name)
		if r, err := run(dirsync.KindDirectory); err != nil || r.Deleted != 0 {
			t.Errorf("after %s: %+v, %v", b.set.Name, r, err)
		}
	}
	v.set(fault.Setting{Name: "sync-mass-delete", Param: "3"})
	if r, err := run(dirsync.KindDirectory); err != nil || r.Deleted != 3 {
		t.Errorf("positive control, so few that nobody minds: %+v, %v", r, err)
	}
}

func TestABrokenObjectIsSkippedAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	v, c, run := openSync(t)
	before := c.everybody(t)
	v.set(fault.Setting{Name: "sync-bad-object", Param: "2"})
	r, err := run(dirsync.KindDirectory)
	if err != nil || r.Result != dirsync.Success || len(r.Skipped) != 2 || r.Deleted != 0 || !slices.Equal(c.everybody(t), before) {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = run(dirsync.KindHash)
	if err != nil || len(r.Skipped) != 0 || r.Hashes == 0 {
		t.Errorf("hashes: %+v, %v", r, err)
	}
	alice := who("alice", world.PTADomain).UPN
	v.set(fault.Setting{Name: "sync-bad-object", Param: "9", Scope: "user=" + alice})
	r, err = run(dirsync.KindDirectory)
	if err != nil || len(r.Skipped) != 1 || !strings.Contains(r.Skipped[0], alice) {
		t.Errorf("aimed at alice: %+v, %v", r, err)
	}
	v.clear("sync-bad-object")
	if r, err = run(dirsync.KindDirectory); err != nil || len(r.Skipped) != 0 {
		t.Errorf("after: %+v, %v", r, err)
	}
}

func TestAPausedRunGoesOnWhenItMay(t *testing.T) {
	t.Parallel()
	v, _, run := openSync(t)
	v.set(fault.Setting{Name: "sync-paused"})
	ended := make(chan directory.Run, 1)
	go func() {
		r, err := run(dirsync.KindDirectory)
		if err != nil {
			t.Error(err)
		}
		ended <- r
	}()
	v.world.Until(t, "the run is held up", func() bool { return v.faults.Active()[0].Hits == 1 })
	if len(ended) != 0 {
		t.Error("it was not held up")
	}
	v.allowed("meanwhile", who("alice", world.PTADomain))
	v.clear("sync-paused")
	if r := <-ended; r.Result != dirsync.Success {
		t.Errorf("%+v", r)
	}
}

// An agent that is told to stop doesn't wait for a run that is held up.
func TestAPausedRunDoesNotKeepTheAgent(t *testing.T) {
	t.Parallel()
	v, _, run := openSync(t)
	v.set(fault.Setting{Name: "sync-paused"})
	ended := make(chan error, 1)
	go func() {
		_, err := run(dirsync.KindDirectory)
		ended <- err
	}()
	v.world.Until(t, "the run is held up", func() bool { return v.faults.Active()[0].Hits == 1 })
	v.stop()
	if err := <-ended; err == nil {
		t.Error("a run without an agent succeeded")
	}
}
