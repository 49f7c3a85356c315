package authn

import (
	"strings"
	"unicode"
)

// Longest user principal name, local part and domain that can name an account, in bytes
// (Microsoft: password policies, "UserPrincipalName policies that apply to all user accounts").
const (
	maxUPN    = 113
	maxLocal  = 64
	maxDomain = 48
)

// Identifier is a typed user name, parsed and normalised in this one place. The zero value names nobody.
//
// Accounts have ASCII names only, so a name that needs Unicode folding to look like one is somebody else's: it keeps its
// domain (realm discovery answers by domain alone) and is otherwise well-formed and unknown. So no spelling of a name
// reaches an account under a second lockout counter.
type Identifier struct {
	key    string // what lockout counts under when nobody of that name exists
	local  string // "" when the name can't be an account's
	domain string // "" when there is none
}

// ParseIdentifier never fails: a name that can't be anybody's is an Identifier without UPN.
func ParseIdentifier(typed string) Identifier {
	s := strings.ToLower(strings.TrimSpace(typed))
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return Identifier{key: clip(s)}
	}
	local, domain := s[:at], strings.TrimSuffix(s[at+1:], ".")
	id := Identifier{key: clip(local + "@" + domain)}
	if !validDomain(domain) {
		return id
	}
	id.domain = domain
	if validLocal(local) && len(local)+1+len(domain) <= maxUPN {
		id.local = local
	}
	return id
}

// UPN is the normalised user principal name, or "" when the name can't be an account's.
func (i Identifier) UPN() string {
	if i.local == "" {
		return ""
	}
	return i.local + "@" + i.domain
}

// Domain is the lower-case domain, or "" when the name has none.
func (i Identifier) Domain() string { return i.domain }

// Key is the normalised typed name, bounded in length: what is counted and logged for a name that nobody has.
func (i Identifier) Key() string { return i.key }

// String is Key: the name as a log may show it.
func (i Identifier) String() string { return i.key }

func validLocal(s string) bool {
	if s == "" || len(s) > maxLocal || s[0] == '.' || s[len(s)-1] == '.' {
		return false
	}
	for _, c := range []byte(s) {
		if !isAlnum(c) && !strings.ContainsRune("'.-_!#^~+", rune(c)) {
			return false
		}
	}
	return true
}

func validDomain(s string) bool {
	if s == "" || len(s) > maxDomain {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !isAlnum(c) && c != '-' {
				return false
			}
		}
	}
	return strings.Contains(s, ".")
}

func isAlnum(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// clip bounds what a stranger can make us remember, and leaves of it what a terminal prints: no line ends, no C1 controls
// that colour or move, no marks that turn the direction (Unicode Technical Report 36, section 2.5).
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	const longest = 256
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}
