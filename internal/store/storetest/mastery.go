package storetest

import (
	"cmp"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// testMastery: whatever synchronisation and administrators do, and in whatever order, nothing that the cloud masters is lost,
// and nobody signs in whom the one or the other keeps out.
func testMastery(t *testing.T, b *bench) {
	rapid.Check(t, func(r *rapid.T) {
		m := &mastery{bench: b, t: t, premises: synced("tom", "tom@one.test")}
		m.drop()
		m.sync(r)
		r.Repeat(map[string]func(*rapid.T){
			"synchronise": m.sync, "leave the scope": m.leave, "change in the cloud": m.cloud, "delete": m.remove, "restore": m.restore, "": m.check,
		})
	})
}

// mastery is one synchronised account, and what must be true of it.
type mastery struct {
	*bench
	t        *testing.T
	premises directory.User // as it was synchronised last
	blocked  bool
	must     bool
	admin    bool
	location string // that an administrator has set
	deleted  bool
}

func (m *mastery) drop() {
	_, _ = m.bench.RemoveUser(m.t.Context(), "tom", allowed)
	_ = m.bench.ForgetUser(m.t.Context(), "tom")
}

func (m *mastery) sync(r *rapid.T) {
	m.premises.DisplayName = rapid.SampledFrom([]string{"Tom", "Thomas"}).Draw(r, "display name")
	m.premises.UPN = rapid.SampledFrom([]string{"tom@one.test", "thomas@one.test"}).Draw(r, "name")
	m.premises.Enabled = rapid.Bool().Draw(r, "enabled")
	m.premises.Onprem.Location = rapid.SampledFrom([]string{"", "DE", "NL"}).Draw(r, "location there")
	m.premises.UsageLocation = m.premises.Onprem.Location
	ok(r, m.ApplySync(m.t.Context(), directory.Changes{Put: directory.Objects{Users: []directory.User{m.premises}}}))
	m.deleted = false
}

func (m *mastery) leave(r *rapid.T) {
	ok(r, m.ApplySync(m.t.Context(), directory.Changes{Delete: directory.Objects{Users: []directory.User{m.premises}}}))
	m.deleted = true
}

func (m *mastery) cloud(r *rapid.T) {
	c := directory.UserChange{Blocked: new(bool), MustChange: new(bool), Admin: new(bool), UsageLocation: new(string)}
	*c.Blocked, *c.MustChange, *c.Admin = rapid.Bool().Draw(r, "block"), rapid.Bool().Draw(r, "must change"), rapid.Bool().Draw(r, "admin")
	*c.UsageLocation = rapid.SampledFrom([]string{"", "DE", "NL"}).Draw(r, "location here")
	_, _, err := m.ChangeUser(m.t.Context(), "tom", func(u *directory.User) (err error) {
		*u, err = c.Apply(*u)
		return err
	})
	if m.deleted {
		if err == nil {
			r.Fatal("a deleted account was changed")
		}
		return
	}
	ok(r, err)
	m.blocked, m.must, m.admin, m.location = *c.Blocked, *c.MustChange, *c.Admin, *c.UsageLocation
}

func (m *mastery) remove(r *rapid.T) {
	if _, err := m.RemoveUser(m.t.Context(), "tom", allowed); (err == nil) == m.deleted {
		r.Fatalf("delete: %v", err)
	}
	m.deleted = true
}

func (m *mastery) restore(r *rapid.T) {
	if _, err := m.RestoreUser(m.t.Context(), "tom", asItIs); (err == nil) != m.deleted {
		r.Fatalf("restore: %v", err)
	}
	m.deleted = false
}

func (m *mastery) check(r *rapid.T) {
	m.clock.Advance(time.Second)
	f := m.final(time.Duration(m.clock.Now().UnixNano()).String(), directory.User{ID: "tom", UPN: m.premises.UPN}, authn.None)
	_, err := m.Commit(m.t.Context(), f)
	if in := !m.deleted && !m.blocked && m.premises.Enabled; (err == nil) != in {
		r.Fatalf("sign-in: %v; deleted %v, blocked %v, enabled on-premises %v", err, m.deleted, m.blocked, m.premises.Enabled)
	}
	if m.deleted {
		return
	}
	u, err := m.UserByID(m.t.Context(), "tom")
	ok(r, err)
	location := cmp.Or(m.location, m.premises.Onprem.Location)
	if u.Blocked != m.blocked || u.MustChange != m.must || u.Admin != m.admin || u.UsageLocation != location {
		r.Fatalf("the cloud's: %+v, want location %q of %+v", u, location, m)
	}
	if u.DisplayName != m.premises.DisplayName || u.UPN != m.premises.UPN || u.Enabled != m.premises.Enabled {
		r.Fatalf("the premises': %+v, want %+v", u, m.premises)
	}
}
