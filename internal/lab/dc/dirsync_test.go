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

// followed is what one DirSync answer brings.
type followed struct {
	entries []*ldap.Entry
	more    bool
	cookie  []byte
}

func (f followed) names() string {
	var all []string
	for _, e := range f.entries {
		_, leaf, _ := strings.Cut(strings.Split(e.DN, ",")[0], "=")
		leaf, _, _ = strings.Cut(leaf, `\0ADEL:`)
		all = append(all, leaf)
	}
	sort.Strings(all)
	return strings.Join(all, " ")
}

func (f followed) named(leaf string) *ldap.Entry {
	i := slices.IndexFunc(f.entries, func(e *ldap.Entry) bool {
		return strings.HasPrefix(e.DN, "CN="+leaf) || strings.HasPrefix(e.DN, "OU="+leaf)
	})
	if i < 0 {
		return &ldap.Entry{}
	}
	return f.entries[i]
}

const somebody = "(|(objectClass=user)(objectClass=group)(objectClass=organizationalUnit))"

func follow(c *ldap.Conn, filter string, flags int64, size int64, cookie []byte, attrs ...string) (followed, error) {
	res, err := c.DirSync(search(2, base, filter, attrs...), flags, size, cookie)
	if err != nil {
		return followed{}, err
	}
	answer, ok := ldap.FindControl(res.Controls, ldap.ControlTypeDirSync).(*ldap.ControlDirSync)
	if !ok || len(answer.Cookie) == 0 {
		return followed{}, fmt.Errorf("an answer without a cookie: %v", res.Controls)
	}
	return followed{res.Entries, answer.Flags != 0, answer.Cookie}, nil
}

func mustFollow(t *testing.T, c *ldap.Conn, cookie []byte, attrs ...string) followed {
	t.Helper()
	f, err := follow(c, somebody, ldap.DirSyncAncestorsFirstOrder|ldap.DirSyncIncrementalValues, 1<<20, cookie, attrs...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDirSyncTellsWhatChanged(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil), user("bob", nil), user("carol", nil), group("Pilot", "alice"))
	admin, reader := l.asAdmin(t), l.as(t, `CORP\svc-sync`, syncPw)
	all := mustFollow(t, reader, nil)
	if got := all.names(); got != "Administrator Guest Pilot Synced alice bob carol krbtgt svc-sync" || all.more {
		t.Errorf("without a cookie: %q", got)
	}
	if again := mustFollow(t, reader, all.cookie); len(again.entries) != 0 || again.more || string(again.cookie) != string(all.cookie) {
		t.Errorf("when nothing has changed: %q", again.names())
	}
	if err := admin.Modify(replace("CN=alice,"+people, "title", "Boss")); err != nil {
		t.Fatal(err)
	}
	join := ldap.NewModifyRequest("CN=Pilot,"+people, nil)
	join.Add("member", []string{"CN=bob," + people})
	if err := admin.Modify(join); err != nil {
		t.Fatal(err)
	}
	if err := admin.Del(ldap.NewDelRequest("CN=carol,"+people, nil)); err != nil {
		t.Fatal(err)
	}
	changed := mustFollow(t, reader, all.cookie, "title", "member")
	if got := changed.names(); got != "Pilot alice carol" {
		t.Fatalf("with a cookie: %q", got)
	}
	alice, pilot, carol := changed.named("alice"), changed.named("Pilot"), changed.named("carol")
	if alice.GetAttributeValue("title") != "Boss" || alice.GetAttributeValue("displayName") != "" || alice.GetAttributeValue("isDeleted") != "" {
		t.Errorf("a changed person: %v", alice)
	}
	if got := len(pilot.GetAttributeValues("member")); got != 2 {
		t.Errorf("a changed group has %d members, want all 2", got)
	}
	if carol.GetAttributeValue("isDeleted") != "TRUE" || !strings.Contains(carol.DN, ",CN=Deleted Objects,") {
		t.Errorf("a deleted person: %v", carol)
	}
	up := one(t, admin, search(0, people, "(objectClass=*)", "objectGUID")).GetRawAttributeValue("objectGUID")
	for _, e := range changed.entries {
		if len(e.GetRawAttributeValue("objectGUID")) != 16 || e.GetAttributeValue("instanceType") != "4" || len(e.GetRawAttributeValue("parentGUID")) != 16 {
			t.Errorf("%s comes without its ids: %v", e.DN, e)
		}
		if e != carol && string(e.GetRawAttributeValue("parentGUID")) != string(up) {
			t.Errorf("%s has another parent than %s", e.DN, people)
		}
	}
	if rest := mustFollow(t, reader, changed.cookie); len(rest.entries) != 0 {
		t.Errorf("told twice: %q", rest.names())
	}
}

// The pages of a domain name everybody once, whatever bounds them, and who changes in between comes once more.
func TestDirSyncComesInPages(t *testing.T) {
	const staff = 2300
	l := start(t)
	var everybody []dc.Entry
	for i := range staff {
		e := user(fmt.Sprintf("u%04d", i), nil)
		e.Password = ""
		everybody = append(everybody, e)
	}
	l.seed(t, everybody...)
	admin := l.asAdmin(t)
	for _, size := range []int64{0, 1 << 17} {
		seen, pages := map[string]int{}, 0
		page := followed{more: true}
		for page.more {
			var err error
			if page, err = follow(admin, "(sAMAccountName=u*)", 0, size, page.cookie); err != nil {
				t.Fatal(err)
			}
			if len(page.entries) > 1000 {
				t.Fatalf("%d entries in one answer", len(page.entries))
			}
			for _, e := range page.entries {
				seen[e.DN]++
			}
			if pages++; pages == 1 {
				if err := admin.Modify(replace("CN=u0000,"+people, "title", fmt.Sprint("Boss ", size))); err != nil {
					t.Fatal(err)
				}
			}
		}
		twice := 0
		for dn, times := range seen {
			if times != 1 {
				twice++
				t.Logf("%s came %d times", dn, times)
			}
		}
		if len(seen) != staff || twice > 1 || seen["CN=u0000,"+people] == 0 || pages < 3 {
			t.Errorf("size %d: %d of %d people in %d pages, %d of them more than once", size, len(seen), staff, pages, twice)
		}
	}
}

func TestDirSyncNamesAncestorsFirst(t *testing.T) {
	l := start(t)
	l.seed(t, unit("Sub"))
	inner := user("dan", nil)
	inner.DN = "CN=dan,OU=Sub," + people
	if err := l.Seed([]dc.Entry{inner}); err != nil {
		t.Fatal(err)
	}
	admin := l.asAdmin(t)
	for _, dn := range []string{"OU=Sub," + people, people} { // the highest changes last
		if err := admin.Modify(replace(dn, "description", "changed")); err != nil {
			t.Fatal(err)
		}
	}
	order := func(flags int64) string {
		f, err := follow(admin, somebody, flags, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, e := range f.entries {
			if strings.HasSuffix(e.DN, people) {
				all = append(all, strings.Split(e.DN, ",")[0])
			}
		}
		return strings.Join(all, " ")
	}
	if got := order(ldap.DirSyncAncestorsFirstOrder); got != "OU=Synced OU=Sub CN=dan" {
		t.Errorf("ancestors first: %q", got)
	}
	if got := order(0); got != "CN=dan OU=Sub OU=Synced" {
		t.Errorf("positive control, in the order of changes: %q", got)
	}
}

func TestDirSyncIsForWhoMayReplicate(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil), user("bob", nil))
	admin := l.asAdmin(t)
	if err := admin.Del(ldap.NewDelRequest("CN=bob,"+people, nil)); err != nil {
		t.Fatal(err)
	}
	alice, reader := l.as(t, "alice@pta.example.test", password), l.as(t, `CORP\svc-sync`, syncPw)
	for _, c := range []struct {
		what  string
		conn  *ldap.Conn
		flags int64
		base  string
		want  int
		names string
	}{
		{"an account", alice, 0, base, ldap.LDAPResultInsufficientAccessRights, ""},
		{"an account, as far as it may read", alice, ldap.DirSyncObjectSecurity, base, 0, "alice"},
		{"the sync reader", reader, 0, base, 0, "alice bob"},
		{"the sync reader, as far as it may read", reader, ldap.DirSyncObjectSecurity, base, 0, "alice bob"},
		{"the administrator", admin, ldap.DirSyncPublicDataOnly, base, 0, "alice bob"},
		{"a stranger", l.dial(t), 0, base, ldap.LDAPResultOperationsError, ""},
		{"not from the top", reader, 0, people, ldap.LDAPResultInsufficientAccessRights, ""},
		{"not from the top, as far as it may read", reader, ldap.DirSyncObjectSecurity, people, ldap.LDAPResultUnwillingToPerform, ""},
		{"a flag that nobody knows", reader, 0x40, base, ldap.LDAPResultUnwillingToPerform, ""},
	} {
		res, err := c.conn.DirSync(search(2, c.base, "(|(sAMAccountName=alice)(sAMAccountName=bob))"), c.flags, 0, nil)
		if code(err) != c.want {
			t.Errorf("%s: %v, want code %d", c.what, err, c.want)
		}
		if err == nil {
			if got := (followed{entries: res.Entries}).names(); got != c.names {
				t.Errorf("%s is told of %q, want %q", c.what, got, c.names)
			}
		}
	}
}

func TestDirSyncTellsNoSecrets(t *testing.T) {
	l := start(t)
	l.seed(t, user("alice", nil))
	reader := l.as(t, `CORP\svc-sync`, syncPw)
	secrets := []string{dc.AttrNTHash, dc.AttrPassword, "userPassword", "supplementalCredentials"}
	f := mustFollow(t, reader, nil, append(secrets, "cn", "*")...)
	if len(f.entries) == 0 {
		t.Fatal("nobody was told of")
	}
	for _, e := range f.entries {
		for _, s := range secrets {
			if len(e.GetRawAttributeValue(s)) > 0 {
				t.Errorf("%s comes with %s", e.DN, s)
			}
		}
	}
	if f, err := follow(reader, "("+dc.AttrNTHash+"=*)", 0, 0, nil); err != nil || len(f.entries) != 0 {
		t.Errorf("a filter sees hashes: %q, %v", f.names(), err)
	}
	if got := one(t, reader, search(0, "CN=alice,"+people, "(objectClass=*)", dc.AttrNTHash)).GetRawAttributeValue(dc.AttrNTHash); len(got) != 16 {
		t.Errorf("positive control, an ordinary search: %x", got)
	}
}

// What can't be gone on from is refused: a text that is no cookie as protocolError, a cookie of another database, or of
// changes that this one hasn't made, as unwillingToPerform.
func TestDirSyncCookiesThatDoNotFit(t *testing.T) {
	l, other := start(t), start(t)
	l.seed(t, user("alice", nil))
	reader := l.as(t, `CORP\svc-sync`, syncPw)
	good := mustFollow(t, reader, nil).cookie
	future := slices.Clone(good)
	future[len(future)-2]++
	for name, c := range map[string]struct {
		cookie []byte
		want   int
	}{
		"garbage":           {[]byte("garbage"), ldap.LDAPResultProtocolError},
		"cut off":           {good[:len(good)-1], ldap.LDAPResultProtocolError},
		"too long":          {append(slices.Clone(good), 0), ldap.LDAPResultProtocolError},
		"of the future":     {future, ldap.LDAPResultUnwillingToPerform},
		"of another domain": {mustFollow(t, other.asAdmin(t), nil).cookie, ldap.LDAPResultUnwillingToPerform},
		"positive control":  {good, 0},
	} {
		if _, err := follow(reader, somebody, 0, 0, c.cookie); code(err) != c.want {
			t.Errorf("%s: %v, want code %d", name, err, c.want)
		}
	}
	req := search(2, base, somebody)
	req.Controls = []ldap.Control{ldap.NewControlString(ldap.ControlTypeDirSync, true, "no control")}
	if _, err := reader.Search(req); code(err) != ldap.LDAPResultProtocolError {
		t.Errorf("a control without its parts: %v", err)
	}
}

func TestAGroupOfThousands(t *testing.T) {
	const size = 5000
	l := start(t)
	crowd := make([]dc.Entry, 0, size+1)
	var members []string
	for i := range size {
		e := user(fmt.Sprintf("u%04d", i), nil)
		e.Password = ""
		crowd, members = append(crowd, e), append(members, e.DN)
	}
	l.seed(t, append(crowd, group("All"))...)
	admin := l.asAdmin(t)
	for _, half := range [][]string{members[:size/2], members[size/2:]} { // of a size that one request may have
		add := ldap.NewModifyRequest("CN=All,"+people, nil)
		add.Add("member", half)
		if err := admin.Modify(add); err != nil {
			t.Fatal(err)
		}
	}
	first := one(t, admin, search(0, "CN=All,"+people, "(objectClass=*)", "member"))
	if got := len(first.GetAttributeValues("member;range=0-1499")); got != 1500 {
		t.Errorf("an ordinary search brings %d members: %v", got, first.Attributes)
	}
	var all []string
	for next := "member;range=0-*"; next != ""; {
		e := one(t, admin, search(0, "CN=All,"+people, "(objectClass=*)", next))
		a := e.Attributes[0]
		all = append(all, a.Values...)
		if next = ""; !strings.HasSuffix(a.Name, "-*") {
			next = fmt.Sprintf("member;range=%d-*", len(all))
		}
	}
	sort.Strings(all)
	if !slices.Equal(all, members) {
		t.Errorf("in ranges %d members come, want %d", len(all), size)
	}
	f, err := follow(admin, "(sAMAccountName=All)", 0, 0, nil, "member")
	if err != nil || len(f.named("All").GetAttributeValues("member")) != size {
		t.Errorf("DirSync brings %d members, %v", len(f.named("All").GetAttributeValues("member")), err)
	}
	drop := ldap.NewModifyRequest("CN=All,"+people, nil)
	drop.Delete("member", members[:size-1])
	if err := admin.Modify(drop); err != nil {
		t.Fatal(err)
	}
	if got := one(t, admin, search(0, "CN=All,"+people, "(objectClass=*)", "member")).GetAttributeValues("member"); len(got) != 1 || got[0] != members[size-1] {
		t.Errorf("all but one gone, left are %d", len(got))
	}
	if err := admin.Modify(drop); code(err) != ldap.LDAPResultNoSuchAttribute {
		t.Errorf("gone already: %v", err)
	}
}
