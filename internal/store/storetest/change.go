package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// changed is a sign-in at which a person chose a new password.
func (b *bench) changed(id string, u directory.User, checked, record string) authn.Final {
	f := b.final(id, u, authn.None)
	f.Changed, f.Credential, f.Checked = true, []byte(record), []byte(checked)
	return f
}

// testChange: a chosen password, what asked for it, the sessions and the new session are one write, made over the record
// that was checked and over no other.
func testChange(t *testing.T, b *bench) {
	ctx := t.Context()
	grace, bob := user("grace", "grace@cloud.test"), user("bob", "bob@cloud.test")
	grace.MustChange, grace.Leaked = true, began()
	b.create(t, grace, bob)
	must(t, b.SetCredentials(ctx, []directory.Credential{
		{Account: "grace", Scheme: directory.SchemeCloud, Record: []byte("temporary"), Source: "cloud", Changed: began()},
		{Account: "grace", Scheme: directory.SchemePHS, Record: []byte("synchronised"), Source: "run-1", Changed: began()},
		{Account: "bob", Scheme: directory.SchemeCloud, Record: []byte("bob's"), Source: "cloud", Changed: began()},
	}))
	b.commit(t, b.final("elsewhere", grace, authn.None))
	b.commit(t, b.final("bob", bob, authn.None))
	b.clock.Advance(time.Hour)

	equal(t, "over a record that is not there", b.commit(t, b.changed("lost", grace, "another", "lost")), authn.Receipt{Overtaken: true})
	rows, err := b.Records(ctx, "lost")
	must(t, err)
	equal(t, "records of a change that was too late", len(rows), 0)
	u, err := b.UserByID(ctx, "grace")
	must(t, err)
	equal(t, "must change, still", u.MustChange, true)

	b.clock.Advance(-2 * time.Hour) // a clock that goes back keeps nobody from changing a password
	equal(t, "change", b.commit(t, b.changed("chosen", grace, "temporary", "chosen")), authn.Receipt{})
	c, err := b.Credential(ctx, "grace", directory.SchemeCloud)
	must(t, err)
	equal(t, "record", string(c.Record), "chosen")
	equal(t, "changed at", c.Changed, b.clock.Now())
	u, err = b.UserByID(ctx, "grace")
	must(t, err)
	equal(t, "must change, leaked", fmt.Sprint(u.MustChange, u.Leaked.IsZero()), "false true")
	sessions, err := b.SessionsOf(ctx, "grace")
	must(t, err)
	equal(t, "sessions", names(sessions, func(s authn.Session) string { return string(s.Hash) }), "chosen ")
	for account, want := range map[authn.AccountID]string{"grace": "synchronised", "bob": "bob's"} {
		scheme := map[authn.AccountID]string{"grace": directory.SchemePHS, "bob": directory.SchemeCloud}[account]
		other, err := b.Credential(ctx, account, scheme)
		must(t, err)
		equal(t, "what was not changed", string(other.Record), want)
	}
	if _, err := b.SessionByHash(ctx, []byte("bob")); err != nil {
		t.Errorf("somebody else's session: %v", err)
	}
	b.sessionsOfAnOldPassword(t, grace)
	b.changesOfManyAtOnce(t, grace)
	b.changesThatContradictThemselves(t, grace)
}

// sessionsOfAnOldPassword: who was let in by a password that was replaced before the sign-in was written down stays out.
func (b *bench) sessionsOfAnOldPassword(t *testing.T, grace directory.User) {
	by := func(id, checked string) authn.Final {
		f := b.final(id, grace, authn.None)
		f.Checked = []byte(checked)
		return f
	}
	equal(t, "by the password that stands", b.commit(t, by("good", "chosen")), authn.Receipt{})
	slow, rehashed := by("slow", "chosen"), by("rehashed", "as it came")
	b.clock.Advance(time.Second)
	equal(t, "by a record that was only hashed anew", b.commit(t, func() authn.Final {
		rehashed.Record.At = b.clock.Now()
		return rehashed
	}()), authn.Receipt{})
	must(t, b.SetCredentials(t.Context(), []directory.Credential{{Account: "grace", Scheme: directory.SchemeCloud, Record: []byte("reset"), Source: "cloud", Changed: b.clock.Now()}}))
	must(t, b.EndSessionsOf(t.Context(), "grace"))
	equal(t, "by the password before", b.commit(t, slow), authn.Receipt{Overtaken: true})
	sessions, err := b.SessionsOf(t.Context(), "grace")
	must(t, err)
	equal(t, "sessions by the password before", len(sessions), 0)
	b.clock.Advance(-time.Hour) // a clock that goes back keeps nobody out
	equal(t, "by the new password", b.commit(t, by("fresh", "reset")), authn.Receipt{})
	must(t, b.SetCredentials(t.Context(), []directory.Credential{{Account: "grace", Scheme: directory.SchemeCloud, Record: []byte("chosen"), Source: "cloud", Changed: b.clock.Now()}}))
}

func (b *bench) changesOfManyAtOnce(t *testing.T, grace directory.User) {
	var won, lost atomic.Int64
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			switch r, err := b.Commit(t.Context(), b.changed(fmt.Sprint("race", i), grace, "chosen", fmt.Sprint("raced", i))); {
			case err != nil:
				t.Error(err)
			case r.Overtaken:
				lost.Add(1)
			default:
				won.Add(1)
			}
		})
	}
	all.Wait()
	equal(t, "changes that were made", won.Load(), 1)
	equal(t, "changes that were too late", lost.Load(), 15)
	sessions, err := b.SessionsOf(t.Context(), "grace")
	must(t, err)
	equal(t, "sessions after the race", len(sessions), 1)
}

func (b *bench) changesThatContradictThemselves(t *testing.T, grace directory.User) {
	for name, change := range map[string]func(*authn.Final){
		"no record":             func(f *authn.Final) { f.Credential = nil },
		"nothing is replaced":   func(f *authn.Final) { f.Checked = nil },
		"on the path phs":       func(f *authn.Final) { f.Record.Realm.Path = authn.PathPHS },
		"of nobody":             func(f *authn.Final) { f.Record.Account = "" },
		"an account since gone": func(f *authn.Final) { f.Session.Account = "gone" },
	} {
		f := b.changed("bad", grace, "chosen", "bad")
		if change(&f); name == "an account since gone" {
			c, err := b.Credential(t.Context(), "grace", directory.SchemeCloud)
			must(t, err)
			f.Checked = c.Record
		}
		if r, err := b.Commit(t.Context(), f); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
		if c, err := b.Credential(t.Context(), "grace", directory.SchemeCloud); err != nil || string(c.Record) == "bad" {
			t.Errorf("%s: it was stored (%v)", name, err)
		}
	}
}

// testSweepChange: an attempt that waits for a new password and is left keeps saying so.
func testSweepChange(t *testing.T, b *bench) {
	b.create(t, user("alice", "alice@cloud.test"))
	for id, r := range map[string]authn.Reason{"must": authn.CloudMustChange, "old": authn.CloudPasswordExpired, "asked": authn.None} {
		f := b.challenged(id, 0, authn.PathCloud)
		f.Record.Reason, f.Record.Challenge = r, authn.ChangePassword
		b.commit(t, f)
	}
	swept, err := b.Sweep(t.Context(), b.clock.Now().Add(time.Second))
	must(t, err)
	got := map[authn.AttemptID]string{}
	for _, r := range swept {
		got[r.ID] = fmt.Sprint(r.Verdict, " ", r.Reason)
	}
	equal(t, "swept", fmt.Sprint(got), "map[asked:challenged none must:challenged cloud_must_change old:challenged cloud_password_expired]")
}
