package dc

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// kept is a domain on the disk, without a listener.
func kept(t *testing.T, file string) *Server {
	t.Helper()
	s, err := prepare(Options{
		Domain: "corp.example.test", NetBIOS: "CORP", File: file, Clock: stopped{},
		Admin: Account{Name: "Administrator", Password: "Adm1n-of-the-lab"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func add(t *testing.T, s *Server, name, password string) {
	t.Helper()
	e := Entry{DN: "CN=" + name + ",CN=Users," + s.BaseDN(), Password: password, Attrs: map[string][]string{"objectClass": {"user"}, "sAMAccountName": {name}}}
	if err := s.Seed([]Entry{e}); err != nil {
		t.Fatal(err)
	}
}

func lets(s *Server, name, password string) bool {
	_, data, _ := s.dom.authenticate(`CORP\`+name, password)
	return data == ""
}

// Every change is on the disk when it is answered, whenever the program ends: here it ends after each, without a Close.
func TestAChangeOutlivesTheProgramThatMadeIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dc.json")
	s := kept(t, file)
	add(t, s, "alice", "Spring-2025!")
	again := kept(t, file)
	if !lets(again, "alice", "Spring-2025!") {
		t.Fatal("alice is not there after a loss of power")
	}
	add(t, again, "alice", "Summer-2025!")
	if err := again.dom.exclusively(func(d *domain) error { return d.remove("CN=alice,CN=Users," + again.BaseDN()) }); err != nil {
		t.Fatal(err)
	}
	if err := again.save(); err != nil {
		t.Fatal(err)
	}
	add(t, again, "bob", "Spring-2025!")
	third := kept(t, file)
	if lets(third, "alice", "Summer-2025!") || !lets(third, "bob", "Spring-2025!") {
		t.Error("the journal did not bring back what was changed last")
	}
}

func TestAHalfWrittenLineOfTheJournalIsDropped(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dc.json")
	s := kept(t, file)
	add(t, s, "alice", "Spring-2025!")
	whole := s.journal.size
	add(t, s, "bob", "Spring-2025!")
	if err := os.Truncate(journalOf(file), s.journal.size-7); err != nil {
		t.Fatal(err)
	}
	s = kept(t, file)
	if !lets(s, "alice", "Spring-2025!") || lets(s, "bob", "Spring-2025!") {
		t.Error("what was written whole is lost, or what was not is there")
	}
	if s.journal.size < whole {
		t.Errorf("the journal goes on at %d, its whole lines end at %d", s.journal.size, whole)
	}
	add(t, s, "carol", "Spring-2025!")
	if s = kept(t, file); !lets(s, "carol", "Spring-2025!") {
		t.Error("the line after the half one is lost")
	}
}

// The power may go between writing the domain whole and emptying the journal: then the journal is read over a file that
// has its changes.
func TestAJournalOverAFileThatHasItsChanges(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dc.json")
	s := kept(t, file)
	add(t, s, "alice", "Spring-2025!")
	add(t, s, "alice", "Summer-2025!")
	journal, err := os.ReadFile(journalOf(file))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Keep(filepath.Join(t.TempDir(), "kept.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(journalOf(file)); err == nil {
		t.Error("the journal is still there after the domain was written whole")
	}
	if err := os.WriteFile(journalOf(file), journal, 0o600); err != nil {
		t.Fatal(err)
	}
	if s = kept(t, file); !lets(s, "alice", "Summer-2025!") {
		t.Error("reading the journal twice brought an old password back")
	}
}

func TestAKeptDomainComesBack(t *testing.T) {
	dir := t.TempDir()
	file, copied := filepath.Join(dir, "dc.json"), filepath.Join(dir, "kept.json")
	s := kept(t, file)
	add(t, s, "alice", "Spring-2025!")
	if err := s.Keep(copied); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time, file and copy are one on the disk
		add(t, s, "alice", "Summer-2025!")
		add(t, s, "bob", "Spring-2025!")
		k, err := s.ReadKept(copied)
		if err != nil {
			t.Fatal(err)
		}
		if !lets(s, "bob", "Spring-2025!") {
			t.Error("reading a kept domain changed the one that is")
		}
		if err := s.Restore(k); err != nil {
			t.Fatal(err)
		}
		if !lets(s, "alice", "Spring-2025!") || lets(s, "bob", "Spring-2025!") {
			t.Error("the domain in memory is not the one that was kept")
		}
		if again := kept(t, file); !lets(again, "alice", "Spring-2025!") || lets(again, "bob", "Spring-2025!") {
			t.Error("the domain on the disk is not the one that was kept")
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.new")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := s.ReadKept(filepath.Join(dir, "nothing.json")); err == nil {
		t.Error("a file that is not there was read")
	}
	info, err := os.Stat(copied)
	if err != nil {
		t.Fatal(err)
	}
	for size := range info.Size() - 1 { // the last byte is a line's end
		if err := os.Truncate(copied, info.Size()-2-size); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ReadKept(copied); err == nil {
			t.Fatalf("a file without its last %d bytes was read", size+2)
		}
	}
}

// A kept domain that the running one still knows is not read, and comes back the same; one whose file was changed, is.
func TestAKeptDomainIsTheSameReadOrRemembered(t *testing.T) {
	dir := t.TempDir()
	file, copied := filepath.Join(dir, "dc.json"), filepath.Join(dir, "kept.json")
	s := kept(t, file)
	add(t, s, "alice", "Spring-2025!")
	if err := s.Keep(copied); err != nil {
		t.Fatal(err)
	}
	was, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	for _, again := range []*Server{s, kept(t, file)} { // one has written it, the other one has read it
		if !again.written.in(copied) {
			t.Fatal("what was just kept is not known")
		}
		add(t, again, "alice", "Summer-2025!")
		add(t, again, "bob", "Spring-2025!")
		for range 2 {
			k, err := again.ReadKept(copied)
			if err != nil {
				t.Fatal(err)
			}
			if err := again.Restore(k); err != nil {
				t.Fatal(err)
			}
			third := filepath.Join(t.TempDir(), "again.json")
			if err := again.dom.still().write(third); err != nil {
				t.Fatal(err)
			}
			if is, err := os.ReadFile(third); err != nil || !bytes.Equal(is, was) || !lets(again, "alice", "Spring-2025!") || lets(again, "bob", "Spring-2025!") {
				t.Errorf("%v; another domain came back than was kept", err)
			}
			add(t, again, "bob", "Spring-2025!")
		}
	}
	if err := os.WriteFile(copied, was[:len(was)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ReadKept(copied); err == nil {
		t.Error("a file that was cut off since is taken for what it was")
	}
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"header":{"version":1,"domain":"corp.example.test"},"put":[{"dn":"CN=x,DC=corp,DC=example,DC=test","attrs":{"cn":["eA=="]}}],"drop":["y"]}` + "\n"))
	f.Add([]byte("{\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "dc.json.journal")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		base, err := baseOf("corp.example.test")
		if err != nil {
			t.Fatal(err)
		}
		_ = (&domain{base: base, dns: "corp.example.test"}).empty().replay(path) // it must not panic
	})
}
