package dc

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
)

// create makes an empty domain: its top entry with the policy, and CN=Users.
func (d *domain) create(o Options) error {
	for i := range d.sid {
		var b [4]byte
		_, _ = rand.Read(b[:])
		d.sid[i] = binary.LittleEndian.Uint32(b[:])
	}
	d.rid = 1000
	d.id = make([]byte, 16)
	_, _ = rand.Read(d.id)
	top := newEntry(d.base)
	top.set("objectClass", classChain("domainDNS")...)
	d.defaults(top)
	top.set("isCriticalSystemObject", "TRUE")
	threshold := o.LockoutThreshold
	if threshold == 0 {
		threshold = 10
	}
	top.setNumber("lockoutThreshold", int64(max(threshold, 0)))
	top.setNumber("lockoutDuration", ticks(o.LockoutDuration, 30*time.Minute))
	top.setNumber("lockOutObservationWindow", ticks(30*time.Minute, 0))
	top.setNumber("maxPwdAge", ticks(o.MaxPwdAge, 42*24*time.Hour))
	if err := d.insert(top); err != nil {
		return err
	}
	users, err := parseDN("CN=Users," + d.base.String())
	if err != nil {
		return err
	}
	e := newEntry(users)
	e.set("objectClass", classChain("container")...)
	d.defaults(e)
	e.set("isCriticalSystemObject", "TRUE")
	if err := d.insert(e); err != nil {
		return err
	}
	if err := d.dormant("Guest", "Built-in account for guest access to the computer/domain", ridGuest, uacNormal|uacDisabled|uacNoPassword|uacDontExpire); err != nil {
		return err
	}
	return d.dormant("krbtgt", "Key Distribution Center Service Account", ridKrbtgt, uacNormal|uacDisabled)
}

// The relative ids of the accounts that every domain is made with, [MS-DTYP] 2.4.2.4.
const (
	ridAdministrator = 500
	ridGuest         = 501
	ridKrbtgt        = 502
)

// dormant makes an account that is there and that nobody uses.
func (d *domain) dormant(user, description string, rid uint32, bits int64) error {
	name, err := parseDN("CN=" + user + ",CN=Users," + d.base.String())
	if err != nil {
		return err
	}
	e := newEntry(name)
	e.set("objectClass", classChain("user")...)
	d.defaults(e)
	e.set("objectSid", d.objectSID(rid))
	e.set("description", description)
	e.setNumber("userAccountControl", bits)
	e.set("isCriticalSystemObject", "TRUE")
	return d.insert(e)
}

// ticks is a policy's interval: negative units of 100 ns, 0 for none.
func ticks(v, standard time.Duration) int64 {
	switch {
	case v == 0:
		v = standard
	case v < 0:
		return 0
	}
	return -int64(v / 100)
}

// builtin makes one of the two built-in accounts if it isn't there, gives it the password of the options, and returns its key.
func (d *domain) builtin(a Account, admin bool) (string, error) {
	user := userName(a.Name)
	name, err := parseDN("CN=" + escapeDN(user) + ",CN=Users," + d.base.String())
	if err != nil {
		return "", fmt.Errorf("the account name %q: %w", a.Name, err)
	}
	if a.Password == "" {
		return "", fmt.Errorf("the account %q needs a password", a.Name)
	}
	e := d.entries[d.sams[fold(user)]]
	if e == nil {
		e = d.find(name)
	}
	if e == nil {
		e = newEntry(name)
		e.set("objectClass", classChain("user")...)
		d.defaults(e)
		if admin {
			e.set("objectSid", d.objectSID(ridAdministrator))
		}
		if err := d.insert(e); err != nil {
			return "", err
		}
	}
	fit := e.clone()
	fit.setNumber("userAccountControl", uacNormal|uacDontExpire)
	if admin {
		fit.set("adminCount", "1")
		fit.set("isCriticalSystemObject", "TRUE")
	} else { // a service account is the domain's own business, and no part of it
		fit.set("isCriticalSystemObject")
	}
	if string(e.hash) != string(ntHash(a.Password)) {
		d.setPassword(fit, []byte(a.Password))
	}
	if !slices.EqualFunc(fit.attrs, e.attrs, attribute.equal) || string(fit.hash) != string(e.hash) {
		d.stamp(fit)
		d.put(fit)
	}
	return fit.name.key(), nil
}

// userName is the bare user name in any of the forms a bind takes.
func userName(s string) string {
	if name, err := parseDN(s); err == nil && !name.isRoot() {
		return name.value
	}
	if _, after, ok := strings.Cut(s, `\`); ok {
		return after
	}
	before, _, _ := strings.Cut(s, "@")
	return before
}
