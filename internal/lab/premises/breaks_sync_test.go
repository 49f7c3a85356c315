package premises

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/lab/fault"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// tenantry is a tenant that is synchronised, in memory.
type tenantry struct {
	now    directory.Objects
	hashes []directory.Credential
	saved  []directory.Run
}

func (c *tenantry) Synced(context.Context) (directory.Objects, error) { return c.now, nil }

func (c *tenantry) ApplySync(_ context.Context, changes directory.Changes) error {
	c.now.Users = applied(c.now.Users, changes.Put.Users, changes.Delete.Users, func(u directory.User) authn.AccountID { return u.ID })
	c.now.Groups = applied(c.now.Groups, changes.Put.Groups, changes.Delete.Groups, func(g directory.Group) string { return g.ID })
	c.now.Contacts = applied(c.now.Contacts, changes.Put.Contacts, changes.Delete.Contacts, func(k directory.Contact) string { return k.ID })
	c.hashes = append(c.hashes, changes.Hashes...)
	return nil
}

func applied[T any, ID comparable](now, put, gone []T, id func(T) ID) []T {
	out := slices.DeleteFunc(slices.Clone(now), func(x T) bool {
		return slices.ContainsFunc(slices.Concat(put, gone), func(y T) bool { return id(x) == id(y) })
	})
	return append(out, put...)
}

func (c *tenantry) SaveRun(_ context.Context, r directory.Run) error {
	c.saved = append(c.saved, r)
	return nil
}

func (*tenantry) UserByUPN(context.Context, string) (directory.User, error) {
	return directory.User{}, directory.ErrNotFound
}

func (*tenantry) UserByAnchor(context.Context, string) (directory.User, error) {
	return directory.User{}, directory.ErrNotFound
}

func (*tenantry) Verified(domain string) bool { return slices.Contains(world.Hybrid(), domain) }
func (*tenantry) HashSync(domain string) bool { return domain == world.PHSDomain }

func (c *tenantry) domains(context.Context) (dirsync.Domains, error) { return c, nil }

// openSync is a ward whose forest was synchronised once.
func openSync(t *testing.T) (*ward, *tenantry, func(dirsync.Kind) (directory.Run, error)) {
	t.Helper()
	v, c := openWard(t, 1), &tenantry{}
	e := &dirsync.Engine{
		Agents: v.world.Link, Target: c, People: c, Domains: c.domains, Clock: wallClock{},
		Limits: func() dirsync.Limits { return dirsync.Limits{MaxDeletes: 500, MaxRatio: 0.2} },
	}
	run := func(k dirsync.Kind) (directory.Run, error) { return e.Run(t.Context(), k) }
	if r, err := run(dirsync.KindDirectory); err != nil || r.Added < 50 || len(r.Skipped) != 0 {
		t.Fatalf("the first run: %+v, %v", r, err)
	}
	return v, c, run
}

// everybody is who the tenant has, by name.
func (c *tenantry) everybody() []string {
	var all []string
	for _, u := range c.now.Users {
		all = append(all, u.UPN)
	}
	slices.Sort(all)
	return all
}

func TestAnEmptyOrHalvedForestDeletesNobody(t *testing.T) {
	t.Parallel()
	v, c, run := openSync(t)
	before := c.everybody()
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
		if !errors.Is(err, b.want) || r.Result != dirsync.Stopped || !slices.Equal(c.everybody(), before) {
			t.Errorf("%s %s: %+v, %v; %d of %d people are left", b.set.Name, b.set.Param, r, err, len(c.now.Users), len(before))
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
	before := c.everybody()
	v.set(fault.Setting{Name: "sync-bad-object", Param: "2"})
	r, err := run(dirsync.KindDirectory)
	if err != nil || r.Result != dirsync.Success || len(r.Skipped) != 2 || r.Deleted != 0 || !slices.Equal(c.everybody(), before) {
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
