package dc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Entry is one object for Seed. Attrs must name an objectClass for a new entry; values are raw octets (a Go string may hold
// any). Password "" leaves the password as it is: a new user without one can't sign in.
type Entry struct {
	DN       string
	Attrs    map[string][]string
	Password string
}

// Seed loads entries without going through LDAP. Parents stand before their children; members may stand anywhere. An entry
// that is there already gets the given attributes and keeps the others. Unlike a client, Seed may give objectGUID, and any
// value of pwdLastSet and lockoutTime (units of 100 ns since 1601, or -1 for now). All is on disk when it returns; after an
// error, what stood before the bad entry is loaded.
func (s *Server) Seed(entries []Entry) error {
	err := s.dom.exclusively(func(d *domain) error { return d.seed(entries) })
	if serr := s.save(); err == nil {
		err = serr
	}
	return err
}

func (d *domain) seed(entries []Entry) error {
	for _, in := range entries {
		if err := d.seedOne(in); err != nil {
			return fmt.Errorf("seeding %q: %w", in.DN, err)
		}
	}
	for _, in := range entries { // now that everybody is there
		for attr, vals := range in.Attrs {
			if !strings.EqualFold(attr, "member") {
				continue
			}
			if err := d.modify(in.DN, []edit{{kind: changeReplace, attr: attr, vals: slices.Clone(vals)}}, how{}); err != nil {
				return fmt.Errorf("seeding the members of %q: %w", in.DN, err)
			}
		}
	}
	return nil
}

func (d *domain) seedOne(in Entry) error {
	name, err := parseDN(in.DN)
	if err != nil {
		return err
	}
	edits, guid, err := d.seedEdits(in, name)
	if err != nil {
		return err
	}
	h := how{encrypted: true, bypass: true, permissive: true}
	if d.find(name) == nil {
		err = d.add(in.DN, edits, h)
	} else {
		edits = slices.DeleteFunc(edits, func(ed edit) bool { return strings.EqualFold(ed.attr, "objectClass") })
		err = d.modify(in.DN, edits, h)
	}
	if err != nil || guid == "" {
		return err
	}
	return d.identify(name, guid)
}

// identify gives an entry a GUID. The tombstone that has it comes to an end: the object lives again.
func (d *domain) identify(name dn, guid string) error {
	old := d.find(name)
	switch other := d.guids[guid]; {
	case other == old:
		return nil
	case other != nil && !other.grave:
		return fmt.Errorf("the objectGUID is that of %s already", other.name)
	case other != nil:
		d.forget(other.name.key())
		d.graves = slices.DeleteFunc(d.graves, func(g *entry) bool { return g == other })
	}
	e := old.clone()
	e.set("objectGUID", guid)
	d.put(e)
	return nil
}

// seedEdits turns an Entry into the edits a client would send, and the objectGUID that no client could. The password stands
// first, so that a given pwdLastSet outlives it.
func (d *domain) seedEdits(in Entry, name dn) (edits []edit, guid string, err error) {
	if in.Password != "" {
		edits = append(edits, edit{kind: changeReplace, attr: AttrPassword, vals: []string{quote(in.Password)}})
		if d.find(name) == nil {
			edits = append(edits, edit{kind: changeReplace, attr: "userAccountControl", vals: []string{strconv.Itoa(uacNormal)}})
		}
	}
	for _, attr := range slices.Sorted(maps.Keys(in.Attrs)) {
		vals := slices.Clone(in.Attrs[attr])
		switch strings.ToLower(attr) {
		case "member", strings.ToLower(name.attr), "name":
			continue
		case "objectguid":
			if len(vals) != 1 || len(vals[0]) != 16 {
				return nil, "", errors.New("objectGUID has one value of 16 octets")
			}
			guid = vals[0]
			continue
		case "lockouttime":
			for i, v := range vals {
				if v == "-1" {
					vals[i] = strconv.FormatInt(fileTime(d.now()), 10)
				}
			}
		}
		edits = append(edits, edit{kind: changeReplace, attr: attr, vals: vals})
	}
	return edits, guid, nil
}

// quote is a password as unicodePwd takes it.
func quote(password string) string {
	var b []byte
	for _, unit := range utf16Of(`"` + password + `"`) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return string(b)
}
