package agent_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
	"github.com/fourways-id/fourways/internal/passhash"
)

const ntHex = "8846f7eaee8fb117ad06bdd830b7586c" // of "password", a published vector

// hashed is a person with a value in the hash attribute, which the test can look at afterwards.
func hashed(name string, hash []byte, attrs ...string) onprem.Entry {
	e := human("CN="+name+",OU=Synced,DC=corp", name, attrs...)
	if e.First("pwdLastSet") == "" {
		e.Attrs["pwdLastSet"] = [][]byte{[]byte("133880436000000000")}
	}
	if hash != nil {
		e.Attrs["fourwaysNTHash"] = [][]byte{hash}
	}
	return e
}

func raw(t *testing.T) []byte {
	t.Helper()
	b, err := hex.DecodeString(ntHex)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHashesAreHashedAgainAndWiped(t *testing.T) {
	octets, digits := raw(t), []byte(strings.ToUpper(ntHex))
	f := &forest{at: "start", entries: []onprem.Entry{hashed("a", octets), hashed("b", digits)}}
	got := read(t, agent.NewSource(f, adOptions()), dirsync.Ask{Kind: dirsync.KindHash})
	if len(got.objects) != 2 || !got.full || len(got.cursor) == 0 {
		t.Fatalf("%+v", got)
	}
	for _, o := range got.objects {
		record, err := passhash.ParseOrgID(o.Hash)
		if err != nil {
			t.Fatal(err)
		}
		if !record.Match(passhash.HashOrgID(passhash.Expand([16]byte(raw(t))), record.Salt, record.Rounds)) {
			t.Error("the record is not that of the password")
		}
		if strings.Contains(strings.ToLower(o.Hash), ntHex) || o.UPN != "" || o.Withheld != "" || o.MustChange {
			t.Errorf("more than the record leaves the premises: %+v", o)
		}
		if want := time.Date(2025, 4, 2, 5, 0, 0, 0, time.UTC); !o.PasswordAt.Equal(want) {
			t.Errorf("changed at %s, want %s", o.PasswordAt, want)
		}
	}
	if got.objects[0].Hash == got.objects[1].Hash {
		t.Error("one salt serves two people")
	}
	for _, left := range [][]byte{octets, digits} {
		if !bytes.Equal(left, make([]byte, len(left))) {
			t.Error("an NT hash was not wiped")
		}
	}
}

// Whose hash is not sent, and why; whatever stays is wiped, and no form of it gets out.
func TestWhoseHashStaysOnThePremises(t *testing.T) {
	canary := strings.ToUpper(ntHex)
	for _, c := range []struct {
		name, selective, want string
		temporary             bool
		entry                 func(hash []byte) onprem.Entry
		hash                  string // "": the canary
	}{
		{name: "control", want: "sent", entry: func(h []byte) onprem.Entry { return hashed("p", h) }},
		{name: "must be changed", want: "temporary", entry: func(h []byte) onprem.Entry { return hashed("p", h, "pwdLastSet", "0") }},
		{name: "must be changed, and asked for", temporary: true, want: "sent", entry: func(h []byte) onprem.Entry { return hashed("p", h, "pwdLastSet", "0") }},
		{name: "marked", selective: "exclude", want: "filtered", entry: func(h []byte) onprem.Entry { return hashed("p", h, "adminDescription", "PHSFiltered") }},
		{name: "not marked", selective: "exclude", want: "sent", entry: func(h []byte) onprem.Entry { return hashed("p", h) }},
		{name: "marked, and marks mean nothing", want: "sent", entry: func(h []byte) onprem.Entry { return hashed("p", h, "adminDescription", "PHSFiltered") }},
		{name: "not included", selective: "include", want: "filtered", entry: func(h []byte) onprem.Entry { return hashed("p", h) }},
		{name: "included", selective: "include", want: "sent", entry: func(h []byte) onprem.Entry { return hashed("p", h, "adminDescription", "PHSIncluded") }},
		{name: "inetOrgPerson", want: "filtered", entry: func(h []byte) onprem.Entry { return hashed("p", h, "objectClass", "inetOrgPerson") }},
		{name: "malformed", hash: "short-secret", want: "malformed", entry: func(h []byte) onprem.Entry { return hashed("p", h) }},
		{name: "not hex", hash: strings.Repeat("short-se", 4), want: "malformed", entry: func(h []byte) onprem.Entry { return hashed("p", h) }},
		{name: "missing", want: "missing", entry: func([]byte) onprem.Entry { return hashed("p", nil) }},
		{name: "out of scope", want: "nothing", entry: func(h []byte) onprem.Entry {
			e := hashed("p", h)
			e.DN = "CN=p,OU=Left,OU=Synced,DC=corp"
			return e
		}},
		{name: "a system's own", want: "nothing", entry: func(h []byte) onprem.Entry { return hashed("p", h, "isCriticalSystemObject", "TRUE") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			hash := []byte(canary)
			if c.hash != "" {
				hash = []byte(c.hash)
			}
			o := adOptions()
			o.SelectiveHashes, o.Narrow.Exclude = c.selective, []string{"OU=Left,OU=Synced,DC=corp"}
			f := &forest{at: "start", entries: []onprem.Entry{c.entry(hash)}}
			got := read(t, agent.NewSource(f, o), dirsync.Ask{Kind: dirsync.KindHash, Temporary: c.temporary})
			found := "nothing"
			for _, o := range got.objects {
				if found = o.Withheld; found == "" {
					found = "sent"
				}
				if (o.Hash != "") != (found == "sent") || o.MustChange != c.temporary {
					t.Errorf("%+v", o)
				}
			}
			if found != c.want {
				t.Errorf("%s, want %s", found, c.want)
			}
			sent, err := json.Marshal(got.objects)
			if err != nil || bytes.Contains(bytes.ToUpper(sent), []byte(canary)) || bytes.Contains(sent, []byte("short-se")) {
				t.Errorf("%v: it got out: %s", err, sent)
			}
			if len(f.entries[0].Get("fourwaysNTHash")) > 0 && !bytes.Equal(hash, make([]byte, len(hash))) {
				t.Error("it was not wiped")
			}
		})
	}
}

func TestAHashRunGoesOnFromItsCursor(t *testing.T) {
	f := &forest{at: "start", entries: []onprem.Entry{
		hashed("a", raw(t)), hashed("b", raw(t)), hashed("c", raw(t)), hashed("d", raw(t)),
		entry("CN=g,OU=Synced,DC=corp", "g", "group"), hashed("out", raw(t)),
	}}
	f.entries[5].DN = "CN=out,OU=Elsewhere,DC=corp"
	s := agent.NewSource(f, adOptions())
	first := read(t, s, dirsync.Ask{Kind: dirsync.KindHash})
	if first.names() != "a b c d" {
		t.Fatal(first.names())
	}
	for i := range f.entries {
		f.entries[i].Attrs["fourwaysNTHash"] = [][]byte{raw(t)}
	}
	f.pages = []onprem.Changes{{Changed: []onprem.Changed{{ID: id("b")}, {ID: id("g")}, {ID: id("gone"), Deleted: true}}}, {Changed: []onprem.Changed{{ID: id("out")}}}}
	then := read(t, s, dirsync.Ask{Kind: dirsync.KindHash, Cursor: first.cursor, IDs: []string{b64("d"), b64("out"), "nonsense", b64("b")}})
	if then.names() != "b d" || then.full || !strings.Contains(string(then.cursor), "page 2") {
		t.Errorf("%s, full %t, %s", then.names(), then.full, then.cursor)
	}
	watched := read(t, s, dirsync.Ask{Kind: dirsync.KindChanges, Cursor: first.cursor})
	if watched.names() != "b" || watched.by("b").PasswordAt.IsZero() || watched.by("b").Hash != "" || watched.by("b").Withheld != "" {
		t.Errorf("%+v", watched)
	}
	if all := read(t, s, dirsync.Ask{Kind: dirsync.KindChanges}); all.names() != "a b c d" {
		t.Errorf("without a cursor: %s", all.names())
	}
	other := adOptions()
	other.SelectiveHashes = agent.SelectExclude
	if again := read(t, agent.NewSource(f, other), dirsync.Ask{Kind: dirsync.KindHash, Cursor: first.cursor}); !again.full || !strings.Contains(again.note, "rules") {
		t.Errorf("other rules: full %t, %q", again.full, again.note)
	}
	f.locked = onprem.ErrPosition
	if again := read(t, s, dirsync.Ask{Kind: dirsync.KindHash, Cursor: first.cursor}); !again.full || again.note == "" || again.cursor != nil {
		t.Errorf("no way on: full %t, %q, %s", again.full, again.note, again.cursor)
	}
}

func TestNoHashOfADomainThatIsNotAskedForLeavesThePremises(t *testing.T) {
	f := &forest{at: "start", entries: []onprem.Entry{hashed("a", raw(t))}}
	ask := dirsync.Ask{Kind: dirsync.KindHash, Domains: []string{"other.example"}}
	if got := read(t, agent.NewSource(f, adOptions()), ask); len(got.objects) != 1 || got.objects[0].Hash != "" || got.objects[0].Withheld != dirsync.WithheldUnasked {
		t.Errorf("%+v", got)
	}
	_, domain, _ := strings.Cut(f.entries[0].First(adOptions().CloudUPN), "@")
	f.entries[0].Attrs["fourwaysNTHash"] = [][]byte{raw(t)} // the first read wiped it
	ask.Domains = append(ask.Domains, strings.ToUpper(domain))
	if got := read(t, agent.NewSource(f, adOptions()), ask); len(got.objects) != 1 || got.objects[0].Hash == "" {
		t.Errorf("%s was asked for: %+v", domain, got)
	}
}
