package dc

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// tombstoneLifetime is how long a domain controller keeps what is left of a deleted object.
const tombstoneLifetime = 180 * 24 * time.Hour

// remains are the attributes that a tombstone keeps, of those that the lab has: [MS-ADTS] 3.1.1.5.5.1.1.
func remains() []string {
	return []string{"objectClass", "objectGUID", "objectSid", "sAMAccountName", "userAccountControl", "groupType", "instanceType", "whenCreated", "uSNCreated"}
}

// remove deletes a leaf, takes its name from every group, and leaves a tombstone.
func (d *domain) remove(target string) error {
	name, err := parseDN(target)
	if err != nil {
		return refuse(codeInvalidDN, err.Error())
	}
	e := d.find(name)
	switch {
	case e == nil:
		return refuse(codeNoSuchObject, noSuchObject(d.base))
	case e.first("isCriticalSystemObject") == "TRUE":
		return refuse(codeUnwilling, "00002011: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0: the domain needs this entry")
	case len(d.subtree(name)) > 1:
		return refuse(codeNotOnNonLeaf, "00002015: UpdErr: DSID-031A1236, problem 6003 (CAN'T_ON_NON_LEAF), data 0")
	}
	d.relink(name, func(dn) (dn, bool) { return dn{}, false })
	e = d.find(name) // a group may have been its own member
	grave, err := d.tombstone(e)
	if err != nil {
		return err
	}
	d.place(e, grave)
	d.graves = append(d.graves, grave)
	return nil
}

// tombstone is what a deleted object becomes: another name, in which it has its GUID, and few attributes.
func (d *domain) tombstone(e *entry) (*entry, error) {
	marker := "DEL:" + guidText(e.first("objectGUID"))
	leaf := e.name.attr + "=" + escapeDN(e.name.value) + `\0A` + marker
	name, err := parseDN(leaf + "," + d.graveyard())
	if err != nil {
		return nil, err
	}
	grave := newEntry(name)
	grave.grave = true
	for _, attr := range remains() {
		grave.set(attr, e.get(attr)...)
	}
	grave.set(e.name.attr, name.value)
	grave.set("name", name.value)
	grave.set("isDeleted", "TRUE")
	grave.set("isRecycled", "TRUE")
	grave.set("lastKnownParent", dn{text: e.name.text[1:]}.String())
	grave.set("msDS-LastKnownRDN", e.name.value)
	d.stamp(grave)
	return grave, nil
}

// sweep forgets the tombstones whose time is over. It doesn't replicate: every domain controller does it for itself.
func (d *domain) sweep() {
	if len(d.graves) == 0 {
		return
	}
	oldest := timestampOf(d.now().Add(-tombstoneLifetime))
	kept := 0
	for kept < len(d.graves) && d.graves[kept].first("whenChanged") < oldest { // of one length, so text compares as time does
		d.forget(d.graves[kept].name.key())
		kept++
	}
	d.graves = slices.Delete(d.graves, 0, kept)
}

// graveyard is the name of the container of tombstones.
func (d *domain) graveyard() string { return "CN=Deleted Objects," + d.base.String() }

// deletedObjects is that container. It is the same in every domain and nothing can be done to it, so it isn't stored.
func (d *domain) deletedObjects() *entry {
	name, err := parseDN(d.graveyard())
	if err != nil {
		return nil // the base is a name, so this is one
	}
	e := newEntry(name)
	e.grave = true
	e.set("objectClass", classChain("container")...)
	d.defaults(e)
	e.set("objectGUID", d.derived("Deleted Objects"))
	e.set("isDeleted", "TRUE")
	e.set("isCriticalSystemObject", "TRUE")
	return e
}

// guidText is an objectGUID as Active Directory writes it: the first three parts with the low octet first ([MS-DTYP] 2.3.4.2).
func guidText(guid string) string {
	b := []byte(guid)
	if len(b) != 16 {
		return fmt.Sprintf("%x", b)
	}
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint16(b[4:]),
		binary.LittleEndian.Uint16(b[6:]), b[8:10], b[10:])
}
