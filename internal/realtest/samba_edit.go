package realtest

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// AddUser makes an enabled account with [Password] below an organisational unit.
func (dc *SambaDC) AddUser(t testing.TB, name, unit string) Person {
	t.Helper()
	p := Person{Name: name, Password: Password, UPN: name + "@" + sambaDomain, DN: "CN=" + name + "," + unit, State: "normal"}
	dc.Add(t, p.DN, map[string][]string{
		"objectClass": {"user"}, "sAMAccountName": {name}, "userPrincipalName": {p.UPN}, "displayName": {name}, "mail": {p.UPN},
		"unicodePwd": {unicodePwd(Password)}, "userAccountControl": {"512"},
	})
	return p
}

// SetPassword is an administrator's reset.
func (dc *SambaDC) SetPassword(t testing.TB, dn, password string) {
	t.Helper()
	dc.Modify(t, dn, "unicodePwd", unicodePwd(password))
}

// Disable switches a normal account off.
func (dc *SambaDC) Disable(t testing.TB, dn string) {
	t.Helper()
	dc.Modify(t, dn, "userAccountControl", "514")
}

// USN is the number of the last change of any object (highestCommittedUSN, MS-ADTS 3.1.1.3.2.12).
func (dc *SambaDC) USN(t testing.TB) int64 {
	t.Helper()
	number, err := strconv.ParseInt(strings.Join(dc.Values(t, "", "highestCommittedUSN"), ""), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

// USNs are the numbers of the last change of every object that there is, by DN.
func (dc *SambaDC) USNs(t testing.TB) map[string]string {
	t.Helper()
	all := map[string]string{}
	dc.do(t, "read every object's number", func(c *ldap.Conn) error {
		found, err := c.SearchWithPaging(ldap.NewSearchRequest(dc.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
			"(objectClass=*)", []string{"uSNChanged"}, nil), 1000)
		if err != nil {
			return err
		}
		for _, e := range found.Entries {
			all[e.DN] = e.GetAttributeValue("uSNChanged")
		}
		return nil
	})
	return all
}

// LetSeeDeleted gives somebody the right to see deleted objects, as dsacls does with LCRP: who synchronises by uSNChanged
// needs it, for want of the right to replicate.
func (dc *SambaDC) LetSeeDeleted(t testing.TB, who Person) {
	t.Helper()
	ldb := func(input, name string, args ...string) string {
		t.Helper()
		out, err := tool(dc.Folder, input, name, append(sambaDatabase(dc.Folder), args...)...)
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(out, "\n ", "") // a folded line
	}
	base := "CN=Deleted Objects," + dc.BaseDN
	sid := regexp.MustCompile(`(?m)^objectSid: (S-[\d-]+)$`).FindStringSubmatch(ldb("", "ldbsearch", "(sAMAccountName="+who.Name+")", "objectSid"))
	rights := regexp.MustCompile(`(?m)^nTSecurityDescriptor: (O:\S+?D:[^S]\S*?)(?:S:AI.*)?$`).
		FindStringSubmatch(ldb("", "ldbsearch", "--show-deleted", "-b", base, "-s", "base", "nTSecurityDescriptor"))
	if sid == nil || rights == nil {
		t.Fatalf("%s has no SID, or %s no rights", who.Name, base)
	}
	ldb("dn: "+base+"\nchangetype: modify\nreplace: nTSecurityDescriptor\nnTSecurityDescriptor: "+rights[1]+"(A;;RPLC;;;"+sid[1]+")\n",
		"ldbmodify", "--controls=show_deleted:0", "--controls=sd_flags:1:4")
}

// sambaDatabase are the arguments that point a tool at the files of a domain controller.
func sambaDatabase(folder string) []string {
	return []string{"-H", filepath.Join(folder, "private/sam.ldb"), "--configfile=" + smbConf(folder)}
}
