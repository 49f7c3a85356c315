package premises

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/lab/fault"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// register is a directory of three people and a group, in which nothing changes once it was read.
type register struct{ asked []dirsync.Ask }

const readOnce = "read once"

func (r *register) Read(_ context.Context, ask dirsync.Ask, yield func(dirsync.Part) error) error {
	r.asked = append(r.asked, ask)
	p := dirsync.Part{Cursor: []byte(readOnce), Full: len(ask.Cursor) == 0}
	if p.Full {
		for _, name := range []string{"alice", "bob", "carol"} {
			p.Objects = append(p.Objects, dirsync.Object{Kind: dirsync.User, ID: name, UPN: name + "@" + world.PHSDomain})
		}
		p.Objects = append(p.Objects, dirsync.Object{Kind: dirsync.Group, ID: "group", DisplayName: "Group"})
	}
	return yield(p)
}

// answer is what a gateway hears; people maps their ids to their names, and says of who is gone that they are.
type answer struct {
	full   bool
	cursor string
	note   string
	people map[string]string
}

func (r *register) answer(t *testing.T, p *Premises, ask dirsync.Ask) answer {
	t.Helper()
	a := answer{people: map[string]string{}}
	err := faultySource{Source: r, of: p, agent: "agent-1"}.Read(t.Context(), ask, func(p dirsync.Part) error {
		a.full, a.cursor, a.note = p.Full, string(p.Cursor), a.note+p.Note
		for _, o := range p.Objects {
			a.people[o.ID] = o.UPN
			if o.Gone {
				a.people[o.ID] = "gone: " + o.Reason
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// brokenBy are premises that nobody started, with faults on.
func brokenBy(t *testing.T, settings ...fault.Setting) *Premises {
	t.Helper()
	p := &Premises{with: Options{Faults: fault.NewBoard()}, names: world.ForestNames()}
	t.Cleanup(p.with.Faults.Close)
	for _, s := range settings {
		if _, err := p.with.Faults.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func everySyncFault() []fault.Setting {
	return []fault.Setting{{Name: "sync-empty-result"}, {Name: "sync-mass-delete"}, {Name: "sync-bad-object"}}
}

// Whatever an answer was distorted by, the next one after the fault was cleared reads everybody anew.
func TestNoFaultOfASynchronisationOutlivesItsClearing(t *testing.T) {
	t.Parallel()
	for _, s := range everySyncFault() {
		for _, cursor := range []string{"", readOnce} {
			t.Run(fmt.Sprintf("%s, cursor %q", s.Name, cursor), func(t *testing.T) {
				t.Parallel()
				p, r := brokenBy(t, s), &register{}
				bad := r.answer(t, p, dirsync.Ask{Kind: dirsync.KindDirectory, Cursor: []byte(cursor)})
				p.with.Faults.ClearAll()
				r.asked = nil
				good := r.answer(t, p, dirsync.Ask{Kind: dirsync.KindDirectory, Cursor: []byte(bad.cursor)})
				if !good.full || good.note == "" || good.cursor != readOnce || len(good.people) != 4 || good.people["alice"] != "alice@"+world.PHSDomain {
					t.Errorf("after %+v came %+v", bad, good)
				}
				if len(r.asked) != 1 || len(r.asked[0].Cursor) != 0 {
					t.Errorf("the directory was asked %+v", r.asked)
				}
			})
		}
	}
}

func TestADirectoryThatFindsNobodySaysThatThisIsAll(t *testing.T) {
	t.Parallel()
	p, r := brokenBy(t, fault.Setting{Name: "sync-empty-result"}), &register{}
	for _, cursor := range []string{"", readOnce} {
		if a := r.answer(t, p, dirsync.Ask{Kind: dirsync.KindDirectory, Cursor: []byte(cursor)}); !a.full || len(a.people) != 0 || a.cursor == "" {
			t.Errorf("cursor %q: %+v", cursor, a)
		}
	}
	if a := r.answer(t, p, dirsync.Ask{Kind: dirsync.KindHash, Cursor: []byte(readOnce)}); a.full || len(a.people) != 0 || a.cursor != readOnce {
		t.Errorf("hashes: %+v", a)
	}
	if len(r.asked) != 0 {
		t.Errorf("the directory was asked: %+v", r.asked)
	}
}

// Who is missing is left out where all are named, and said to be gone where changes are.
func TestWhoIsMissingIsLeftOutOrSaidToBeGone(t *testing.T) {
	t.Parallel()
	p, r := brokenBy(t, fault.Setting{Name: "sync-mass-delete", Param: "2"}), &register{}
	if a := r.answer(t, p, dirsync.Ask{Kind: dirsync.KindDirectory}); !a.full || len(a.people) != 2 || a.people["carol"] == "" {
		t.Errorf("all: %+v", a)
	}
	const gone = "gone: the directory search no longer finds it"
	a := r.answer(t, p, dirsync.Ask{Kind: dirsync.KindDirectory, Cursor: []byte(readOnce)})
	if a.full || len(a.people) != 4 || a.people["alice"] != gone || a.people["bob"] != gone || a.people["carol"] == gone {
		t.Errorf("changes: %+v", a)
	}
}

func TestADamagedPersonIsReadThoughNothingChanged(t *testing.T) {
	t.Parallel()
	p, r := brokenBy(t, fault.Setting{Name: "sync-bad-object", Scope: "user=bob@" + world.PHSDomain}), &register{}
	a := r.answer(t, p, dirsync.Ask{Kind: dirsync.KindDirectory, Cursor: []byte(readOnce)})
	if a.full || a.people["alice"] != "alice@"+world.PHSDomain || a.people["bob"] != "(damaged) bob@"+world.PHSDomain {
		t.Errorf("%+v", a)
	}
}

// Runs are broken: who looks one object up, watches for changes or writes back meets the directory as it is.
func TestOnlyRunsMeetTheFaultsOfASynchronisation(t *testing.T) {
	t.Parallel()
	p := brokenBy(t, append(everySyncFault(), fault.Setting{Name: "sync-paused"})...)
	for _, kind := range []dirsync.Kind{dirsync.KindChanges, dirsync.KindLook, dirsync.KindWriteBack} {
		r := &register{}
		if a := r.answer(t, p, dirsync.Ask{Kind: kind}); len(a.people) != 4 || a.cursor != readOnce || a.people["alice"] != "alice@"+world.PHSDomain {
			t.Errorf("%s: %+v", kind, a)
		}
	}
	if i := slices.IndexFunc(p.with.Faults.Active(), func(a fault.Active) bool { return a.Hits > 0 }); i >= 0 {
		t.Errorf("%s was hit", p.with.Faults.Active()[i].Name)
	}
}
