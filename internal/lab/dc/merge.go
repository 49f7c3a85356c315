package dc

import (
	"slices"
	"strings"
)

const (
	valueExists  = "00002083: AtrErr: DSID-03151785, #1: problem 1006 (ATT_OR_VALUE_EXISTS), "
	valueMissing = "00002085: AtrErr: DSID-03151785, #1: problem 1001 (NO_ATTRIBUTE_OR_VAL), "
)

// merge is the new list of values. Its time is that of a look at each value, old and new: a group may have thousands.
func merge(old []string, ed edit, permissive bool) ([]string, error) {
	switch ed.kind {
	case changeReplace:
		return ed.vals, nil
	case changeAdd:
		return mergeIn(old, ed, permissive)
	case changeDelete:
		return mergeOut(old, ed, permissive)
	}
	return nil, refuse(codeUnwilling, "unknown kind of change")
}

// identityOf gives the form in which two values of an attribute that are the same are equal. A member stands in a group by
// the very name that the object has: checkValue sees to it.
func identityOf(attr string) func(string) string {
	if strings.EqualFold(attr, "member") {
		return func(v string) string { return v }
	}
	s := syntaxOf(attr)
	return func(v string) string {
		n, _ := normal(s, v)
		return n
	}
}

func mergeIn(old []string, ed edit, permissive bool) ([]string, error) {
	same := identityOf(ed.attr)
	have := make(map[string]bool, len(old)+len(ed.vals))
	for _, v := range old {
		have[same(v)] = true
	}
	vals := slices.Clone(old)
	for _, v := range ed.vals {
		id := same(v)
		switch {
		case !have[id]:
			vals = append(vals, v)
			have[id] = true
		case !permissive:
			return nil, refuse(codeAttributeExists, valueExists+ed.attr)
		}
	}
	return vals, nil
}

func mergeOut(old []string, ed edit, permissive bool) ([]string, error) {
	if len(ed.vals) == 0 {
		if len(old) == 0 && !permissive {
			return nil, refuse(codeNoSuchAttribute, valueMissing+ed.attr)
		}
		return nil, nil
	}
	same := identityOf(ed.attr)
	gone := make(map[string]bool, len(ed.vals)) // true: still to be found
	for _, v := range ed.vals {
		id := same(v)
		if _, twice := gone[id]; twice && !permissive {
			return nil, refuse(codeNoSuchAttribute, valueMissing+ed.attr)
		}
		gone[id] = true
	}
	vals := make([]string, 0, len(old))
	for _, v := range old {
		id := same(v)
		if _, out := gone[id]; out {
			gone[id] = false
			continue
		}
		vals = append(vals, v)
	}
	for _, missing := range gone {
		if missing && !permissive {
			return nil, refuse(codeNoSuchAttribute, valueMissing+ed.attr)
		}
	}
	return vals, nil
}
