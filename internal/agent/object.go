package agent

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

// Bounds of what one object may carry to the gateway, which has stricter ones of its own.
const (
	longestText = 4096      // octets
	mostAnchor  = 64        // octets
	mostValues  = 2000      // proxy addresses
	mostMembers = 1_000_000 // of a group
)

// accountDisabled is a bit of userAccountControl (MS-ADTS, section 2.2.16).
const accountDisabled = 0x2

// attributes are what an object is made of, and judged by.
func (s *source) attributes() []string {
	all := append(s.idAttributes(), s.terms.ruleAttributes()...)
	all = append(all,
		s.o.CloudUPN, s.o.BindUPN, "sAMAccountName", "uid", "cn", "displayName", "givenName", "sn", "mail", "mailNickname", "proxyAddresses",
		"department", "title", "description", "msExchUsageLocation", "c", "userAccountControl", "member", "uniqueMember",
		"whenChanged", "modifyTimestamp")
	all = append(all, s.passwordTimes()...)
	all = append(all, s.o.WriteBack...)
	return distinct(all)
}

func distinct(names []string) []string {
	var all []string
	for _, n := range names {
		if n != "" && !slices.ContainsFunc(all, func(o string) bool { return strings.EqualFold(o, n) }) {
			all = append(all, n)
		}
	}
	return all
}

// object is an entry as the gateway gets it. What can't be read makes it an object with an Error, and stops nobody else.
func (s *source) object(kind string, e onprem.Entry) dirsync.Object {
	r := &reading{Entry: e}
	o := dirsync.Object{
		Kind: kind, ID: s.id(e), Anchor: s.anchor(e), DN: cut(e.DN), Ref: dirsync.Ref(onprem.NormalDN(e.DN)),
		SAM: r.text("sAMAccountName", "uid"), DisplayName: r.text("displayName"), Mail: r.text("mail"),
		Nickname: r.text("mailNickname"), ProxyAddresses: r.texts("proxyAddresses"),
		ChangedAt: generalized(first(e, "whenChanged", "modifyTimestamp")), Written: s.written(e),
	}
	switch kind {
	case dirsync.User:
		s.person(r, &o)
	case dirsync.Group:
		s.group(r, &o)
	}
	if o.Anchor == "" {
		why := "it has no value in the anchor attribute "
		if r.First(s.o.AnchorAttribute) != "" {
			why = fmt.Sprintf("it has more than %d octets in the anchor attribute ", mostAnchor)
		}
		r.bad(why + s.o.AnchorAttribute)
	}
	o.Error = strings.Join(r.wrong, "; ")
	return o
}

func (s *source) person(r *reading, o *dirsync.Object) {
	o.UPN, o.GivenName, o.Surname = r.text(s.o.CloudUPN), r.text("givenName"), r.text("sn")
	o.Department, o.JobTitle, o.UsageLocation = r.text("department"), r.text("title"), r.text("msExchUsageLocation", "c")
	if bind := r.text(s.o.BindUPN); !strings.EqualFold(bind, o.UPN) {
		o.OnpremUPN = bind
	}
	uac, err := strconv.ParseInt(r.First("userAccountControl"), 10, 64)
	o.Enabled = err != nil || uac&accountDisabled == 0 // OpenLDAP has no such attribute
	o.PasswordAt, o.MustChange = passwordTime(r.Entry)
}

func (s *source) group(r *reading, o *dirsync.Object) {
	o.DisplayName, o.Description = r.text("displayName", "cn"), r.text("description")
	members := slices.Concat(r.Get("member"), r.Get("uniqueMember"))
	if len(members) > mostMembers {
		r.bad(fmt.Sprintf("it has %d members, more than %d", len(members), mostMembers))
		return
	}
	for _, dn := range members {
		o.Members = append(o.Members, dirsync.Ref(onprem.NormalDN(string(dn))))
	}
}

// written is what stands in the attributes that may be written back.
func (s *source) written(e onprem.Entry) map[string]string {
	var now map[string]string
	for _, name := range s.o.WriteBack {
		vals := e.Get(name)
		if len(vals) == 0 {
			continue
		}
		if now == nil {
			now = map[string]string{}
		}
		now[name] = cut(string(vals[0]))
		if name == ConsistencyGUID {
			now[name] = base64.StdEncoding.EncodeToString(vals[0][:min(len(vals[0]), mostAnchor)])
		}
	}
	return now
}

// cut is a text for people, as far as it can be sent.
func cut(text string) string { return strings.ToValidUTF8(text[:min(len(text), longestText)], "?") }

// reading takes texts out of an entry and notes what is wrong with them.
type reading struct {
	onprem.Entry
	wrong []string
}

func (r *reading) bad(why string) {
	if !slices.Contains(r.wrong, why) {
		r.wrong = append(r.wrong, why)
	}
}

// text is the first value of the first of the attributes that has one.
func (r *reading) text(names ...string) string {
	for _, n := range names {
		if v := r.First(n); v != "" {
			return r.sound(n, v)
		}
	}
	return ""
}

func (r *reading) texts(name string) []string {
	vals := r.Get(name)
	if len(vals) > mostValues {
		r.bad(fmt.Sprintf("%s has %d values, more than %d", name, len(vals), mostValues))
		return nil
	}
	var all []string
	for _, v := range vals {
		all = append(all, r.sound(name, string(v)))
	}
	return all
}

func (r *reading) sound(name, v string) string {
	switch {
	case len(v) > longestText:
		r.bad(fmt.Sprintf("%s has %d octets, more than %d", name, len(v), longestText))
	case !utf8.ValidString(v):
		r.bad(name + " is not UTF-8")
	default:
		return v
	}
	return ""
}

func first(e onprem.Entry, names ...string) string {
	for _, n := range names {
		if v := e.First(n); v != "" {
			return v
		}
	}
	return ""
}

// passwordTimes are the attributes that passwordTime looks at.
func (s *source) passwordTimes() []string {
	if s.ad() {
		return []string{"pwdLastSet", "userAccountControl", "whenChanged"}
	}
	return []string{"pwdChangedTime", "sambaPwdLastSet", "pwdReset"}
}

// passwordTime is when a password was changed, and whether it must be changed at the next logon: pwdLastSet is 0 then
// ([MS-ADTS] 3.1.1.8.10), and in OpenLDAP pwdReset is TRUE (draft-behera-ldap-password-policy-10, section 5.3.7).
func passwordTime(e onprem.Entry) (at time.Time, mustChange bool) {
	mustChange = e.First("pwdLastSet") == "0" || strings.EqualFold(e.First("pwdReset"), "TRUE")
	if t := e.First("pwdChangedTime"); t != "" {
		return generalized(t), mustChange
	}
	if n, err := strconv.ParseInt(e.First("sambaPwdLastSet"), 10, 64); err == nil {
		if n <= 0 {
			return time.Time{}, true
		}
		return sane(time.Unix(n, 0)), mustChange
	}
	n, err := strconv.ParseInt(e.First("pwdLastSet"), 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}, mustChange
	}
	at = fileTime(n)
	if flags, _ := strconv.ParseInt(e.First("userAccountControl"), 10, 64); flags&smartcardRequired != 0 {
		if changed := generalized(e.First("whenChanged")); !changed.Before(at.Truncate(time.Second)) { // which counts seconds
			at = changed
		}
	}
	return at, mustChange
}

// smartcardRequired is the bit of userAccountControl (MS-ADTS, section 2.2.16) with which a domain controller puts a random
// password in the place of the person's and leaves pwdLastSet as it is: the account's last change stands for it.
const smartcardRequired = 0x40000

// fileTime reads a count of 100 ns since 1601 (MS-DTYP, section 2.3.3).
func fileTime(n int64) time.Time {
	const to1970 = 11_644_473_600 // seconds
	return sane(time.Unix(n/10_000_000-to1970, n%10_000_000*100))
}

// sane is a time that can be written down (RFC 3339 has years of four digits); the zero time when it can't.
func sane(t time.Time) time.Time {
	if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// generalized reads a GeneralizedTime (RFC 4517, section 3.3.13) as directories write it; the zero time when it is none.
func generalized(s string) time.Time {
	for _, layout := range []string{"20060102150405.0Z", "20060102150405Z", "20060102150405.000000Z"} {
		if t, err := time.Parse(layout, s); err == nil {
			return sane(t)
		}
	}
	return time.Time{}
}
