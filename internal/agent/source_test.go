package agent_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
	"github.com/fourways-id/fourways/internal/passhash"
)

// shelf holds entries by the filter that finds them.
type shelf struct {
	entries map[string][]onprem.Entry
	err     error
	bases   []string
}

func (s *shelf) Read(_ context.Context, q onprem.Query) iter.Seq2[onprem.Entry, error] {
	s.bases = append(s.bases, q.BaseDN)
	return func(yield func(onprem.Entry, error) bool) {
		for _, e := range s.entries[q.Filter] {
			if !yield(e, nil) {
				return
			}
		}
		if s.err != nil {
			yield(onprem.Entry{}, s.err)
		}
	}
}

func (*shelf) Anchor(e onprem.Entry) []byte { return []byte(e.First("objectGUID")) }

func entry(dn string, attrs ...string) onprem.Entry {
	e := onprem.Entry{DN: dn, Attrs: map[string][][]byte{}}
	for i := 0; i < len(attrs); i += 2 {
		e.Attrs[attrs[i]] = append(e.Attrs[attrs[i]], []byte(attrs[i+1]))
	}
	return e
}

const (
	adUsers  = "(&(objectClass=user)(!(objectClass=computer)))"
	adGroups = "(objectClass=group)"
	ntHex    = "8846f7eaee8fb117ad06bdd830b7586c" // of "password", a published vector
)

func adOptions() agent.SourceOptions {
	return agent.SourceOptions{
		Kind: onprem.AD, Scope: []string{"OU=Synced,DC=corp"}, CloudUPN: "mail", BindUPN: "userPrincipalName",
		AnchorAttribute: "objectGUID", HashAttribute: "fourwaysNTHash",
	}
}

func readAll(t *testing.T, s dirsync.Source, kind dirsync.Kind) []dirsync.Object {
	t.Helper()
	var all []dirsync.Object
	if err := s.Read(t.Context(), kind, func(o []dirsync.Object) error { all = append(all, o...); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestDirectoryBecomesObjects(t *testing.T) {
	s := &shelf{entries: map[string][]onprem.Entry{
		adUsers: {
			entry("CN=Alice,OU=Synced,DC=corp", "objectGUID", "\x00\x01", "mail", "alice@phs.example.test", "userPrincipalName", "alice@phs.example.test",
				"sAMAccountName", "alice.phs", "displayName", "Alice", "givenName", "A", "sn", "L", "userAccountControl", "512",
				"msExchUsageLocation", "DE", "whenChanged", "20250402103000.0Z"),
			entry("CN=Olga,OU=Synced,DC=corp", "objectGUID", "\x00\x02", "mail", "olga@phs.example.test", "userPrincipalName", "olga.old@corp.example.test",
				"userAccountControl", "514"),
		},
		"(objectClass=contact)": {entry("CN=Supplier,OU=Synced,DC=corp", "objectGUID", "\x00\x03", "displayName", "Supplier", "mail", "s@supplier.example")},
		adGroups: {
			entry("CN=Inner,OU=Synced,DC=corp", "objectGUID", "\x00\x05", "cn", "Inner"),
			entry("CN=Pilot,OU=Synced,DC=corp", "objectGUID", "\x00\x04", "displayName", "Pilot",
				"member", "cn=alice,ou=synced,dc=corp", "member", "CN=Nick,OU=NotSynced,DC=corp", "member", "CN=Inner,OU=Synced,DC=corp"),
		},
	}}
	got := readAll(t, agent.NewSource(s, adOptions()), dirsync.KindDirectory)
	want := []dirsync.Object{
		{
			Kind: "user", Anchor: "AAE=", DN: "CN=Alice,OU=Synced,DC=corp", UPN: "alice@phs.example.test", SAM: "alice.phs", DisplayName: "Alice",
			GivenName: "A", Surname: "L", Mail: "alice@phs.example.test", UsageLocation: "DE", Enabled: true, ChangedAt: time.Date(2025, 4, 2, 10, 30, 0, 0, time.UTC),
		},
		{Kind: "user", Anchor: "AAI=", DN: "CN=Olga,OU=Synced,DC=corp", UPN: "olga@phs.example.test", OnpremUPN: "olga.old@corp.example.test", Mail: "olga@phs.example.test"},
		{Kind: "contact", Anchor: "AAM=", DN: "CN=Supplier,OU=Synced,DC=corp", DisplayName: "Supplier", Mail: "s@supplier.example"},
		{Kind: "group", Anchor: "AAU=", DN: "CN=Inner,OU=Synced,DC=corp", DisplayName: "Inner"},
		{Kind: "group", Anchor: "AAQ=", DN: "CN=Pilot,OU=Synced,DC=corp", DisplayName: "Pilot", Members: []string{"AAE=", "AAU="}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, base := range s.bases {
		if base != "OU=Synced,DC=corp" {
			t.Errorf("read %q, which is out of scope", base)
		}
	}
}

func TestHashesAreHashedAgainAndWiped(t *testing.T) {
	raw, err := hex.DecodeString(ntHex)
	if err != nil {
		t.Fatal(err)
	}
	octets, digits := bytes.Clone(raw), []byte(strings.ToUpper(ntHex))
	user := func(guid string, hash []byte) onprem.Entry {
		e := entry("CN="+guid, "objectGUID", guid, "pwdLastSet", "133880436000000000")
		if hash != nil {
			e.Attrs["fourwaysNTHash"] = [][]byte{hash}
		}
		return e
	}
	s := &shelf{entries: map[string][]onprem.Entry{adUsers: {user("a", octets), user("b", digits), user("c", nil)}}}
	got := readAll(t, agent.NewSource(s, adOptions()), dirsync.KindHash)
	if len(got) != 2 {
		t.Fatalf("%d objects, want two: the third has no hash", len(got))
	}
	for _, o := range got {
		record, err := passhash.ParseOrgID(o.Hash)
		if err != nil {
			t.Fatal(err)
		}
		if !record.Match(passhash.HashOrgID(passhash.Expand([16]byte(raw)), record.Salt, record.Rounds)) {
			t.Error("the record is not that of the password")
		}
		if strings.Contains(strings.ToLower(o.Hash), ntHex) || o.UPN != "" {
			t.Errorf("more than the record leaves the premises: %+v", o)
		}
		if want := time.Date(2025, 4, 2, 5, 0, 0, 0, time.UTC); !o.HashAt.Equal(want) {
			t.Errorf("changed at %s, want %s", o.HashAt, want)
		}
	}
	if got[0].Hash == got[1].Hash {
		t.Error("one salt serves two people")
	}
	for _, left := range [][]byte{octets, digits} {
		if !bytes.Equal(left, make([]byte, len(left))) {
			t.Error("an NT hash was not wiped")
		}
	}
}

// A password that is good only for being changed is withheld until it was.
func TestATemporaryPasswordStaysOnThePremises(t *testing.T) {
	hash := bytes.Repeat([]byte{7}, 16)
	temporary := entry("CN=grace", "objectGUID", "g", "pwdLastSet", "0")
	temporary.Attrs["fourwaysNTHash"] = [][]byte{hash}
	settled := entry("CN=alice", "objectGUID", "a", "pwdLastSet", "133880436000000000")
	settled.Attrs["fourwaysNTHash"] = [][]byte{bytes.Repeat([]byte{8}, 16)}
	s := &shelf{entries: map[string][]onprem.Entry{adUsers: {temporary, settled}}}
	got := readAll(t, agent.NewSource(s, adOptions()), dirsync.KindHash)
	if len(got) != 1 || got[0].DN != "CN=alice" {
		t.Errorf("what leaves the premises: %+v", got)
	}
	if !bytes.Equal(hash, make([]byte, 16)) {
		t.Error("the hash that stayed was not wiped")
	}
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	broken := errors.New("hung up")
	read := func(s *shelf, o agent.SourceOptions, kind dirsync.Kind) error {
		return agent.NewSource(s, o).Read(t.Context(), kind, func([]dirsync.Object) error { return nil })
	}
	if err := read(&shelf{err: broken}, adOptions(), dirsync.KindDirectory); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	without := adOptions()
	without.HashAttribute = ""
	if err := read(&shelf{}, without, dirsync.KindHash); err == nil {
		t.Error("hashes without a source of them")
	}
	if err := read(&shelf{}, adOptions(), dirsync.KindDirectory); err != nil {
		t.Errorf("positive control: %v", err)
	}
}

func TestOneBadHashDoesNotStopTheRest(t *testing.T) {
	bad := entry("CN=a", "objectGUID", "a", "fourwaysNTHash", "short-secret")
	good := entry("CN=b", "objectGUID", "b", "fourwaysNTHash", ntHex)
	got := readAll(t, agent.NewSource(&shelf{entries: map[string][]onprem.Entry{adUsers: {bad, good}}}, adOptions()), dirsync.KindHash)
	if len(got) != 2 || strings.Contains(got[0].Hash, "short-secret") {
		t.Fatalf("%+v", got)
	}
	if _, err := passhash.ParseOrgID(got[0].Hash); err == nil {
		t.Error("a bad value became a record")
	}
	if _, err := passhash.ParseOrgID(got[1].Hash); err != nil {
		t.Errorf("positive control: %v", err)
	}
}
