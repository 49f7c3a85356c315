package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/store"
)

// challenged makes a step that leaves its attempt open.
func (b *bench) challenged(id string, seq int, p authn.Path) authn.Final {
	f := b.final(id, user("alice", "alice@cloud.test"), authn.None)
	f.Record.Seq, f.Record.Realm.Path, f.Record.Verdict, f.Record.Final = seq, p, authn.Challenged, false
	f.Session, f.TallyKey, f.Ticket, f.Effect = nil, "", nil, authn.LeaveTally
	return f
}

// testRecords: a trace has all its steps, the log one row a finished attempt, and filters find them.
func testRecords(t *testing.T, b *bench) {
	ctx := t.Context()
	alice, bob := user("alice", "alice@cloud.test"), user("bob", "bob@pta.test")
	b.create(t, alice, bob)
	b.commit(t, b.challenged("a1", 0, authn.PathCloud))
	log, err := b.SignIns(ctx, store.SignInQuery{})
	must(t, err)
	equal(t, "rows of an open attempt", len(log), 0)
	b.clock.Advance(time.Minute)
	wrong := b.final("a1", alice, authn.BadPassword)
	wrong.Record.Seq = 1
	b.commit(t, wrong)
	b.commit(t, wrong) // the same form sent again is a guess of its own
	steps, err := b.Records(ctx, "a1")
	must(t, err)
	equal(t, "steps of the trace", names(steps, func(r authn.Record) string { return fmt.Sprint(r.Seq, r.Verdict, len(r.Steps)) }), "0 challenged 1 1 denied 1 2 denied 1 ")

	b.clock.Advance(time.Minute)
	b.commit(t, b.final("a2", alice, authn.None))
	b.clock.Advance(time.Minute)
	pta := b.final("b1", bob, authn.NoAgent)
	pta.Record.Realm.Path = authn.PathPTA
	b.commit(t, pta)
	for q, want := range map[store.SignInQuery]string{
		{}:                                      "b1 a2 a1 a1 ",
		{Last: 2}:                               "b1 a2 ",
		{Before: began().Add(2 * time.Minute)}:  "a1 a1 ",
		{Path: authn.PathPTA}:                   "b1 ",
		{Who: "ALICE@cloud.test", Last: 1}:      "a2 ",
		{Reason: authn.BadPassword.String()}:    "a1 a1 ",
		{Domain: "pta.test"}:                    "b1 ",
		{Domain: "pta.test", Reason: "none"}:    "",
		{Who: "nobody@cloud.test"}:              "",
		{Path: authn.PathCloud, Reason: "none"}: "a2 ",
	} {
		got, err := b.SignIns(ctx, q)
		must(t, err)
		equal(t, fmt.Sprintf("%+v", q), names(got, func(r authn.Record) string { return string(r.ID) }), want)
	}
}

// testSweep: an attempt that was never finished is closed once, and gets one row whatever comes later.
func testSweep(t *testing.T, b *bench) {
	ctx := t.Context()
	alice := user("alice", "alice@cloud.test")
	b.create(t, alice)
	b.commit(t, b.challenged("saml", 0, authn.PathFederated))
	b.commit(t, b.challenged("form", 0, authn.PathCloud))
	b.commit(t, b.challenged("done", 0, authn.PathCloud))
	done := b.final("done", alice, authn.None)
	done.Record.Seq = 1
	b.commit(t, done)
	b.clock.Advance(15 * time.Minute)
	b.commit(t, b.challenged("young", 0, authn.PathFederated))

	two := make(chan []authn.Record, 2) // two gateways sweep at the same time
	for range 2 {
		go func() {
			swept, err := b.Sweep(ctx, b.clock.Now().Add(-10*time.Minute))
			if err != nil {
				t.Error(err)
			}
			two <- swept
		}()
	}
	got := map[authn.AttemptID]authn.Record{}
	for range 2 {
		for _, r := range <-two {
			if _, twice := got[r.ID]; twice {
				t.Errorf("%s was claimed twice", r.ID)
			}
			got[r.ID] = r
		}
	}
	equal(t, "swept", len(got), 2)
	for id, reason := range map[authn.AttemptID]authn.Reason{"saml": authn.IdPAbandoned, "form": authn.None} {
		r := got[id]
		equal(t, "sweep of "+string(id), fmt.Sprint(r.Verdict, r.Reason, r.Final, r.Seq, r.At.Equal(b.clock.Now())), fmt.Sprint(authn.Challenged, reason, true, 1, true))
	}

	late := b.final("saml", alice, authn.None)
	late.Record.Seq = 1
	b.commit(t, late) // the person came back after all
	b.commit(t, b.challenged("form", 1, authn.PathCloud))
	again, err := b.Sweep(ctx, b.clock.Now().Add(time.Second))
	must(t, err)
	equal(t, "swept later", names(again, func(r authn.Record) string { return string(r.ID) }), "young ")
	log, err := b.SignIns(ctx, store.SignInQuery{})
	must(t, err)
	rows := map[authn.AttemptID]int{}
	for _, r := range log {
		rows[r.ID]++
	}
	equal(t, "rows an attempt", fmt.Sprint(rows), "map[done:1 form:1 saml:1 young:1]")
	steps, err := b.Records(ctx, "saml")
	must(t, err)
	equal(t, "steps of the late one's trace", len(steps), 3)
}

// testPurge: what retention says is forgotten, what still counts stays.
func testPurge(t *testing.T, b *bench) {
	ctx := t.Context()
	alice := user("alice", "alice@cloud.test")
	b.create(t, alice)
	for i := range 450 { // more than one chunk
		f := b.final(fmt.Sprint("old", i), alice, authn.BadPassword)
		f.TallyKey = fmt.Sprint("name:", i)
		b.commit(t, f)
	}
	old := b.final("old session", alice, authn.None)
	old.Once = []authn.Once{{Kind: "code", ID: "old", Until: began().Add(time.Hour)}, {Kind: "code", ID: "unexpired", Until: began().AddDate(400, 0, 0)}}
	b.commit(t, old)
	b.clock.Advance(40 * 24 * time.Hour)
	b.commit(t, b.final("new", alice, authn.BadPassword))
	b.commit(t, b.final("new session", alice, authn.None))
	b.commit(t, b.final("newest", alice, authn.BadPassword))

	n, err := b.Purge(ctx, b.clock.Now().AddDate(0, 0, -30), 3)
	must(t, err)
	equal(t, "forgotten", n, 451*2+450+1+1) // records and rows, tallies, the used-up id, the session
	log, err := b.SignIns(ctx, store.SignInQuery{})
	must(t, err)
	equal(t, "rows left", len(log), 3)
	_, err = b.SessionByHash(ctx, []byte("old session"))
	wantErr(t, "the session that is over", err, directory.ErrNotFound)
	_, err = b.SessionByHash(ctx, []byte("new session"))
	wantErr(t, "the session that isn't", err, nil)
	tally, err := b.Tally(ctx, "account:alice")
	must(t, err)
	equal(t, "the tally that counts", tally.Failures, 1)
	replay := b.final("replay", alice, authn.None)
	replay.Once = []authn.Once{{Kind: "code", ID: "unexpired", Until: began().AddDate(400, 0, 0)}}
	equal(t, "an id that has not expired", b.commit(t, replay), authn.Receipt{Replayed: true})
	replay.Once[0].ID = "old"
	equal(t, "an id that has", b.commit(t, replay), authn.Receipt{})
}

// testShorten: a log that is too long loses its oldest attempts with all their records, and no others.
func testShorten(t *testing.T, b *bench) {
	ctx := t.Context()
	alice := user("alice", "alice@cloud.test")
	b.create(t, alice)
	must(t, b.SaveRun(ctx, directory.Run{ID: "old", Began: began()}))
	must(t, b.SaveRun(ctx, directory.Run{ID: "last", Began: began().Add(time.Second)}))
	for i := range 250 { // more than one chunk
		b.commit(t, b.challenged(fmt.Sprint("a", i), 0, authn.PathCloud))
		f := b.final(fmt.Sprint("a", i), alice, authn.None)
		f.Record.Seq = 1
		b.commit(t, f)
		b.clock.Advance(time.Second)
	}
	none := began().AddDate(-1, 0, 0)
	for _, most := range []int{0, 250} { // no bound, and one that isn't reached
		n, err := b.Purge(ctx, none, most)
		must(t, err)
		equal(t, fmt.Sprint("forgotten for a bound of ", most), n, 0)
	}
	n, err := b.Purge(ctx, none, 10)
	must(t, err)
	equal(t, "forgotten", n, 240*3)
	log, err := b.SignIns(ctx, store.SignInQuery{})
	must(t, err)
	equal(t, "rows left", len(log), 10)
	equal(t, "the oldest that is left", log[9].ID, "a240")
	for id, want := range map[authn.AttemptID]int{"a239": 0, "a240": 2} {
		steps, err := b.Records(ctx, id)
		must(t, err)
		equal(t, "records of "+string(id), len(steps), want)
	}
	n, err = b.Purge(ctx, began().Add(time.Minute), 0)
	must(t, err)
	equal(t, "runs forgotten", n, 1)
	runs, err := b.Runs(ctx, 0)
	must(t, err)
	equal(t, "runs left", names(runs, func(r directory.Run) string { return r.ID }), "last ")
}
