package dc

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unique"
)

// attribute is one attribute of an entry: its name as first written, and its values as raw octets.
type attribute struct {
	name   string
	values []string
}

// entry is one object. Entries in a domain never change: a writer clones, edits and puts the clone back, so that readers can
// keep the pointer.
type entry struct {
	name  dn
	attrs map[string]attribute // by lower-case name
	hash  []byte               // NT hash, 16 octets; nil: no password, nobody can bind
}

func newEntry(name dn) *entry { return &entry{name: name, attrs: map[string]attribute{}} }

func (e *entry) clone() *entry {
	return &entry{name: e.name, attrs: maps.Clone(e.attrs), hash: e.hash}
}

func (e *entry) get(attr string) []string { return e.attrs[strings.ToLower(attr)].values }

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
	key := unique.Make(strings.ToLower(attr)).Value() // the same few names stand at every entry
	if len(vals) == 0 {
		delete(e.attrs, key)
		return
	}
	if old, ok := e.attrs[key]; ok {
		attr = old.name
	}
	e.attrs[key] = attribute{name: attr, values: slices.Clone(vals)}
}

func (e *entry) setNumber(attr string, n int64) { e.set(attr, strconv.FormatInt(n, 10)) }

func (e *entry) is(class string) bool {
	return slices.ContainsFunc(e.get("objectClass"), func(c string) bool { return strings.EqualFold(c, class) })
}

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
	sid     [3]uint32                      // the domain's own part of every objectSid
	rid     uint32                         // last relative id given out
	usn     int64                          // highestCommittedUSN
	version uint64                         // counts changes in memory, so that a save knows what it covers
	touched map[string]struct{}            // keys of what is to be saved
}

// find is the entry of that name, or nil.
func (d *domain) find(name dn) *entry { return d.entries[name.key()] }

// insert takes a new entry in: it must have a parent and names that nobody else has.
func (d *domain) insert(e *entry) error {
	if d.find(e.name) != nil {
		return refuse(codeEntryExists, "00000524: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS), data 0")
	}
	if len(e.name.norm) != len(d.base.norm) && d.entries[e.name.parentKey()] == nil {
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
	e.setNumber("uSNChanged", d.usn)
	e.set("whenChanged", d.now().UTC().Format("20060102150405.0Z"))
}

// put stores e and brings the indexes up to date. On its own it is right for counters that don't replicate (badPwdCount).
func (d *domain) put(e *entry) {
	d.version++
	key := e.name.key()
	d.forget(key)
	d.touch(key)
	d.entries[key] = e
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

// forget takes the entry of this key and its index rows out.
func (d *domain) forget(key string) {
	e := d.entries[key]
	if e == nil {
		return
	}
	d.version++
	d.touch(key)
	delete(d.entries, key)
	delete(d.upns, fold(e.first("userPrincipalName")))
	delete(d.sams, fold(e.first("sAMAccountName")))
	leave(d.mails, fold(e.first("mail")), key)
	for _, m := range memberKeys(e) {
		leave(d.groups, m, key)
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
	}
	return e.get(attr), true
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
