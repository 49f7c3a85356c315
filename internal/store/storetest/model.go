package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// model is what the store must come to, kept in maps.
type model struct {
	*bench
	users    map[authn.AccountID]directory.User
	sessions map[string]authn.AccountID
	failures map[string]int
	steps    int
}

// testModel: whatever is done in whatever order, the store holds what the maps hold.
func testModel(t *testing.T, b *bench) {
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		m := &model{bench: b, users: map[authn.AccountID]directory.User{}, sessions: map[string]authn.AccountID{}, failures: map[string]int{}}
		m.clear(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"put":     m.put,
			"delete":  m.delete,
			"sign in": m.signIn,
			"end":     m.end,
			"touch":   m.touch,
			"":        m.check,
		})
	})
	if runs == 0 {
		t.Fatal("nothing was tried")
	}
}

// clear empties the store of what the run before left: one store serves all runs.
func (m *model) clear(t *rapid.T) {
	all, err := m.Users(t.Context(), directory.Query{})
	ok(t, err)
	for _, u := range all {
		ok(t, m.erase(t.Context(), u.ID))
	}
	m.steps = int(time.Now().UnixNano()) //nolint:forbidigo // makes attempt ids of one run differ from another's
}

func drawID(t *rapid.T) authn.AccountID {
	return authn.AccountID(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id"))
}

func (m *model) put(t *rapid.T) {
	u := user(string(drawID(t)), rapid.SampledFrom([]string{"x@one.test", "y@one.test", "z@two.test"}).Draw(t, "name"))
	u.Enabled = rapid.Bool().Draw(t, "enabled")
	if u.Synced = rapid.Bool().Draw(t, "synced"); u.Synced {
		u.Onprem.Anchor = rapid.SampledFrom([]string{"", "p", "q"}).Draw(t, "anchor")
	}
	_, exists := m.users[u.ID]
	taken := false
	for id, o := range m.users {
		sameAnchor := u.Synced && o.Synced && u.Onprem.Anchor != "" && u.Onprem.Anchor == o.Onprem.Anchor
		taken = taken || id != u.ID && (o.UPN == u.UPN || sameAnchor)
	}
	err := m.CreateUser(t.Context(), u)
	if exists {
		if !errors.Is(err, directory.ErrConflict) {
			t.Fatalf("create an account twice: %v", err)
		}
		err = m.update(t.Context(), u)
	}
	if taken != errors.Is(err, directory.ErrConflict) || !taken && err != nil {
		t.Fatalf("put %+v: taken is %v, got %v", u, taken, err)
	}
	if !taken {
		m.users[u.ID] = u
		if !u.Enabled {
			m.endAll(u.ID)
		}
	}
}

func (m *model) delete(t *rapid.T) {
	id := drawID(t)
	_, exists := m.users[id]
	if err := m.erase(t.Context(), id); (err == nil) != exists {
		t.Fatalf("delete %s: exists is %v, got %v", id, exists, err)
	}
	delete(m.users, id)
	delete(m.failures, "account:"+string(id))
	m.endAll(id)
}

func (m *model) endAll(id authn.AccountID) {
	for hash, of := range m.sessions {
		if of == id {
			delete(m.sessions, hash)
		}
	}
}

func (m *model) signIn(t *rapid.T) {
	u, exists := m.users[drawID(t)]
	if !exists {
		t.Skip("nobody of that id")
	}
	m.steps++
	reason := authn.BadPassword
	if rapid.Bool().Draw(t, "right") {
		reason = authn.None
	}
	f := m.final(fmt.Sprint("m", m.steps), u, reason)
	f.Ticket = ticket{1000, m.clock}
	_, err := m.Commit(t.Context(), f)
	if refused := reason == authn.None && !u.Enabled; refused != (err != nil) {
		t.Fatalf("sign-in of %+v: %v", u, err)
	}
	switch {
	case err != nil:
	case reason == authn.None:
		m.sessions[string(f.Session.Hash)] = u.ID
		delete(m.failures, f.TallyKey)
	default:
		m.failures[f.TallyKey]++
	}
}

func (m *model) end(t *rapid.T) {
	id := drawID(t)
	if !rapid.Bool().Draw(t, "all of them") {
		for hash := range m.sessions {
			ok(t, m.EndSession(t.Context(), []byte(hash)))
			delete(m.sessions, hash)
			return
		}
	}
	ok(t, m.EndSessionsOf(t.Context(), id))
	m.endAll(id)
}

func (m *model) touch(t *rapid.T) {
	m.clock.Advance(time.Second)
	for hash := range m.sessions {
		ok(t, m.TouchSession(t.Context(), []byte(hash), m.clock.Now()))
		s, err := m.SessionByHash(t.Context(), []byte(hash))
		ok(t, err)
		if !s.LastSeen.Equal(m.clock.Now()) {
			t.Fatalf("last seen %v, want %v", s.LastSeen, m.clock.Now())
		}
	}
}

func (m *model) check(t *rapid.T) {
	for _, id := range []authn.AccountID{"a", "b", "c"} {
		want, exists := m.users[id]
		got, err := m.UserByID(t.Context(), id)
		if exists != (err == nil) || exists && got != want {
			t.Fatalf("user %s: got %+v, %v; want %+v", id, got, err, want)
		}
		all, err := m.SessionsOf(t.Context(), id)
		ok(t, err)
		n := 0
		for _, of := range m.sessions {
			if of == id {
				n++
			}
		}
		tally, err := m.Tally(t.Context(), "account:"+string(id))
		ok(t, err)
		if len(all) != n || tally.Failures != m.failures["account:"+string(id)] {
			t.Fatalf("account %s: %d sessions, want %d; %d failures, want %d", id, len(all), n, tally.Failures, m.failures["account:"+string(id)])
		}
	}
}

func ok(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
