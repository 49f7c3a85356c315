package dc

import (
	"iter"
	"maps"
	"slices"
	"strings"
)

// candidates are the entries in scope that q's filter can be true for.
func (d *domain) candidates(q query, root *entry, v view) []*entry {
	if q.scope == 0 {
		return []*entry{root}
	}
	var in []*entry
	for e := range d.pool(q.filter, v) {
		direct := len(e.name.norm) == len(root.name.norm)+1
		if (v.deleted || !e.grave) && e.name.below(root.name) && (q.scope == 2 || direct) {
			in = append(in, e)
		}
	}
	return in
}

// pool are the entries to try a filter on: all, or those that an index gives. Among a hundred thousand that is the
// difference between a look and a search.
func (d *domain) pool(f filter, v view) iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		if v.deleted && !yield(d.deletedObjects()) {
			return
		}
		all := maps.Values(d.entries)
		if few, ok := d.narrow(f, v); ok {
			all = slices.Values(few)
		}
		all(yield)
	}
}

// narrow gives entries of which f can be true, each once: more than those it is true for, perhaps, and never fewer. Not ok:
// no index knows.
func (d *domain) narrow(f filter, v view) (few []*entry, ok bool) {
	switch f.op {
	case filterAnd:
		for _, c := range f.children {
			if those, known := d.narrow(c, v); known && (!ok || len(those) < len(few)) {
				few, ok = those, true
			}
		}
		return few, ok
	case filterOr:
		return d.narrowAny(f.children, v)
	case filterEqual:
		return d.named(f, v)
	case filterGreater:
		if n, valid := normal(integer, f.value); valid && strings.EqualFold(f.attr, "uSNChanged") {
			return d.history.since(numeral(n)), true
		}
	}
	return nil, false
}

func (d *domain) narrowAny(children []filter, v view) ([]*entry, bool) {
	seen := map[*entry]bool{}
	few := []*entry{}
	for _, c := range children {
		those, ok := d.narrow(c, v)
		if !ok {
			return nil, false
		}
		for _, e := range those {
			if !seen[e] {
				seen[e] = true
				few = append(few, e)
			}
		}
	}
	return few, true
}

// named are the entries that have a name which stands for one or few of them.
func (d *domain) named(f filter, v view) (few []*entry, ok bool) {
	add := func(e *entry) {
		if e != nil {
			few = append(few, e)
		}
	}
	switch strings.ToLower(f.attr) {
	case "objectguid":
		add(d.guids[f.value])
	case "mail":
		for key := range d.mails[fold(f.value)] {
			add(d.entries[key])
		}
	case "userprincipalname":
		add(d.entries[d.upns[fold(f.value)]])
	case "samaccountname":
		if v.deleted { // tombstones keep theirs and aren't in the index
			return nil, false
		}
		add(d.entries[d.sams[fold(f.value)]])
	default:
		return nil, false
	}
	return few, true
}
