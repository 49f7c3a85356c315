package realtest

import (
	"fmt"
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

// LetSeeDeleted gives somebody the right to see deleted objects, as dsacls does with LCRP.
func (dc *SambaDC) LetSeeDeleted(t testing.TB, who Person) {
	t.Helper()
	base := "CN=Deleted Objects," + dc.BaseDN
	found := dc.local(t, "", "ldbsearch", append(sambaDatabase(dc.Folder), "--show-deleted", "-b", base, "-s", "base", "nTSecurityDescriptor")...)
	rights := regexp.MustCompile(`(?m)^nTSecurityDescriptor: (O:\S+?D:[^S]\S*?)(?:S:AI.*)?$`).FindStringSubmatch(found)
	if rights == nil {
		t.Fatalf("%s has no rights:\n%s", base, found)
	}
	ldif := "dn: " + base + "\nchangetype: modify\nreplace: nTSecurityDescriptor\nnTSecurityDescriptor: " + rights[1] + "(A;;RPLC;;;" + dc.sid(t, who) + ")\n"
	dc.local(t, ldif, "ldbmodify", append(sambaDatabase(dc.Folder), "--controls=show_deleted:0", "--controls=sd_flags:1:4")...)
}

// LetWriteCloudID gives somebody the right to write msDS-ExternalDirectoryObjectID below a unit, and no other attribute.
func (dc *SambaDC) LetWriteCloudID(t testing.TB, who Person, unit string) {
	t.Helper()
	const attribute = "bd29bf90-66ad-40e1-887b-10df070419a6" // its schemaIDGUID
	dc.local(t, "", "samba-tool", "dsacl", "set", "--objectdn="+unit, "--sddl=(OA;CI;WP;"+attribute+";;"+dc.sid(t, who)+")",
		"-H", filepath.Join(dc.Folder, "private/sam.ldb"), "-s", smbConf(dc.Folder))
}

func (dc *SambaDC) sid(t testing.TB, who Person) string {
	t.Helper()
	found := dc.local(t, "", "ldbsearch", append(sambaDatabase(dc.Folder), "(sAMAccountName="+who.Name+")", "objectSid")...)
	sid := regexp.MustCompile(`(?m)^objectSid: (S-[\d-]+)$`).FindStringSubmatch(found)
	if sid == nil {
		t.Fatalf("%s has no SID:\n%s", who.Name, found)
	}
	return sid[1]
}

// local runs one of Samba's tools on the files of the domain controller; folded lines come unfolded.
func (dc *SambaDC) local(t testing.TB, input, name string, args ...string) string {
	t.Helper()
	out, err := tool(dc.Folder, input, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(out, "\n ", "")
}

// AddPartners puts that many contacts, partner00001 and so on, and the group partners of all of them into OU=Synced.
func (dc *SambaDC) AddPartners(t testing.TB, count int) {
	t.Helper()
	numbers := make([]string, count)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("%05d", i+1)
	}
	ldif, err := render("samba/partners.ldif", map[string]any{"Unit": dc.Synced(), "Numbers": numbers})
	if err != nil {
		t.Fatal(err)
	}
	dc.local(t, ldif, "ldbadd", sambaDatabase(dc.Folder)...)
}

// sambaDatabase are the arguments that point a tool at the files of a domain controller.
func sambaDatabase(folder string) []string {
	return []string{"-H", filepath.Join(folder, "private/sam.ldb"), "--configfile=" + smbConf(folder)}
}
