package agent

import (
	"slices"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

func TestWhereAnObjectIsDecidesFirst(t *testing.T) {
	in := termsOf(SourceOptions{
		Scope: []string{"OU=Sales,DC=corp", "ou=inner, ou=left,ou=sales,dc=corp", `OU=R\,D,DC=corp`},
		Narrow: Narrow{Exclude: []string{
			"OU=Left,OU=Sales,DC=corp", "OU=Old,OU=Elsewhere,DC=corp",
		}},
	})
	for dn, want := range map[string]string{
		"CN=a,OU=Sales,DC=corp":                    "",
		"cn=a, ou=SALES , dc=Corp":                 "",
		"CN=a,OU=Team,OU=Sales,DC=corp":            "",
		"OU=Sales,DC=corp":                         "",
		`CN=a,OU=R\,D,DC=corp`:                     "",
		`CN=a,OU=R\2cD,DC=corp`:                    "",
		"CN=a,OU=Left,OU=Sales,DC=corp":            "OU=Left,OU=Sales,DC=corp is excluded by OU=Left,OU=Sales,DC=corp",
		"CN=a,OU=X,OU=Left,OU=Sales,DC=corp":       "OU=X,OU=Left,OU=Sales,DC=corp is excluded by OU=Left,OU=Sales,DC=corp",
		"CN=a,OU=Inner,OU=Left,OU=Sales,DC=corp":   "", // a scope below an exclusion
		"CN=a,OU=Presales,DC=corp":                 "OU=Presales,DC=corp is in no scope",
		"CN=a,DC=corp":                             "DC=corp is in no scope",
		`CN=a\,OU=Sales,DC=corp`:                   "DC=corp is in no scope", // the comma is of the name
		`CN=a\\,OU=Sales,DC=corp`:                  "",
		"CN=a,OU=Sales,DC=corp,DC=example":         "OU=Sales,DC=corp,DC=example is in no scope",
		`CN=Doe\, Jane,OU=Elsewhere,DC=corp`:       "OU=Elsewhere,DC=corp is in no scope",
		"CN=a,OU=Sales\\,DC=corp,OU=Sales,DC=corp": "",
	} {
		if got := in.place(dn); got != want {
			t.Errorf("%s: %q, want %q", dn, got, want)
		}
	}
	if got := in.bases(); !slices.Equal(got, []string{"OU=Sales,DC=corp", `OU=R\,D,DC=corp`}) {
		t.Errorf("searched: %q", got)
	}
	twice := termsOf(SourceOptions{Scope: []string{"OU=A,DC=corp", "ou=a,dc=corp"}})
	if got := twice.bases(); len(got) != 1 {
		t.Errorf("searched: %q", got)
	}
	everything := termsOf(SourceOptions{Narrow: Narrow{Exclude: []string{"OU=Left,DC=corp"}}})
	if everything.place("CN=a,DC=corp") != "" || everything.place("CN=a,OU=Left,DC=corp") == "" || len(everything.bases()) != 1 {
		t.Error("without a scope all is in it but what is excluded")
	}
}

// Microsoft: Entra Connect Sync, "Understanding the default configuration".
func TestWhatIsNeverSynchronised(t *testing.T) {
	in := termsOf(SourceOptions{Kind: onprem.AD})
	for _, c := range []struct{ name, classes, attrs, want string }{
		{"a person", "user", "sAMAccountName=alice", ""},
		{"a disabled person", "user", "sAMAccountName=alice userAccountControl=514", ""},
		{"an inetOrgPerson", "user inetOrgPerson", "sAMAccountName=alice", ""},
		{"Administrator", "user", "sAMAccountName=Administrator isCriticalSystemObject=TRUE", "isCriticalSystemObject"},
		{"not critical", "user", "sAMAccountName=a isCriticalSystemObject=FALSE", ""},
		{"Domain Admins", "group", "sAMAccountName=x isCriticalSystemObject=TRUE", "isCriticalSystemObject"},
		{"no account name", "user", "", "no sAMAccountName"},
		{"AAD_", "user", "sAMAccountName=AAD_0123", "service account"},
		{"MSOL_", "user", "sAMAccountName=msol_0123", "service account"},
		{"like AAD_", "user", "sAMAccountName=AADams", ""},
		{"SUPPORT", "user", "sAMAccountName=SUPPORT_388945a0", "service account"},
		{"like SUPPORT", "user", "sAMAccountName=SUPPORT_1", ""},
		{"SystemMailbox", "user", "sAMAccountName=SM_1 mailNickname=SystemMailbox{1f05}", "system mailbox"},
		{"CAS", "user", "sAMAccountName=x mailNickname=CAS_{1f05}", "system mailbox"},
		{"like CAS", "user", "sAMAccountName=x mailNickname=CAS_per", ""},
		{"arbitration mailbox", "user", "sAMAccountName=x msExchRecipientTypeDetails=8388608", "0x800000"},
		{"user mailbox", "user", "sAMAccountName=x msExchRecipientTypeDetails=1", ""},
		{"role group", "group", "msExchRecipientTypeDetails=1073741824", "0x40000000"},
		{"mail group", "group", "msExchRecipientTypeDetails=1073741825", "0x40000001"},
		{"a group", "group", "", ""},
		{"a contact with mail", "contact", "mail=a@b.example", ""},
		{"a contact with an address", "contact", "proxyAddresses=smtp:a@b.example", ""},
		{"a contact with neither", "contact", "", "without mail"},
	} {
		if got := in.judge(made(t, "CN=x,DC=corp", c.classes, c.attrs), true); got != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := in.judge(made(t, `CN=Alice\0aCNF:1f05,DC=corp`, "user", "sAMAccountName=alice"), true); !strings.Contains(got, "replication conflict") {
		t.Errorf("the loser of a conflict: %q", got)
	}
	ldap := termsOf(SourceOptions{Kind: onprem.LDAP})
	if got := ldap.judge(made(t, "uid=x,dc=corp", "inetOrgPerson", ""), true); got != "" {
		t.Errorf("the rules are Active Directory's: %q", got)
	}
}

func made(t *testing.T, dn, classes, attrs string) onprem.Entry {
	t.Helper()
	e := onprem.Entry{DN: dn, Attrs: map[string][][]byte{}}
	for _, c := range strings.Fields(classes) {
		e.Attrs["objectClass"] = append(e.Attrs["objectClass"], []byte(c))
	}
	for _, a := range strings.Fields(attrs) {
		name, value, _ := strings.Cut(a, "=")
		e.Attrs[name] = append(e.Attrs[name], []byte(value))
	}
	return e
}

// Every kind of rule must let an object through; the reason is the first that doesn't.
func TestKindsOfRulesAreJoinedByAnd(t *testing.T) {
	in := termsOf(SourceOptions{Scope: []string{"OU=A,DC=corp"}, Narrow: Narrow{Groups: []string{"CN=G,DC=corp"}, Filter: "(mail=*)"}})
	in.members = map[string]struct{}{dirsync.Ref(onprem.NormalDN("cn=m,ou=a,dc=corp")): {}}
	for _, c := range []struct {
		dn      string
		matches bool
		sam     string
		want    string
	}{
		{"CN=m,OU=A,DC=corp", true, "m", ""},
		{"CN=m,OU=B,DC=corp", false, "", "no scope"},
		{"CN=o,OU=A,DC=corp", false, "", "no direct member of CN=G,DC=corp"},
		{"CN=m,OU=A,DC=corp", false, "", "filter of the rules, (mail=*)"},
		{"CN=m,OU=A,DC=corp", true, "", "sAMAccountName"},
	} {
		attrs := ""
		if c.sam != "" {
			attrs = "sAMAccountName=" + c.sam
		}
		if got := in.judge(made(t, c.dn, "user", attrs), c.matches); got != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s: %q, want %q", c.dn, got, c.want)
		}
	}
}

func FuzzPlaceIsDecidedWithoutTrouble(f *testing.F) {
	in := termsOf(SourceOptions{Scope: []string{"OU=A,DC=corp"}, Narrow: Narrow{Exclude: []string{"OU=B,OU=A,DC=corp"}}})
	f.Add("CN=a,OU=A,DC=corp")
	f.Add(`CN=\`)
	f.Fuzz(func(t *testing.T, dn string) {
		if in.place(dn) == "" && !strings.Contains(strings.ToLower(dn), "corp") && !strings.Contains(dn, `\`) && !strings.Contains(dn, "#") {
			t.Errorf("%q is in scope", dn)
		}
	})
}
