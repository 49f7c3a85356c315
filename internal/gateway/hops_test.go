package gateway

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passhash"
	"github.com/fourways-id/fourways/internal/store"
)

// trap breaks the hops that it is told to, and remembers who passed.
type trap struct {
	broken map[Hop]error
	passed []string
	leave  func(string, int)
}

func (p *trap) Pass(_ context.Context, hop Hop, who string) error {
	p.passed = append(p.passed, hop+" "+who)
	return p.broken[hop]
}

func (p *trap) Badge(r authn.Record) []authn.Step { return r.Steps }

func (p *trap) Narrow(leave func(path string, workers int)) { p.leave = leave }

func TestInProductionNothingIsInTheWay(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	if h.flow.Directory != authn.Directory(h.tenant) || h.flow.Providers != authn.Providers(h.paths) {
		t.Errorf("the flow asks %T and %T", h.flow.Directory, h.flow.Providers)
	}
	if _, ok := h.hashes().(*store.DB); !ok {
		t.Errorf("hashes come from %T", h.hashes())
	}
	if _, ok := counts(h.core.store, nil).(*store.DB); !ok {
		t.Error("lockout counts don't come from the store itself")
	}
	h.lab = &Lab{Hops: &trap{}} // the same in a lab
	if _, ok := h.hashes().(brokenHashes); !ok {
		t.Errorf("control: in a lab hashes come from %T", h.hashes())
	}
}

// people is a store with one account and one hash.
type people struct{ err error }

func (p people) Tally(context.Context, string) (authn.Tally, error) {
	return authn.Tally{Failures: 3}, p.err
}

func (p people) UserByID(_ context.Context, id authn.AccountID) (directory.User, error) {
	return directory.User{ID: id, UPN: "alice@cloud.example"}, p.err
}

func (p people) Credential(context.Context, authn.AccountID, string) (directory.Credential, error) {
	return directory.Credential{Record: []byte("hash")}, p.err
}

func (p people) PasswordOf(context.Context, authn.AccountID) (directory.Imported, error) {
	return directory.Imported{}, p.err
}

func TestTheGuardsQuestionsMeetABrokenStoreByThePersonsName(t *testing.T) {
	p := &trap{}
	tallies := brokenTallies{people{}, p}
	for key, who := range map[string]string{"account:id-1": "store alice@cloud.example", "name:bob@cloud.example": "store bob@cloud.example"} {
		p.passed, p.broken = nil, nil
		if got, err := tallies.Tally(t.Context(), key); err != nil || got.Failures != 3 || !slices.Equal(p.passed, []string{who}) {
			t.Errorf("%s: %+v, %v, passed by %q", key, got, err, p.passed)
		}
		p.broken = map[Hop]error{HopStore: errors.New("dead")}
		if got, err := tallies.Tally(t.Context(), key); err == nil || got.Failures != 0 {
			t.Errorf("%s, broken: %+v, %v", key, got, err)
		}
	}
}

// whoAsks is a provider that loads a hash.
type whoAsks struct{ hashes syncedHashes }

func (w whoAsks) Step(ctx context.Context, _ authn.Attempt) authn.Outcome {
	h, err := w.hashes.SyncedHash(ctx, "id-1")
	if err != nil {
		return authn.Fail(authn.Internal, authn.H0, err)
	}
	return authn.Outcome{Record: []byte(h.Record)}
}

// For implements authn.Providers.
func (w whoAsks) For(authn.Realm) authn.Provider { return w }

func TestAHashIsOutOfReachOrMissing(t *testing.T) {
	p := &trap{}
	ask := func() authn.Outcome {
		all := named{whoAsks{syncedHashes{brokenHashes{people{}, p}}}}
		return all.For(authn.Realm{}).Step(t.Context(), authn.Attempt{Who: authn.ParseIdentifier("Alice@phs.example")})
	}
	if out := ask(); string(out.Record) != "hash" || !slices.Equal(p.passed, []string{"store alice@phs.example", "phs hash alice@phs.example"}) {
		t.Errorf("nothing is broken: %+v, passed by %q", out, p.passed)
	}
	p.broken = map[Hop]error{HopPHSHash: errors.New("gone")}
	if out := ask(); out.Err != nil || len(out.Record) != 0 {
		t.Errorf("a missing hash is no error: %+v", out)
	}
	p.broken = map[Hop]error{HopStore: errors.New("dead")}
	if out := ask(); out.Verdict != authn.Unavailable || out.Err == nil {
		t.Errorf("a dead store is one: %+v", out)
	}
}

func TestTheDirectoryIsOutOfReach(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	p := &trap{}
	d := brokenDirectory{h.tenant, p}
	who := authn.ParseIdentifier("nobody@cloud.example")
	if _, err := d.Find(t.Context(), who); err != nil || !slices.Equal(p.passed, []string{"store nobody@cloud.example"}) {
		t.Errorf("%v, passed by %q", err, p.passed)
	}
	p.broken = map[Hop]error{HopStore: errors.New("dead")}
	if _, err := d.Find(t.Context(), who); err == nil {
		t.Error("somebody could look in a dead store")
	}
}

func TestPoolsAreNarrowedByPath(t *testing.T) {
	p := newPools(config.Hashing{Workers: 2, QueueLimit: 8})
	leave := p.leave()
	leave("cloud", 1)
	leave("cloud", 1) // again replaces: one place is left, not none
	began, letGo, ends := make(chan struct{}), make(chan struct{}), make(chan error)
	work := func(pool *passhash.Pool) {
		go func() {
			_, err := pool.Do(t.Context(), func() { began <- struct{}{}; <-letGo })
			ends <- err
		}()
	}
	for range 2 { // the other path has both its workers
		work(p.phs)
		<-began
	}
	for range 2 {
		work(p.cloud)
	}
	<-began
	for p.cloud.Waiting() != 1 {
		runtime.Gosched()
	}
	leave("", 0)
	<-began // hangs when the place is not given back
	close(letGo)
	for range 4 {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
}
