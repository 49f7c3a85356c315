package dc

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxRDNs bounds the depth of a name; Active Directory's own names stay far below it.
const maxRDNs = 64

// dn is a parsed distinguished name, leaf first. Two spellings of one name have the same key.
type dn struct {
	text  []string // each RDN as it was written
	norm  []string // each RDN, folded and escaped: comparable
	attr  string   // attribute of the leaf RDN, as written
	value string   // value of the leaf RDN, unescaped
}

func (d dn) String() string { return strings.Join(d.text, ",") }
func (d dn) key() string    { return strings.Join(d.norm, ",") }
func (d dn) isRoot() bool   { return len(d.norm) == 0 }

func (d dn) parentKey() string {
	if len(d.norm) == 0 {
		return ""
	}
	return strings.Join(d.norm[1:], ",")
}

// below reports whether d lies at or under base.
func (d dn) below(base dn) bool {
	n := len(d.norm) - len(base.norm)
	return n >= 0 && slices.Equal(d.norm[n:], base.norm)
}

// moved is d with the suffix from replaced by to; d must lie at or under from.
func (d dn) moved(from, to dn) dn {
	n := len(d.norm) - len(from.norm)
	out := dn{text: slices.Concat(d.text[:n], to.text), norm: slices.Concat(d.norm[:n], to.norm), attr: d.attr, value: d.value}
	if n == 0 {
		out.attr, out.value = to.attr, to.value
	}
	return out
}

// parseDN reads a name in the string form of RFC 4514; the empty string is the root.
func parseDN(s string) (dn, error) {
	var d dn
	if strings.TrimSpace(s) == "" {
		return d, nil
	}
	for rest := s; ; {
		rdn, next, more := cutUnescaped(rest, ',')
		if len(d.text) == maxRDNs {
			return dn{}, fmt.Errorf("name has more than %d parts", maxRDNs)
		}
		norm, attr, value, err := parseRDN(rdn)
		if err != nil {
			return dn{}, err
		}
		if len(d.text) == 0 {
			d.attr, d.value = attr, value
		}
		d.text = append(d.text, strings.TrimSpace(rdn))
		d.norm = append(d.norm, norm)
		if !more {
			return d, nil
		}
		rest = next
	}
}

// parseRDN reads one RDN, which may have several values joined by plus signs; their order doesn't matter.
func parseRDN(s string) (norm, attr, value string, err error) {
	var parts []string
	for rest, more := s, true; more; {
		var one string
		one, rest, more = cutUnescaped(rest, '+')
		name, raw, found := strings.Cut(one, "=")
		name = strings.TrimSpace(name)
		if !found || !validAttribute(name) {
			return "", "", "", fmt.Errorf("%q is no attribute=value pair", one)
		}
		v, err := unescapeDN(raw)
		if err != nil {
			return "", "", "", err
		}
		if fold(v) == "" {
			return "", "", "", errors.New("name has an empty value")
		}
		if len(parts) == 0 {
			attr, value = name, v
		}
		parts = append(parts, strings.ToLower(name)+"="+escapeDN(fold(v)))
	}
	slices.Sort(parts)
	return strings.Join(parts, "+"), attr, value, nil
}

// cutUnescaped cuts s at the first sep that no backslash precedes.
func cutUnescaped(s string, sep byte) (before, after string, found bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sep:
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// unescapeDN undoes RFC 4514 section 2.4 escaping and drops unescaped spaces at both ends.
func unescapeDN(s string) (string, error) {
	s = strings.TrimLeft(s, " ")
	if raw, ok := strings.CutPrefix(s, "#"); ok {
		b, err := hex.DecodeString(strings.TrimRight(raw, " "))
		return string(b), err
	}
	var b strings.Builder
	keep := 0 // length up to the last byte that isn't an unescaped space
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '\\' {
			b.WriteByte(c)
			if c != ' ' {
				keep = b.Len()
			}
			continue
		}
		if i+1 == len(s) {
			return "", errors.New("name ends in a lone backslash")
		}
		if i+2 < len(s) {
			if pair, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b.Write(pair)
				i += 2
				keep = b.Len()
				continue
			}
		}
		i++
		b.WriteByte(s[i])
		keep = b.Len()
	}
	return b.String()[:keep], nil
}

// escapeDN writes a value so that it can stand in a name (RFC 4514 section 2.4).
func escapeDN(v string) string {
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		c := v[i]
		edge := i == 0 && (c == ' ' || c == '#') || i == len(v)-1 && c == ' '
		switch {
		case c == 0:
			b.WriteString(`\00`)
		case edge, strings.IndexByte(`,+"\<>;=`, c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// fold is the comparable form of a case-ignore string: lower case, no outer spaces, inner runs of spaces as one.
func fold(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }

// validAttribute accepts an attribute description of RFC 4512 section 2.5: letters, digits, hyphens, dots, and options.
func validAttribute(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !letter && !(r >= '0' && r <= '9') && !strings.ContainsRune("-.;=*", r)
	})
}
