package dc

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
)

// rootDSE is what anybody may read: [MS-ADTS] 3.1.1.3.2.
func (s *Server) rootDSE() *entry {
	d := s.dom
	d.mu.RLock()
	usn := d.usn
	d.mu.RUnlock()
	base := d.base.String()
	e := newEntry(dn{})
	e.set("objectClass", "top")
	e.set("namingContexts", base)
	e.set("defaultNamingContext", base)
	e.set("rootDomainNamingContext", base)
	e.set("configurationNamingContext", "CN=Configuration,"+base)
	e.set("schemaNamingContext", "CN=Schema,CN=Configuration,"+base)
	e.set("dnsHostName", strings.ToLower(d.host)+"."+d.dns)
	e.set("ldapServiceName", d.dns+":"+strings.ToLower(d.host)+"$@"+strings.ToUpper(d.dns))
	e.set("dsServiceName", d.settingsName())
	_, server, _ := strings.Cut(d.settingsName(), ",")
	e.set("serverName", server)
	e.set("supportedLDAPVersion", "3")
	e.set("supportedControl", supportedControls()...)
	e.set("supportedExtension", oidStartTLS, oidWhoAmI)
	e.set("supportedCapabilities", oidActiveDirect)
	e.set("vendorName", "fourways lab")
	e.setNumber("highestCommittedUSN", usn)
	e.set("currentTime", timestampOf(d.now()))
	e.set("isSynchronized", "TRUE")
	return e
}

// settingsName is the name of this domain controller's NTDS Settings. They lie in the configuration partition, of which there
// is nothing else: a search of the domain doesn't find them, one of this name does.
func (d *domain) settingsName() string {
	return "CN=NTDS Settings,CN=" + escapeDN(strings.ToUpper(d.host)) + ",CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration," + d.base.String()
}

// settings is where the id of this domain controller's database can be read: update sequence numbers count in that database
// and in no other ([MS-ADTS] 6.1.1.2.2.1.2.1.1).
func (d *domain) settings() *entry {
	name, err := parseDN(d.settingsName())
	if err != nil {
		return nil // the base and an escaped value are a name, so this is one
	}
	e := newEntry(name)
	e.set("objectClass", "top", "applicationSettings", "nTDSDSA")
	e.set("cn", name.value)
	e.set("name", name.value)
	e.set("objectCategory", "CN=NTDS-DSA,CN=Schema,CN=Configuration,"+d.base.String())
	e.set("objectGUID", d.derived("NTDS Settings"))
	e.set("instanceType", "4")
	e.set("invocationId", string(d.id))
	return e
}

// derived is an id that a domain has without having stored it: the same at every start, another in every other domain.
func (d *domain) derived(what string) string {
	seed := []byte("fourways lab " + what)
	for _, part := range d.sid {
		seed = binary.LittleEndian.AppendUint32(seed, part)
	}
	id := sha256.Sum256(seed)
	return string(id[:16])
}

// ready builds what is not stored, once the entries are read.
func (d *domain) ready() {
	d.history = order(d.entries)
	d.graves = nil
	for _, m := range d.history.marks {
		if m.e.grave {
			d.graves = append(d.graves, m.e)
		}
	}
	if len(d.id) != 16 { // written down before a domain had one
		d.id = []byte(d.derived("invocationId"))
	}
}

// visible is the entry of this name, of those that v may see.
func (d *domain) visible(name dn, v view) *entry {
	key := name.key()
	e := d.entries[key]
	if e == nil {
		for _, e = range []*entry{d.settings(), d.deletedObjects()} {
			if e.name.key() == key {
				break
			}
			e = nil
		}
	}
	if e != nil && e.grave && !v.deleted {
		return nil
	}
	return e
}

func supportedControls() []string {
	return []string{oidPaged, oidDomainScope, oidBypassHash, oidPermissive, oidShowDeleted, oidDirSync, oidRanges}
}

func supported(oid string) bool { return slices.Contains(supportedControls(), oid) }
