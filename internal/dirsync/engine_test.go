package dirsync_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/passhash"
)

func TestAllIsReadFirstAndThenOnlyWhatChanged(t *testing.T) {
	s := newSite(t, newPremises(person("alice"), person("bob"), person("carol"), staff("Team", "alice", "bob", "stranger"),
		dirsync.Object{Kind: dirsync.Contact, ID: id("sup"), Anchor: anchorOf("sup"), DN: "cn=sup", DisplayName: "Supplier", Mail: "s@sup.example"}))
	if r := s.sync(); r.Mode != dirsync.Full || r.Read != 5 || r.Added != 5 || r.Result != dirsync.Success || r.Agent != "agent-1" {
		t.Fatalf("%+v", r)
	}
	if r := s.sync(); r.Mode != dirsync.Delta || r.Read+r.Added+r.Updated+r.Deleted != 0 {
		t.Fatalf("nothing had changed: %+v", r)
	}
	bob := person("bob")
	bob.DisplayName, bob.Enabled = "Robert", false
	s.put(bob)
	if r := s.sync(); r.Mode != dirsync.Delta || r.Read != 1 || r.Updated != 1 || r.Added+r.Deleted != 0 {
		t.Fatalf("one had changed: %+v", r)
	}
	s.put(staff("Team", "alice", "carol"))
	if r := s.sync(); r.Read != 1 || r.Updated != 1 {
		t.Fatalf("a membership had changed: %+v", r)
	}
	s.remove("carol")
	if r := s.sync(); r.Read != 1 || r.Deleted != 1 {
		t.Fatalf("one was deleted: %+v", r)
	}
	fresh := newSite(t, newPremises(s.objects[id("alice")], s.objects[id("bob")], s.objects[id("Team")], s.objects[id("sup")]))
	fresh.sync()
	if s.tenant() != fresh.tenant() {
		t.Errorf("by changes it is\n%s\nand read at once\n%s", s.tenant(), fresh.tenant())
	}
}

func TestWhoComesIntoScopeLaterIsInTheGroupsThatNamedHim(t *testing.T) {
	s := newSite(t, newPremises(staff("Team", "alice", "inner"), person("bob")))
	s.sync()
	s.put(person("alice"))
	if r := s.sync(); r.Read != 1 || r.Added != 1 || r.Updated != 1 {
		t.Fatalf("%+v", r)
	}
	s.put(staff("inner", "bob"))
	s.sync()
	if text := s.tenant(); !strings.Contains(text, `"groups":[`) || strings.Count(text, `"members":[`) != 2 {
		t.Errorf("the groups are\n%s", text)
	}
}

func TestGroupsOfManyPagesContainEachOther(t *testing.T) {
	p := newPremises()
	names := []string{}
	for i := range 120 {
		names = append(names, fmt.Sprintf("group-%03d", i))
	}
	for i, n := range names {
		p.put(staff(n, names[(i+1)%len(names)]))
	}
	p.put(staff(names[119])) // or it would be a circle
	s := newSite(t, p)
	if r := s.sync(); r.Added != 120 || len(r.Skipped) != 0 {
		t.Fatalf("%+v", r)
	}
	if n := strings.Count(s.tenant(), `"groups":[`); n != 119 {
		t.Errorf("%d groups contain one", n)
	}
}

func TestAnEmptyOrBrokenSourceDeletesNobody(t *testing.T) {
	s := newSite(t, newPremises(person("alice"), person("bob"), person("carol"), person("dave")))
	s.sync()
	before := s.tenant()
	s.objects = map[string]dirsync.Object{}
	_, err := s.engine.Run(t.Context(), dirsync.Wish{Kind: dirsync.KindDirectory, Full: true})
	if err == nil || s.tenant() != before {
		t.Fatalf("an empty source: %v", err)
	}
	s.put(person("alice"), person("bob"), person("carol"), person("dave"))
	for part := range 4 {
		s.broken = func(now int) error {
			if now == part {
				return errors.New("the line is dead")
			}
			return nil
		}
		if _, err := s.engine.Run(t.Context(), dirsync.Wish{Kind: dirsync.KindDirectory, Full: true}); err == nil {
			t.Error("a broken read was taken for a whole one")
		}
	}
	s.broken = nil
	s.remove("dave")
	s.settings.Limits = dirsync.Limits{MaxDeletes: 500, MaxRatio: 0.2}
	if r := s.sync(); r.Deleted != 1 { // what the broken reads left behind makes nobody go
		t.Errorf("%+v", r)
	}
}

func TestTheGuardStopsARunUntilItIsTold(t *testing.T) {
	s := newSite(t, newPremises(person("alice"), person("bob"), person("carol"), person("dave"), person("erin")))
	s.settings.Limits = dirsync.Limits{MaxDeletes: 500, MaxRatio: 0.2}
	s.sync()
	before := s.tenant()
	s.remove("alice", "bob")
	s.put(person("frank"))
	look, err := s.engine.Preview(t.Context(), false)
	if !errors.Is(err, dirsync.ErrTooManyDeletes) || !strings.Contains(look.Text(), "- user alice@phs.example") || !strings.Contains(look.Text(), "+ user frank@phs.example") || s.tenant() != before {
		t.Fatalf("preview: %v\n%s", err, look.Text())
	}
	for range 2 {
		run, err := s.engine.Run(t.Context(), dirsync.Wish{Kind: dirsync.KindDirectory})
		if !errors.Is(err, dirsync.ErrTooManyDeletes) || run.Result != dirsync.Stopped || run.Blocked != 2 || s.tenant() != before {
			t.Fatalf("run: %v %+v", err, run)
		}
	}
	two := 2
	if r := s.run(dirsync.Wish{Kind: dirsync.KindDirectory, MaxDeletes: &two}); r.Deleted != 2 || r.Added != 1 {
		t.Errorf("%+v", r)
	}
}

func TestOneRunAtATimeOverAllGateways(t *testing.T) {
	s := newSite(t, newPremises(person("alice")))
	other := s.newEngine(s.db, newPremises(person("alice")))
	var second, after error
	s.broken = func(int) error {
		_, second = other.Run(t.Context(), dirsync.Wish{Kind: dirsync.KindHash})
		_, after = s.engine.Run(t.Context(), dirsync.Wish{Kind: dirsync.KindHash})
		return nil
	}
	s.sync()
	s.broken = nil
	if !errors.Is(second, dirsync.ErrBusy) || !errors.Is(second, directory.ErrLeased) || !errors.Is(after, dirsync.ErrBusy) {
		t.Errorf("beside the first run: %v, %v", second, after)
	}
	if _, err := other.Run(t.Context(), dirsync.Wish{Kind: dirsync.KindHash}); err != nil {
		t.Errorf("after it: %v", err)
	}
}

func TestARunThatLostItsLeaseWritesNothingMore(t *testing.T) {
	s := newSite(t, newPremises(person("alice"), person("bob"), person("carol"), person("dave"), person("erin")))
	other := s.newEngine(s.db, newPremises(s.objects[id("alice")], s.objects[id("bob")]))
	s.broken = func(part int) error {
		if part == 2 { // this gateway sleeps long enough to be taken for dead
			s.clock.Advance(5 * time.Minute)
			if _, err := other.Run(t.Context(), dirsync.Wish{Kind: dirsync.KindDirectory}); err != nil {
				t.Errorf("the other gateway takes over: %v", err)
			}
		}
		return nil
	}
	run, err := s.engine.Run(t.Context(), dirsync.Wish{Kind: dirsync.KindDirectory})
	if !errors.Is(err, directory.ErrLeaseLost) || run.Result != dirsync.Failed {
		t.Fatalf("%v %+v", err, run)
	}
	if text := s.tenant(); strings.Count(text, "\n") != 2 {
		t.Errorf("the tenant is\n%s", text)
	}
	runs, err := s.db.Runs(t.Context(), 10)
	if err != nil || len(runs) != 2 {
		t.Fatalf("%v, %v", runs, err)
	}
}

func record(password string) string {
	return passhash.NewOrgID(passhash.NTHash([]byte(password))).String()
}

func TestAHashIsReplacedWhenThePasswordWasChangedAndOnlyThen(t *testing.T) {
	s := newSite(t, newPremises(person("alice"), person("bob")))
	s.hashes[id("alice")], s.hashes[id("bob")] = record("first"), record("first")
	s.sync()
	hashRun := dirsync.Wish{Kind: dirsync.KindHash}
	if r := s.run(hashRun); r.Mode != dirsync.Full || r.Hashes != 2 {
		t.Fatalf("%+v", r)
	}
	if r := s.run(dirsync.Wish{Kind: dirsync.KindHash, Full: true}); r.Hashes != 0 {
		t.Errorf("unchanged hashes were stored again: %+v", r)
	}
	alice, err := s.db.UserByUPN(t.Context(), "alice@phs.example")
	if err != nil {
		t.Fatal(err)
	}
	inCloud := directory.Credential{Account: alice.ID, Scheme: directory.SchemePHS, Record: []byte(record("in the cloud")), Source: "cloud", Changed: s.clock.Now()}
	if err := s.db.SetCredentials(t.Context(), []directory.Credential{inCloud}); err != nil {
		t.Fatal(err)
	}
	source := func() string {
		c, err := s.db.Credential(t.Context(), alice.ID, directory.SchemePHS)
		if err != nil {
			t.Fatal(err)
		}
		return c.Source
	}
	s.run(dirsync.Wish{Kind: dirsync.KindHash, Full: true})
	if source() != "cloud" {
		t.Error("a manual reset was lost without a change on the premises")
	}
	changed := person("alice")
	changed.PasswordAt = changed.PasswordAt.Add(time.Hour)
	s.put(changed)
	if err := s.engine.Watch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, oldest, err := s.db.LatePasswords(t.Context()); err != nil || n != 1 || !oldest.Equal(changed.PasswordAt) {
		t.Errorf("%d are late, since %s, %v", n, oldest, err)
	}
	if r := s.run(hashRun); r.Mode != dirsync.Delta || r.Read != 1 || r.Hashes != 1 || source() != r.ID {
		t.Errorf("%+v, source %s", r, source())
	}
	if n, _, err := s.db.LatePasswords(t.Context()); err != nil || n != 0 {
		t.Errorf("%d are late, %v", n, err)
	}
}

func TestAHashThatCameTooEarlyIsAskedForByName(t *testing.T) {
	s := newSite(t, newPremises(person("alice")))
	s.hashes[id("alice")], s.hashes[id("quinn")] = record("x"), record("x")
	s.sync()
	s.run(dirsync.Wish{Kind: dirsync.KindHash})
	s.put(person("quinn"))
	s.run(dirsync.Wish{Kind: dirsync.KindHash}) // she is not here yet
	s.sync()
	if r := s.run(dirsync.Wish{Kind: dirsync.KindHash}); r.Mode != dirsync.Delta || r.Hashes != 1 {
		t.Errorf("%+v", r)
	}
	if ask := s.asked[len(s.asked)-1]; len(ask.IDs) != 1 {
		t.Errorf("asked for %+v", ask)
	}
	s.domains["other.example"] = true
	if r := s.run(dirsync.Wish{Kind: dirsync.KindHash}); r.Mode != dirsync.Full {
		t.Errorf("a domain came under password hash synchronisation: %+v", r)
	}
}

func TestWithheldHashesAreCountedAndFilteredOnesGo(t *testing.T) {
	s := newSite(t, newPremises(person("alice"), person("grace"), person("bad")))
	for _, n := range []string{"alice", "grace", "bad"} {
		s.hashes[id(n)] = record("x")
	}
	s.sync()
	s.run(dirsync.Wish{Kind: dirsync.KindHash})
	for n, why := range map[string]string{"alice": dirsync.WithheldFiltered, "grace": dirsync.WithheldTemporary} {
		o := person(n)
		o.Withheld, o.PasswordAt = why, time.Time{}
		s.put(o)
	}
	bad := person("bad")
	bad.PasswordAt = bad.PasswordAt.Add(time.Second)
	s.put(bad)
	s.hashes[id("bad")] = "no record"
	r := s.run(dirsync.Wish{Kind: dirsync.KindHash})
	if r.Withheld != 2 || len(r.Skipped) != 1 || r.Hashes != 0 {
		t.Errorf("%+v", r)
	}
	for upn, kept := range map[string]bool{"alice@phs.example": false, "grace@phs.example": true, "bad@phs.example": true} {
		u, err := s.db.UserByUPN(t.Context(), upn)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.db.Credential(t.Context(), u.ID, directory.SchemePHS); (err == nil) != kept {
			t.Errorf("%s has a hash: %v", upn, err)
		}
	}
}

func TestTheCloudIDIsWrittenBackWhereTheAgentMay(t *testing.T) {
	s := newSite(t, newPremises(person("alice"), staff("Team", "alice"), staff("All", "Team")))
	s.refuses = true
	if r := s.sync(); r.WroteBack != 0 || r.Added != 3 {
		t.Fatalf("%+v", r)
	}
	if failed, err := s.db.Failed(t.Context(), "", 10); err != nil || len(failed) != 3 || failed[0].Error != "write-back: insufficient access rights" {
		t.Errorf("%+v, %v", failed, err)
	}
	s.refuses = false
	if r := s.sync(); r.WroteBack != 3 || r.Read != 0 {
		t.Fatalf("%+v", r)
	}
	if failed, err := s.db.Failed(t.Context(), "", 10); err != nil || len(failed) != 0 {
		t.Errorf("%+v, %v", failed, err)
	}
	if !strings.HasPrefix(s.written[id("alice")], "User_") || !strings.HasPrefix(s.written[id("All")], "Group_") {
		t.Errorf("%+v", s.written)
	}
}

func TestTwoChangesOfAPasswordInOneSecond(t *testing.T) {
	s := newSite(t, newPremises(person("alice")))
	s.clock.Advance(time.Unix(1e9, 0).Sub(s.clock.Now())) // the hash is read in the second of the first change
	s.hashes[id("alice")] = record("first")
	s.sync()
	s.run(dirsync.Wish{Kind: dirsync.KindHash})
	s.put(person("alice"))
	if r := s.run(dirsync.Wish{Kind: dirsync.KindHash}); r.Hashes != 1 {
		t.Errorf("the second change was lost: %+v", r)
	}
}

// Active Directory names the members of a group by links: when one is renamed or moved, the group itself has not changed.
func TestWhoIsRenamedStaysInTheGroups(t *testing.T) {
	alice, bob := person("alice"), person("bob")
	s := newSite(t, newPremises(alice, bob, staff("Ours", "alice"), staff("Theirs", "bob")))
	s.sync()
	alice.DN, bob.DN = bob.DN, alice.DN // they changed names with each other, in one moment
	alice.Ref, bob.Ref = bob.Ref, alice.Ref
	s.put(alice, bob)
	s.objects[id("Ours")], s.objects[id("Theirs")] = staff("Ours", "bob"), staff("Theirs", "alice") // no change of theirs
	if r := s.sync(); r.Read != 4 || r.Updated != 2 {
		t.Errorf("%+v", r)
	}
	for name, group := range map[string]string{"alice": "Ours", "bob": "Theirs"} {
		u, err := s.db.UserByUPN(t.Context(), name+"@phs.example")
		if err != nil {
			t.Fatal(err)
		}
		if groups, err := s.db.GroupsOf(t.Context(), u.ID); err != nil || len(groups) != 1 || groups[0].Name != group {
			t.Errorf("%s is in %+v, %v", name, groups, err)
		}
	}
}

// emptied answers as an agent does whose directory suddenly has nobody, and which can't tell what changed.
type emptied struct{}

func (emptied) Sync(_ context.Context, run string, ask dirsync.Ask, take func(dirsync.Batch) error) error {
	return take(dirsync.Batch{Part: dirsync.Part{Full: true, Cursor: []byte("1")}, Run: run, Kind: ask.Kind, Last: true})
}

func TestAnEmptyAnswerToAQuestionForChangesIsAnEmptySource(t *testing.T) {
	s := newSite(t, newPremises(person("alice"), person("bob")))
	s.sync()
	before := s.tenant()
	run, err := s.newEngine(s.db, emptied{}).Run(t.Context(), dirsync.Wish{Kind: dirsync.KindDirectory})
	if !errors.Is(err, dirsync.ErrEmptySource) || run.Result != dirsync.Stopped || s.tenant() != before {
		t.Errorf("%v %+v", err, run)
	}
	if r := s.sync(); r.Mode != dirsync.Delta || r.Read != 0 {
		t.Errorf("its cursor was kept: %+v", r)
	}
}

func TestWhoCantBeReadWhollyIsDisabledAllTheSame(t *testing.T) {
	s := newSite(t, newPremises(person("alice"), staff("Team", "alice")))
	s.sync()
	alice, team := person("alice"), staff("Team")
	alice.DisplayName, alice.Enabled, alice.Error = "", false, "displayName is not UTF-8"
	team.Error = "it has 2000000 members"
	s.put(alice, team)
	r := s.sync()
	if len(r.Skipped) != 2 || r.Updated != 1 {
		t.Errorf("%+v", r)
	}
	u, err := s.db.UserByUPN(t.Context(), "alice@phs.example")
	if err != nil || u.Enabled {
		t.Errorf("%+v, %v", u, err)
	}
	if groups, err := s.db.GroupsOf(t.Context(), u.ID); err != nil || len(groups) != 1 {
		t.Errorf("a group that could not be read lost its members: %v, %v", groups, err)
	}
	if failed, err := s.db.Failed(t.Context(), "", 10); err != nil || len(failed) != 1 || failed[0].Error != alice.Error {
		t.Errorf("%+v, %v", failed, err)
	}
}

func TestOfTwoObjectsWithOneAnchorTheSameOneIsMeantEachTime(t *testing.T) {
	p := newPremises()
	for i := range 1200 { // more than a page
		p.put(person(fmt.Sprintf("p%04d", i)))
	}
	for i := range 3 {
		twin := person(fmt.Sprintf("p%04d", 400*i))
		twin.ID, twin.UPN, twin.DisplayName = id(fmt.Sprintf("z twin %d", i)), fmt.Sprintf("twin%d@phs.example", i), "Twin"
		p.put(twin)
	}
	s := newSite(t, p)
	s.page = 500
	if r := s.sync(); r.Added != 1200 || len(r.Skipped) != 3 {
		t.Fatalf("added %d, skipped %v", r.Added, r.Skipped)
	}
	before := s.tenant()
	if r := s.run(dirsync.Wish{Kind: dirsync.KindDirectory, Full: true}); r.Updated != 0 || s.tenant() != before {
		t.Errorf("%d changed", r.Updated)
	}
}
