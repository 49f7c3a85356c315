package config

import (
	"fmt"
	"slices"
	"strings"
)

// agentSync judges what a syncing agent is to read.
func (v *validator) agentSync(a *Agent) {
	s := &a.Sync
	v.dns("sync.scope", s.Scope)
	v.dns("sync.groups", s.Groups)
	v.excluded(s)
	v.ldapFilter("sync.filter", s.Filter)
	ways := map[string][]string{"ad": {"dirsync", "usn"}, "ldap": {"syncrepl", "csn"}}[a.Directory.Kind]
	if s.Changes != "" && ways != nil {
		v.oneOf("sync.changes", s.Changes, ways...)
	}
	for _, name := range s.WriteBack {
		v.oneOf("sync.write_back", name, "ms-DS-ConsistencyGuid", "msDS-ExternalDirectoryObjectID")
	}
	if len(s.WriteBack) > 0 && a.Directory.Kind == "ldap" {
		v.bad("sync.write_back", "names attributes that only Active Directory has", "remove it")
	}
	v.oneOf("sync.hash_source", s.HashSource, "none", "attribute")
	if s.HashSource == "attribute" {
		v.need("sync.hash_attribute", s.HashAttribute, "name the attribute that holds the NT hash")
	}
	if s.SelectiveHashes != "" {
		v.oneOf("sync.selective_hashes", s.SelectiveHashes, "exclude", "include")
	}
	if s.SelectiveHashes != "" && s.HashSource == "none" {
		v.bad("sync.selective_hashes", "chooses among hashes, and none are read", `set hash_source, or remove it`)
	}
}

// excluded judges exclusions: one that is below no scope would leave out nobody, and is a slip of the pen.
func (v *validator) excluded(s *AgentSync) {
	if !v.dns("sync.exclude", s.Exclude) {
		return
	}
	for _, dn := range s.Exclude {
		inside := func(scope string) bool { return belowDN(dn, scope) && !belowDN(scope, dn) }
		if len(s.Scope) > 0 && !slices.ContainsFunc(s.Scope, inside) {
			v.bad("sync.exclude", fmt.Sprintf("%.80s is below no scope, so it would leave out nobody", dn), "correct it, or remove it")
		}
	}
}

// dns judges distinguished names; false when one is none.
func (v *validator) dns(key string, names []string) bool {
	ok := true
	for i, dn := range names {
		if !isDN(dn) {
			v.bad(key, fmt.Sprintf("entry %d, %.80q, is not a distinguished name", i+1, dn), `write it as the directory does, as in "OU=People,DC=corp,DC=example"`)
			ok = false
		}
	}
	return ok
}

// isDN reports what looks like a distinguished name (RFC 4514): parts with a type and a value. The directory has the last
// word.
func isDN(s string) bool {
	for _, part := range partsOf(s) {
		name, value, found := strings.Cut(part, "=")
		if !found || value == "" || strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") != "" || name == "" {
			return false
		}
	}
	return true
}

// partsOf cuts a DN at its commas, but not at escaped ones.
func partsOf(dn string) []string {
	var parts []string
	var part strings.Builder
	escaped := false
	for _, c := range dn {
		if c == ',' && !escaped {
			parts = append(parts, strings.TrimSpace(part.String()))
			part.Reset()
			continue
		}
		escaped = c == '\\' && !escaped
		part.WriteRune(c)
	}
	return append(parts, strings.TrimSpace(part.String()))
}

// belowDN reports that a DN is another one, or below it, as far as their spelling shows.
func belowDN(dn, above string) bool {
	a, b := partsOf(dn), partsOf(above)
	return len(a) >= len(b) && slices.EqualFunc(a[len(a)-len(b):], b, strings.EqualFold)
}

// ldapFilter judges the form of a filter (RFC 4515): one pair of parentheses around all of it, and none that is left over.
func (v *validator) ldapFilter(key, f string) {
	if f == "" {
		return
	}
	depth := 0
	for i, c := range f {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth < 0 || depth == 0 && i < len(f)-1 {
			v.bad(key, "is not one LDAP filter", `put it in parentheses (RFC 4515), as in "(&(mail=*)(!(employeeType=guest)))"`)
			return
		}
	}
	if depth != 0 || !strings.Contains(f, "=") {
		v.bad(key, "is not an LDAP filter", `balance its parentheses (RFC 4515), as in "(!(employeeType=guest))"`)
	}
}
