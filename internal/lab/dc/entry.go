package dc

import (
	"slices"
	"strconv"
	"strings"
	"unique"
)

// attribute is one attribute of an entry: its name as first written, and its values as raw octets.
type attribute struct {
	name   string
	values []string
}

func (a attribute) equal(b attribute) bool {
	return a.name == b.name && slices.Equal(a.values, b.values)
}

// entry is one object. Entries in a domain never change: a writer clones, edits and puts the clone back, so that readers can
// keep the pointer.
type entry struct {
	name  dn
	attrs []attribute // a few dozen at most, no two of one name: a search through them is quicker than a map, and smaller
	hash  []byte      // NT hash, 16 octets; nil: no password, nobody can bind
	usn   int64       // uSNChanged
	grave bool        // a tombstone, or the container of the tombstones: isDeleted
}

func newEntry(name dn) *entry { return &entry{name: name} }

func (e *entry) clone() *entry {
	c := *e
	c.attrs = slices.Clone(e.attrs)
	return &c
}

// at is the place of an attribute in attrs; -1 when e hasn't got it.
func (e *entry) at(attr string) int {
	for i := range e.attrs {
		if len(e.attrs[i].name) == len(attr) && strings.EqualFold(e.attrs[i].name, attr) {
			return i
		}
	}
	return -1
}

func (e *entry) get(attr string) []string {
	if i := e.at(attr); i >= 0 {
		return e.attrs[i].values
	}
	return nil
}

func (e *entry) first(attr string) string {
	if v := e.get(attr); len(v) > 0 {
		return v[0]
	}
	return ""
}

// number is the first value as an integer; 0 when there is none.
func (e *entry) number(attr string) int64 {
	n, err := strconv.ParseInt(e.first(attr), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// set replaces all values; without values the attribute is gone.
func (e *entry) set(attr string, vals ...string) {
	i := e.at(attr)
	switch {
	case len(vals) == 0 && i >= 0:
		e.attrs = slices.Delete(e.attrs, i, i+1)
	case len(vals) == 0:
	case i >= 0:
		e.attrs[i].values = slices.Clone(vals)
	default: // the same few names stand at every entry
		e.attrs = append(e.attrs, attribute{name: unique.Make(attr).Value(), values: slices.Clone(vals)})
	}
}

func (e *entry) setNumber(attr string, n int64) { e.set(attr, strconv.FormatInt(n, 10)) }

func (e *entry) is(class string) bool {
	return slices.ContainsFunc(e.get("objectClass"), func(c string) bool { return strings.EqualFold(c, class) })
}

// count notes a change that others would replicate: its number and its time.
func (e *entry) count(usn int64, when string) {
	e.usn = usn
	e.setNumber("uSNChanged", usn)
	e.set("whenChanged", when)
}
