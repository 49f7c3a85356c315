package dc

import (
	"fmt"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// The kinds of change in a ModifyRequest, RFC 4511 section 4.6.
const (
	changeAdd     = 0
	changeDelete  = 1
	changeReplace = 2
)

// edit is one change to one attribute.
type edit struct {
	kind int64
	attr string
	vals []string
}

// how says under which conditions a change is made.
type how struct {
	encrypted  bool // the connection has TLS: passwords may be set
	permissive bool // adding what is there, deleting what isn't: no error
	// bypass lets pwdLastSet and lockoutTime take any value, which a real domain controller refuses over LDAP. The control is
	// the one with which an administrator on Samba's own machine makes such test accounts.
	bypass bool
}

const notAllowed = "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0"

// change answers the four requests that write. Only the administrator may; each is on disk before it is answered.
func (s *session) change(r request) outcome {
	out := outcome{tag: responseTag(r.op.Tag)}
	h := how{encrypted: s.encrypted}
	_, h.permissive = r.control(oidPermissive)
	_, h.bypass = r.control(oidBypassHash)
	var work func(d *domain) error
	var err error
	switch r.op.Tag {
	case opAdd:
		out.op = "add"
		work, out.target, err = decodeAdd(r.op, h)
	case opModify:
		out.op = "modify"
		work, out.target, err = decodeModify(r.op, h)
	case opDelete:
		out.op, out.target = "delete", contents(r.op)
		work = func(d *domain) error { return d.remove(out.target) }
	case opModifyDN:
		out.op = "rename"
		work, out.target, err = decodeRename(r.op)
	}
	switch {
	case err != nil:
		return out.fail(err)
	case !s.who.known():
		return out.with(codeOperationsError, bindFirst)
	case !s.who.admin:
		return out.with(codeNoAccess, notAllowed)
	}
	if err := s.srv.dom.exclusively(work); err != nil {
		return out.fail(err)
	}
	if err := s.srv.save(); err != nil {
		return out.with(codeUnavailable, err.Error())
	}
	return out
}

// exclusively runs work with nobody else in the domain; a panic in it leaves the domain usable.
func (d *domain) exclusively(work func(*domain) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sweep()
	return work(d)
}

func decodeAdd(p *ber.Packet, h how) (func(*domain) error, string, error) {
	if len(p.Children) != 2 {
		return nil, "", refuse(codeProtocolError, "malformed add request")
	}
	target := contents(p.Children[0])
	var edits []edit
	for _, a := range p.Children[1].Children {
		e, err := decodeAttribute(a)
		if err != nil {
			return nil, target, err
		}
		edits = append(edits, e)
	}
	return func(d *domain) error { return d.add(target, edits, h) }, target, nil
}

func decodeModify(p *ber.Packet, h how) (func(*domain) error, string, error) {
	if len(p.Children) != 2 {
		return nil, "", refuse(codeProtocolError, "malformed modify request")
	}
	target := contents(p.Children[0])
	var edits []edit
	for _, c := range p.Children[1].Children {
		if len(c.Children) != 2 {
			return nil, target, refuse(codeProtocolError, "malformed change")
		}
		e, err := decodeAttribute(c.Children[1])
		if err != nil {
			return nil, target, err
		}
		e.kind = number(c.Children[0])
		edits = append(edits, e)
	}
	return func(d *domain) error { return d.modify(target, edits, h) }, target, nil
}

func decodeAttribute(p *ber.Packet) (edit, error) {
	if len(p.Children) != 2 {
		return edit{}, refuse(codeProtocolError, "malformed attribute")
	}
	e := edit{attr: contents(p.Children[0])}
	if !validAttribute(e.attr) || strings.ContainsAny(e.attr, ";*=") {
		return edit{}, refuse(codeInvalidSyntax, fmt.Sprintf("%q is no name of an attribute", e.attr))
	}
	for _, v := range p.Children[1].Children {
		e.vals = append(e.vals, contents(v))
	}
	return e, nil
}

// add makes a new entry of a known structural class.
func (d *domain) add(target string, edits []edit, h how) error {
	name, err := parseDN(target)
	if err != nil || name.isRoot() || !name.below(d.base) {
		return refuse(codeInvalidDN, "0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME), data 8350, best match of: '"+target+"'")
	}
	e := newEntry(name)
	for _, ed := range edits {
		if strings.EqualFold(ed.attr, "objectClass") && len(ed.vals) > 0 {
			e.set("objectClass", classChain(ed.vals[len(ed.vals)-1])...)
		}
	}
	if len(e.get("objectClass")) == 0 {
		return refuse(codeUnwilling, "00002093: SvcErr: DSID-031A1253: objectClass must be user, contact, group, organizationalUnit or container")
	}
	d.defaults(e)
	for _, ed := range edits {
		rdn := strings.EqualFold(ed.attr, name.attr) || strings.EqualFold(ed.attr, "name")
		if strings.EqualFold(ed.attr, "objectClass") || rdn && len(ed.vals) == 1 && fold(ed.vals[0]) == fold(name.value) {
			continue
		}
		ed.kind = changeReplace
		if err := d.apply(e, ed, h); err != nil {
			return err
		}
	}
	return d.insert(e)
}

// defaults is what Active Directory fills in itself. A new user has no password and is disabled, as there.
func (d *domain) defaults(e *entry) {
	classes := e.get("objectClass")
	class := classes[len(classes)-1]
	e.set(strings.ToLower(e.name.attr), e.name.value)
	e.set("name", e.name.value)
	e.set("objectCategory", "CN="+category(class)+",CN=Schema,CN=Configuration,"+d.base.String())
	e.set("instanceType", "4")
	switch {
	case e.is("user"):
		e.set("sAMAccountName", e.name.value)
		e.set("sAMAccountType", "805306368")
		e.set("primaryGroupID", "513")
		e.setNumber("userAccountControl", uacNormal|uacDisabled)
		e.setNumber("accountExpires", neverExpires)
		e.setNumber("pwdLastSet", 0)
		e.setNumber("badPwdCount", 0)
	case e.is("group"):
		e.set("sAMAccountName", e.name.value)
		e.set("sAMAccountType", "268435456")
		e.setNumber("groupType", -2147483646) // global security group
	}
}

// modify makes all edits or none.
func (d *domain) modify(target string, edits []edit, h how) error {
	name, err := parseDN(target)
	if err != nil {
		return refuse(codeInvalidDN, err.Error())
	}
	old := d.find(name)
	if old == nil {
		return refuse(codeNoSuchObject, noSuchObject(d.base))
	}
	e := old.clone()
	for _, ed := range edits {
		if strings.EqualFold(ed.attr, e.name.attr) || strings.EqualFold(ed.attr, "name") {
			return refuse(codeNotOnRDN, "the name of an entry is changed by a rename, not by a modify")
		}
		if strings.EqualFold(ed.attr, "objectClass") {
			return refuse(codeUnwilling, "the class of an entry can't be changed")
		}
		if err := d.apply(e, ed, h); err != nil {
			return err
		}
	}
	return d.replace(e)
}

// apply makes one edit to e, which the caller owns.
func (d *domain) apply(e *entry, ed edit, h how) error {
	if strings.EqualFold(ed.attr, AttrPassword) {
		return d.applyPassword(e, ed, h)
	}
	if protected(ed.attr) {
		return refuse(codeUnwilling, "0000209A: SvcErr: DSID-031A1081, problem 5003 (WILL_NOT_PERFORM), data 0: "+ed.attr+" belongs to the directory")
	}
	for i, v := range ed.vals {
		checked, err := d.checkValue(ed.attr, v, h)
		if err != nil {
			return err
		}
		ed.vals[i] = checked
	}
	vals, err := merge(e.get(ed.attr), ed, h.permissive)
	if err != nil {
		return err
	}
	if len(vals) > 1 && singleValued(ed.attr) {
		return refuse(codeConstraintViolation, ed.attr+" has one value at most")
	}
	if strings.EqualFold(ed.attr, "userAccountControl") && len(vals) == 1 {
		bits, _ := strconv.ParseInt(vals[0], 10, 64) // checked in checkValue
		if bits&uacSmartcardRequired != 0 && e.number("userAccountControl")&uacSmartcardRequired == 0 {
			smartcardOnly(e)
		}
	}
	if strings.EqualFold(ed.attr, "lockoutTime") && len(vals) == 1 && vals[0] == "0" {
		e.setNumber("badPwdCount", 0)
	}
	e.set(ed.attr, vals...)
	return nil
}
