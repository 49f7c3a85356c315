package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/dc"
)

var errKilled = errors.New("the power went")

// tenant is a gateway that is filled, up to the call after which the power goes.
type tenant struct {
	mu    sync.Mutex
	left  int // calls until then; negative: it stays
	users map[string]directory.User
	tally map[string]authn.Tally
	hired func() bool // quinn is in the forest
	early bool        // quinn was there when hashes were read
}

func (t *tenant) call() error {
	if t.left == 0 {
		return errKilled
	}
	t.left--
	return nil
}

func (t *tenant) SyncRun(_ context.Context, kinds []string) ([]directory.Run, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.early = t.early || len(kinds) == 0 && t.hired()
	return nil, t.call()
}

func (t *tenant) CreateUser(_ context.Context, u api.NewUser) (directory.User, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, taken := t.users[u.UPN]; taken {
		return directory.User{}, fmt.Errorf("store user %s: %w", u.UPN, directory.ErrConflict)
	}
	made := directory.User{ID: authn.AccountID("id of " + u.UPN), UPN: u.UPN, Admin: u.Admin}
	t.users[u.UPN] = made
	return made, t.call() // the power may go after it was made
}

func (t *tenant) SetPassword(context.Context, string, authn.Secret) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.call()
}

func (t *tenant) Users(context.Context, directory.Query) ([]directory.User, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []directory.User
	for _, u := range t.users {
		all = append(all, u)
	}
	return all, nil
}

func (t *tenant) SetTally(_ context.Context, key string, to authn.Tally) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tally[key] = to
	return t.call()
}

func (t *tenant) Backdate(context.Context, func(string) (time.Time, time.Time)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.call()
}

type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

// forestOf lists the people of the forest with their states.
func forestOf(t *testing.T, l *Lab) map[string][]string {
	t.Helper()
	people, err := l.Premises().OnpremUsers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, p := range people {
		all[p.UPN] = p.States
	}
	return all
}

func TestALabThatWasKilledWhileItWasFilledComesToTheSameWorld(t *testing.T) {
	l, err := startIn(t, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	fill := func(w *tenant) error {
		if err := l.SeedPremises(); err != nil {
			return err
		}
		return l.Populate(t.Context(), w, w)
	}
	late := l.world.Latecomers("")
	untouched := func() *tenant {
		return &tenant{left: -1, users: map[string]directory.User{}, tally: map[string]authn.Tally{}, hired: func() bool {
			people, err := l.Premises().OnpremUsers(t.Context())
			if err != nil {
				t.Error(err)
			}
			return slices.ContainsFunc(people, func(u api.OnpremUser) bool {
				return slices.ContainsFunc(late, func(e dc.Entry) bool { return slices.Contains(e.Attrs["userPrincipalName"], u.UPN) })
			})
		}}
	}
	whole := untouched()
	if err := fill(whole); err != nil {
		t.Fatal(err)
	}
	forest := forestOf(t, l)
	if !whole.hired() || len(whole.users) == 0 || len(whole.tally) == 0 || len(forest) < 20 {
		t.Fatalf("the world is empty: %+v, %v", whole, forest)
	}
	for killedAfter := range 12 { // the calls are in two orders at once: which one is lost is chance, and must not matter
		again := untouched()
		again.left = killedAfter
		if err := fill(again); !errors.Is(err, errKilled) {
			t.Fatalf("killed after %d calls, it went on: %v", killedAfter, err)
		}
		again.left = -1
		if err := fill(again); err != nil {
			t.Errorf("killed after %d calls, it can't be filled again: %v", killedAfter, err)
			continue
		}
		if again.early {
			t.Errorf("killed after %d calls: who comes after the hashes were read was there before", killedAfter)
		}
		if diff := cmp.Diff(whole.users, again.users) + cmp.Diff(whole.tally, again.tally) + cmp.Diff(forest, forestOf(t, l)); diff != "" {
			t.Errorf("killed after %d calls, it is another world (-want +got):\n%s", killedAfter, diff)
		}
	}
}
