package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/store"
)

// testCommit: record, tally, lock and session of one step are stored together.
func testCommit(t *testing.T, b *bench) {
	ctx := t.Context()
	alice := user("alice", "alice@cloud.test")
	b.create(t, alice)
	for i, locked := range []bool{false, false, true, false} { // the threshold is 3; the fourth finds it locked
		got := b.commit(t, b.final(fmt.Sprint("wrong", i), alice, authn.BadPassword))
		equal(t, fmt.Sprintf("locked by failure %d", i+1), got, authn.Receipt{Locked: locked})
	}
	log, err := b.SignIns(ctx, store.SignInQuery{Who: " Alice@Cloud.test"})
	must(t, err)
	equal(t, "rows", len(log), 4)
	for _, r := range log {
		equal(t, "stored lock mark of "+string(r.ID), r.Locked, r.ID == "wrong2")
		equal(t, "steps in the log", len(r.Steps), 1)
	}
	b.commit(t, b.final("right", alice, authn.None))
	tally, err := b.Tally(ctx, "account:alice")
	must(t, err)
	equal(t, "tally after the right password", tally, authn.Tally{})
	s, err := b.SessionByHash(ctx, []byte("right"))
	must(t, err)
	equal(t, "session's account", s.Account, "alice")
	equal(t, "session's end", s.Until, b.clock.Now().Add(24*time.Hour))
	equal(t, "session's proof", fmt.Sprint(s.Proof.Methods), "[pwd]")

	for name, f := range map[string]func(*authn.Final){
		"no attempt id":            func(f *authn.Final) { f.Record.ID = "" },
		"a tally without ticket":   func(f *authn.Final) { f.Ticket = nil },
		"a ticket that panics":     func(f *authn.Final) { f.Ticket = badTicket{} },
		"a session of nobody":      func(f *authn.Final) { f.Session = b.session("x", "nobody") },
		"a session without token":  func(f *authn.Final) { f.Session = &authn.Session{Account: "alice"} },
		"a token that is taken":    func(f *authn.Final) { f.Session = b.session("right", "alice") },
		"a credential on pta":      func(f *authn.Final) { f.Credential, f.Record.Realm.Path = []byte("x"), authn.PathPTA },
		"a credential of nobody":   func(f *authn.Final) { f.Credential, f.Record.Account = []byte("x"), "" },
		"a session after disabled": func(f *authn.Final) { f.Session = b.disabledSession(t) },
	} {
		bad := b.final("bad", alice, authn.BadPassword)
		bad.Once = []authn.Once{{Kind: "code", ID: name, Until: began().Add(time.Hour)}}
		f(&bad)
		if _, err := b.Commit(ctx, bad); err == nil {
			t.Errorf("%s was stored", name)
		}
		tally, err := b.Tally(ctx, "account:alice")
		must(t, err)
		rows, err := b.Records(ctx, "bad")
		must(t, err)
		if tally.Failures != 0 || len(rows) != 0 {
			t.Errorf("%s: half of it was stored: %d failures, %d records", name, tally.Failures, len(rows))
		}
		good := b.final("good"+name, alice, authn.None) // its once-only id is as new
		good.Once = bad.Once
		equal(t, "what follows "+name, b.commit(t, good), authn.Receipt{})
	}
}

type badTicket struct{ ticket }

func (badTicket) Settle(authn.Tally, authn.Effect) authn.Tally { panic("a guard's mistake") }

// disabledSession is the session of a person who was disabled between the look-up and the commit.
func (b *bench) disabledSession(t *testing.T) *authn.Session {
	u := user("dora", "dora@cloud.test")
	u.Enabled = false
	b.create(t, u)
	return b.session("dora", u.ID)
}

// testOnce: an id that is good once is used up by one step, also when many come at the same time.
func testOnce(t *testing.T, b *bench) {
	ctx := t.Context()
	alice := user("alice", "alice@cloud.test")
	b.create(t, alice)
	until := began().Add(time.Hour)
	first := b.final("first", alice, authn.None)
	first.Once = []authn.Once{{Kind: "assertion", ID: "id-1", Until: until}}
	equal(t, "first use", b.commit(t, first), authn.Receipt{})

	again := b.final("again", alice, authn.None)
	again.Once = []authn.Once{{Kind: "state", ID: "fresh", Until: until}, {Kind: "assertion", ID: "id-1", Until: until}}
	equal(t, "second use", b.commit(t, again), authn.Receipt{Replayed: true})
	_, err := b.SessionByHash(ctx, []byte("again"))
	wantErr(t, "session of a replay", err, directory.ErrNotFound)
	rows, err := b.Records(ctx, "again")
	must(t, err)
	equal(t, "records of a replay", len(rows), 0)
	other := b.final("other", alice, authn.None)
	other.Once = []authn.Once{{Kind: "state", ID: "fresh", Until: until}, {Kind: "code", ID: "id-1", Until: until}}
	equal(t, "an id beside a replayed one, and the same id of another kind", b.commit(t, other), authn.Receipt{})

	var won, lost atomic.Int64
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			f := b.final(fmt.Sprint("race", i), alice, authn.None)
			f.Once = []authn.Once{{Kind: "assertion", ID: "raced", Until: until}}
			if r, err := b.Commit(ctx, f); err != nil {
				t.Error(err)
			} else if r.Replayed {
				lost.Add(1)
			} else {
				won.Add(1)
			}
		})
	}
	all.Wait()
	equal(t, "winners of a race", won.Load(), 1)
	equal(t, "replays of a race", lost.Load(), 15)
	sessions, err := b.SessionsOf(ctx, "alice")
	must(t, err)
	equal(t, "sessions", len(sessions), 3) // first, other, and one of the race
}

// testRehash: a new hash replaces the one it was made of, and nothing else.
func testRehash(t *testing.T, b *bench) {
	ctx := t.Context()
	alice := user("alice", "alice@cloud.test")
	b.create(t, alice)
	set := func(scheme, record string) {
		must(t, b.SetCredentials(ctx, []directory.Credential{{Account: "alice", Scheme: scheme, Record: []byte(record), Source: "first", Changed: began()}}))
	}
	get := func(scheme string) string {
		c, err := b.Credential(ctx, "alice", scheme)
		if err != nil {
			return err.Error()
		}
		return string(c.Record) + " of " + c.Source
	}
	n := 0
	signIn := func(p authn.Path, at time.Time) {
		n++
		f := b.final(fmt.Sprint("s", n), alice, authn.None)
		f.Record.Realm.Path, f.Record.At, f.Credential = p, at, []byte("rehashed")
		b.commit(t, f)
	}
	set(directory.SchemeCloud, "old")
	set(directory.SchemePHS, "old")
	b.clock.Advance(time.Second)
	signIn(authn.PathCloud, b.clock.Now())
	equal(t, "cloud", get(directory.SchemeCloud), "rehashed of first")
	equal(t, "phs", get(directory.SchemePHS), "old of first")
	signIn(authn.PathPHS, b.clock.Now())
	equal(t, "phs after its own", get(directory.SchemePHS), "rehashed of first")

	read := b.clock.Now()
	b.clock.Advance(time.Second)
	set(directory.SchemeCloud, "changed by the administrator")
	signIn(authn.PathCloud, read) // it had read the one before
	equal(t, "a password that was changed meanwhile", get(directory.SchemeCloud), "changed by the administrator of first")
	_, err := b.DropCredentials(ctx, directory.SchemePHS, "")
	must(t, err)
	signIn(authn.PathPHS, b.clock.Now())
	_, err = b.Credential(ctx, "alice", directory.SchemePHS)
	wantErr(t, "a hash that was dropped meanwhile", err, directory.ErrNotFound)
}

// testParallel: many steps at once lose no count, and none of them disturbs another that is refused.
func testParallel(t *testing.T, b *bench) {
	const each = 40
	var all sync.WaitGroup
	for who := range 8 {
		u := user(fmt.Sprint("u", who), fmt.Sprintf("u%d@cloud.test", who))
		b.create(t, u)
		for i := range each {
			all.Go(func() {
				f := b.final(fmt.Sprintf("%s-%d", u.ID, i), u, authn.BadPassword)
				f.Ticket = ticket{1000, b.clock}
				if i%4 == 0 {
					f.Session = b.session("none", "nobody") // refused by the store
				}
				if _, err := b.Commit(t.Context(), f); (err != nil) != (i%4 == 0) {
					t.Errorf("%s: %v", f.Record.ID, err)
				}
			})
		}
	}
	all.Wait()
	for who := range 8 {
		tally, err := b.Tally(t.Context(), fmt.Sprintf("account:u%d", who))
		must(t, err)
		equal(t, "failures", tally.Failures, each*3/4)
	}
	log, err := b.SignIns(t.Context(), store.SignInQuery{})
	must(t, err)
	equal(t, "rows", len(log), 8*each*3/4)
}

// testLate: who stops waiting is told that nothing was stored only when it is so.
func testLate(t *testing.T, b *bench) {
	alice := user("alice", "alice@cloud.test")
	b.create(t, alice)
	held, release := make(chan struct{}), make(chan struct{})
	slow := b.final("slow", alice, authn.BadPassword)
	ctx, giveUp := context.WithCancel(t.Context())
	slow.Ticket = slowTicket{ticket{1000, b.clock}, held, release}
	outcome := make(chan error, 2)
	go func() { _, err := b.Commit(ctx, slow); outcome <- err }()
	<-held // the writer is in the middle of it
	go func() { _, err := b.Commit(ctx, b.final("queued", alice, authn.BadPassword)); outcome <- err }()
	giveUp()
	wantErr(t, "the queued one", <-outcome, context.Canceled)
	close(release)
	wantErr(t, "the one that was begun", <-outcome, nil)
	_, err := b.Commit(ctx, b.final("gone", alice, authn.BadPassword))
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	b.reopen(t)
	for id, want := range map[authn.AttemptID]int{"slow": 1, "queued": 0, "gone": btoi(err == nil)} {
		rows, err := b.Records(t.Context(), id)
		must(t, err)
		equal(t, "records of "+string(id), len(rows), want)
	}
}

// slowTicket holds the writer until it is released.
type slowTicket struct {
	ticket
	held, release chan struct{}
}

func (k slowTicket) Settle(now authn.Tally, e authn.Effect) authn.Tally {
	close(k.held)
	<-k.release
	return k.ticket.Settle(now, e)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
