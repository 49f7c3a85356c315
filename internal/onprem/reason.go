package onprem

import (
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/fourways-id/fourways/authn"
)

// ReasonOf is THE table from what a directory answers to a bind to the reason fourways gives: the LDAP result code, and for
// code 49 the sub-code that Active Directory and Samba put into the diagnostic text, which is a Win32 error number in
// hexadecimal. A code nobody knows means that nobody could look, never that the password was wrong.
func ReasonOf(code int, data string) authn.Reason {
	switch code {
	case ldap.LDAPResultSuccess:
		return authn.None
	case ldap.LDAPResultInvalidCredentials:
		return reasonOfData(data)
	case ldap.LDAPResultInappropriateAuthentication: // the entry has no password
		return authn.BadPassword
	case ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax:
		return authn.UnknownUser
	case ldap.LDAPResultTimeLimitExceeded:
		return authn.AgentTimeout
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable, ldap.ErrorNetwork:
		return authn.ADUnreachable
	}
	return authn.AgentError
}

func reasonOfData(data string) authn.Reason {
	switch data {
	case "", // a directory that gives no sub-codes, such as OpenLDAP
		"52e": // ERROR_LOGON_FAILURE
		return authn.BadPassword
	case "525": // ERROR_NO_SUCH_USER
		return authn.UnknownUser
	case "530": // ERROR_INVALID_LOGON_HOURS
		return authn.LogonHours
	case "531", // ERROR_INVALID_WORKSTATION
		"52f": // ERROR_ACCOUNT_RESTRICTION: some other restriction on where or how this account signs in
		return authn.WorkstationDenied
	case "532": // ERROR_PASSWORD_EXPIRED
		return authn.OnpremPasswordExpired
	case "533": // ERROR_ACCOUNT_DISABLED
		return authn.AccountDisabled
	case "701": // ERROR_ACCOUNT_EXPIRED
		return authn.AccountExpired
	case "773": // ERROR_PASSWORD_MUST_CHANGE
		return authn.OnpremMustChange
	case "775": // ERROR_ACCOUNT_LOCKED_OUT
		return authn.OnpremLocked
	case "51f": // ERROR_NO_LOGON_SERVERS
		return authn.ADUnreachable
	}
	return authn.AgentError
}

// maxData is the longest sub-code: a Win32 error number has 32 bits.
const maxData = 8

// subCode finds the sub-code in a diagnostic text such as
//
//	80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1
//
// in lower case without leading zeros; "" when the text has none.
func subCode(diagnostic string) string {
	_, rest, found := strings.Cut(diagnostic, "AcceptSecurityContext error, data ")
	if !found {
		return ""
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) })
	if end < 0 {
		end = len(rest)
	}
	if end == 0 || end > maxData || end < len(rest) && rest[end] != ',' && rest[end] != ' ' && rest[end] != 0 {
		return ""
	}
	return strings.TrimLeft(strings.ToLower(rest[:end]), "0")
}
