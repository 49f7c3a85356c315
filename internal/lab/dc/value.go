package dc

import (
	"strconv"
	"strings"
)

// checkValue holds a value against the attribute's rules and returns what is stored in its place.
func (d *domain) checkValue(attr, v string, h how) (string, error) {
	if _, ok := normal(syntaxOf(attr), v); !ok {
		return "", refuse(codeInvalidSyntax, "00000057: LdapErr: DSID-0C090D8A, comment: Error in attribute conversion operation, data 0: "+attr)
	}
	switch strings.ToLower(attr) {
	case "logonhours":
		if len(v) != 21 {
			return "", refuse(codeConstraintViolation, "logonHours has 21 octets")
		}
	case "member":
		name, _ := parseDN(v)
		member := d.find(name)
		if member == nil {
			return "", refuse(codeNoSuchObject, noSuchObject(d.base))
		}
		return member.name.String(), nil
	case "pwdlastset":
		if v == "-1" {
			return strconv.FormatInt(fileTime(d.now()), 10), nil
		}
		if v != "0" && !h.bypass {
			return "", refuse(codeUnwilling, "pwdLastSet takes 0 (must change) and -1 (now) only")
		}
	case "lockouttime":
		if v != "0" && !h.bypass {
			return "", refuse(codeUnwilling, "lockoutTime takes 0 (unlock) only; wrong passwords lock an account")
		}
	}
	return v, nil
}

// applyPassword sets a password: replace (in an add request: give), one value, over TLS.
func (d *domain) applyPassword(e *entry, ed edit, h how) error {
	const wontDo = "0000001F: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0"
	switch {
	case !h.encrypted:
		return refuse(codeUnwilling, wontDo+": passwords are set over TLS only")
	case ed.kind != changeReplace || len(ed.vals) != 1:
		return refuse(codeUnwilling, wontDo+": unicodePwd is set by a replace with one value")
	case !e.is("user"):
		return refuse(codeUnwilling, wontDo+": only users have a password")
	}
	password, err := quotedPassword(ed.vals[0])
	if err != nil {
		return refuse(codeUnwilling, "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0: unicodePwd: "+err.Error())
	}
	d.setPassword(e, []byte(password))
	return nil
}
