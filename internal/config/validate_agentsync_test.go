package config

import (
	"strings"
	"testing"
)

// syncing is an agent's file with lines of [sync], the first of them on line 13.
func syncing(kind, lines string) string {
	return `[agent]
name = "agent-1"
gateway_url = "https://login.example.com"
roles = ["sync"]
[directory]
kind = "` + kind + `"
urls = ["ldaps://dc1.corp.example"]
base_dn = "DC=corp,DC=example"
bind_dn = "CN=sync,DC=corp,DC=example"
bind_password_file = "secret"

[sync]
` + lines + "\n"
}

func TestWhatAnAgentReadsIsJudged(t *testing.T) {
	const good = `scope = ["OU=A,DC=corp", 'OU=R\,D,DC=corp']
exclude = ["ou=B, ou=a,dc=corp"]
groups = ["CN=Pilot,OU=A,DC=corp"]
filter = "(&(mail=*)(!(employeeType=guest)))"
changes = "usn"
write_back = ["ms-DS-ConsistencyGuid", "msDS-ExternalDirectoryObjectID"]
hash_source = "attribute"
hash_attribute = "ntHash"
selective_hashes = "exclude"`
	a, err := loadAgent("agent.toml", []byte(syncing("ad", good)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Sync.Scope) != 2 || a.Sync.Filter == "" || len(a.Sync.WriteBack) != 2 {
		t.Errorf("%+v", a.Sync)
	}
	for _, c := range []struct{ kind, line, want string }{
		{"ad", `scope = ["People"]`, `sync.scope: entry 1, "People", is not a distinguished name`},
		{"ad", `scope = ["OU=A,,DC=corp"]`, "is not a distinguished name"},
		{"ad", `groups = ["CN=Pilot", "Pilot"]`, "sync.groups: entry 2"},
		{"ad", "scope = [\"OU=A,DC=corp\"]\nexclude = [\"OU=B,DC=corp\"]", "OU=B,DC=corp is below no scope"},
		{"ad", "scope = [\"OU=A,DC=corp\"]\nexclude = [\"OU=A,DC=corp\"]", "is below no scope"},
		{"ad", `exclude = ["left"]`, "sync.exclude: entry 1"},
		{"ad", `filter = "mail=*"`, "sync.filter: is not one LDAP filter"},
		{"ad", `filter = "(mail=*)(sn=*)"`, "sync.filter: is not one LDAP filter"},
		{"ad", `filter = "((mail=*)"`, "balance its parentheses"},
		{"ad", `changes = "syncrepl"`, `sync.changes: "syncrepl" is not allowed here`},
		{"ldap", `changes = "usn"`, `sync.changes: "usn" is not allowed here`},
		{"ad", `write_back = ["proxyAddresses"]`, `sync.write_back: "proxyAddresses" is not allowed here`},
		{"ldap", `write_back = ["ms-DS-ConsistencyGuid"]`, "only Active Directory has"},
		{"ad", `hash_source = "attribute"`, "sync.hash_attribute: is empty"},
		{"ad", "hash_source = \"attribute\"\nhash_attribute = \"x\"\nselective_hashes = \"some\"", `sync.selective_hashes: "some" is not allowed here`},
		{"ad", `selective_hashes = "include"`, "none are read"},
	} {
		_, err := loadAgent("agent.toml", []byte(syncing(c.kind, c.line)), nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "agent.toml:1") {
			t.Errorf("%s: %v, want %q with its line", c.line, err, c.want)
		}
	}
	ldap, err := loadAgent("agent.toml", []byte(syncing("ldap", `hash_source = "attribute"`)), nil)
	if err != nil || ldap.Sync.HashAttribute != "sambaNTPassword" {
		t.Errorf("OpenLDAP: %v", err)
	}
}

func FuzzTheShapeOfFiltersAndNames(f *testing.F) {
	f.Add("(a=b)", "OU=A,DC=corp")
	f.Add(")(", `CN=\`)
	f.Fuzz(func(t *testing.T, filter, dn string) {
		v := validator{}
		v.ldapFilter("sync.filter", filter)
		if len(v.list) == 0 && filter != "" && (!strings.HasPrefix(filter, "(") || !strings.HasSuffix(filter, ")")) {
			t.Errorf("%q is taken for a filter", filter)
		}
		if isDN(dn) && !belowDN(dn, dn) {
			t.Errorf("%q is not below itself", dn)
		}
	})
}
