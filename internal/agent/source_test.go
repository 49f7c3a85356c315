package agent_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

func ref(dn string) string { return dirsync.Ref(onprem.NormalDN(dn)) }

func TestDirectoryBecomesObjects(t *testing.T) {
	alice, pilot, supplier := "CN=Alice,OU=Synced,DC=corp", "CN=Pilot,OU=Synced,DC=corp", "CN=Supplier,OU=Synced,DC=corp"
	f := &forest{at: "start", entries: []onprem.Entry{
		human(alice, "alice", "mail", "alice@phs.example.test", "userPrincipalName", "alice@phs.example.test", "displayName", "Alicé",
			"givenName", "A", "sn", "L", "userAccountControl", "512", "msExchUsageLocation", "DE", "whenChanged", "20250402103000.0Z",
			"department", "Sales", "title", "Head", "mailNickname", "al", "proxyAddresses", "SMTP:alice@phs.example.test",
			"proxyAddresses", "smtp:a@phs.example.test", "pwdLastSet", "133880436000000000"),
		human("CN=Olga,OU=Synced,DC=corp", "olga", "mail", "olga@phs.example.test", "userPrincipalName", "olga.old@corp.example.test",
			"userAccountControl", "514", "c", "FR", "pwdLastSet", "0"),
		entry(supplier, "supplier", "top person organizationalPerson contact", "displayName", "Supplier", "mail", "s@supplier.example"),
		entry(pilot, "pilot", "top group", "cn", "Pilot", "description", "tries things", "member", "cn=alice, ou=synced,dc=corp", "member", "CN=Nick,OU=NotSynced,DC=corp"),
		human("CN=PC1,OU=Synced,DC=corp", "pc1"),
		entry("CN=PC2,OU=Synced,DC=corp", "pc2", "top person organizationalPerson user computer"),
		human("CN=Nick,OU=NotSynced,DC=corp", "nick"),
	}}
	f.entries[4].Attrs["objectClass"] = [][]byte{[]byte("user"), []byte("Computer")}
	got := read(t, agent.NewSource(f, adOptions()), dirsync.Ask{Kind: dirsync.KindDirectory})
	want := []dirsync.Object{
		{
			Kind: "user", ID: b64("alice"), Anchor: b64("alice"), DN: alice, Ref: ref(alice), UPN: "alice@phs.example.test", SAM: "alice", DisplayName: "Alicé",
			GivenName: "A", Surname: "L", Mail: "alice@phs.example.test", UsageLocation: "DE", Enabled: true, ChangedAt: time.Date(2025, 4, 2, 10, 30, 0, 0, time.UTC),
			Department: "Sales", JobTitle: "Head", Nickname: "al", ProxyAddresses: []string{"SMTP:alice@phs.example.test", "smtp:a@phs.example.test"},
			PasswordAt: time.Date(2025, 4, 2, 5, 0, 0, 0, time.UTC),
		},
		{
			Kind: "user", ID: b64("olga"), Anchor: b64("olga"), DN: "CN=Olga,OU=Synced,DC=corp", Ref: ref("CN=Olga,OU=Synced,DC=corp"), SAM: "olga",
			UPN: "olga@phs.example.test", OnpremUPN: "olga.old@corp.example.test", Mail: "olga@phs.example.test", UsageLocation: "FR", MustChange: true,
		},
		{Kind: "contact", ID: b64("supplier"), Anchor: b64("supplier"), DN: supplier, Ref: ref(supplier), DisplayName: "Supplier", Mail: "s@supplier.example"},
		{
			Kind: "group", ID: b64("pilot"), Anchor: b64("pilot"), DN: pilot, Ref: ref(pilot), DisplayName: "Pilot", Description: "tries things",
			Members: []string{ref(alice), ref("CN=Nick,OU=NotSynced,DC=corp")},
		},
	}
	if d := cmp.Diff(want, got.objects); d != "" {
		t.Error(d)
	}
	if !got.full || got.note != "" || len(got.cursor) == 0 {
		t.Errorf("full %t, note %q, cursor %s", got.full, got.note, got.cursor)
	}
}

func TestALargeDirectoryComesInPartsOfFiveHundred(t *testing.T) {
	f := &forest{at: "start"}
	for i := range 1201 {
		f.entries = append(f.entries, human(fmt.Sprintf("CN=%d,OU=Synced,DC=corp", i), fmt.Sprint(i)))
	}
	if got := read(t, agent.NewSource(f, adOptions()), dirsync.Ask{Kind: dirsync.KindDirectory}); got.parts != 3 || len(got.objects) != 1201 {
		t.Errorf("%d parts, %d objects", got.parts, len(got.objects))
	}
}

func TestWhatCannotBeReadOfOneObjectStopsNobodyElse(t *testing.T) {
	const ou = ",OU=Synced,DC=corp"
	f := &forest{at: "start", entries: []onprem.Entry{
		human("CN=a"+ou, "latin", "displayName", "Ren\xe9"),
		human("CN=b"+ou, "long", "department", strings.Repeat("x", 5000)),
		human("CN=c"+ou, "far", "pwdLastSet", "9223372036854775807", "whenChanged", "yesterday"),
		human("CN=d"+ou, "well", "displayName", "René"),
	}}
	got := read(t, agent.NewSource(f, adOptions()), dirsync.Ask{Kind: dirsync.KindDirectory})
	for guid, want := range map[string]string{"latin": "displayName is not UTF-8", "long": "department has 5000 octets, more than 4096", "far": "", "well": ""} {
		if o := got.by(guid); o.ID == "" || o.Error != want {
			t.Errorf("%s: %q, want %q", guid, o.Error, want)
		}
	}
	if o := got.by("far"); !o.PasswordAt.IsZero() || !o.ChangedAt.IsZero() {
		t.Errorf("times that nobody can write down: %s, %s", o.PasswordAt, o.ChangedAt)
	}
}

func TestTheAnchorIsTheConfiguredAttribute(t *testing.T) {
	f := &forest{at: "start", entries: []onprem.Entry{
		human("CN=a,OU=Synced,DC=corp", "a", "mS-DS-ConsistencyGuid", "from another for", "employeeID", "17"), human("CN=b,OU=Synced,DC=corp", "b"),
	}}
	for _, c := range []struct{ attribute, a, b, bError string }{
		{"", b64("a"), b64("b"), ""},
		{"objectGUID", b64("a"), b64("b"), ""},
		{"ms-DS-ConsistencyGuid", "ZnJvbSBhbm90aGVyIGZvcg==", b64("b"), ""},
		{"employeeID", "MTc=", "", "it has no value in the anchor attribute employeeID"},
	} {
		o := adOptions()
		o.AnchorAttribute = c.attribute
		got := read(t, agent.NewSource(f, o), dirsync.Ask{Kind: dirsync.KindDirectory})
		if a, b := got.by("a"), got.by("b"); a.Anchor != c.a || b.Anchor != c.b || b.Error != c.bError || a.Error != "" {
			t.Errorf("%s: %q, %q %q", c.attribute, a.Anchor, b.Anchor, b.Error)
		}
	}
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	broken := errors.New("hung up")
	try := func(f *forest, o agent.SourceOptions, kind dirsync.Kind) error {
		_, err := tryRead(t, agent.NewSource(f, o), dirsync.Ask{Kind: kind})
		return err
	}
	alice := []onprem.Entry{human("CN=Alice,OU=Synced,DC=corp", "alice")}
	if err := try(&forest{err: broken, entries: alice}, adOptions(), dirsync.KindDirectory); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if err := try(&forest{}, adOptions(), dirsync.KindDirectory); !errors.Is(err, onprem.ErrNotFound) || !strings.Contains(err.Error(), "sync.scope") {
		t.Errorf("a scope that isn't there: %v", err)
	}
	without := adOptions()
	without.HashAttribute = ""
	if err := try(&forest{entries: alice}, without, dirsync.KindHash); err == nil {
		t.Error("hashes without a source of them")
	}
	if err := try(&forest{entries: alice}, adOptions(), "cook"); err == nil {
		t.Error("an unknown kind")
	}
	if err := try(&forest{entries: alice}, adOptions(), dirsync.KindDirectory); err != nil {
		t.Errorf("positive control: %v", err)
	}
	stop := errors.New("enough")
	err := agent.NewSource(&forest{entries: alice}, adOptions()).Read(t.Context(), dirsync.Ask{Kind: dirsync.KindDirectory}, func(dirsync.Part) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("%v, want what the caller said", err)
	}
}

// What the directory holds that is no text stays apart from what is sent on.
func TestNoHashIsReadWithTheDirectory(t *testing.T) {
	f := &forest{at: "start", entries: []onprem.Entry{human("CN=Alice,OU=Synced,DC=corp", "alice", "fourwaysNTHash", ntHex)}}
	for _, kind := range []dirsync.Kind{dirsync.KindDirectory, dirsync.KindChanges, dirsync.KindLook} {
		read(t, agent.NewSource(f, adOptions()), dirsync.Ask{Kind: kind, Name: "alice"})
	}
	for _, name := range f.asked {
		if strings.EqualFold(name, "fourwaysNTHash") {
			t.Fatal("a hash was asked for")
		}
	}
	read(t, agent.NewSource(f, adOptions()), dirsync.Ask{Kind: dirsync.KindHash})
	if !bytes.Contains([]byte(strings.Join(f.asked, " ")), []byte("fourwaysNTHash")) {
		t.Error("positive control: a hash run asks for it")
	}
}

func TestOpenLDAPBecomesObjects(t *testing.T) {
	ldap := func(dn, uuid, classes string, attrs ...string) onprem.Entry {
		e := entry(dn, uuid, classes, attrs...)
		e.Attrs["entryUUID"] = [][]byte{[]byte("text of " + uuid)}
		return e
	}
	f := &forest{at: "start", entries: []onprem.Entry{
		ldap("uid=bob,ou=people,dc=x", "bob", "inetOrgPerson person", "uid", "bob", "mail", "bob@x.test", "cn", "Bob", "pwdChangedTime", "20250402050000Z"),
		ldap("uid=new,ou=people,dc=x", "new", "inetOrgPerson person", "uid", "new", "mail", "new@x.test", "pwdReset", "TRUE", "sambaPwdLastSet", "1743570000"),
		ldap("cn=all,ou=groups,dc=x", "all", "groupOfNames", "cn", "all", "member", "uid=bob,ou=people,dc=x"),
		ldap("ou=people,dc=x", "ou", "organizationalUnit"),
	}}
	o := agent.SourceOptions{Kind: onprem.LDAP, Scope: []string{"dc=x"}, CloudUPN: "mail", BindUPN: "mail", AnchorAttribute: "entryUUID"}
	got := read(t, agent.NewSource(f, o), dirsync.Ask{Kind: dirsync.KindDirectory})
	if got.names() != "all bob new" {
		t.Fatal(got.names())
	}
	set := time.Date(2025, 4, 2, 5, 0, 0, 0, time.UTC)
	if b := got.by("bob"); !b.Enabled || b.MustChange || !b.PasswordAt.Equal(set) || b.SAM != "bob" || b.Anchor != "dGV4dCBvZiBib2I=" {
		t.Errorf("%+v", b)
	}
	if n := got.by("new"); !n.MustChange || !n.PasswordAt.Equal(set) {
		t.Errorf("%+v", n)
	}
	if g := got.by("all"); g.DisplayName != "all" || len(g.Members) != 1 || g.Members[0] != got.by("bob").Ref {
		t.Errorf("%+v", g)
	}
}
