package dirsync

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/directory"
)

type fixed struct{}

func (fixed) Now() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) }

// world is every port of an Engine at once.
type world struct {
	now     directory.Objects
	cloud   []directory.User
	batches func(run string, kind Kind) []Batch
	during  func()
	applied []directory.Changes
	refuse  error // of ApplySync
	saved   []directory.Run
}

func (w *world) Sync(_ context.Context, run string, kind Kind, take func(Batch) error) error {
	if w.during != nil {
		w.during()
	}
	for _, b := range w.batches(run, kind) {
		if err := take(b); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) Synced(context.Context) (directory.Objects, error) { return w.now, nil }

func (w *world) ApplySync(_ context.Context, c directory.Changes) error {
	w.applied = append(w.applied, c)
	return w.refuse
}

func (w *world) SaveRun(_ context.Context, r directory.Run) error {
	w.saved = append(w.saved, r)
	return nil
}

func (w *world) find(match func(directory.User) bool) (directory.User, error) {
	for _, u := range w.cloud {
		if match(u) {
			return u, nil
		}
	}
	return directory.User{}, directory.ErrNotFound
}

func (w *world) UserByUPN(_ context.Context, upn string) (directory.User, error) {
	return w.find(func(u directory.User) bool { return u.UPN == upn })
}

func (w *world) UserByAnchor(_ context.Context, a string) (directory.User, error) {
	return w.find(func(u directory.User) bool { return u.Onprem.Anchor == a })
}

func (w *world) Verified(domain string) bool { return ours(domain) }
func (w *world) HashSync(domain string) bool { return domain == "phs.example.test" }

func (w *world) domains(context.Context) (Domains, error) { return w, nil }

func (w *world) engine() *Engine {
	return &Engine{Agents: w, Target: w, People: w, Domains: w.domains, Clock: fixed{}, Limits: func() Limits { return Limits{MaxDeletes: 500, MaxRatio: 0.2} }}
}

// whole is a source that sends its objects in two batches.
func whole(objects ...Object) func(string, Kind) []Batch {
	return func(run string, kind Kind) []Batch {
		return []Batch{{Run: run, Kind: kind, Objects: objects, Agent: "agent-1"}, {Run: run, Seq: 1, Kind: kind, Last: true}}
	}
}

func TestARunPlansAppliesAndIsRemembered(t *testing.T) {
	w := &world{cloud: []directory.User{cloudOnly("soft")}, batches: whole(person("alice"), person("soft"), Object{Kind: User})}
	run, err := w.engine().Run(t.Context(), KindDirectory)
	if err != nil {
		t.Fatal(err)
	}
	if run.Result != Success || run.Agent != "agent-1" || run.Added != 1 || run.Updated != 1 || len(run.Skipped) != 1 || len(w.saved) != 1 || w.saved[0].ID != run.ID {
		t.Errorf("%+v", run)
	}
	if len(w.applied) != 1 || w.applied[0].Run != run.ID || len(w.applied[0].Put.Users) != 2 {
		t.Errorf("%+v", w.applied)
	}
}

func TestWhatIsNotAWholeAnswerChangesNothingAndIsRemembered(t *testing.T) {
	objects := []Object{person("alice")}
	for name, batches := range map[string]func(string, Kind) []Batch{
		"stopped before the end": func(run string, k Kind) []Batch { return []Batch{{Run: run, Kind: k, Objects: objects}} },
		"the agent failed": func(run string, k Kind) []Batch {
			return []Batch{{Run: run, Kind: k, Objects: objects, Error: "bind refused", Last: true}}
		},
		"a batch is missing": func(run string, k Kind) []Batch {
			return []Batch{{Run: run, Kind: k}, {Run: run, Kind: k, Seq: 2, Last: true}}
		},
		"another run's batch": func(_ string, k Kind) []Batch {
			return []Batch{{Run: "run-other", Kind: k, Objects: objects, Last: true}}
		},
		"of another kind": func(run string, _ Kind) []Batch {
			return []Batch{{Run: run, Kind: KindHash, Objects: objects, Last: true}}
		},
		"more after the last": func(run string, k Kind) []Batch {
			return []Batch{{Run: run, Kind: k, Last: true}, {Run: run, Kind: k, Seq: 1}}
		},
		"nothing at all": func(string, Kind) []Batch { return nil },
	} {
		w := &world{now: directory.Objects{Users: []directory.User{synced("alice")}}, batches: batches}
		run, err := w.engine().Run(t.Context(), KindDirectory)
		if err == nil || run.Result != Failed || run.Error == "" || len(w.applied) != 0 || len(w.saved) != 1 {
			t.Errorf("%s: %v %+v applied %d", name, err, run, len(w.applied))
		}
	}
}

func TestAGuardStopsTheRunBeforeItChangesAnything(t *testing.T) {
	w := &world{now: directory.Objects{Users: []directory.User{synced("alice"), synced("bob")}}, batches: whole()}
	run, err := w.engine().Run(t.Context(), KindDirectory)
	if !errors.Is(err, ErrEmptySource) || run.Result != Stopped || len(w.applied) != 0 || len(w.saved) != 1 {
		t.Errorf("%v %+v", err, run)
	}
	w.batches = whole(person("carol"))
	if run, err = w.engine().Run(t.Context(), KindDirectory); !errors.Is(err, ErrTooManyDeletes) || run.Result != Stopped || len(w.applied) != 0 {
		t.Errorf("%v %+v", err, run)
	}
	plan, err := w.engine().Preview(t.Context(), KindDirectory)
	if !errors.Is(err, ErrTooManyDeletes) || len(plan.Deletes) != 2 || len(w.saved) != 2 {
		t.Errorf("preview: %v %s", err, plan)
	}
}

func TestOneConflictStopsNobodyElse(t *testing.T) {
	conflict := fmt.Errorf("user x: %w", directory.ErrConflict)
	w := &world{batches: whole(person("alice")), refuse: errors.Join(nil, errors.Join(conflict, conflict))}
	run, err := w.engine().Run(t.Context(), KindDirectory)
	if err != nil || run.Result != Success || len(run.Skipped) != 2 {
		t.Errorf("%v %+v", err, run)
	}
	w.refuse = errors.Join(conflict, errors.New("disk full"))
	run, err = w.engine().Run(t.Context(), KindDirectory)
	if err == nil || run.Result != Failed || !strings.Contains(run.Error, "disk full") || len(run.Skipped) != 1 {
		t.Errorf("%v %+v", err, run)
	}
}

func TestOneRunAtATime(t *testing.T) {
	w := &world{batches: whole(person("alice"))}
	e := w.engine()
	var second error
	w.during = func() { _, second = e.Run(context.Background(), KindHash) }
	if _, err := e.Run(t.Context(), KindDirectory); err != nil || !errors.Is(second, ErrBusy) {
		t.Errorf("first %v, second %v", err, second)
	}
	w.during = nil
	if _, err := e.Run(t.Context(), KindHash); err != nil {
		t.Errorf("after the first: %v", err)
	}
}

func TestAHashRunNeverTouchesPeople(t *testing.T) {
	w := &world{now: directory.Objects{Users: []directory.User{synced("alice"), synced("bob")}}}
	o := person("alice")
	o.Hash = "v1;PPH1_MD4," + strings.Repeat("ab", 10) + ",1000," + strings.Repeat("cd", 32) + ";"
	w.batches = whole(o)
	run, err := w.engine().Run(t.Context(), KindHash)
	if err != nil || run.Hashes != 1 || len(w.applied[0].Put.Users)+len(w.applied[0].Delete.Users) != 0 {
		t.Errorf("%v %+v", err, run)
	}
	if _, err := w.engine().Run(t.Context(), "everything"); err == nil {
		t.Error("an unknown kind ran")
	}
}
