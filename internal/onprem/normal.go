package onprem

import (
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
)

// NormalDN spells a distinguished name in one way (RFC 4514): entries and the members of groups may be spelled differently.
// A name that can't be parsed is only put in lower case.
func NormalDN(dn string) string {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return strings.ToLower(dn)
	}
	for _, rdn := range parsed.RDNs {
		for _, a := range rdn.Attributes {
			if utf8.ValidString(a.Value) { // String escapes letters that are not ASCII: they would keep their case
				a.Value = strings.ToLower(a.Value)
			}
		}
	}
	return strings.ToLower(parsed.String())
}
