package dc

import (
	"cmp"
	"slices"
)

// history is the order in which entries were last changed, as replication reads it: every entry stands in it once, under its
// uSNChanged. A place whose entry has changed again since, or is gone, is empty until the next tidying up.
type history struct {
	marks []mark
	holes int
}

type mark struct {
	usn int64
	e   *entry // nil: a hole
}

// order begins the history of a domain that was read, from the entries as they are.
func order(entries map[string]*entry) *history {
	h := &history{marks: make([]mark, 0, len(entries))}
	for _, e := range entries {
		h.marks = append(h.marks, mark{e.usn, e})
	}
	slices.SortFunc(h.marks, func(a, b mark) int { return cmp.Compare(a.usn, b.usn) })
	return h
}

// from is the place of the first change that has this number or a higher one.
func (h *history) from(usn int64) int {
	i, _ := slices.BinarySearchFunc(h.marks, usn, func(m mark, n int64) int { return cmp.Compare(m.usn, n) })
	return i
}

// replace puts an entry in the place of the one it was, or behind all others when it has a new number. Either may be nil: old
// for what is new, e for what is gone.
func (h *history) replace(old, e *entry) {
	if old != nil {
		i := h.find(old)
		if i >= 0 && e != nil && e.usn == old.usn {
			h.marks[i].e = e
			return
		}
		if i >= 0 {
			h.marks[i].e = nil
			h.holes++
		}
	}
	switch {
	case e == nil:
	case len(h.marks) == 0 || h.marks[len(h.marks)-1].usn < e.usn:
		h.marks = append(h.marks, mark{e.usn, e})
	default: // an entry that came with a number: a renamed unit's child
		h.marks = slices.Insert(h.marks, h.from(e.usn), mark{e.usn, e})
	}
	if h.holes > 1024 && h.holes > len(h.marks)/2 {
		h.marks = slices.DeleteFunc(h.marks, func(m mark) bool { return m.e == nil })
		h.holes = 0
	}
}

func (h *history) find(e *entry) int {
	for i := h.from(e.usn); i < len(h.marks) && h.marks[i].usn == e.usn; i++ {
		if h.marks[i].e == e {
			return i
		}
	}
	return -1
}

// since are the entries whose last change has this number or a higher one, the oldest change first.
func (h *history) since(usn int64) []*entry {
	var changed []*entry
	for _, m := range h.marks[h.from(usn):] {
		if m.e != nil {
			changed = append(changed, m.e)
		}
	}
	return changed
}
