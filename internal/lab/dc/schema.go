package dc

import (
	"strconv"
	"strings"
)

// AttrNTHash is the lab-only attribute in which the sync reader, over TLS, finds a person's NT hash: 16 octets. It stands in
// for the replication rights (DS-Replication-Get-Changes-All) that a real domain controller wants for the same secret. It
// must be asked for by name.
const AttrNTHash = "fourwaysNTHash"

// AttrPassword is written by the administrator, over TLS only, as a quoted UTF-16LE string ([MS-ADTS] 3.1.1.3.1.5.1). It can
// never be read.
const AttrPassword = "unicodePwd"

// syntax decides how values of an attribute are compared.
type syntax uint8

const (
	caseIgnore syntax = iota
	integer
	octets
	distinguished
	timestamp
)

func syntaxOf(attr string) syntax {
	switch strings.ToLower(attr) {
	case "useraccountcontrol", "accountexpires", "pwdlastset", "lockouttime", "badpwdcount", "badpasswordtime", "lastlogon",
		"usnchanged", "usncreated", "grouptype", "samaccounttype", "primarygroupid", "maxpwdage", "lockoutthreshold",
		"lockoutduration", "lockoutobservationwindow", "instancetype":
		return integer
	case "objectguid", "objectsid", "logonhours", "unicodepwd", "fourwaysnthash", "ms-ds-consistencyguid", "thumbnailphoto",
		"invocationid", "parentguid":
		return octets
	case "member", "memberof", "distinguishedname", "manager", "objectcategory", "lastknownparent":
		return distinguished
	case "whencreated", "whenchanged":
		return timestamp
	}
	return caseIgnore
}

// hidden attributes are undefined in every filter and compare, and absent from every result. The hash is shown to v alone.
func hidden(attr string, v view) bool {
	switch strings.ToLower(attr) {
	case "unicodepwd", "userpassword", "dbcspwd", "supplementalcredentials":
		return true
	case "fourwaysnthash":
		return !v.hashes
	}
	return false
}

// protected attributes belong to the directory itself: no client may write them.
func protected(attr string) bool {
	switch strings.ToLower(attr) {
	case "objectguid", "objectsid", "objectcategory", "distinguishedname", "whencreated", "whenchanged", "usncreated", "usnchanged",
		"memberof", "badpwdcount", "badpasswordtime", "lastlogon", "samaccounttype", "instancetype",
		"fourwaysnthash", "userpassword", "dbcspwd", "supplementalcredentials", "iscriticalsystemobject",
		"isdeleted", "isrecycled", "lastknownparent", "msds-lastknownrdn", "parentguid", "invocationid":
		return true
	}
	return false
}

// single-valued attributes that clients write; a second value is refused. The schema gives description several values, the
// accounts database one.
func singleValued(attr string) bool {
	switch strings.ToLower(attr) {
	case "useraccountcontrol", "accountexpires", "pwdlastset", "lockouttime", "userprincipalname", "samaccountname", "logonhours",
		"userworkstations", "maxpwdage", "lockoutthreshold", "lockoutduration", "lockoutobservationwindow", "ms-ds-consistencyguid",
		"displayname", "givenname", "sn", "mail", "cn", "name", "grouptype", "manager", "admindescription", "department", "title",
		"description", "mailnickname", "msexchusagelocation", "c", "msds-externaldirectoryobjectid":
		return true
	}
	return false
}

// numeral is the number that normal has accepted.
func numeral(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// normal is the comparable form of one value; false when the value doesn't fit the syntax.
func normal(s syntax, value string) (string, bool) {
	switch s {
	case integer:
		n, err := strconv.ParseInt(value, 10, 64)
		return strconv.FormatInt(n, 10), err == nil
	case distinguished:
		d, err := parseDN(value)
		return d.key(), err == nil
	case octets, timestamp:
		return value, true
	default:
		return fold(value), true
	}
}

// classChain is what Active Directory stores in objectClass for the structural class that a client names.
func classChain(class string) []string {
	switch strings.ToLower(class) {
	case "user":
		return []string{"top", "person", "organizationalPerson", "user"}
	case "contact":
		return []string{"top", "person", "organizationalPerson", "contact"}
	case "group":
		return []string{"top", "group"}
	case "organizationalunit":
		return []string{"top", "organizationalUnit"}
	case "container":
		return []string{"top", "container"}
	case "domaindns":
		return []string{"top", "domain", "domainDNS"}
	}
	return nil
}

// category is the CN of the objectCategory that a structural class has.
func category(class string) string {
	switch strings.ToLower(class) {
	case "user", "contact":
		return "Person"
	case "group":
		return "Group"
	case "organizationalunit":
		return "Organizational-Unit"
	case "domaindns":
		return "Domain-DNS"
	}
	return "Container"
}
