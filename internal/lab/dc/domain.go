package dc

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// domain is the directory: the entries and the indexes over them. The caller locks mu.
type domain struct {
	mu      sync.RWMutex
	base    dn
	dns     string // corp.example.test
	netbios string // CORP
	host    string // this controller's own name, as userWorkstations lists it
	now     func() time.Time

	entries map[string]*entry
	upns    map[string]string              // userPrincipalName, folded -> entry key
	sams    map[string]string              // sAMAccountName, folded -> entry key
	mails   map[string]map[string]struct{} // mail, folded -> entry keys
	groups  map[string]map[string]struct{} // member's key -> keys of its groups
	guids   map[string]*entry              // objectGUID, tombstones included
	history *history                       // tombstones included; nil while the domain is being read
	graves  []*entry                       // tombstones, the oldest first
	id      []byte                         // invocationId, 16 octets
	sid     [3]uint32                      // the domain's own part of every objectSid
	rid     uint32                         // last relative id given out
	usn     int64                          // highestCommittedUSN
	version uint64                         // counts changes in memory, so that a save knows what it covers
	touched map[string]struct{}            // keys of what is to be saved
}

// find is the living entry of that name, or nil.
func (d *domain) find(name dn) *entry {
	if e := d.entries[name.key()]; e != nil && !e.grave {
		return e
	}
	return nil
}

// insert takes a new entry in: it must have a parent and names that nobody else has.
func (d *domain) insert(e *entry) error {
	if d.find(e.name) != nil {
		return refuse(codeEntryExists, "00000524: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS), data 0")
	}
	parent := d.entries[e.name.parentKey()]
	if len(e.name.norm) != len(d.base.norm) && (parent == nil || parent.grave) {
		return refuse(codeNoSuchObject, "0000208D: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0, best match of: '"+d.base.String()+"'")
	}
	if err := d.unique(e, ""); err != nil {
		return err
	}
	guid := make([]byte, 16)
	_, _ = rand.Read(guid) // never fails: crypto/rand ends the process instead
	if e.first("objectGUID") == "" {
		e.set("objectGUID", string(guid))
	}
	if (e.is("user") || e.is("group")) && e.first("objectSid") == "" {
		d.rid++
		e.set("objectSid", d.objectSID(d.rid))
	}
	d.stamp(e)
	e.set("uSNCreated", e.first("uSNChanged"))
	e.set("whenCreated", e.first("whenChanged"))
	d.put(e)
	return nil
}

// replace puts a changed clone in the place of the entry with its name and counts it as a change that others would replicate.
func (d *domain) replace(e *entry) error {
	if err := d.unique(e, e.name.key()); err != nil {
		return err
	}
	d.stamp(e)
	d.put(e)
	return nil
}

// stamp gives e the next update sequence number and the time.
func (d *domain) stamp(e *entry) {
	d.usn++
	e.count(d.usn, timestampOf(d.now()))
}

func timestampOf(t time.Time) string { return t.UTC().Format("20060102150405.0Z") }

// put stores e in the place of the entry of its name. On its own it is right for what doesn't replicate (badPwdCount).
func (d *domain) put(e *entry) { d.place(d.entries[e.name.key()], e) }

// place stores e where old was, perhaps under another name, and brings the indexes up to date. Either may be nil.
func (d *domain) place(old, e *entry) {
	d.version++
	if old != nil {
		d.unindex(old)
	}
	if e != nil {
		d.index(e)
	}
	if d.history != nil {
		d.history.replace(old, e)
	}
}

func (d *domain) index(e *entry) {
	key := e.name.key()
	d.touch(key)
	d.entries[key] = e
	d.guids[e.first("objectGUID")] = e
	if e.grave { // its names are free again
		return
	}
	if upn := fold(e.first("userPrincipalName")); upn != "" {
		d.upns[upn] = key
	}
	if sam := fold(e.first("sAMAccountName")); sam != "" {
		d.sams[sam] = key
	}
	if mail := fold(e.first("mail")); mail != "" {
		enter(d.mails, mail, key)
	}
	for _, m := range memberKeys(e) {
		enter(d.groups, m, key)
	}
}

func (d *domain) unindex(e *entry) {
	key := e.name.key()
	d.touch(key)
	delete(d.entries, key)
	if guid := e.first("objectGUID"); d.guids[guid] == e {
		delete(d.guids, guid)
	}
	if e.grave {
		return
	}
	release(d.upns, fold(e.first("userPrincipalName")), key)
	release(d.sams, fold(e.first("sAMAccountName")), key)
	leave(d.mails, fold(e.first("mail")), key)
	for _, m := range memberKeys(e) {
		leave(d.groups, m, key)
	}
}

// enter adds a row to an index in which a name may stand for several entries, and leave takes it out.
func enter(index map[string]map[string]struct{}, name, key string) {
	if index[name] == nil {
		index[name] = map[string]struct{}{}
	}
	index[name][key] = struct{}{}
}

func leave(index map[string]map[string]struct{}, name, key string) {
	delete(index[name], key)
	if len(index[name]) == 0 {
		delete(index, name)
	}
}

// release takes a name out of an index unless it stands for another entry by now: a line of the journal isn't in the order in
// which things happened.
func release(index map[string]string, name, key string) {
	if index[name] == key {
		delete(index, name)
	}
}

// forget takes the entry of this key out.
func (d *domain) forget(key string) {
	if e := d.entries[key]; e != nil {
		d.place(e, nil)
	}
}

// memberKeys are the keys of the names in a group's member attribute.
func memberKeys(e *entry) []string {
	var keys []string
	for _, m := range e.get("member") {
		if name, err := parseDN(m); err == nil {
			keys = append(keys, name.key())
		}
	}
	return keys
}

// unique refuses a sign-in name that another entry than self has.
func (d *domain) unique(e *entry, self string) error {
	if sam := fold(e.first("sAMAccountName")); sam != "" {
		if key, taken := d.sams[sam]; taken && key != self {
			return refuse(codeEntryExists, "00000524: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS), data 0")
		}
	}
	if upn := fold(e.first("userPrincipalName")); upn != "" {
		if key, taken := d.upns[upn]; taken && key != self {
			return refuse(codeConstraintViolation, "000021C8: AtrErr: DSID-03200EEC, #1: problem 1005 (CONSTRAINT_ATT_TYPE), "+
				"data 0, Att 90290 (userPrincipalName): another account has this name")
		}
	}
	return nil
}

// values is what a search, filter or compare may see of one attribute of e; false when the attribute is hidden from v.
func (d *domain) values(e *entry, attr string, v view) ([]string, bool) {
	if hidden(attr, v) {
		return nil, false
	}
	switch strings.ToLower(attr) {
	case "distinguishedname":
		return []string{e.name.String()}, true
	case "fourwaysnthash":
		if len(e.hash) == 0 {
			return nil, true
		}
		return []string{string(e.hash)}, true
	case "memberof":
		return d.groupNames(e), true
	case "parentguid":
		return d.parentGUID(e), true
	}
	return e.get(attr), true
}

func (d *domain) parentGUID(e *entry) []string {
	if e.grave {
		return []string{d.derived("Deleted Objects")}
	}
	if parent := d.entries[e.name.parentKey()]; parent != nil {
		return parent.get("objectGUID")
	}
	return nil
}

func (d *domain) groupNames(e *entry) []string {
	var names []string
	for key := range d.groups[e.name.key()] {
		names = append(names, d.entries[key].name.String())
	}
	slices.Sort(names)
	return names
}

// objectSID is S-1-5-21-<domain>-rid in the binary form of [MS-DTYP] 2.4.2.2.
func (d *domain) objectSID(rid uint32) string {
	b := []byte{1, 5, 0, 0, 0, 0, 0, 5}
	for _, part := range []uint32{21, d.sid[0], d.sid[1], d.sid[2], rid} {
		b = binary.LittleEndian.AppendUint32(b, part)
	}
	return string(b)
}

// baseOf is the domain's name as a DN: corp.example.test is DC=corp,DC=example,DC=test.
func baseOf(dns string) (dn, error) {
	if dns == "" || strings.Contains(dns, "..") {
		return dn{}, fmt.Errorf("the domain controller needs a DNS domain such as corp.example.test, not %q", dns)
	}
	return parseDN("DC=" + strings.Join(strings.Split(strings.Trim(dns, "."), "."), ",DC="))
}
