package dc_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/fourways-id/fourways/internal/lab/dc"
)

// one is the only entry that a search finds.
func one(t *testing.T, c *ldap.Conn, req *ldap.SearchRequest) *ldap.Entry {
	t.Helper()
	res, err := c.Search(req)
	if err != nil || len(res.Entries) != 1 {
		t.Fatalf("%s %s: %v, %v", req.BaseDN, req.Filter, res, err)
	}
	return res.Entries[0]
}

// deleted is a search that finds tombstones too.
func deleted(scope int, from, filter string, attrs ...string) *ldap.SearchRequest {
	req := search(scope, from, filter, attrs...)
	req.Controls = []ldap.Control{ldap.NewControlMicrosoftShowDeleted()}
	return req
}

func unit(name string) dc.Entry {
	return dc.Entry{DN: "OU=" + name + "," + people, Attrs: map[string][]string{"objectClass": {"organizationalUnit"}}}
}

func group(name string, members ...string) dc.Entry {
	e := dc.Entry{DN: "CN=" + name + "," + people, Attrs: map[string][]string{"objectClass": {"group"}, "sAMAccountName": {name}}}
	for _, m := range members {
		e.Attrs["member"] = append(e.Attrs["member"], "CN="+m+","+people)
	}
	return e
}

func invocation(t *testing.T, c *ldap.Conn) []byte {
	t.Helper()
	root := one(t, c, search(0, "", "(objectClass=*)", "dsServiceName"))
	return one(t, c, search(0, root.GetAttributeValue("dsServiceName"), "(objectClass=*)", "invocationId")).GetRawAttributeValue("invocationId")
}

func TestTheDatabaseSaysWhichItIs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dc.json")
	l := start(t, func(o *dc.Options) { o.File = file })
	admin := l.asAdmin(t)
	id := invocation(t, admin)
	if len(id) != 16 {
		t.Fatalf("invocationId %x", id)
	}
	again := start(t, func(o *dc.Options) { o.File = file })
	if got := invocation(t, again.asAdmin(t)); !bytes.Equal(got, id) {
		t.Errorf("after a restart it is %x, was %x", got, id)
	}
	if other := invocation(t, start(t).asAdmin(t)); bytes.Equal(other, id) {
		t.Error("another domain has the same invocationId")
	}
	if got := names(t, admin, search(2, base, "(invocationId=*)")); got != "" {
		t.Errorf("a search of the domain finds %q of the configuration partition", got)
	}
	root := one(t, admin, search(0, "", "(objectClass=*)", "dsServiceName", "supportedControl"))
	if got := fmt.Sprint(root.GetAttributeValues("supportedControl")); !strings.Contains(got, ldap.ControlTypeDirSync) || !strings.Contains(got, ldap.ControlTypeMicrosoftShowDeleted) {
		t.Errorf("supportedControl: %s", got)
	}
	if _, err := l.dial(t).Search(search(0, root.GetAttributeValue("dsServiceName"), "(objectClass=*)")); code(err) != ldap.LDAPResultOperationsError {
		t.Errorf("a stranger reads the settings: %v", err)
	}
}

// What a Samba domain controller was seen to do: the object that changed counts as changed, and no other.
func TestWhatCountsAsAChange(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil), user("bob", nil), user("carol", nil), group("Pilot", "alice", "bob"), unit("Sub"), group("Empty"))
	admin := l.asAdmin(t)
	inSub := user("dan", nil)
	inSub.DN = "CN=dan,OU=Sub," + people
	if err := l.Seed([]dc.Entry{inSub}); err != nil {
		t.Fatal(err)
	}
	member := func(do func(*ldap.ModifyRequest)) error {
		m := ldap.NewModifyRequest("CN=Empty,"+people, nil)
		do(m)
		return admin.Modify(m)
	}
	wrong := func(times int) {
		for range times {
			wantData(t, "a wrong password", l.dial(t).Bind("carol@pta.example.test", "wrong"), "52e")
		}
	}
	for _, c := range []struct {
		what string
		do   func() error
		want string
	}{
		{"an attribute", func() error { return admin.Modify(replace("CN=alice,"+people, "title", "Boss")) }, "alice"},
		{"a password", func() error { return admin.Modify(replace("CN=alice,"+people, "unicodePwd", quoted("Summer-2025!"))) }, "alice"},
		{"must change", func() error { return admin.Modify(replace("CN=bob,"+people, "pwdLastSet", "0")) }, "bob"},
		{"a member comes", func() error {
			return member(func(m *ldap.ModifyRequest) { m.Add("member", []string{"CN=carol," + people}) })
		}, "Empty"},
		{"a member goes", func() error {
			return member(func(m *ldap.ModifyRequest) { m.Delete("member", []string{"CN=carol," + people}) })
		}, "Empty"},
		{"a wrong password", func() error { wrong(1); return nil }, ""},
		{"a lock", func() error { wrong(2); return nil }, "carol"},
		{"an unlock", func() error { return admin.Modify(replace("CN=carol,"+people, "lockoutTime", "0")) }, "carol"},
		{"a sign-in", func() error { return l.dial(t).Bind("carol@pta.example.test", password) }, ""},
		{"a member's new name", func() error {
			return admin.ModifyDN(ldap.NewModifyDNRequest("CN=alice,"+people, "CN=Alicia", true, ""))
		}, "Alicia"},
		{"a unit's new name", func() error { return admin.ModifyDN(ldap.NewModifyDNRequest("OU=Sub,"+people, "OU=Under", true, "")) }, "Under"},
		{"a unit's new place", func() error {
			return admin.ModifyDN(ldap.NewModifyDNRequest("OU=Under,"+people, "OU=Under", true, base))
		}, "Under"},
		{"an object's new place", func() error {
			return admin.ModifyDN(ldap.NewModifyDNRequest("CN=dan,OU=Under,"+base, "CN=dan", true, people))
		}, "dan"},
		{"a member's end", func() error { return admin.Del(ldap.NewDelRequest("CN=bob,"+people, nil)) }, "bob"},
	} {
		before := highest(t, admin)
		if err := c.do(); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		got := names(t, admin, deleted(2, base, fmt.Sprintf("(uSNChanged>=%d)", before+1)))
		if leaf, _, _ := strings.Cut(got, `\`); leaf != c.want {
			t.Errorf("%s counts as a change of %q, want %q", c.what, got, c.want)
		}
	}
	if got := names(t, admin, search(2, base, "(memberOf=CN=Pilot,"+people+")")); got != "Alicia" {
		t.Errorf("the members in the end: %q", got)
	}
}

func highest(t *testing.T, c *ldap.Conn) int64 {
	t.Helper()
	n, err := strconv.ParseInt(one(t, c, search(0, "", "(objectClass=*)", "highestCommittedUSN")).GetAttributeValue("highestCommittedUSN"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestADeletedObjectLeavesATombstone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dc.json")
	l := start(t, func(o *dc.Options) { o.File = file })
	alice := user("alice", map[string]string{"mail": "alice@example.test", "ms-DS-ConsistencyGuid": strings.Repeat("c", 16), "department": "IT"})
	l.seed(t, alice, user("bob", nil))
	admin := l.asAdmin(t)
	guid := one(t, admin, search(0, alice.DN, "(objectClass=*)", "objectGUID")).GetRawAttributeValue("objectGUID")
	byGUID := "(objectGUID=" + ldap.EscapeFilter(string(guid)) + ")"
	if err := admin.Del(ldap.NewDelRequest(alice.DN, nil)); err != nil {
		t.Fatal(err)
	}
	for _, filter := range []string{byGUID, "(sAMAccountName=alice)", "(isDeleted=TRUE)"} {
		if got := names(t, admin, search(2, base, filter)); got != "" {
			t.Errorf("without the control %s finds %q", filter, got)
		}
		if got := names(t, l.as(t, "bob@pta.example.test", password), deleted(2, base, filter)); got != "" {
			t.Errorf("who may not replicate finds %q by %s", got, filter)
		}
	}
	wantData(t, "the deleted account", l.dial(t).Bind(`CORP\alice`, password), "52e")

	for name, c := range map[string]*ldap.Conn{
		"the administrator": admin, "the sync reader": l.as(t, `CORP\svc-sync`, syncPw),
		"the administrator after a restart": start(t, func(o *dc.Options) { o.File = file }).asAdmin(t),
	} {
		grave := one(t, c, deleted(2, base, "(sAMAccountName=alice)"))
		if !strings.HasPrefix(grave.DN, `CN=alice\0ADEL:`) || !strings.HasSuffix(grave.DN, ",CN=Deleted Objects,"+base) ||
			!bytes.Equal(grave.GetRawAttributeValue("objectGUID"), guid) || grave.GetAttributeValue("isDeleted") != "TRUE" ||
			grave.GetAttributeValue("lastKnownParent") != people || len(grave.GetRawAttributeValue("objectSid")) == 0 {
			t.Errorf("%s sees %v", name, grave)
		}
		for _, attr := range []string{"mail", "userPrincipalName", "ms-DS-ConsistencyGuid", "department", "displayName", "pwdLastSet", "fourwaysNTHash"} {
			if got := grave.GetAttributeValue(attr); got != "" {
				t.Errorf("the tombstone has %s %q", attr, got)
			}
		}
		if got := one(t, c, deleted(0, grave.DN, byGUID)); got.DN != grave.DN {
			t.Errorf("by its name: %q", got.DN)
		}
		if got := names(t, c, deleted(0, "CN=Deleted Objects,"+base, "(isDeleted=TRUE)", "objectGUID")); got != "Deleted Objects" {
			t.Errorf("the container: %q", got)
		}
	}
	grave := one(t, admin, deleted(2, base, byGUID)).DN
	if err := admin.Modify(replace(grave, "title", "Ghost")); code(err) != ldap.LDAPResultNoSuchObject {
		t.Errorf("changing a tombstone: %v", err)
	}
	ghost := ldap.NewAddRequest("CN=ghost,CN=Deleted Objects,"+base, nil)
	ghost.Attribute("objectClass", []string{"user"})
	if err := admin.Add(ghost); code(err) != ldap.LDAPResultNoSuchObject {
		t.Errorf("adding a tombstone: %v", err)
	}

	if err := l.Seed([]dc.Entry{alice}); err != nil {
		t.Fatalf("the same name again: %v", err)
	}
	if again := one(t, admin, search(2, base, "(sAMAccountName=alice)", "objectGUID")); bytes.Equal(again.GetRawAttributeValue("objectGUID"), guid) {
		t.Error("the new alice is the old one")
	}
	wantData(t, "the new alice", l.dial(t).Bind("alice@pta.example.test", password), "")
}

func TestTombstonesEndAfterTheirLifetime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dc.json")
	l := start(t, func(o *dc.Options) { o.File = file })
	l.seed(t, user("alice", nil), user("bob", nil), user("carol", nil))
	admin := l.asAdmin(t)
	left := func(c *ldap.Conn) string {
		return names(t, c, deleted(2, base, "(&(isDeleted=TRUE)(sAMAccountName=*))"))
	}
	remove := func(name string) {
		t.Helper()
		if err := admin.Del(ldap.NewDelRequest("CN="+name+","+people, nil)); err != nil {
			t.Fatal(err)
		}
	}
	remove("alice")
	l.clock.advance(179 * 24 * time.Hour)
	remove("bob")
	if got := strings.Count(left(admin), "DEL:"); got != 2 {
		t.Errorf("within their lifetime %d tombstones are left, want 2", got)
	}
	l.clock.advance(25 * time.Hour)
	remove("carol")
	if got := left(admin); strings.Contains(got, "alice") || strings.Count(got, "DEL:") != 2 {
		t.Errorf("left are %q", got)
	}
	again := start(t, func(o *dc.Options) { o.File, o.Clock = file, &clock{at: wednesday.Add(400 * 24 * time.Hour)} })
	if got := left(again.asAdmin(t)); got != "" {
		t.Errorf("a start after their time leaves %q", got)
	}
}

func TestASmartCardTakesThePassword(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil))
	reader, admin := l.as(t, `CORP\svc-sync`, syncPw), l.asAdmin(t)
	const dn = "CN=alice," + people
	look := func() (string, string, string) {
		e := one(t, reader, search(0, dn, "(objectClass=*)", dc.AttrNTHash, "pwdLastSet", "uSNChanged"))
		return e.GetAttributeValue(dc.AttrNTHash), e.GetAttributeValue("pwdLastSet"), e.GetAttributeValue("uSNChanged")
	}
	hash, set, usn := look()
	if err := admin.Modify(replace(dn, "userAccountControl", "262656")); err != nil {
		t.Fatal(err)
	}
	newHash, newSet, newUSN := look()
	if newHash == hash || len(newHash) != 16 || newSet != set || newUSN == usn {
		t.Errorf("hash %x -> %x, pwdLastSet %s -> %s, uSNChanged %s -> %s", hash, newHash, set, newSet, usn, newUSN)
	}
	wantData(t, "the old password", l.dial(t).Bind("alice@pta.example.test", password), "52e")
	if err := admin.Modify(replace(dn, "unicodePwd", quoted("Summer-2025!"))); err != nil {
		t.Fatal(err)
	}
	wantData(t, "positive control, a new password", l.dial(t).Bind("alice@pta.example.test", "Summer-2025!"), "")
}

func TestWhatTheDomainIsMadeOfIsMarked(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil))
	admin := l.asAdmin(t)
	const critical = "(&(objectClass=user)(isCriticalSystemObject=TRUE))"
	if got := names(t, admin, search(2, base, critical)); got != "Administrator Guest krbtgt" {
		t.Errorf("critical are %q", got)
	}
	if got := names(t, admin, search(2, base, "(&(objectClass=user)(!(isCriticalSystemObject=TRUE)))")); got != "alice svc-sync" {
		t.Errorf("positive control: %q", got)
	}
	if err := admin.Modify(replace("CN=alice,"+people, "isCriticalSystemObject", "TRUE")); code(err) != ldap.LDAPResultUnwillingToPerform {
		t.Errorf("marking somebody: %v", err)
	}
	wantData(t, "krbtgt", l.dial(t).Bind(`CORP\krbtgt`, password), "52e")
}

func TestTheAttributesOfASynchronisation(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil))
	admin := l.asAdmin(t)
	const dn = "CN=alice," + people
	for attr, value := range map[string]string{
		"adminDescription": "PHSFiltered", "ms-DS-ConsistencyGuid": strings.Repeat("\x01\xff", 8), "msDS-ExternalDirectoryObjectID": "User_1",
		"department": "IT", "title": "Boss", "description": "Somebody", "mailNickname": "alice", "msExchUsageLocation": "DE", "c": "DE",
	} {
		if err := admin.Modify(replace(dn, attr, value, value+"2")); code(err) != ldap.LDAPResultConstraintViolation {
			t.Errorf("two values of %s: %v", attr, err)
		}
		if err := admin.Modify(replace(dn, attr, value)); err != nil {
			t.Errorf("%s: %v", attr, err)
		}
		same := strings.ToUpper(value)
		if attr == "ms-DS-ConsistencyGuid" { // octets
			same = value
		}
		if got := names(t, admin, search(2, people, "("+attr+"="+ldap.EscapeFilter(same)+")")); got != "alice" {
			t.Errorf("by %s: %q", attr, got)
		}
		if got := one(t, admin, search(0, dn, "(objectClass=*)", attr)).GetAttributeValue(attr); got != value {
			t.Errorf("%s: %q", attr, got)
		}
	}
	if err := admin.Modify(replace(dn, "proxyAddresses", "SMTP:a@example.test", "smtp:b@example.test")); err != nil {
		t.Errorf("two proxyAddresses: %v", err)
	}
	if got := names(t, admin, search(2, people, "(proxyAddresses=SMTP:B@example.test)")); got != "alice" {
		t.Errorf("by the second: %q", got)
	}
}
