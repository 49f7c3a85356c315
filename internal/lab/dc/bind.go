package dc

import (
	"crypto/subtle"
	"fmt"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// identity is who a connection acts for; the zero value is a stranger.
type identity struct {
	name   string // distinguished name, as stored
	sam    string
	admin  bool
	reader bool
}

func (i identity) known() bool { return i.name != "" }

// replicates reports the right to follow changes, deletions included, that a domain controller calls Replicating Directory
// Changes.
func (i identity) replicates() bool { return i.admin || i.reader }

// view is what of the directory somebody may see beyond what every known account sees.
type view struct {
	hashes  bool
	deleted bool // tombstones
}

// acceptError is the text in which Active Directory wraps its sub-code.
func acceptError(data string) string {
	return "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data " + data + ", v1db1"
}

// bind answers a BindRequest. Whatever the outcome, the earlier identity of the connection is gone first (RFC 4511 section
// 4.2.1).
func (s *session) bind(r request) outcome {
	s.who = identity{}
	s.pages = nil
	out := outcome{tag: opBindResponse, op: "bind"}
	if len(r.op.Children) != 3 {
		return out.with(codeProtocolError, "malformed bind request")
	}
	out.name = contents(r.op.Children[1])
	auth := r.op.Children[2]
	switch {
	case number(r.op.Children[0]) != 3:
		return out.with(codeProtocolError, "only LDAP version 3 is spoken here")
	case auth.ClassType != ber.ClassContext || auth.Tag != 0:
		return out.with(codeAuthMethod, "only simple binds are offered")
	}
	password := contents(auth)
	if out.name == "" && password == "" { // anonymous: good for the rootDSE
		return out
	}
	if !s.encrypted && !s.srv.opts.AllowPlain {
		return out.with(codeStrongerAuth, "BindSimple: Transport encryption required.")
	}
	who, data, lockedNow := s.srv.dom.authenticate(out.name, password)
	if lockedNow {
		if err := s.srv.save(); err != nil {
			return out.with(codeUnavailable, err.Error())
		}
	}
	if data != "" {
		out.data = data
		return out.with(codeInvalidCredentials, acceptError(data))
	}
	s.who = s.srv.roles(who)
	return out
}

// authenticate checks a name and a password and counts the outcome. data is "" when the person may in; save asks for the
// state to be written before the answer goes out: an account was locked.
func (d *domain) authenticate(name, password string) (who identity, data string, save bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.resolve(name)
	stored := make([]byte, hashSize)
	if e != nil && len(e.hash) == hashSize {
		stored = e.hash
	}
	// Unknown names cost the same comparison; an empty password is no password.
	right := subtle.ConstantTimeCompare(ntHash(password), stored) == 1 && e != nil && len(e.hash) == hashSize && password != ""
	switch {
	case e == nil:
		return identity{}, dataBadPassword, false
	case d.locked(e, d.now()): // for the right password and the wrong one alike
		return identity{}, dataLocked, false
	case !right:
		return identity{}, dataBadPassword, d.countFailure(e)
	}
	if data := d.restriction(e); data != "" {
		return identity{}, data, false
	}
	d.countSuccess(e)
	return identity{name: e.name.String(), sam: e.first("sAMAccountName")}, "", false
}

// resolve finds the account behind a bind name: a distinguished name, DOMAIN\user, an explicit userPrincipalName, or the
// implicit one sAMAccountName@domain ([MS-ADTS] 5.1.1.1.1). A bare user name is nobody, as on a domain controller.
func (d *domain) resolve(name string) *entry {
	if netbios, sam, ok := strings.Cut(name, `\`); ok && !strings.Contains(netbios, "=") {
		if !strings.EqualFold(netbios, d.netbios) {
			return nil
		}
		return d.entries[d.sams[fold(sam)]]
	}
	if key, ok := d.upns[fold(name)]; ok {
		return d.entries[key]
	}
	if i := strings.LastIndexByte(name, '@'); i >= 0 && strings.EqualFold(name[i+1:], d.dns) {
		return d.entries[d.sams[fold(name[:i])]]
	}
	parsed, err := parseDN(name)
	if err != nil || parsed.isRoot() {
		return nil
	}
	return d.find(parsed)
}

// whoAmI answers RFC 4532 in Active Directory's form, u:DOMAIN\user.
func (s *session) whoAmI() outcome {
	out := outcome{tag: opExtendedResponse, op: "whoami"}
	value := ""
	if s.who.known() {
		value = fmt.Sprintf(`u:%s\%s`, s.srv.dom.netbios, s.who.sam)
	}
	out.extra = append(out.extra, ber.NewString(ber.ClassContext, ber.TypePrimitive, 11, value, ""))
	return out
}

// compare answers a CompareRequest (RFC 4511 section 4.10).
func (s *session) compare(r request) outcome {
	out := outcome{tag: opCompareResponse, op: "compare"}
	if len(r.op.Children) != 2 || len(r.op.Children[1].Children) != 2 {
		return out.with(codeProtocolError, "malformed compare request")
	}
	out.target = contents(r.op.Children[0])
	if !s.who.known() {
		return out.with(codeOperationsError, bindFirst)
	}
	name, err := parseDN(out.target)
	if err != nil {
		return out.with(codeInvalidDN, err.Error())
	}
	f := filter{op: filterEqual, attr: contents(r.op.Children[1].Children[0]), value: contents(r.op.Children[1].Children[1])}
	d := s.srv.dom
	d.mu.RLock()
	defer d.mu.RUnlock()
	e := d.find(name)
	if e == nil {
		return out.with(codeNoSuchObject, noSuchObject(d.base))
	}
	if vals, ok := d.values(e, f.attr, s.view()); !ok || len(vals) == 0 {
		return out.with(codeNoSuchAttribute, "00000057: LdapErr: DSID-0C090DAF, comment: Error in attribute conversion operation, data 0, v1db1")
	}
	if f.match(func(attr string) ([]string, bool) { return d.values(e, attr, s.view()) }) == yes {
		return out.with(codeCompareTrue, "")
	}
	return out.with(codeCompareFalse, "")
}
