package dc

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
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
	e := d.entries[d.sams[fold(user)]]
	if e == nil {
		e = d.find(name)
	}
	if e == nil {
		e = newEntry(name)
		e.set("objectClass", classChain("user")...)
		d.defaults(e)
		e.set("isCriticalSystemObject", "TRUE")
		if err := d.insert(e); err != nil {
			return "", err
		}
	}
	if a.Password == "" {
		return "", fmt.Errorf("the account %q needs a password", a.Name)
	}
	e = e.clone()
	e.setNumber("userAccountControl", uacNormal|uacDontExpire)
	if admin {
		e.set("adminCount", "1")
	}
	if string(e.hash) != string(ntHash(a.Password)) {
		d.setPassword(e, []byte(a.Password))
	}
	d.put(e)
	return e.name.key(), nil
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
