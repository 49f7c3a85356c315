package dc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// encode is one SearchResultEntry with the attributes that were asked for and may be seen.
func (d *domain) encode(e *entry, q query, v view) *ber.Packet {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return e.encode(q, v, func(attr string) ([]string, bool) { return d.values(e, attr, v) })
}

func (e *entry) encode(q query, v view, get values) *ber.Packet {
	if get == nil {
		get = func(attr string) ([]string, bool) { return e.get(attr), !hidden(attr, v) }
	}
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, opSearchEntry, nil, "")
	p.AppendChild(octetString(e.name.String()))
	list := sequence(ber.TagSequence)
	for _, name := range e.selected(q.attrs) {
		vals, ok := get(baseAttribute(name))
		if !ok || len(vals) == 0 {
			continue
		}
		if !q.whole {
			name, vals = ranged(name, vals)
		}
		one := sequence(ber.TagSequence)
		one.AppendChild(octetString(name))
		set := sequence(ber.TagSet)
		for _, val := range vals {
			if !q.typesOnly {
				set.AppendChild(octetString(val))
			}
		}
		one.AppendChild(set)
		list.AppendChild(one)
	}
	p.AppendChild(list)
	return p
}

// selected are the names of the attributes to send (RFC 4511 section 4.5.1.8). The hash only comes when it is named.
func (e *entry) selected(asked []string) []string {
	all := len(asked) == 0
	var names []string
	for _, a := range asked {
		switch a {
		case "*":
			all = true
		case "1.1", "+":
		default:
			names = append(names, e.spelled(a))
		}
	}
	if all {
		for _, a := range e.attrs {
			names = append(names, a.name)
		}
		if !e.name.isRoot() {
			names = append(names, "distinguishedName", "memberOf")
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(names, func(n string) bool {
		dup := seen[strings.ToLower(n)]
		seen[strings.ToLower(n)] = true
		return dup
	})
}

// spelled is the attribute's own spelling where the entry has it, else the client's.
func (e *entry) spelled(asked string) string {
	if i := e.at(asked); i >= 0 {
		return e.attrs[i].name
	}
	return asked
}

func baseAttribute(name string) string {
	base, _, _ := strings.Cut(name, ";")
	return base
}

// ranged is range retrieval, [MS-ADTS] 3.1.1.3.1.3.3: a long list of values comes in pieces, each named by its bounds.
func ranged(name string, vals []string) (string, []string) {
	base, option, asked := strings.Cut(name, ";range=")
	from, to := 0, len(vals)-1
	if asked {
		low, high, _ := strings.Cut(option, "-")
		from, _ = strconv.Atoi(low)
		if n, err := strconv.Atoi(high); err == nil {
			to = min(to, n)
		}
	} else if len(vals) <= maxValues {
		return name, vals
	}
	from = min(max(from, 0), len(vals))
	to = max(min(to, from+maxValues-1), from-1)
	if to >= len(vals)-1 {
		return fmt.Sprintf("%s;range=%d-*", base, from), vals[from:]
	}
	return fmt.Sprintf("%s;range=%d-%d", base, from, to), vals[from : to+1]
}
