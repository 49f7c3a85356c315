package storetest

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// testLicenceModel compares licences with what memberships, locations and seats say they must be, after any changes.
func testLicenceModel(t *testing.T, b *bench) {
	must(t, b.CreatePlan(t.Context(), plan("E3", 2)))
	rapid.Check(t, func(rt *rapid.T) {
		m := &licenceModel{bench: b, t: rt, seats: 2}
		m.clear()
		rt.Repeat(map[string]func(*rapid.T){
			"put": m.put, "delete": m.delete, "restore": m.restore, "group": m.group, "give": m.give, "assign": m.assign, "revoke": m.revoke, "seats": m.resize, "": m.check,
		})
	})
}

type licenceModel struct {
	*bench
	t       *rapid.T
	seats   int
	people  map[string]bool     // with a usage location, or without
	members map[string][]string // of groups
	gives   map[string]bool     // groups that give the plan
	direct  map[string]bool     // who has a licence of their own
	kept    map[string]leaver   // of who is deleted
}

// leaver is what an administrator brings back.
type leaver struct {
	groups  []string
	located bool
}

func (m *licenceModel) clear() {
	m.people, m.members, m.gives, m.direct, m.kept = map[string]bool{}, map[string][]string{}, map[string]bool{}, map[string]bool{}, map[string]leaver{}
	var gone directory.Objects
	for _, id := range ids() {
		gone.Users = append(gone.Users, directory.User{ID: authn.AccountID(id)})
	}
	for _, g := range []string{"g1", "g2"} {
		gone.Groups = append(gone.Groups, directory.Group{ID: g})
		m.members[g] = nil
	}
	put := directory.Objects{Groups: []directory.Group{{ID: "g1", Name: "g1", Synced: true}, {ID: "g2", Name: "g2", Synced: true}}}
	ok(m.t, m.ApplySync(m.t.Context(), directory.Changes{Delete: gone}))
	for _, id := range ids() {
		if err := m.ForgetUser(m.t.Context(), authn.AccountID(id)); err != nil && !errors.Is(err, directory.ErrNotFound) {
			m.t.Fatal(err)
		}
	}
	ok(m.t, m.ApplySync(m.t.Context(), directory.Changes{Put: put}))
	m.sized(2)
}

func ids() []string { return []string{"a", "b", "c", "d", "e"} }

func drawPerson(t *rapid.T) string { return rapid.SampledFrom(ids()).Draw(t, "person") }
func drawGroup(t *rapid.T) string  { return rapid.SampledFrom([]string{"g1", "g2"}).Draw(t, "group") }

func (m *licenceModel) put(t *rapid.T) {
	id := drawPerson(t)
	u := synced(id, id+"@one.test")
	if m.people[id] = rapid.Bool().Draw(t, "located"); m.people[id] {
		u = located(id)
	}
	ok(t, m.ApplySync(t.Context(), directory.Changes{Put: directory.Objects{Users: []directory.User{u}}}))
	delete(m.kept, id) // a synchronisation says by itself who is in its groups
}

func (m *licenceModel) restore(t *rapid.T) {
	id := drawPerson(t)
	k, gone := m.kept[id]
	if _, err := m.RestoreUser(t.Context(), authn.AccountID(id), asItIs); (err == nil) != gone {
		t.Fatalf("restore %s, deleted is %v: %v", id, gone, err)
	}
	if !gone {
		return
	}
	delete(m.kept, id)
	m.people[id] = k.located
	for _, g := range k.groups {
		m.members[g] = append(m.members[g], id)
	}
}

func (m *licenceModel) delete(t *rapid.T) {
	id := drawPerson(t)
	if _, there := m.people[id]; !there {
		t.Skip("nobody of that id")
	}
	ok(t, m.ApplySync(t.Context(), directory.Changes{Delete: directory.Objects{Users: []directory.User{{ID: authn.AccountID(id)}}}}))
	k := leaver{located: m.people[id]}
	delete(m.people, id)
	for g := range m.members {
		if slices.Contains(m.members[g], id) {
			k.groups = append(k.groups, g)
		}
		m.members[g] = slices.DeleteFunc(m.members[g], func(s string) bool { return s == id })
	}
	m.kept[id] = k
}

func (m *licenceModel) group(t *rapid.T) {
	g, group := drawGroup(t), directory.Group{Synced: true}
	group.ID, group.Name, m.members[g] = g, g, nil
	for _, id := range ids() {
		if !rapid.Bool().Draw(t, "member "+id) {
			continue
		}
		group.Members = append(group.Members, authn.AccountID(id))
		if _, there := m.people[id]; there {
			m.members[g] = append(m.members[g], id)
		}
	}
	ok(t, m.ApplySync(t.Context(), directory.Changes{Put: directory.Objects{Groups: []directory.Group{group}}}))
}

func (m *licenceModel) give(t *rapid.T) {
	g := drawGroup(t)
	if m.gives[g] {
		ok(t, m.RevokeGroup(t.Context(), "E3", g))
	} else {
		ok(t, m.AssignGroup(t.Context(), "E3", g))
	}
	m.gives[g] = !m.gives[g]
}

func (m *licenceModel) assign(t *rapid.T) {
	id := drawPerson(t)
	_, there := m.people[id]
	err := m.Assign(t.Context(), "E3", authn.AccountID(id), func(u directory.User, p directory.Plan, free int) error {
		if u.UsageLocation == "" {
			return errFull
		}
		return seated(u, p, free)
	})
	switch {
	case err == nil && there:
		m.direct[id] = true
	case there && !errors.Is(err, errFull), !there && !errors.Is(err, directory.ErrNotFound):
		t.Fatalf("assign %s, there is %v: %v", id, there, err)
	}
}

func (m *licenceModel) revoke(t *rapid.T) {
	id := drawPerson(t)
	if _, there := m.people[id]; !there {
		t.Skip("nobody of that id")
	}
	if err := m.Revoke(t.Context(), "E3", authn.AccountID(id)); (err == nil) != m.direct[id] {
		t.Fatalf("revoke %s, direct is %v: %v", id, m.direct[id], err)
	}
	delete(m.direct, id)
}

func (m *licenceModel) resize(t *rapid.T) { m.sized(rapid.IntRange(0, 6).Draw(t, "seats")) }

func (m *licenceModel) sized(seats int) {
	_, _, err := m.ChangePlan(m.t.Context(), "E3", func(p *directory.Plan, used int) error {
		if seats < used {
			return errFull
		}
		p.Seats = seats
		return nil
	})
	if err == nil {
		m.seats = seats
	} else if !errors.Is(err, errFull) {
		m.t.Fatal(err)
	}
}

func (m *licenceModel) check(t *rapid.T) {
	rows, err := m.Licences(t.Context(), directory.LicenceQuery{})
	ok(t, err)
	holders, waiting := map[authn.AccountID]bool{}, 0
	found := map[string]directory.Licence{}
	for _, l := range rows {
		found[string(l.Account)+" "+l.Group] = l.Licence
		if l.State == directory.LicenceActive {
			holders[l.Account] = true
		}
	}
	for _, l := range rows {
		if l.Why == directory.WhyNoSeat {
			waiting++
			if holders[l.Account] {
				t.Fatalf("%s has a seat and waits for one", l.Account)
			}
		}
		m.judge(t, l.Licence)
	}
	if len(holders) > m.seats || waiting > 0 && len(holders) < m.seats {
		t.Fatalf("%d of %d seats are taken, and %d licences wait", len(holders), m.seats, waiting)
	}
	m.complete(t, found)
}

// judge checks one licence against who its holder is.
func (m *licenceModel) judge(t *rapid.T, l directory.Licence) {
	id := string(l.Account)
	isLocated, there := m.people[id]
	due := l.Group == "" && m.direct[id] || m.gives[l.Group] && slices.Contains(m.members[l.Group], id)
	_, deleted := m.kept[id]
	switch {
	case deleted && l.Why == directory.WhyDeleted:
	case !there:
		t.Fatalf("nobody's licence: %+v", l)
	case due == (l.State == directory.LicenceSuspended):
		t.Fatalf("due is %v: %+v", due, l)
	case l.Why == directory.WhyNoLocation && isLocated:
		t.Fatalf("the person has a location: %+v", l)
	}
}

// complete checks that everybody who is due one has one.
func (m *licenceModel) complete(t *rapid.T, found map[string]directory.Licence) {
	for g := range m.gives {
		for _, id := range m.members[g] {
			if _, there := found[id+" "+g]; m.gives[g] && !there {
				t.Fatalf("%s is in %s and has no licence of any state", id, g)
			}
		}
	}
	for id := range m.direct {
		l := found[id+" "]
		if _, there := m.people[id]; there && l.State != directory.LicenceActive && l.Why != directory.WhyNoSeat { // who comes back may find no seat
			t.Fatalf("a direct licence is %+v", l)
		}
	}
}
