package dirsync_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
)

var errKilled = errors.New("killed")

// mortal is a store whose gateway dies at one of its calls: before it, or after it was carried out and before the answer came.
type mortal struct {
	dirsync.Store
	left  int // calls until then
	after bool
	dead  bool
}

// at counts a call and says whether it is carried out, and what its caller learns.
func (m *mortal) at() (carriedOut bool, err error) {
	if m.dead {
		return false, errKilled
	}
	if m.left--; m.left >= 0 {
		return true, nil
	}
	m.dead = true
	return m.after, errKilled
}

func (m *mortal) do(call func() error) error {
	out, err := m.at()
	if out {
		return errors.Join(call(), err)
	}
	return err
}

func (m *mortal) BeginImport(ctx context.Context, epoch int64) (n int64, err error) {
	err = m.do(func() error { n, err = m.Store.BeginImport(ctx, epoch); return err })
	return n, err
}

func (m *mortal) Import(ctx context.Context, part directory.Import) error {
	return m.do(func() error { return m.Store.Import(ctx, part) })
}

func (m *mortal) AdoptOrphans(ctx context.Context, epoch int64) error {
	return m.do(func() error { return m.Store.AdoptOrphans(ctx, epoch) })
}

func (m *mortal) ApplySync(ctx context.Context, c directory.Changes) error {
	return m.do(func() error { return m.Store.ApplySync(ctx, c) })
}

func (m *mortal) ApplyMembers(ctx context.Context, epoch int64, g []directory.Group) error {
	return m.do(func() error { return m.Store.ApplyMembers(ctx, epoch, g) })
}

func (m *mortal) Settle(ctx context.Context, epoch int64, all []directory.Settled) error {
	return m.do(func() error { return m.Store.Settle(ctx, epoch, all) })
}

func (m *mortal) ApplyHashes(ctx context.Context, epoch int64, all []directory.HashUpdate, c *directory.Cursor) error {
	return m.do(func() error { return m.Store.ApplyHashes(ctx, epoch, all, c) })
}

// The dead give nothing back and write nothing down.
func (m *mortal) EndSync(ctx context.Context, epoch int64) error {
	return m.do(func() error { return m.Store.EndSync(ctx, epoch) })
}

func (m *mortal) SaveRun(ctx context.Context, r directory.Run) error {
	return m.do(func() error { return m.Store.SaveRun(ctx, r) })
}

// change does something on the premises.
func change(t *rapid.T, p *premises) {
	name := func() string { return fmt.Sprintf("p%d", rapid.IntRange(0, 8).Draw(t, "who")) }
	switch rapid.IntRange(0, 5).Draw(t, "what") {
	case 0, 1:
		o := person(name())
		o.DisplayName = rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "name")
		o.Enabled = rapid.Bool().Draw(t, "enabled")
		o.UPN = o.SAM + rapid.SampledFrom([]string{"", ".new"}).Draw(t, "renamed") + "@phs.example"
		p.put(o)
	case 2:
		p.remove(name())
	case 3:
		o := person(name())
		o.PasswordAt = time.Unix(1e9+int64(len(p.changed)), 0).UTC()
		p.put(o)
	default:
		g := fmt.Sprintf("g%d", rapid.IntRange(0, 3).Draw(t, "group"))
		p.put(staff(g, rapid.SliceOfDistinct(rapid.Map(rapid.IntRange(0, 8), func(n int) string { return fmt.Sprintf("p%d", n) }), rapid.ID).Draw(t, "members")...))
	}
}

// However often the gateway or the agent dies in the middle, the runs after it come to what one undisturbed run comes to, and
// nobody is lost or changes the account.
func TestInterruptedRunsConverge(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := newPremises(person("p0"), person("p1"), staff("g0", "p0", "p5"))
		s := newSite(t, p)
		for range rapid.IntRange(1, 4).Draw(rt, "rounds") {
			for range rapid.IntRange(1, 6).Draw(rt, "changes") {
				change(rt, p)
			}
			for n := range p.objects {
				p.hashes[n] = record("x")
			}
			kind := rapid.SampledFrom([]dirsync.Kind{dirsync.KindDirectory, dirsync.KindHash}).Draw(rt, "kind")
			m := &mortal{Store: s.db, left: rapid.IntRange(0, 12).Draw(rt, "dies at"), after: rapid.Bool().Draw(rt, "after it was done")}
			if rapid.Bool().Draw(rt, "the agent dies too") {
				at := rapid.IntRange(0, 3).Draw(rt, "at part")
				p.broken = func(part int) error {
					if part == at {
						return errKilled
					}
					return nil
				}
			}
			_, _ = s.newEngine(m, p).Run(rt.Context(), dirsync.Wish{Kind: kind, Full: rapid.Bool().Draw(rt, "full")})
			p.broken = nil
			s.clock.Advance(2 * time.Minute) // until it is taken for dead
		}
		s.sync()
		if r := s.sync(); r.Added+r.Updated+r.Deleted != 0 {
			rt.Errorf("there was more to do: %+v", r)
		}
		fresh := newSite(t, newPremises())
		fresh.objects, fresh.changed = p.objects, p.changed
		fresh.sync()
		if got, want := s.tenant(), fresh.tenant(); got != want {
			rt.Errorf("after interruptions:\n%s\nundisturbed:\n%s", got, want)
		}
		s.run(dirsync.Wish{Kind: dirsync.KindHash})
		if r := s.run(dirsync.Wish{Kind: dirsync.KindHash}); r.Hashes != 0 {
			rt.Errorf("there were more hashes: %+v", r)
		}
	})
}

func TestWhatWasAppliedAndNotSettledIsNoChange(t *testing.T) {
	p := newPremises()
	for i := range 600 {
		o := person(fmt.Sprintf("p%03d", i))
		o.UsageLocation, o.Department, o.Mail = "NL", "Sales", o.UPN
		p.put(o)
	}
	s := newSite(t, p)
	s.page = 500
	m := &mortal{Store: s.db, left: 6, after: true} // begin, two parts, the end, the last, orphans: dead in the first page
	if _, err := s.newEngine(m, p).Run(t.Context(), dirsync.Wish{Kind: dirsync.KindDirectory}); err == nil {
		t.Fatal("it lives")
	}
	s.clock.Advance(2 * time.Minute)
	if r := s.sync(); r.Updated != 0 || r.Added == 600 || r.Added == 0 {
		t.Errorf("%+v", r)
	}
}
