package dc

import (
	"cmp"
	"errors"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// The matching rules of [MS-ADTS] 3.1.1.3.4.4 that the lab's clients use.
const (
	ruleBitAnd = "1.2.840.113556.1.4.803"
	ruleBitOr  = "1.2.840.113556.1.4.804"
)

// A filter may not be deeper or larger than this: it is evaluated once for every entry.
const (
	maxFilterDepth = 32
	maxFilterNodes = 512
)

// truth is the three-valued logic of RFC 4511 section 4.5.1.7: the negation of undefined stays undefined, so that a hidden
// attribute can't be probed by a not.
type truth int8

const (
	no        truth = -1
	undefined truth = 0
	yes       truth = 1
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// The context tags of a Filter, RFC 4511 section 4.5.1.
const (
	filterAnd ber.Tag = iota
	filterOr
	filterNot
	filterEqual
	filterSubstrings
	filterGreater
	filterLess
	filterPresent
	filterApprox
	filterExtensible
)

// filter is one decoded node.
type filter struct {
	op       ber.Tag
	children []filter
	attr     string
	value    string
	rule     string // filterExtensible
	initial  string // filterSubstrings: the parts between the asterisks
	middle   []string
	final    string
}

var errFilter = errors.New("malformed filter")

// decodeFilter reads a filter, refusing what is too deep or too large.
func decodeFilter(p *ber.Packet) (filter, error) {
	nodes := 0
	return decodeNode(p, 0, &nodes)
}

func decodeNode(p *ber.Packet, depth int, nodes *int) (filter, error) {
	*nodes++
	if depth > maxFilterDepth || *nodes > maxFilterNodes {
		return filter{}, errors.New("filter is too deep or too large")
	}
	if p == nil || p.ClassType != ber.ClassContext {
		return filter{}, errFilter
	}
	f := filter{op: p.Tag}
	switch p.Tag {
	case filterAnd, filterOr, filterNot:
		if p.Tag == filterNot && len(p.Children) != 1 {
			return filter{}, errFilter
		}
		for _, c := range p.Children {
			child, err := decodeNode(c, depth+1, nodes)
			if err != nil {
				return filter{}, err
			}
			f.children = append(f.children, child)
		}
		return f, nil
	case filterPresent:
		f.attr = contents(p)
	case filterEqual, filterGreater, filterLess, filterApprox:
		if len(p.Children) != 2 {
			return filter{}, errFilter
		}
		f.attr, f.value = contents(p.Children[0]), contents(p.Children[1])
	case filterSubstrings:
		err := f.decodeSubstrings(p)
		return f, err
	case filterExtensible:
		err := f.decodeExtensible(p)
		return f, err
	default:
		return filter{}, errFilter
	}
	return f, nil
}

func (f *filter) decodeSubstrings(p *ber.Packet) error {
	if len(p.Children) != 2 || len(p.Children[1].Children) == 0 {
		return errFilter
	}
	f.attr = contents(p.Children[0])
	for _, part := range p.Children[1].Children {
		*f.nextPart(part.Tag) = contents(part)
	}
	return nil
}

// nextPart is where a substring of this tag belongs: initial [0], any [1], final [2].
func (f *filter) nextPart(tag ber.Tag) *string {
	switch tag {
	case 0:
		return &f.initial
	case 2:
		return &f.final
	}
	f.middle = append(f.middle, "")
	return &f.middle[len(f.middle)-1]
}

func (f *filter) decodeExtensible(p *ber.Packet) error {
	for _, part := range p.Children {
		switch part.Tag {
		case 1:
			f.rule = contents(part)
		case 2:
			f.attr = contents(part)
		case 3:
			f.value = contents(part)
		}
	}
	if f.attr == "" && f.rule == "" {
		return errFilter
	}
	return nil
}

// values gives the values of one attribute of the entry under test; false: hidden, therefore undefined.
type values func(attr string) ([]string, bool)

// match evaluates f against one entry.
func (f filter) match(get values) truth {
	switch f.op {
	case filterAnd: // an empty and is true: RFC 4526
		result := yes
		for _, c := range f.children {
			result = min(result, c.match(get))
		}
		return result
	case filterOr:
		result := no
		for _, c := range f.children {
			result = max(result, c.match(get))
		}
		return result
	case filterNot:
		return -f.children[0].match(get)
	}
	vals, ok := get(f.attr)
	if !ok {
		return undefined
	}
	for _, v := range vals {
		switch f.matchValue(v) {
		case yes:
			return yes
		case undefined:
			return undefined
		case no:
		}
	}
	return no
}

// matchValue tests one value of the node's attribute.
func (f filter) matchValue(v string) truth {
	switch f.op {
	case filterPresent:
		return yes
	case filterEqual, filterApprox:
		return f.equal(v)
	case filterGreater, filterLess:
		return f.ordered(v)
	case filterSubstrings:
		return f.substrings(v)
	}
	switch f.rule {
	case "":
		return f.equal(v)
	case ruleBitAnd, ruleBitOr:
		have, err := strconv.ParseInt(v, 10, 64)
		want, err2 := strconv.ParseInt(f.value, 10, 64)
		if err != nil || err2 != nil {
			return undefined
		}
		if f.rule == ruleBitOr {
			return truthOf(have&want != 0)
		}
		return truthOf(have&want == want)
	}
	return undefined // a rule this server doesn't know
}

func (f filter) equal(v string) truth {
	// Active Directory takes the short name of a class for the whole name of its category, as in (objectCategory=person).
	if strings.EqualFold(f.attr, "objectCategory") && !strings.Contains(f.value, "=") {
		d, err := parseDN(v)
		return truthOf(err == nil && strings.EqualFold(d.value, f.value))
	}
	s := syntaxOf(f.attr)
	want, ok := normal(s, f.value)
	have, ok2 := normal(s, v)
	if !ok || !ok2 {
		return undefined
	}
	return truthOf(want == have)
}

func (f filter) ordered(v string) truth {
	s := syntaxOf(f.attr)
	want, ok := normal(s, f.value)
	have, ok2 := normal(s, v)
	if !ok || !ok2 {
		return undefined
	}
	order := strings.Compare(have, want)
	if s == integer { // both parsed in normal
		a, _ := strconv.ParseInt(have, 10, 64)
		b, _ := strconv.ParseInt(want, 10, 64)
		order = cmp.Compare(a, b)
	}
	if f.op == filterLess {
		return truthOf(order <= 0)
	}
	return truthOf(order >= 0)
}

func (f filter) substrings(v string) truth {
	if s := syntaxOf(f.attr); s != caseIgnore {
		return undefined
	}
	v = strings.ToLower(v)
	rest, ok := strings.CutPrefix(v, strings.ToLower(f.initial))
	if !ok {
		return no
	}
	for _, part := range f.middle {
		i := strings.Index(rest, strings.ToLower(part))
		if i < 0 {
			return no
		}
		rest = rest[i+len(strings.ToLower(part)):]
	}
	return truthOf(strings.HasSuffix(rest, strings.ToLower(f.final)))
}
