package dc_test

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/fourways-id/fourways/internal/lab/dc"
)

func search(scope int, from, filter string, attrs ...string) *ldap.SearchRequest {
	return ldap.NewSearchRequest(from, scope, ldap.NeverDerefAliases, 0, 0, false, filter, attrs, nil)
}

// names are the leaf names of what a search finds, sorted.
func names(t *testing.T, c *ldap.Conn, req *ldap.SearchRequest) string {
	t.Helper()
	res, err := c.Search(req)
	if err != nil {
		t.Fatalf("%s: %v", req.Filter, err)
	}
	var found []string
	for _, e := range res.Entries {
		_, leaf, _ := strings.Cut(strings.Split(e.DN, ",")[0], "=")
		found = append(found, leaf)
	}
	sort.Strings(found)
	return strings.Join(found, " ")
}

func TestStrangersReadTheRootDSEOnly(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil))
	c := l.plain(t)
	res, err := c.Search(search(ldap.ScopeBaseObject, "", "(objectClass=*)"))
	if err != nil || len(res.Entries) != 1 {
		t.Fatalf("rootDSE: %v", err)
	}
	root := res.Entries[0]
	if root.GetAttributeValue("defaultNamingContext") != base || root.GetAttributeValue("highestCommittedUSN") == "" ||
		!slices.Contains(root.GetAttributeValues("supportedControl"), "1.2.840.113556.1.4.319") ||
		!slices.Contains(root.GetAttributeValues("supportedExtension"), "1.3.6.1.4.1.1466.20037") {
		t.Errorf("rootDSE: %+v", root)
	}
	if _, err := c.Search(search(ldap.ScopeWholeSubtree, base, "(objectClass=*)")); code(err) != ldap.LDAPResultOperationsError {
		t.Errorf("a stranger's search: %v, want operationsError", err)
	}
	if _, err := c.Compare("CN=alice,"+people, "sn", "x"); code(err) != ldap.LDAPResultOperationsError {
		t.Errorf("a stranger's compare: %v, want operationsError", err)
	}
	if got := names(t, l.as(t, "alice@pta.example.test", password), search(ldap.ScopeSingleLevel, people, "(objectClass=*)")); got != "alice" {
		t.Errorf("control: %q", got)
	}
}

func TestFilters(t *testing.T) {
	l := start(t)
	l.seed(t,
		user("alice", map[string]string{"telephoneNumber": "+49 30 1"}),
		user("bob", map[string]string{"userAccountControl": "514", "manager": "CN=alice," + people}),
		user("carol", map[string]string{"displayName": "Ca(rol) *Star*"}),
		dc.Entry{DN: "CN=Pilot," + people, Attrs: map[string][]string{"objectClass": {"group"}, "member": {"CN=bob," + people}}},
	)
	c := l.asAdmin(t)
	for filter, want := range map[string]string{
		"(objectClass=*)":         "Pilot Synced alice bob carol",
		"(objectClass=USER)":      "alice bob carol",
		"(sAMAccountName=ALICE)":  "alice",
		"(objectCategory=person)": "alice bob carol",
		"(objectCategory=group)":  "Pilot",
		"(!(objectClass=user))":   "Pilot Synced",
		"(|(cn=alice)(cn=bob))":   "alice bob",
		"(&(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))": "alice carol",
		"(userAccountControl:1.2.840.113556.1.4.803:=514)":                       "bob",
		"(userAccountControl:1.2.840.113556.1.4.804:=3)":                         "bob",
		"(userAccountControl:1.2.840.113556.1.4.804:=514)":                       "alice bob carol",
		"(userAccountControl>=513)":                                              "bob",
		"(userAccountControl<=512)":                                              "alice carol",
		"(userAccountControl>=99)":                                               "alice bob carol", // as numbers, not as text
		"(displayName=*test)":                                                    "alice bob",
		"(displayName=a*e*st)":                                                   "alice",
		"(displayName=*TEST*)":                                                   "alice bob",
		"(displayName=alice*alice*)":                                             "",
		`(displayName=Ca\28rol\29 \2aStar\2a)`:                                   "carol",
		"(telephoneNumber=*)":                                                    "alice",
		"(!(telephoneNumber=*))":                                                 "Pilot Synced bob carol",
		"(memberOf=cn=PILOT, " + people + ")":                                    "bob",
		"(member=CN=bob," + people + ")":                                         "Pilot",
		"(manager=cn=Alice," + people + ")":                                      "bob",
		"(cn:=alice)":                                                            "alice",
		"(cn:1.2.3.4:=alice)":                                                    "",       // a rule nobody knows: undefined
		"(!(cn:1.2.3.4:=alice))":                                                 "Synced", // ... and so is its negation, but for the unit, which has no cn
		"(unicodePwd=*)":                                                         "",
		"(!(unicodePwd=*))":                                                      "",
		"(distinguishedName=CN=alice," + people + ")":                            "alice",
	} {
		if got := names(t, c, search(ldap.ScopeWholeSubtree, people, filter)); got != want {
			t.Errorf("%s finds %q, want %q", filter, got, want)
		}
	}
}

func TestScopesAndNames(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil), dc.Entry{DN: "OU=Sub," + people, Attrs: map[string][]string{"objectClass": {"organizationalUnit"}}})
	c := l.asAdmin(t)
	for scope, want := range map[int]string{
		ldap.ScopeBaseObject: "Synced", ldap.ScopeSingleLevel: "Sub alice", ldap.ScopeWholeSubtree: "Sub Synced alice",
	} {
		if got := names(t, c, search(scope, strings.ToLower(people), "(objectClass=*)")); got != want {
			t.Errorf("scope %d finds %q, want %q", scope, got, want)
		}
	}
	if _, err := c.Search(search(0, "OU=Gone,"+base, "(objectClass=*)")); code(err) != ldap.LDAPResultNoSuchObject {
		t.Errorf("no such base: %v", err)
	}
	if _, err := c.Search(search(0, "gibberish", "(objectClass=*)")); code(err) != ldap.LDAPResultInvalidDNSyntax {
		t.Errorf("no name: %v", err)
	}
	res, err := c.Search(search(ldap.ScopeWholeSubtree, base, "(cn=alice)"))
	if err != nil || len(res.Referrals) != 1 || !strings.Contains(res.Referrals[0], "CN=Configuration,") {
		t.Errorf("a search from the top names the configuration partition: %v %+v", err, res)
	}
}

func TestAttributeSelection(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil))
	c := l.asAdmin(t)
	one := func(attrs ...string) *ldap.Entry {
		res, err := c.Search(search(ldap.ScopeBaseObject, "CN=alice,"+people, "(objectClass=*)", attrs...))
		if err != nil || len(res.Entries) != 1 {
			t.Fatalf("%v: %v", attrs, err)
		}
		return res.Entries[0]
	}
	if e := one("SAMACCOUNTNAME", "mail"); len(e.Attributes) != 1 || e.Attributes[0].Name != "sAMAccountName" {
		t.Errorf("named: %+v", e.Attributes)
	}
	if e := one("1.1"); len(e.Attributes) != 0 {
		t.Errorf("none: %+v", e.Attributes)
	}
	e := one()
	if len(e.GetRawAttributeValue("objectGUID")) != 16 || len(e.GetRawAttributeValue("objectSid")) != 28 ||
		e.GetAttributeValue("uSNChanged") == "" || e.GetAttributeValue("whenChanged") != "20250402103000.0Z" ||
		e.GetAttributeValue("distinguishedName") != "CN=alice,"+people {
		t.Errorf("all: %+v", e.Attributes)
	}
	for _, a := range e.Attributes {
		if strings.EqualFold(a.Name, "unicodePwd") || strings.EqualFold(a.Name, dc.AttrNTHash) {
			t.Errorf("%s came without being asked for", a.Name)
		}
	}
}

func TestPagesAndLimits(t *testing.T) {
	l := start(t)
	var many []dc.Entry
	for i := range 1100 {
		many = append(many, user(fmt.Sprintf("u%04d", i), nil))
	}
	l.seed(t, many...)
	c := l.asAdmin(t)
	res, err := c.SearchWithPaging(search(ldap.ScopeSingleLevel, people, "(objectClass=user)", "cn"), 300)
	if err != nil || len(res.Entries) != 1100 {
		t.Errorf("paged: %d entries, %v", len(res.Entries), err)
	}
	res, err = c.Search(search(ldap.ScopeSingleLevel, people, "(objectClass=user)", "cn"))
	if code(err) != ldap.LDAPResultSizeLimitExceeded || len(res.Entries) != 1000 {
		t.Errorf("without pages: %d entries, %v", len(res.Entries), err)
	}
	limited := search(ldap.ScopeSingleLevel, people, "(objectClass=user)", "cn")
	limited.SizeLimit = 5
	if res, err = c.Search(limited); code(err) != ldap.LDAPResultSizeLimitExceeded || len(res.Entries) != 5 {
		t.Errorf("size limit 5: %d entries, %v", len(res.Entries), err)
	}
	stale := search(ldap.ScopeSingleLevel, people, "(objectClass=user)", "cn")
	stale.Controls = []ldap.Control{&ldap.ControlPaging{PagingSize: 10, Cookie: []byte("made up")}}
	if _, err = c.Search(stale); code(err) != ldap.LDAPResultUnwillingToPerform {
		t.Errorf("a made-up cookie: %v", err)
	}
}

func TestTheHashIsThereForTheSyncReaderAlone(t *testing.T) {
	l := start(t, func(o *dc.Options) { o.AllowPlain = true })
	l.seed(t, user("alice", nil))
	const dn = "CN=alice," + people
	// Computed independently: printf Spring-2025! | iconv -t utf-16le | openssl dgst -provider legacy -md4.
	const ntHashOfDemoPassword = "5977bef8f227484fb0245b720885f7b0"
	req := search(ldap.ScopeBaseObject, dn, "(objectClass=*)", dc.AttrNTHash, "cn")
	hashOf := func(c *ldap.Conn) []byte {
		res, err := c.Search(req)
		if err != nil || res.Entries[0].GetAttributeValue("cn") != "alice" {
			t.Fatal(err)
		}
		return res.Entries[0].GetRawAttributeValue(dc.AttrNTHash)
	}
	reader := l.as(t, `CORP\svc-sync`, syncPw)
	if got := fmt.Sprintf("%x", hashOf(reader)); got != ntHashOfDemoPassword {
		t.Errorf("the sync reader gets %s", got)
	}
	if got := names(t, reader, search(2, people, "("+dc.AttrNTHash+"=*)")); got != "alice" {
		t.Errorf("the sync reader's filter finds %q", got)
	}
	plain := l.plain(t)
	if err := plain.Bind(`CORP\svc-sync`, syncPw); err != nil {
		t.Fatal(err)
	}
	for who, c := range map[string]*ldap.Conn{"administrator": l.asAdmin(t), "alice": l.as(t, "alice@pta.example.test", password), "sync reader without TLS": plain} {
		if h := hashOf(c); len(h) != 0 {
			t.Errorf("%s gets %x", who, h)
		}
		for _, filter := range []string{"(%s=*)", "(!(%s=*))", "(!(%s=x))", "(%s>=\x00)", "(%s=a*)", "(|(%s=*)(cn=nobody))"} {
			if got := names(t, c, search(2, people, fmt.Sprintf(filter, dc.AttrNTHash))); got != "" {
				t.Errorf("%s: filter %s tells of %q", who, filter, got)
			}
		}
		if _, err := c.Compare(dn, dc.AttrNTHash, "x"); code(err) != ldap.LDAPResultNoSuchAttribute {
			t.Errorf("%s: compare answers %v", who, err)
		}
	}
	m := ldap.NewModifyRequest(dn, nil)
	m.Replace(dc.AttrNTHash, []string{strings.Repeat("x", 16)})
	if err := l.asAdmin(t).Modify(m); code(err) != ldap.LDAPResultUnwillingToPerform {
		t.Errorf("writing a hash: %v", err)
	}
}

func TestOtherOperationsAreAnsweredAndTheConnectionKept(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil))
	c := l.as(t, "alice@pta.example.test", password)
	me, err := c.WhoAmI(nil)
	if err != nil || me.AuthzID != `u:CORP\alice` {
		t.Errorf("who am I: %v %+v", err, me)
	}
	for value, want := range map[string]bool{"ALICE TEST": true, "bob": false} {
		if got, err := c.Compare("CN=alice,"+people, "displayName", value); err != nil || got != want {
			t.Errorf("compare with %q: %v %v", value, got, err)
		}
	}
	if _, err := c.PasswordModify(ldap.NewPasswordModifyRequest("", "", "x")); code(err) != ldap.LDAPResultProtocolError {
		t.Errorf("unknown extended operation: %v", err)
	}
	if err := c.MD5Bind("127.0.0.1", "alice", password); code(err) != ldap.LDAPResultAuthMethodNotSupported {
		t.Errorf("SASL: %v", err)
	}
	if err := c.Bind("alice@pta.example.test", password); err != nil {
		t.Fatal(err)
	}
	critical := search(0, base, "(objectClass=*)")
	critical.Controls = []ldap.Control{ldap.NewControlString("1.2.3.4.5", true, "")}
	if _, err := c.Search(critical); code(err) != ldap.LDAPResultUnavailableCriticalExtension {
		t.Errorf("unknown critical control: %v", err)
	}
	critical.Controls = []ldap.Control{ldap.NewControlString("1.2.3.4.5", false, "")}
	if _, err := c.Search(critical); err != nil {
		t.Errorf("unknown control that isn't critical: %v", err)
	}
}
