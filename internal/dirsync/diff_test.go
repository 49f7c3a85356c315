package dirsync

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/golden"
)

func anchor(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func ours(domain string) bool { return strings.HasSuffix(domain, ".example.test") }

// both are rules that match by whatever there is; placing are such that have an initial domain too.
func both() Rules { return Rules{Verified: ours, SoftMatch: true, HardMatch: true} }

func placing() Rules {
	r := both()
	r.Initial = "init.example.test"
	return r
}

// person is somebody on the premises.
func person(name string) Object {
	return Object{Kind: User, ID: "id-" + name, Anchor: anchor(name), DN: "CN=" + name, UPN: name + "@phs.example.test", SAM: name, DisplayName: name, Enabled: true}
}

// gone is what comes of an object that is there no longer.
func gone(o Object) Object {
	return Object{Kind: o.Kind, ID: o.ID, Anchor: o.Anchor, Gone: true, Reason: "deleted"}
}

func incomingOf(objects ...Object) []Incoming {
	all := make([]Incoming, len(objects))
	for i, o := range objects {
		all[i].Object = o
	}
	return all
}

// plan plans objects by rules that match and have no initial domain.
func plan(now directory.Objects, objects ...Object) Plan {
	return Diff(now, incomingOf(objects...), both())
}

func putUsers(p Plan) []directory.User { return p.Changes("run-1", time.Unix(2, 0)).Put.Users }

// synced is the account that a person came to be by an earlier run.
func synced(name string) directory.User { return putUsers(plan(directory.Objects{}, person(name)))[0] }

func cloudOnly(name string) directory.User {
	return directory.User{ID: authn.AccountID("cloud-" + name), UPN: name + "@phs.example.test", DisplayName: name, Enabled: true}
}

func tenantOf(users ...directory.User) directory.Objects { return directory.Objects{Users: users} }

// settledOf is what becomes of an object.
func settledOf(t *testing.T, p Plan, id string) Settled {
	t.Helper()
	i := slices.IndexFunc(p.Settled, func(s Settled) bool { return s.ID == id })
	if i < 0 {
		t.Fatalf("nothing says what becomes of %s: %+v", id, p.Settled)
	}
	return p.Settled[i]
}

func TestPlanReadsAsText(t *testing.T) {
	admin, anchored := cloudOnly("peggy"), cloudOnly("anchored")
	admin.Admin = true
	anchored.Onprem.Anchor = anchor("somebody else")
	now := tenantOf(synced("alice"), synced("bob"), synced("renamed"), synced("moved"), synced("leaver"), synced("stays"), cloudOnly("soft"), admin, anchored)
	group := Incoming{Object: Object{Kind: Group, ID: "id-pilot", Anchor: anchor("pilot"), DisplayName: "Pilot"}, Members: Members{Users: []authn.AccountID{synced("alice").ID}}}
	old := Diff(now, []Incoming{group}, both()).Changes("run-0", time.Unix(1, 0))
	lost := Object{Kind: Group, ID: "id-gone", Anchor: anchor("gone")}
	now.Groups = append(old.Put.Groups, directory.Group{ID: "g", Name: "Gone", Synced: true, Onprem: directory.Onprem{Anchor: lost.Anchor}})
	bob, renamed, moved, twin := person("bob"), person("renamed"), person("moved"), person("twin")
	bob.Enabled, bob.DisplayName, bob.Department, bob.JobTitle = false, "Bob\x1b[2J", "Stores", strings.Repeat("t", 129)
	renamed.UPN = "new.name@phs.example.test"
	moved.UPN, moved.Enabled = "moved@other.test", false
	twin.ID, twin.Anchor = "id-twin2", anchor("twin 2")
	foreign, nameless, bad := person("foreign"), person("nameless"), person("bad")
	foreign.UPN, nameless.UPN, bad.Anchor = "foreign@other.test", "", "%%%"
	group.Members.Users = append(group.Members.Users, synced("bob").ID, authn.AccountID(IDOf(User, anchor("fresh"))))
	group.Description = "Those who go first"
	wanted := append(incomingOf(
		person("alice"), bob, renamed, moved, person("fresh"), person("soft"), person("peggy"), person("anchored"),
		person("twin"), twin, foreign, nameless, bad, gone(person("leaver")), gone(lost), gone(person("never here")),
		Object{Kind: Contact, ID: "id-supplier", Anchor: anchor("supplier"), DisplayName: "Supplier", Mail: "s@supplier.test"},
		Object{Kind: "printer", ID: "id-printer", Anchor: anchor("printer")},
	), group)
	p := Diff(now, wanted, both())
	golden.Check(t, "testdata/plan.golden", p.String())
	if len(p.Settled) != len(wanted) {
		t.Errorf("%d of %d objects are settled", len(p.Settled), len(wanted))
	}
	for _, u := range putUsers(p) {
		if u.ID == "cloud-peggy" || u.ID == "cloud-anchored" {
			t.Errorf("%s was taken over", u.ID)
		}
	}
	golden.Check(t, "testdata/plan-initial.golden", Diff(now, wanted, placing()).String())
}

func TestNothingIsDeletedByBeingAbsent(t *testing.T) {
	now := tenantOf(synced("alice"), synced("bob"))
	if p := plan(now); !p.Empty() {
		t.Errorf("no object, and still\n%s", p)
	}
	if p := plan(now, person("alice")); !p.Empty() {
		t.Errorf("bob was not spoken of, and still\n%s", p)
	}
	p := plan(now, gone(person("bob")))
	if len(p.Deletes) != 1 || p.Deletes[0].Name != "bob@phs.example.test" || !slices.Equal(p.Deletes[0].What, []string{"deleted"}) || settledOf(t, p, "id-bob").Error != "" {
		t.Errorf("got %s", p)
	}
}

func TestWhatIsGoneDeletesNoAccountOfTheCloudAndNobodyWhoCameBack(t *testing.T) {
	cloud := cloudOnly("alice")
	cloud.Onprem.Anchor = anchor("alice")
	nameless := gone(person("x"))
	nameless.Anchor = ""
	back := person("bob")
	back.ID = "another id"
	if p := plan(tenantOf(cloud, synced("bob")), gone(person("alice")), nameless, gone(person("bob")), back); !p.Empty() || len(p.Settled) != 4 {
		t.Errorf("got %s", p)
	}
	if p := plan(tenantOf(cloud, synced("bob")), gone(person("bob"))); len(p.Deletes) != 1 {
		t.Errorf("got %s", p)
	}
}

func TestADisabledPersonIsDisabledEvenUnderANameThatCantBeTaken(t *testing.T) {
	for _, upn := range []string{"alice@other.test", "älice@phs.example.test", "bob@phs.example.test", ""} {
		o := person("alice")
		o.UPN, o.Enabled = upn, false
		p := plan(tenantOf(synced("alice"), synced("bob")), o)
		put := putUsers(p)
		if len(put) != 1 || put[0].Enabled || put[0].UPN != "alice@phs.example.test" || put[0].Onprem.UPN != upn {
			t.Errorf("%q: got %+v", upn, put)
		}
		if s := settledOf(t, p, "id-alice"); s.Error != "" || !strings.HasSuffix(s.Quarantined, ": it stays alice@phs.example.test") || len(p.Skipped) != 1 {
			t.Errorf("%q: %+v", upn, s)
		}
	}
}

func TestNamesMayBeSwappedAndHandedOn(t *testing.T) {
	a, b, c := person("a"), person("b"), person("c")
	a.UPN, b.UPN, c.UPN = b.UPN, c.UPN, a.UPN
	heir := person("heir")
	heir.UPN = "leaver@phs.example.test"
	p := plan(tenantOf(synced("a"), synced("b"), synced("c"), synced("leaver")), a, b, c, heir, gone(person("leaver")))
	if len(p.Updates) != 3 || len(p.Adds) != 1 || len(p.Deletes) != 1 || len(p.Skipped) != 0 {
		t.Errorf("got %s", p)
	}
}

func TestGuardStopsWhatLooksLikeAMistake(t *testing.T) {
	limits := Limits{MaxDeletes: 5, MaxRatio: 0.2}
	for _, c := range []struct {
		deletes int
		max     Limits
		want    error
	}{
		{0, limits, nil},
		{2, limits, nil},
		{3, limits, ErrTooManyDeletes},
		{6, Limits{MaxDeletes: 5, MaxRatio: 1}, ErrTooManyDeletes},
		{5, Limits{MaxDeletes: 5, MaxRatio: 1}, nil},
		{1, Limits{MaxDeletes: 0, MaxRatio: 1}, ErrTooManyDeletes},
		{1, Limits{MaxDeletes: 5}, nil},
		{10, Limits{MaxDeletes: 10, MaxRatio: -1}, nil},
		{11, Limits{MaxDeletes: 10, MaxRatio: -1}, ErrTooManyDeletes},
	} {
		if err := Guard(c.deletes, 10, c.max); !errors.Is(err, c.want) || (c.want == nil) != (err == nil) {
			t.Errorf("%d of 10 gone, %+v: %v", c.deletes, c.max, err)
		}
	}
}

func TestWhatTheSourceSaysOfAPersonIsTakenOver(t *testing.T) {
	o := person("alice")
	o.GivenName, o.Surname, o.Mail, o.Department, o.JobTitle, o.UsageLocation = "Alice", "A", "a@phs.example.test", "Stores", "Clerk", "nl"
	cloud := cloudOnly("alice")
	cloud.Department, cloud.Blocked = "Before", true
	put := putUsers(plan(tenantOf(cloud), o))
	want := directory.User{
		ID: "cloud-alice", UPN: "alice@phs.example.test", DisplayName: "alice", GivenName: "Alice", Surname: "A", Mail: "a@phs.example.test",
		Department: "Stores", JobTitle: "Clerk", UsageLocation: "NL", Enabled: true, Blocked: true, Synced: true,
		Onprem:  directory.Onprem{Anchor: o.Anchor, DN: o.DN, SAM: "alice", Location: "NL", SyncedAt: time.Unix(2, 0)},
		Created: time.Unix(2, 0), Changed: time.Unix(2, 0),
	}
	if diff := cmp.Diff([]directory.User{want}, put); diff != "" {
		t.Error(diff)
	}
}

func TestALocationOfThePremisesIsKeptBehindOneThatWasSetHere(t *testing.T) {
	o := person("alice")
	o.UsageLocation = "NL"
	u := putUsers(plan(directory.Objects{}, o))[0]
	u.UsageLocation, u.LocationHere = "DE", true
	o.UsageLocation = "BE"
	p := plan(tenantOf(u), o)
	put := putUsers(p)
	if len(put) != 1 || put[0].UsageLocation != "DE" || put[0].Onprem.Location != "BE" || !slices.Contains(p.Updates[0].What, `on-premises usageLocation "NL" -> "BE"`) {
		t.Errorf("got %s", p)
	}
}

func BenchmarkDiffOfAHundredThousand(b *testing.B) {
	var wanted []Incoming
	for i := range 100_000 {
		wanted = append(wanted, Incoming{Object: person(fmt.Sprintf("u%d", i))})
	}
	now := apply(directory.Objects{}, Diff(directory.Objects{}, wanted, both()).Changes("run", time.Unix(1, 0)))
	for b.Loop() {
		if p := Diff(now, wanted, both()); !p.Empty() {
			b.Fatal("something is left to do")
		}
	}
}
