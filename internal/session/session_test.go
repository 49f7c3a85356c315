package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/keyring"
	"github.com/fourways-id/fourways/internal/store"
)

// memory is a Store that counts its writes and can be out of order.
type memory struct {
	rows    map[string]authn.Session
	touched int
	down    error // of every call
	full    error // of writes
}

func (m *memory) SessionByHash(_ context.Context, hash []byte) (authn.Session, error) {
	s, ok := m.rows[string(hash)]
	if m.down == nil && !ok {
		return s, fmt.Errorf("session: %w", directory.ErrNotFound)
	}
	return s, m.down
}

func (m *memory) TouchSession(_ context.Context, hash []byte, at time.Time) error {
	if m.full != nil {
		return m.full
	}
	s := m.rows[string(hash)]
	s.LastSeen = at
	m.rows[string(hash)] = s
	m.touched++
	return nil
}

func (m *memory) EndSession(_ context.Context, hash []byte) error {
	delete(m.rows, string(hash))
	return m.down
}

type fixture struct {
	*Manager
	store           *memory
	clock, protocol *authntest.Clock
}

func start() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }

func newFixture(t testing.TB) fixture {
	t.Helper()
	ring, err := keyring.Create(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{store: &memory{rows: map[string]authn.Session{}}, clock: authntest.NewClock(start()), protocol: authntest.NewClock(start())}
	f.Manager = New(Options{Ring: ring, Store: f.store, Clock: f.clock, Protocol: f.protocol})
	return f
}

// open makes a session and stores it, as Commit does.
func (f fixture) open(t *testing.T, p authn.Proof) (authn.Session, string) {
	t.Helper()
	s, token, err := f.New(authn.Subject{Account: "alice"}, p)
	if err != nil {
		t.Fatal(err)
	}
	f.store.rows[string(s.Hash)] = s
	return s, token
}

func (f fixture) lookup(t *testing.T, token string, want error) {
	t.Helper()
	if _, err := f.Lookup(t.Context(), token); !errors.Is(err, want) {
		t.Errorf("look-up at %s: got %v, want %v", f.clock.Now().Format(time.DateTime), err, want)
	}
}

func TestTheRowHoldsTheHashOfTheToken(t *testing.T) {
	f := newFixture(t)
	s, token := f.open(t, authn.Proof{Methods: []string{"pwd"}})
	want := sha256.Sum256([]byte(token))
	if len(token) != 43 || string(s.Hash) != string(want[:]) || strings.Contains(fmt.Sprintf("%+v", s), token) {
		t.Errorf("token %q, row %+v", token, s)
	}
	got, err := f.Lookup(t.Context(), token)
	if err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, other := f.open(t, authn.Proof{}); other == token {
		t.Error("two sessions have one token")
	}
	for _, wrong := range []string{"", token[:42], token + "A", strings.Repeat("A", 43), string(s.Hash), strings.Repeat("A", 1<<20)} {
		f.lookup(t, wrong, ErrNone)
	}
	if _, _, err := f.New(authn.Subject{Issuer: "https://idp.test"}, authn.Proof{}); err == nil {
		t.Error("nobody got a session")
	}
}

func TestASessionEndsByAgeByRestAndBySignOut(t *testing.T) {
	f := newFixture(t)
	_, used := f.open(t, authn.Proof{})
	_, idle := f.open(t, authn.Proof{})
	for range 3 { // 21 hours in steps of 7: only the one that is used lives on
		f.clock.Advance(7 * time.Hour)
		f.lookup(t, used, nil)
	}
	f.lookup(t, idle, ErrNone)
	f.clock.Advance(3*time.Hour - time.Nanosecond)
	f.lookup(t, used, nil)
	f.clock.Advance(time.Nanosecond)
	f.lookup(t, used, ErrNone)

	_, out := f.open(t, authn.Proof{})
	f.lookup(t, out, nil)
	for range 2 {
		if err := f.End(t.Context(), out); err != nil {
			t.Error(err)
		}
	}
	f.lookup(t, out, ErrNone)
}

// A session is good for a day, also when the clock that it was made by was years ahead. Gateways whose clocks differ a little
// take each other's.
func TestASessionDoesNotOutliveAClockThatGoesBack(t *testing.T) {
	f := newFixture(t)
	f.clock.Advance(10 * time.Minute)
	_, token := f.open(t, authn.Proof{})
	f.clock.Advance(-10 * time.Minute)
	f.lookup(t, token, nil)
	f.clock.Advance(-time.Nanosecond)
	f.lookup(t, token, ErrNone)
}

func TestTheIdentityProvidersLimitShortensTheSession(t *testing.T) {
	f := newFixture(t)
	f.clock.Advance(90 * 24 * time.Hour) // the lab moves policy time; an assertion's time stays real
	limit := f.protocol.Now().Add(time.Hour)
	s, token := f.open(t, authn.Proof{NotAfter: limit})
	if want := f.clock.Now().Add(time.Hour); !s.Until.Equal(want) {
		t.Errorf("until %v, want %v", s.Until, want)
	}
	f.lookup(t, token, nil)
	f.clock.Advance(time.Hour)
	f.lookup(t, token, ErrNone)
	if s, _ := f.open(t, authn.Proof{NotAfter: limit.AddDate(1, 0, 0)}); !s.Until.Equal(f.clock.Now().Add(24 * time.Hour)) {
		t.Errorf("a far limit made the session longer: %v", s.Until)
	}
	f.protocol.Advance(time.Hour)
	if _, _, err := f.New(authn.Subject{Account: "alice"}, authn.Proof{NotAfter: limit}); err == nil {
		t.Error("a session began after its limit")
	}
}

func TestReadingPagesWritesOnceAMinute(t *testing.T) {
	f := newFixture(t)
	_, token := f.open(t, authn.Proof{})
	for range 10 * 60 {
		f.clock.Advance(time.Second)
		f.lookup(t, token, nil)
	}
	if f.store.touched != 10 {
		t.Errorf("%d writes in ten minutes", f.store.touched)
	}
}

func TestAStoreThatCannotBeAskedIsNotANo(t *testing.T) {
	f := newFixture(t)
	_, token := f.open(t, authn.Proof{})
	f.store.full = errors.New("disk full")
	f.clock.Advance(time.Hour)
	f.lookup(t, token, nil)
	f.store.down = errors.New("no store")
	f.lookup(t, token, f.store.down)
	if _, err := f.Lookup(t.Context(), token); errors.Is(err, ErrNone) {
		t.Error("the person was signed out by an outage")
	}
	if err := f.End(t.Context(), token); !errors.Is(err, f.store.down) {
		t.Errorf("a sign-out that did not happen: %v", err)
	}
}

// The store itself is a Store, and what the Manager makes is what Commit keeps.
func TestWithTheStore(t *testing.T) {
	f := newFixture(t)
	db, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "store.db"), Ring: f.o.Ring, Clock: f.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var sessions authn.Sessions = New(Options{Ring: f.o.Ring, Store: db, Clock: f.clock, Protocol: f.protocol})
	var commits authn.Committer = db
	if err := db.CreateUser(t.Context(), directory.User{ID: "alice", UPN: "alice@cloud.test", Enabled: true}); err != nil {
		t.Fatal(err)
	}
	s, token, err := sessions.New(authn.Subject{Account: "alice"}, authn.Proof{Methods: []string{"pwd"}, At: start()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := commits.Commit(t.Context(), authn.Final{Record: authn.Record{ID: "a1", Final: true}, Session: &s}); err != nil {
		t.Fatal(err)
	}
	m := New(Options{Ring: f.o.Ring, Store: db, Clock: f.clock, Protocol: f.protocol})
	f.clock.Advance(time.Hour)
	got, err := m.Lookup(t.Context(), token)
	if err != nil || got.Account != "alice" || !got.LastSeen.Equal(f.clock.Now()) {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := m.End(t.Context(), token); err != nil {
		t.Error(err)
	}
	if _, err := m.Lookup(t.Context(), token); !errors.Is(err, ErrNone) {
		t.Errorf("after the end: %v", err)
	}
}
