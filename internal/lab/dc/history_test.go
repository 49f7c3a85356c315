package dc

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// crowd is a domain of n people in one unit.
func crowd(tb testing.TB, n int) *Server {
	tb.Helper()
	s := quiet(tb)
	entries := []Entry{{DN: "OU=Synced," + s.BaseDN(), Attrs: map[string][]string{"objectClass": {"organizationalUnit"}}}}
	for i := range n {
		name := fmt.Sprintf("user%06d", i)
		entries = append(entries, Entry{DN: "CN=" + name + ",OU=Synced," + s.BaseDN(), Attrs: map[string][]string{
			"objectClass": {"user"}, "sAMAccountName": {name}, "userPrincipalName": {name + "@phs.example.test"}, "displayName": {"User " + name},
			"mail": {name + "@phs.example.test"}, "department": {"Research"}, "title": {"Clerk"}, "givenName": {"User"}, "sn": {name},
		}})
	}
	if err := s.Seed(entries); err != nil {
		tb.Fatal(err)
	}
	return s
}

// stir makes changes of every kind.
func stir(t *testing.T, s *Server, seed uint64, times int) {
	t.Helper()
	dice := rand.New(rand.NewPCG(seed, 1))
	d := s.dom
	pick := func() *entry {
		live := slices.DeleteFunc(slices.Collect(maps.Values(d.entries)), func(e *entry) bool {
			return e.grave || e.first("isCriticalSystemObject") == "TRUE" || e.name.key() == s.reader || !e.is("user")
		})
		slices.SortFunc(live, func(a, b *entry) int { return cmp.Compare(a.name.key(), b.name.key()) })
		return live[dice.IntN(len(live))]
	}
	for range times {
		e := pick()
		var err error
		switch dice.IntN(5) {
		case 0:
			err = d.modify(e.name.String(), []edit{{kind: changeReplace, attr: "title", vals: []string{fmt.Sprint(d.usn)}}}, how{})
		case 1:
			err = d.rename(e.name.String(), fmt.Sprintf("CN=renamed%d", d.usn), "", false)
		case 2:
			err = d.remove(e.name.String())
		case 3:
			d.countFailure(e)
		case 4:
			err = d.rename("OU=Synced,"+s.BaseDN(), "OU=synced", "", false)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func same(a, b []*entry) bool {
	byKey := func(x, y *entry) int { return cmp.Compare(x.name.key(), y.name.key()) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), byKey), slices.SortedFunc(slices.Values(b), byKey))
}

// Whatever happens, the history names exactly the entries there are, in the order of their numbers, and so does the one that
// is built anew from what was stored.
func TestTheHistoryIsThatOfTheEntries(t *testing.T) {
	s := crowd(t, 200)
	for seed := range uint64(30) {
		stir(t, s, seed, 100)
		if seed%5 == 4 { // about 100 of 200 are deleted
			s = crowd(t, 200)
		}
		d := s.dom
		if !slices.IsSortedFunc(d.history.marks, func(a, b mark) int { return cmp.Compare(a.usn, b.usn) }) {
			t.Fatal("the history is out of order")
		}
		for _, from := range []int64{0, d.usn / 2, d.usn - 3, d.usn, d.usn + 1} {
			want := slices.DeleteFunc(slices.Collect(maps.Values(d.entries)), func(e *entry) bool { return e.usn < from })
			if got := d.history.since(from); !same(got, want) {
				t.Fatalf("since %d the history names %d entries, there are %d", from, len(got), len(want))
			}
			if got := order(d.entries).since(from); !same(got, want) {
				t.Fatalf("since %d the history anew names %d entries, there are %d", from, len(got), len(want))
			}
		}
		for _, e := range d.entries {
			if fmt.Sprint(e.usn) != e.first("uSNChanged") || d.guids[e.first("objectGUID")] != e || e.grave != (e.first("isDeleted") == "TRUE") {
				t.Fatalf("%s is %d in memory and %s in its attributes", e.name, e.usn, e.first("uSNChanged"))
			}
		}
	}
}

func TestTheHistoryIsTidiedUp(t *testing.T) {
	s := crowd(t, 5)
	for i := range 5000 {
		ed := []edit{{kind: changeReplace, attr: "title", vals: []string{fmt.Sprint(i)}}}
		if err := s.dom.modify("CN=user000001,OU=Synced,"+s.BaseDN(), ed, how{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(s.dom.history.marks); got > 3000 {
		t.Errorf("%d marks for %d entries", got, len(s.dom.entries))
	}
}

// filters are what a synchronisation asks, and shapes in which an index must not be trusted.
func filters(d *domain) []string {
	guid := func(e *entry) string { return "(objectGUID=" + ldap.EscapeFilter(e.first("objectGUID")) + ")" }
	few := slices.Collect(maps.Values(d.entries))
	few = few[:min(50, len(few))]
	var anyOf strings.Builder
	for _, e := range few {
		anyOf.WriteString(guid(e))
	}
	last := fmt.Sprintf("(uSNChanged>=%d)", d.usn-5)
	return []string{
		last, guid(few[0]), "(|" + anyOf.String() + ")", "(&(objectClass=user)(|" + anyOf.String() + "))", "(&" + last + guid(few[1]) + ")",
		"(|" + last + guid(few[1]) + ")", "(sAMAccountName=USER000007)", "(mail=user000007@phs.example.test)",
		"(userPrincipalName=user000007@phs.example.test)", "(!" + last + ")", "(|" + last + "(title=Clerk))", "(&)", "(|)",
		"(!(|" + anyOf.String() + "))", "(uSNChanged>=x)", "(&(!(sAMAccountName=user000007))(title=Clerk))", "(isDeleted=TRUE)",
	}
}

// An index finds what a look at every entry finds.
func TestAnIndexFindsWhatALookAtEverythingDoes(t *testing.T) {
	s := crowd(t, 300)
	stir(t, s, 42, 200)
	d := s.dom
	for _, v := range []view{{}, {deleted: true}} {
		for _, text := range filters(d) {
			f, err := decodeFilter(packet(t, text))
			if err != nil {
				t.Fatal(err)
			}
			var want []*entry
			for _, e := range append(slices.Collect(maps.Values(d.entries)), d.deletedObjects()) {
				if (v.deleted || !e.grave) && e.name.below(d.base) && f.match(func(a string) ([]string, bool) { return d.values(e, a, v) }) == yes && d.entries[e.name.key()] == e {
					want = append(want, e)
				}
			}
			got, err := d.lookup(query{base: s.BaseDN(), scope: 2, filter: f}, v)
			if err != nil {
				t.Fatal(err)
			}
			got = slices.DeleteFunc(got, func(e *entry) bool { return d.entries[e.name.key()] != e }) // the container of tombstones
			if !same(got, want) {
				t.Errorf("%.60s (deleted %t): %d found, want %d", text, v.deleted, len(got), len(want))
			}
		}
	}
}

// What a synchronisation asks again and again isn't answered by a look at everything.
func TestWhatASynchronisationAsksIsNarrowed(t *testing.T) {
	d := crowd(t, 2000).dom
	for _, text := range filters(d)[:9] {
		f, err := decodeFilter(packet(t, text))
		if err != nil {
			t.Fatal(err)
		}
		if few, ok := d.narrow(f, view{}); !ok || len(few) > 60 || len(few) == 0 {
			t.Errorf("%.60s is tried on %d entries", text, len(few))
		}
	}
}

// A state that was written before there were tombstones and an invocationId loads, and has the same id at every start.
func TestAnOldStateLoads(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dc.json")
	s := kept(t, file)
	add(t, s, "alice", "Spring-2025!")
	if err := s.checkpoint(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(text), `,"invocationId":"`)
	_, after, closed := strings.Cut(after, `"`)
	if !found || !closed {
		t.Fatalf("no invocationId in the file: %.200s", text)
	}
	if err := os.WriteFile(file, []byte(before+after), 0o600); err != nil {
		t.Fatal(err)
	}
	first, second := kept(t, file), kept(t, file)
	if !lets(first, "alice", "Spring-2025!") || len(first.dom.id) != 16 || string(first.dom.id) != string(second.dom.id) {
		t.Errorf("ids %x and %x", first.dom.id, second.dom.id)
	}
	if string(first.dom.id) == string(s.dom.id) {
		t.Error("the id was not taken out: nothing is proven")
	}
}

// What is brought back has its tombstones, its numbers and the id that they count under; of what came after nothing is left.
func TestAKeptDomainHasItsTombstonesAndItsId(t *testing.T) {
	dir := t.TempDir()
	file, copied := filepath.Join(dir, "dc.json"), filepath.Join(dir, "kept.json")
	s := kept(t, file)
	remove := func(s *Server, name string) {
		t.Helper()
		if err := s.dom.exclusively(func(d *domain) error { return d.remove("CN=" + name + ",CN=Users," + s.BaseDN()) }); err != nil {
			t.Fatal(err)
		}
	}
	graves := func(s *Server) int {
		n := 0
		for _, e := range s.dom.history.since(0) {
			if e.grave {
				n++
			}
		}
		return n
	}
	add(t, s, "alice", "Spring-2025!")
	add(t, s, "bob", "Spring-2025!")
	remove(s, "alice")
	if err := s.Keep(copied); err != nil {
		t.Fatal(err)
	}
	id, usn := string(s.dom.id), s.dom.usn
	for name, again := range map[string]*Server{"the one that wrote it": s, "one that reads it": kept(t, file)} {
		remove(again, "bob")
		if got := graves(again); got != 2 {
			t.Fatalf("%s has %d tombstones before, want 2", name, got)
		}
		k, err := again.ReadKept(copied)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Restore(k); err != nil {
			t.Fatal(err)
		}
		for what, s := range map[string]*Server{"in memory": again, "on the disk": kept(t, file)} {
			if graves(s) != 1 || len(s.dom.graves) != 1 || s.dom.usn != usn || string(s.dom.id) != id || !lets(s, "bob", "Spring-2025!") {
				t.Errorf("%s, %s: %d tombstones, number %d of %x; want 1, %d of %x", name, what, graves(s), s.dom.usn, s.dom.id, usn, id)
			}
		}
	}
}

// A person who is loaded anew with the GUID that her tombstone has is that object, alive.
func TestATombstoneEndsWhenItsObjectIsSeededAgain(t *testing.T) {
	s := kept(t, filepath.Join(t.TempDir(), "dc.json"))
	guid := strings.Repeat("g", 16)
	alice := Entry{DN: "CN=alice,CN=Users," + s.BaseDN(), Attrs: map[string][]string{"objectClass": {"user"}, "objectGUID": {guid}}}
	if err := s.Seed([]Entry{alice}); err != nil {
		t.Fatal(err)
	}
	if err := s.dom.exclusively(func(d *domain) error { return d.remove(alice.DN) }); err != nil {
		t.Fatal(err)
	}
	if e := s.dom.guids[guid]; e == nil || !e.grave {
		t.Fatal("alice left no tombstone")
	}
	if err := s.Seed([]Entry{alice}); err != nil {
		t.Fatal(err)
	}
	if e := s.dom.guids[guid]; e == nil || e.grave || len(s.dom.graves) != 0 {
		t.Errorf("the object is %+v, %d tombstones are left", e, len(s.dom.graves))
	}
	bob := Entry{DN: "CN=bob,CN=Users," + s.BaseDN(), Attrs: alice.Attrs}
	if err := s.Seed([]Entry{bob}); err == nil || !strings.Contains(err.Error(), "CN=alice") {
		t.Errorf("a second object of the same GUID: %v", err)
	}
}

// No control value and no cookie makes the server stumble, and no cookie leads behind the changes there are.
func FuzzDirSync(f *testing.F) {
	s := quiet(f)
	f.Add([]byte("\x30\x0c\x02\x04\x80\x00\x08\x00\x02\x01\x00\x04\x00"))
	f.Add([]byte("\x30\x0a\x02\x01\x00\x02\x01\x00\x04\x02xx"))
	f.Add([]byte("\x30\x24\x02\x01\x00\x02\x01\x00\x04\x1c" + s.dom.encodeCookie(3)))
	f.Fuzz(func(t *testing.T, value []byte) {
		ask, ok := decodeDirSync(string(value))
		if !ok {
			return
		}
		from, err := s.dom.decodeCookie(ask.cookie)
		if err == nil && (from < 0 || from > s.dom.usn) {
			t.Errorf("cookie %x leads to %d of %d", ask.cookie, from, s.dom.usn)
		}
		if err != nil {
			return
		}
		q := query{filter: filter{op: filterPresent, attr: "objectClass"}}
		found, end := s.dom.changedSince(from, q, ask, view{deleted: true})
		if next, err := s.dom.decodeCookie(end.cookie); err != nil || next < from || end.more && (next == from || len(found) == 0) {
			t.Errorf("after %d the next cookie leads to %d, %v", from, next, err)
		}
	})
}
