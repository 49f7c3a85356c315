package dc

import (
	"maps"
	"slices"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// subtree are the entries at and under a name, parents first.
func (d *domain) subtree(name dn) []*entry {
	var in []*entry
	for _, e := range d.entries {
		if e.name.below(name) {
			in = append(in, e)
		}
	}
	slices.SortFunc(in, func(a, b *entry) int { return len(a.name.norm) - len(b.name.norm) })
	return in
}

// relink edits the member lists that hold a name: to the new name, or without it. For Active Directory a member is the object
// and not its name, so the groups don't count as changed.
func (d *domain) relink(name dn, to func(dn) (dn, bool)) {
	for key := range maps.Clone(d.groups[name.key()]) {
		group := d.entries[key].clone()
		var members []string
		for _, m := range group.get("member") {
			parsed, err := parseDN(m)
			if err != nil || parsed.key() != name.key() {
				members = append(members, m)
			} else if moved, keep := to(parsed); keep {
				members = append(members, moved.String())
			}
		}
		group.set("member", members...)
		d.put(group)
	}
}

// decodeRename reads a ModifyDNRequest: a new RDN, a new parent, or both (RFC 4511 section 4.9).
func decodeRename(p *ber.Packet) (func(*domain) error, string, error) {
	if len(p.Children) < 3 {
		return nil, "", refuse(codeProtocolError, "malformed modify DN request")
	}
	target, leaf := contents(p.Children[0]), contents(p.Children[1])
	parent, moves := "", len(p.Children) > 3
	if moves {
		parent = contents(p.Children[3])
	}
	return func(d *domain) error { return d.rename(target, leaf, parent, moves) }, target, nil
}

func (d *domain) rename(target, leaf, parent string, moves bool) error {
	from, err := parseDN(target)
	if err != nil {
		return refuse(codeInvalidDN, err.Error())
	}
	e := d.find(from)
	if e == nil {
		return refuse(codeNoSuchObject, noSuchObject(d.base))
	}
	if !moves && len(from.text) > 0 {
		parent = dn{text: from.text[1:]}.String()
	}
	to, err := parseDN(leaf + "," + parent)
	above, err2 := parseDN(parent)
	switch {
	case err != nil || err2 != nil || len(to.norm) != len(above.norm)+1:
		return refuse(codeInvalidDN, "0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME), data 8350")
	case e.first("isCriticalSystemObject") == "TRUE" || above.below(from):
		return refuse(codeUnwilling, "00002073: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0")
	case d.find(above) == nil:
		return refuse(codeNoSuchObject, noSuchObject(d.base))
	case d.find(to) != nil && to.key() != from.key():
		return refuse(codeEntryExists, "00000524: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS), data 0")
	}
	d.move(from, to)
	return nil
}

// move gives the entry and all below it their new names, in member lists too. Only the entry itself counts as changed.
func (d *domain) move(from, to dn) {
	for _, e := range d.subtree(from) {
		d.relink(e.name, func(m dn) (dn, bool) { return m.moved(from, to), true })
		now := d.entries[e.name.key()] // a group that lists itself or another mover was just changed by relink
		changed := now.clone()
		changed.name = e.name.moved(from, to)
		if e.name.key() == from.key() {
			changed.set(strings.ToLower(to.attr), to.value)
			changed.set("name", to.value)
			d.stamp(changed)
		}
		d.place(now, changed)
	}
}
