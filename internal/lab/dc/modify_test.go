package dc_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/fourways-id/fourways/internal/lab/dc"
)

// replace is a modify of one attribute.
func replace(dn, attr string, vals ...string) *ldap.ModifyRequest {
	m := ldap.NewModifyRequest(dn, nil)
	m.Replace(attr, vals)
	return m
}

func TestOnlyTheAdministratorChangesAnything(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil))
	const dn = "CN=alice," + people
	add := ldap.NewAddRequest("CN=eve,"+people, nil)
	add.Attribute("objectClass", []string{"user"})
	changes := map[string]func(*ldap.Conn) error{
		"modify": func(c *ldap.Conn) error { return c.Modify(replace(dn, "title", "Boss")) },
		"add":    func(c *ldap.Conn) error { return c.Add(add) },
		"rename": func(c *ldap.Conn) error { return c.ModifyDN(ldap.NewModifyDNRequest(dn, "CN=alice2", true, "")) },
		"delete": func(c *ldap.Conn) error { return c.Del(ldap.NewDelRequest("CN=alice2,"+people, nil)) },
	}
	alice, reader, stranger := l.as(t, "alice@pta.example.test", password), l.as(t, `CORP\svc-sync`, syncPw), l.dial(t)
	for _, what := range []string{"modify", "add", "rename", "delete"} {
		do := changes[what]
		if err := do(alice); code(err) != ldap.LDAPResultInsufficientAccessRights {
			t.Errorf("%s by alice: %v", what, err)
		}
		if err := do(reader); code(err) != ldap.LDAPResultInsufficientAccessRights {
			t.Errorf("%s by the sync reader: %v", what, err)
		}
		if err := do(stranger); code(err) != ldap.LDAPResultOperationsError {
			t.Errorf("%s by a stranger: %v", what, err)
		}
		if err := do(l.asAdmin(t)); err != nil {
			t.Errorf("%s by the administrator: %v", what, err)
		}
	}
}

func TestPasswordsAreSetOverTLSOnly(t *testing.T) {
	l := start(t, func(o *dc.Options) { o.AllowPlain = true })
	l.seed(t, user("alice", nil))
	const dn = "CN=alice," + people
	plain := l.plain(t)
	if err := plain.Bind(`CORP\Administrator`, adminPw); err != nil {
		t.Fatal(err)
	}
	if err := plain.Modify(replace(dn, "unicodePwd", quoted("Summer-2025!"))); code(err) != ldap.LDAPResultUnwillingToPerform {
		t.Errorf("without TLS: %v", err)
	}
	admin, conn := l.asAdmin(t), l.dial(t)
	for name, value := range map[string]string{"without quotes": quoted("Summer")[2:], "not UTF-16": `"Summer-2025!"`[1:], "empty": quoted(""), "odd": "abc"} {
		if err := admin.Modify(replace(dn, "unicodePwd", value)); code(err) != ldap.LDAPResultUnwillingToPerform {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := admin.Modify(replace(dn, "userPassword", "Summer-2025!")); code(err) != ldap.LDAPResultUnwillingToPerform {
		t.Errorf("userPassword: %v", err)
	}
	wantData(t, "the old one still holds", conn.Bind("alice@pta.example.test", password), "")
	if err := admin.Modify(replace(dn, "unicodePwd", quoted("Sümmer-2025!"))); err != nil {
		t.Fatal(err)
	}
	wantData(t, "the old one", conn.Bind("alice@pta.example.test", password), "52e")
	wantData(t, "the new one", conn.Bind("alice@pta.example.test", "Sümmer-2025!"), "")
	reset := replace(dn, "unicodePwd", quoted("Welcome-2025!"))
	reset.Replace("pwdLastSet", []string{"0"})
	if err := admin.Modify(reset); err != nil {
		t.Fatal(err)
	}
	wantData(t, "a temporary one", conn.Bind("alice@pta.example.test", "Welcome-2025!"), "773")
}

func TestTheDirectoryKeepsItsOwnAttributes(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil), user("bob", nil))
	const dn = "CN=alice," + people
	admin := l.asAdmin(t)
	for name, c := range map[string]struct {
		req  *ldap.ModifyRequest
		want int
	}{
		"objectGUID":               {replace(dn, "objectGUID", strings.Repeat("x", 16)), ldap.LDAPResultUnwillingToPerform},
		"badPwdCount":              {replace(dn, "badPwdCount", "0"), ldap.LDAPResultUnwillingToPerform},
		"the name":                 {replace(dn, "cn", "eve"), ldap.LDAPResultNotAllowedOnRDN},
		"the class":                {replace(dn, "objectClass", "group"), ldap.LDAPResultUnwillingToPerform},
		"a lock by decree":         {replace(dn, "lockoutTime", "1"), ldap.LDAPResultUnwillingToPerform},
		"a password's age":         {replace(dn, "pwdLastSet", "1"), ldap.LDAPResultUnwillingToPerform},
		"no number":                {replace(dn, "userAccountControl", "many"), ldap.LDAPResultInvalidAttributeSyntax},
		"two values of one":        {replace(dn, "displayName", "a", "b"), ldap.LDAPResultConstraintViolation},
		"hours of another length":  {replace(dn, "logonHours", "x"), ldap.LDAPResultConstraintViolation},
		"somebody else's UPN":      {replace(dn, "userPrincipalName", "BOB@pta.example.test"), ldap.LDAPResultConstraintViolation},
		"somebody else's sam name": {replace(dn, "sAMAccountName", "bob"), ldap.LDAPResultEntryAlreadyExists},
		"nobody there":             {replace("CN=gone,"+people, "title", "x"), ldap.LDAPResultNoSuchObject},
		"control":                  {replace(dn, "title", "Boss"), 0},
	} {
		if err := admin.Modify(c.req); code(err) != c.want {
			t.Errorf("%s: %v, want code %d", name, err, c.want)
		}
	}
	half := replace(dn, "title", "Half")
	half.Replace("objectGUID", []string{"x"})
	_ = admin.Modify(half)
	if got := names(t, admin, search(2, people, "(title=Half)")); got != "" {
		t.Error("a refused request was carried out in part")
	}
}

func TestChangesMoveTheUpdateSequenceNumber(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil), user("bob", nil))
	admin := l.asAdmin(t)
	res, err := admin.Search(search(0, "", "(objectClass=*)", "highestCommittedUSN"))
	if err != nil {
		t.Fatal(err)
	}
	since := "(uSNChanged>=" + res.Entries[0].GetAttributeValue("highestCommittedUSN") + "1)" // far above
	if got := names(t, admin, search(2, people, since)); got != "" {
		t.Errorf("before: %q", got)
	}
	since = "(!(uSNChanged<=" + res.Entries[0].GetAttributeValue("highestCommittedUSN") + "))"
	_ = l.dial(t).Bind("bob@pta.example.test", "wrong") // a count that doesn't replicate
	if got := names(t, admin, search(2, people, since)); got != "" {
		t.Errorf("after a wrong password: %q", got)
	}
	if err := admin.Modify(replace("CN=alice,"+people, "title", "Boss")); err != nil {
		t.Fatal(err)
	}
	if got := names(t, admin, search(2, people, since)); got != "alice" {
		t.Errorf("after a change: %q", got)
	}
}

func TestGroupsFollowTheirMembers(t *testing.T) {
	l := start(t)
	pilot := dc.Entry{DN: "CN=Pilot," + people, Attrs: map[string][]string{"objectClass": {"group"}, "member": {"CN=alice," + people, "CN=bob," + people}}}
	sub := dc.Entry{DN: "OU=Sub," + people, Attrs: map[string][]string{"objectClass": {"organizationalUnit"}}}
	l.seed(t, pilot, user("alice", nil), user("bob", nil), sub)
	admin := l.asAdmin(t)
	const memberOf = "(memberOf=CN=Pilot," + people + ")"
	if err := admin.ModifyDN(ldap.NewModifyDNRequest("CN=alice,"+people, "CN=Alicia", true, "OU=Sub,"+people)); err != nil {
		t.Fatal(err)
	}
	if got := names(t, admin, search(2, base, memberOf)); got != "Alicia bob" {
		t.Errorf("after a rename: %q", got)
	}
	if err := admin.ModifyDN(ldap.NewModifyDNRequest("OU=Sub,"+people, "OU=Under", true, base)); err != nil {
		t.Fatal(err)
	}
	if got := names(t, admin, search(2, "OU=Under,"+base, memberOf)); got != "Alicia" {
		t.Errorf("after the unit was moved: %q", got)
	}
	wantData(t, "moved and renamed", l.dial(t).Bind("alice@pta.example.test", password), "")
	if err := admin.Del(ldap.NewDelRequest("OU=Under,"+base, nil)); code(err) != ldap.LDAPResultNotAllowedOnNonLeaf {
		t.Errorf("deleting a unit with people: %v", err)
	}
	if err := admin.Del(ldap.NewDelRequest("CN=bob,"+people, nil)); err != nil {
		t.Fatal(err)
	}
	if got := names(t, admin, search(2, base, "(member=CN=bob,"+people+")")); got != "" {
		t.Errorf("a deleted member is still in %q", got)
	}
	gone := ldap.NewModifyRequest("CN=Pilot,"+people, nil)
	gone.Add("member", []string{"CN=nobody," + people})
	if err := admin.Modify(gone); code(err) != ldap.LDAPResultNoSuchObject {
		t.Errorf("a member that isn't there: %v", err)
	}
}

func TestTheDomainOutlivesARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dc.json")
	withFile := func(o *dc.Options) { o.File = file }
	l := start(t, withFile)
	if !l.Empty() {
		t.Error("a new domain has people")
	}
	l.seed(t, user("alice", nil), user("carol", nil))
	if l.Empty() {
		t.Error("a seeded domain has none")
	}
	if err := l.asAdmin(t).Modify(replace("CN=alice,"+people, "unicodePwd", quoted("Summer-2025!"))); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_ = l.dial(t).Bind("carol@pta.example.test", "wrong")
	}
	// What has been answered is on disk already: the second server starts from it while the first still runs.
	again := start(t, withFile)
	wantData(t, "the new password", again.dial(t).Bind("alice@pta.example.test", "Summer-2025!"), "")
	wantData(t, "the lock", again.dial(t).Bind("carol@pta.example.test", password), "775")
	guid := func(l *lab) string {
		res, err := l.asAdmin(t).Search(search(0, "CN=alice,"+people, "(objectClass=*)", "objectGUID"))
		if err != nil {
			t.Fatal(err)
		}
		return string(res.Entries[0].GetRawAttributeValue("objectGUID"))
	}
	if guid(l) != guid(again) {
		t.Error("alice is another object after a restart")
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v", info.Mode(), err)
	}
	body, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(body), "Summer-2025!") || strings.Contains(string(body), adminPw) {
		t.Errorf("the file holds a password: %v", err)
	}
}

func TestSeedUpdatesWhatIsThere(t *testing.T) {
	l := start(t)
	guid := strings.Repeat("g", 16)
	alice := user("alice", map[string]string{"objectGUID": guid, "title": "Clerk"})
	l.seed(t, alice)
	if err := l.Seed([]dc.Entry{{DN: alice.DN, Attrs: map[string][]string{"userAccountControl": {"514"}}}}); err != nil {
		t.Fatal(err)
	}
	wantData(t, "disabled by a second seed", l.dial(t).Bind("alice@pta.example.test", password), "533")
	if got := names(t, l.asAdmin(t), search(2, people, "(&(title=Clerk)(objectGUID="+guid+"))")); got != "alice" {
		t.Errorf("the other attributes: %q", got)
	}
	if err := l.Seed([]dc.Entry{{DN: "CN=eve,OU=Nowhere," + base, Attrs: map[string][]string{"objectClass": {"user"}}}}); err == nil || !strings.Contains(err.Error(), "CN=eve") {
		t.Errorf("an entry without a parent: %v", err)
	}
}

func TestOptionsThatCannotWork(t *testing.T) {
	good := dc.Options{Domain: "corp.example.test", NetBIOS: "CORP", Admin: dc.Account{Name: "a", Password: "b"}, Clock: &clock{at: wednesday}}
	foreign := filepath.Join(t.TempDir(), "dc.json")
	if err := os.WriteFile(foreign, []byte(`{"version":1,"domain":"other.example.test"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*dc.Options){
		"no domain":         func(o *dc.Options) { o.Domain = "" },
		"no administrator":  func(o *dc.Options) { o.Admin.Password = "" },
		"no clock":          func(o *dc.Options) { o.Clock = nil },
		"another's file":    func(o *dc.Options) { o.File = foreign },
		"no such directory": func(o *dc.Options) { o.File = filepath.Join(foreign, "x") },
		"no such address":   func(o *dc.Options) { o.Listen = "256.0.0.1:1" },
	} {
		bad := good
		change(&bad)
		if s, err := dc.Start(t.Context(), bad); err == nil {
			_ = s.Close()
			t.Errorf("%s: started all the same", name)
		}
	}
	s, err := dc.Start(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
