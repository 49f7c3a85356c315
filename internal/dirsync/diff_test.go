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
	"pgregory.net/rapid"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/golden"
)

func anchor(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func ours(domain string) bool { return strings.HasSuffix(domain, ".example.test") }

// person is somebody on the premises.
func person(name string) Object {
	return Object{Kind: User, Anchor: anchor(name), DN: "CN=" + name, UPN: name + "@phs.example.test", SAM: name, DisplayName: name, Enabled: true}
}

// synced is the account that a person came to be by an earlier run.
func synced(name string) directory.User {
	return Diff(directory.Objects{}, []Object{person(name)}, ours).Changes("run-0", time.Unix(1, 0)).Put.Users[0]
}

func cloudOnly(name string) directory.User {
	return directory.User{ID: authn.AccountID("cloud-" + name), UPN: name + "@phs.example.test", DisplayName: name, Enabled: true}
}

func TestPlanReadsAsText(t *testing.T) {
	admin, anchored := cloudOnly("peggy"), cloudOnly("anchored")
	admin.Admin = true
	anchored.Onprem.Anchor = anchor("somebody else")
	now := directory.Objects{Users: []directory.User{
		synced("alice"), synced("bob"), synced("renamed"), synced("moved"), synced("leaver"), cloudOnly("soft"), admin, anchored,
	}}
	group := Object{Kind: Group, Anchor: anchor("pilot"), DisplayName: "Pilot", Members: []string{anchor("alice"), anchor("nick")}}
	old := Diff(now, []Object{group}, ours).Changes("run-0", time.Unix(1, 0))
	now.Groups = append(old.Put.Groups, directory.Group{ID: "g", Name: "Gone", Synced: true, Onprem: directory.Onprem{Anchor: anchor("gone")}})
	bob, renamed, moved, twin := person("bob"), person("renamed"), person("moved"), person("twin")
	bob.Enabled, bob.DisplayName = false, "Bob\x1b[2J"
	renamed.UPN = "new.name@phs.example.test"
	moved.UPN, moved.Enabled = "moved@other.test", false
	twin.Anchor = anchor("twin 2")
	foreign, nameless, bad := person("foreign"), person("nameless"), person("bad")
	foreign.UPN, nameless.UPN, bad.Anchor = "foreign@other.test", "", "%%%"
	group.Members = append(group.Members, anchor("bob"))
	wanted := []Object{
		person("alice"), bob, renamed, moved, person("fresh"), person("soft"), person("peggy"), person("anchored"),
		person("twin"), twin, foreign, nameless, bad, group,
		{Kind: Contact, Anchor: anchor("supplier"), DisplayName: "Supplier", Mail: "s@supplier.test"},
		{Kind: "printer", Anchor: anchor("printer")},
	}
	p := Diff(now, wanted, ours)
	golden.Check(t, "testdata/plan.golden", p.String())
	slices.Reverse(wanted)
	if again := Diff(now, wanted, ours).String(); again != p.String() {
		t.Errorf("the order of the source changes the plan:\n%s", cmp.Diff(p.String(), again))
	}
	for _, u := range p.Changes("run-1", time.Unix(2, 0)).Put.Users {
		if u.ID == "cloud-peggy" || u.ID == "cloud-anchored" {
			t.Errorf("%s was taken over", u.ID)
		}
	}
}

func TestASoftMatchKeepsTheAccountsID(t *testing.T) {
	p := Diff(directory.Objects{Users: []directory.User{cloudOnly("soft")}}, []Object{person("soft")}, ours)
	put := p.Changes("run-1", time.Unix(2, 0)).Put.Users
	if len(put) != 1 || put[0].ID != "cloud-soft" || !put[0].Synced || put[0].Onprem.Anchor != anchor("soft") {
		t.Errorf("got %+v", put)
	}
}

func TestTwoObjectsNeverShareASoftMatch(t *testing.T) {
	twin := person("soft")
	twin.Anchor = anchor("other")
	p := Diff(directory.Objects{Users: []directory.User{cloudOnly("soft")}}, []Object{person("soft"), twin}, ours)
	if !p.Empty() || len(p.Skipped) != 2 {
		t.Errorf("got %s", p)
	}
}

func TestADisabledPersonIsDisabledEvenUnderANameThatCantBeTaken(t *testing.T) {
	o := person("alice")
	o.UPN, o.Enabled = "alice@other.test", false
	p := Diff(directory.Objects{Users: []directory.User{synced("alice")}}, []Object{o}, ours)
	put := p.Changes("run-1", time.Unix(2, 0)).Put.Users
	if len(put) != 1 || put[0].Enabled || put[0].UPN != "alice@phs.example.test" || put[0].Onprem.UPN != "alice@other.test" {
		t.Errorf("got %+v", put)
	}
}

func TestNamesMayBeSwappedAndHandedOn(t *testing.T) {
	a, b, c := person("a"), person("b"), person("c")
	a.UPN, b.UPN, c.UPN = b.UPN, c.UPN, a.UPN
	heir := person("heir")
	heir.UPN = "leaver@phs.example.test"
	p := Diff(directory.Objects{Users: []directory.User{synced("a"), synced("b"), synced("c"), synced("leaver")}}, []Object{a, b, c, heir}, ours)
	if len(p.Updates) != 3 || len(p.Adds) != 1 || len(p.Deletes) != 1 || len(p.Skipped) != 0 {
		t.Errorf("got %s", p)
	}
}

func TestGuardStopsWhatLooksLikeAMistake(t *testing.T) {
	var now directory.Objects
	var all []Object
	for i := range 10 {
		now.Users = append(now.Users, synced(fmt.Sprintf("u%d", i)))
		all = append(all, person(fmt.Sprintf("u%d", i)))
	}
	limits := Limits{MaxDeletes: 5, MaxRatio: 0.2}
	for _, c := range []struct {
		left int
		max  Limits
		want error
	}{
		{10, limits, nil},
		{8, limits, nil},
		{7, limits, ErrTooManyDeletes},
		{0, limits, ErrEmptySource},
		{4, Limits{MaxDeletes: 5, MaxRatio: 1}, ErrTooManyDeletes},
		{5, Limits{MaxDeletes: 5, MaxRatio: 1}, nil},
		{9, Limits{MaxDeletes: 0, MaxRatio: 1}, ErrTooManyDeletes},
		{9, Limits{MaxDeletes: 5}, nil},
	} {
		if err := Diff(now, all[:c.left], ours).Guard(c.max); !errors.Is(err, c.want) || (c.want == nil) != (err == nil) {
			t.Errorf("%d of 10 left, %+v: %v", c.left, c.max, err)
		}
	}
}

func TestHashesGoToSyncedPeopleOfDomainsThatSynchroniseThem(t *testing.T) {
	good := "v1;PPH1_MD4," + strings.Repeat("ab", 10) + ",1000," + strings.Repeat("cd", 32) + ";"
	off := synced("off")
	off.UPN = "off@pta.example.test"
	soft := cloudOnly("cloud")
	soft.Onprem.Anchor = anchor("cloud")
	hash := func(name, record string) Object {
		return Object{Kind: User, Anchor: anchor(name), Hash: record, PasswordAt: time.Unix(7, 0)}
	}
	p := Hashes([]directory.User{synced("alice"), synced("bob"), synced("none"), off, soft}, []Object{
		hash("alice", good), hash("alice", good), hash("bob", "v1;PPH1_MD4,x,0,y;"), hash("none", ""), hash("off", good), hash("cloud", good), hash("stranger", good),
	}, func(domain string) bool { return domain == "phs.example.test" })
	golden.Check(t, "testdata/hashes.golden", p.String())
	want := []directory.Credential{{Account: synced("alice").ID, Scheme: directory.SchemePHS, Record: []byte(good), Source: "run-9", Changed: time.Unix(7, 0), Stored: time.Unix(9, 0)}}
	if diff := cmp.Diff(want, p.Changes("run-9", time.Unix(9, 0)).Hashes); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(p.String(), "abab") {
		t.Error("a plan shows a hash")
	}
}

// apply is what a store makes of changes.
func apply(now directory.Objects, c directory.Changes) directory.Objects {
	gone := map[string]bool{}
	for _, u := range slices.Concat(c.Delete.Users, c.Put.Users) {
		gone[string(u.ID)] = true
	}
	for _, g := range slices.Concat(c.Delete.Groups, c.Put.Groups) {
		gone[g.ID] = true
	}
	for _, k := range slices.Concat(c.Delete.Contacts, c.Put.Contacts) {
		gone[k.ID] = true
	}
	var next directory.Objects
	next.Users = append(slices.DeleteFunc(slices.Clone(now.Users), func(u directory.User) bool { return gone[string(u.ID)] }), c.Put.Users...)
	next.Groups = append(slices.DeleteFunc(slices.Clone(now.Groups), func(g directory.Group) bool { return gone[g.ID] }), c.Put.Groups...)
	next.Contacts = append(slices.DeleteFunc(slices.Clone(now.Contacts), func(k directory.Contact) bool { return gone[k.ID] }), c.Put.Contacts...)
	return next
}

func someObject() *rapid.Generator[Object] {
	return rapid.Custom(func(t *rapid.T) Object {
		few := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
		name := few.Draw(t, "name")
		return Object{
			Kind:        rapid.SampledFrom([]string{User, User, User, Group, Contact, "printer"}).Draw(t, "kind"),
			Anchor:      rapid.SampledFrom([]string{anchor(few.Draw(t, "anchor")), "", "%"}).Draw(t, "form"),
			UPN:         name + rapid.SampledFrom([]string{"@phs.example.test", "@PHS.Example.test", "@other.test", ""}).Draw(t, "domain"),
			DisplayName: name, Enabled: rapid.Bool().Draw(t, "enabled"),
			Members: rapid.SliceOfN(rapid.Map(few, anchor), 0, 3).Draw(t, "members"),
		}
	})
}

func TestApplyingAPlanLeavesNothingToDoAndNoTwoOfOneName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		admin := cloudOnly("b")
		admin.Admin = true
		now := directory.Objects{Users: []directory.User{cloudOnly("a"), admin}}
		for range rapid.IntRange(1, 4).Draw(t, "runs") {
			wanted := rapid.SliceOfN(someObject(), 0, 8).Draw(t, "source")
			p := Diff(now, wanted, ours)
			now = apply(now, p.Changes("run", time.Unix(3, 0)))
			if again := Diff(now, wanted, ours); !again.Empty() {
				t.Fatalf("after\n%s\nthere is still\n%s", p, again)
			}
			names, ids := map[string]bool{}, map[authn.AccountID]bool{}
			for _, u := range now.Users {
				if names[u.UPN] || ids[u.ID] || u.UPN == "" {
					t.Fatalf("%q twice after\n%s", u.UPN, p)
				}
				names[u.UPN], ids[u.ID] = true, true
				if u.ID == admin.ID && u.Synced {
					t.Fatalf("the administrator was taken over by\n%s", p)
				}
			}
		}
	})
}

func BenchmarkDiffOfAHundredThousand(b *testing.B) {
	var wanted []Object
	for i := range 100_000 {
		wanted = append(wanted, person(fmt.Sprintf("u%d", i)))
	}
	now := apply(directory.Objects{}, Diff(directory.Objects{}, wanted, ours).Changes("run", time.Unix(1, 0)))
	for b.Loop() {
		if p := Diff(now, wanted, ours); !p.Empty() {
			b.Fatal("something is left to do")
		}
	}
}
