package dc

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/fourways-id/fourways/internal/passhash"
)

// The bits of userAccountControl that the lab honours, [MS-ADTS] 2.2.16.
const (
	uacDisabled          = 0x2
	uacNoPassword        = 0x20
	uacNormal            = 0x200
	uacDontExpire        = 0x10000
	uacSmartcardRequired = 0x40000
)

// The sub-codes of a refused bind: Win32 error numbers in hexadecimal.
const (
	dataBadPassword  = "52e"
	dataLogonHours   = "530"
	dataWorkstation  = "531"
	dataExpired      = "532"
	dataDisabled     = "533"
	dataAccountEnded = "701"
	dataMustChange   = "773"
	dataLocked       = "775"
)

// neverExpires is the other spelling, beside 0, of an accountExpires without an end.
const neverExpires = 0x7FFFFFFFFFFFFFFF

// epochOffset is 1970-01-01 in FILETIME: units of 100 ns since 1601-01-01.
const epochOffset = 116444736000000000

func fileTime(t time.Time) int64 { return t.UnixNano()/100 + epochOffset }

func timeOf(ft int64) time.Time {
	ft -= epochOffset
	return time.Unix(ft/1e7, ft%1e7*100)
}

// restriction is why an account whose password was right may not sign in all the same; "" when it may. The order is the one
// that a Samba domain controller was seen to answer in.
func (d *domain) restriction(e *entry) string {
	now := d.now()
	switch {
	case e.number("userAccountControl")&uacDisabled != 0:
		return dataDisabled
	case accountEnded(e, now):
		return dataAccountEnded
	}
	if data := d.passwordAge(e, now); data != "" {
		return data
	}
	switch {
	case !workstationAllowed(e, d.host):
		return dataWorkstation
	case !hourAllowed(e, now):
		return dataLogonHours
	}
	return ""
}

func accountEnded(e *entry, now time.Time) bool {
	ends := e.number("accountExpires")
	return ends != 0 && ends != neverExpires && !now.Before(timeOf(ends))
}

func (d *domain) passwordAge(e *entry, now time.Time) string {
	if e.number("userAccountControl")&(uacDontExpire|uacSmartcardRequired) != 0 {
		return ""
	}
	set := e.number("pwdLastSet")
	if set == 0 {
		return dataMustChange
	}
	age := d.interval("maxPwdAge")
	if age > 0 && !now.Before(timeOf(set).Add(age)) {
		return dataExpired
	}
	return ""
}

// interval reads a policy of the domain object, stored as negative units of 100 ns; 0 means no limit.
func (d *domain) interval(attr string) time.Duration {
	n := d.find(d.base).number(attr)
	if n >= 0 || n < -int64(time.Duration(1<<63-1)/100) {
		return 0
	}
	return time.Duration(-n) * 100
}

// workstationAllowed: a bind comes from the domain controller itself, as far as userWorkstations is concerned.
func workstationAllowed(e *entry, host string) bool {
	list := e.first("userWorkstations")
	if list == "" {
		return true
	}
	return slices.ContainsFunc(strings.Split(list, ","), func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), host) })
}

// hourAllowed: logonHours has one bit for each hour of a week in UTC, from Sunday 00:00, lowest bit of the first octet first.
func hourAllowed(e *entry, now time.Time) bool {
	hours := e.first("logonHours")
	if len(hours) != 21 {
		return true
	}
	now = now.UTC()
	i := int(now.Weekday())*24 + now.Hour()
	return hours[i/8]>>(i%8)&1 == 1
}

// locked reports a lock that still holds: lockoutTime is set, and lockoutDuration (0: until somebody unlocks) isn't over.
func (d *domain) locked(e *entry, now time.Time) bool {
	at := e.number("lockoutTime")
	if at == 0 {
		return false
	}
	lasts := d.interval("lockoutDuration")
	return lasts == 0 || now.Before(timeOf(at).Add(lasts))
}

// countFailure writes one wrong password down, and the lock when the threshold is reached. The attempt that locks is itself
// still told 52e; it reports whether it locked.
func (d *domain) countFailure(e *entry) bool {
	now := d.now()
	threshold := d.find(d.base).number("lockoutThreshold")
	changed := e.clone()
	count := e.number("badPwdCount")
	window := d.interval("lockOutObservationWindow")
	if last := e.number("badPasswordTime"); window > 0 && last != 0 && !now.Before(timeOf(last).Add(window)) {
		count = 0
	}
	changed.setNumber("badPwdCount", count+1)
	changed.setNumber("badPasswordTime", fileTime(now))
	// As on a real domain controller the built-in administrator can't be locked out of the domain.
	if threshold <= 0 || count+1 < threshold || e.first("adminCount") == "1" {
		d.put(changed)
		return false
	}
	changed.setNumber("lockoutTime", fileTime(now))
	d.stamp(changed)
	d.put(changed)
	return true
}

// countSuccess clears what earlier failures left; it reports whether there was anything to clear.
func (d *domain) countSuccess(e *entry) bool {
	if e.number("badPwdCount") == 0 && e.number("lockoutTime") == 0 {
		return false
	}
	changed := e.clone()
	changed.setNumber("badPwdCount", 0)
	if e.number("lockoutTime") != 0 {
		changed.setNumber("lockoutTime", 0)
		d.stamp(changed)
	}
	d.put(changed)
	return true
}

// setPassword gives e the hash of a new password and the time of the change.
func (d *domain) setPassword(e *entry, password []byte) {
	e.hash = ntHash(string(password))
	e.setNumber("pwdLastSet", fileTime(d.now()))
}

// smartcardOnly does what Active Directory does when the flag is set: the password becomes a random one that nobody knows.
// Nobody chose it, so pwdLastSet stays.
func smartcardOnly(e *entry) {
	e.hash = make([]byte, hashSize)
	_, _ = rand.Read(e.hash)
}

// hashSize is the length of an NT hash.
const hashSize = 16

// ntHash is what a domain controller stores of a password.
func ntHash(password string) []byte {
	nt := passhash.NTHash([]byte(password))
	return nt[:]
}

// quotedPassword reads a value of unicodePwd: UTF-16LE, in quotation marks, not empty.
func quotedPassword(value string) (string, error) {
	if len(value) < 4 || len(value)%2 != 0 || len(value) > 1024 {
		return "", errors.New("not a quoted UTF-16LE string of at most 510 characters")
	}
	units := make([]uint16, len(value)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16([]byte(value[2*i:]))
	}
	if units[0] != '"' || units[len(units)-1] != '"' {
		return "", errors.New("no quotation marks around it")
	}
	if len(units) == 2 {
		return "", fmt.Errorf("the password is empty")
	}
	return string(utf16.Decode(units[1 : len(units)-1])), nil
}

func utf16Of(s string) []uint16 { return utf16.Encode([]rune(s)) }
