package onprem

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/fourways-id/fourways/authn"
)

// Verdict is what became of one question to the directory. Reason None means that the password was right and the account may
// sign in; the reasons of an outage (ADUnreachable, AgentTimeout, AgentError) that nobody could look; everything else is the
// directory's no.
type Verdict struct {
	Reason authn.Reason
	Code   int    // LDAP result code; 0 when there was none, so look at Reason first
	Data   string // Active Directory's sub-code, "52e"; "" without one
	Server string // the URL of the server that answered
	Cause  error  // for the operator; nil when the password was right

	// Unasked says that no server could be reached, or none could be trusted: the password was sent to nobody.
	Unasked bool
}

// The Behera draft's policy errors that name a state of the account, draft-behera-ldap-password-policy-10 section 6.2.
const (
	ppolicyNone       = -1 // go-ldap's value for no error
	ppolicyExpired    = 0
	ppolicyLocked     = 1
	ppolicyMustChange = 2
)

var errEmptyPassword = errors.New("a password that is empty or has a NUL was not sent: a directory may take it for an anonymous bind and say yes")

// Bind asks the directory whether this is the person's password. It always answers: within ctx, and within the Timeout of
// the configuration for each request.
func (d *Directory) Bind(ctx context.Context, upn string, password authn.Secret) Verdict {
	// RFC 4513 section 5.1.2: an empty one would be an unauthenticated bind, which succeeds. To a directory that reads up to
	// the first NUL, one that has a NUL may be empty.
	if password.Empty() || bytes.IndexByte(password.Reveal(), 0) >= 0 {
		return Verdict{Reason: authn.BadPassword, Cause: errEmptyPassword}
	}
	if d.cfg.UserFilter == "" {
		if !strings.Contains(upn, "@") || strings.ContainsAny(upn, "\\=\x00") {
			return Verdict{Reason: authn.UnknownUser, Cause: errors.New("not a user principal name: it would bind as something else")}
		}
		return d.bindAs(ctx, upn, password)
	}
	found, err := d.Find(ctx, upn)
	switch {
	case errors.Is(err, ErrNotFound):
		// Nobody of that name: ask about somebody who can't exist, so that the answer takes as long.
		v := d.bindAs(ctx, "cn="+strings.ToLower(rand.Text())+","+d.cfg.BaseDN, password)
		if outage(v.Reason) {
			return v
		}
		return Verdict{Reason: authn.UnknownUser, Code: ldap.LDAPResultNoSuchObject, Server: v.Server, Cause: err}
	case err == nil && found.DN == "":
		return Verdict{Reason: authn.AgentError, Cause: errors.New("the entry that was found has no name: binding without one succeeds for anybody")}
	case err != nil:
		v := unasked(err)
		if !outage(v.Reason) { // the service account's trouble isn't the person's
			v.Reason = authn.AgentError
		}
		return v
	}
	return d.bindAs(ctx, found.DN, password)
}

// unasked is the verdict when the way to the bind failed.
func unasked(err error) Verdict {
	v := verdictOf(err)
	v.Unasked = true
	return v
}

func outage(r authn.Reason) bool {
	return r == authn.ADUnreachable || r == authn.AgentTimeout || r == authn.AgentError
}

// bindAs binds as one name on a kept or a new connection. A kept one that the server hung up in the meantime is replaced
// once, by a new one: the directory may have read and counted the password before it hung up.
func (d *Directory) bindAs(ctx context.Context, name string, password authn.Secret) Verdict {
	l, err := d.people.take(ctx)
	if err != nil {
		return unasked(err)
	}
	v, again := d.bindOn(ctx, l, name, password)
	if !again {
		return v
	}
	d.people.drain() // the others are as old
	if l, err = d.connect(ctx); err != nil {
		return verdictOf(err)
	}
	v, _ = d.bindOn(ctx, l, name, password)
	return v
}

func (d *Directory) bindOn(ctx context.Context, l *link, name string, password authn.Secret) (v Verdict, again bool) {
	reused := l.reused
	done := l.during(ctx, d.cfg.Timeout)
	err := l.bind(name, password)
	late := done()
	v = verdictOf(err)
	v.Server = l.server
	var policy *policyError
	var answer *ldap.Error
	switch {
	case err == nil, errors.As(err, &policy), errors.As(err, &answer) && answer.ResultCode < ldap.ErrorNetwork:
		d.people.put(l)
		return v, false
	}
	l.close()
	switch {
	case late:
		v.Reason, v.Cause = authn.AgentTimeout, fmt.Errorf("%s didn't answer the bind in time", l.server)
	case l.frames.garbage() != nil:
		v.Reason, v.Cause = authn.AgentError, l.frames.garbage()
	default:
		again = reused && ctx.Err() == nil && !errors.Is(err, errNoLDAP)
	}
	return v, again
}

// policyError is what the ppolicy control said: the only place where OpenLDAP tells a state of the account.
type policyError struct {
	code int
	kind int8
	text string
}

func (p *policyError) Error() string {
	return fmt.Sprintf("LDAP result %d, password policy: %s", p.code, p.text)
}

// bind sends one simple bind, with the password policy request control, and checks that what came back is its answer.
// OpenLDAP tells a state only to those who ask; Active Directory ignores the control.
func (l *link) bind(name string, password authn.Secret) error {
	// go-ldap takes a string, so this copy of the password lives until the collector comes by.
	res, err := l.conn.SimpleBind(&ldap.SimpleBindRequest{
		Username: name, Password: string(password.Reveal()),
		Controls: []ldap.Control{ldap.NewControlBeheraPasswordPolicy()},
	})
	if err == nil && !l.frames.answeredBy(bindResponse) {
		return fmt.Errorf("%w: it answered a bind with something that is no bind response", errNoLDAP)
	}
	if res == nil {
		return err
	}
	c, ok := ldap.FindControl(res.Controls, ldap.ControlTypeBeheraPasswordPolicy).(*ldap.ControlBeheraPasswordPolicy)
	if !ok || c.Error == ppolicyNone {
		return err
	}
	code := 0
	var answer *ldap.Error
	if errors.As(err, &answer) {
		code = int(answer.ResultCode)
	}
	if code == 0 && c.Error != ppolicyMustChange && c.Error != ppolicyExpired && c.Error != ppolicyLocked {
		return err // a success with advice about some later change of password
	}
	return &policyError{code: code, kind: c.Error, text: c.ErrorString}
}

// verdictOf turns what a bind, or the way to it, returned into a verdict.
func verdictOf(err error) Verdict {
	var policy *policyError
	var answer *ldap.Error
	var step *failure
	var slow net.Error
	v := Verdict{Cause: err}
	if errors.As(err, &step) {
		v.Server = step.server
	}
	switch {
	case err == nil:
		v.Reason = authn.None
	case errors.As(err, &policy):
		v.Code, v.Reason = policy.code, policy.reason()
	case errors.As(err, &answer) && answer.ResultCode < ldap.ErrorNetwork:
		v.Code, v.Data = int(answer.ResultCode), subCode(answer.Err.Error())
		v.Reason = ReasonOf(v.Code, v.Data)
	case errors.Is(err, errNoLDAP), errors.Is(err, ErrAmbiguous):
		v.Reason = authn.AgentError
	case step != nil && step.step == stepReach:
		v.Reason = authn.ADUnreachable
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.As(err, &slow) && slow.Timeout():
		v.Reason = authn.AgentTimeout
	default:
		v.Reason = authn.ADUnreachable
	}
	return v
}

func (p *policyError) reason() authn.Reason {
	switch p.kind {
	case ppolicyExpired:
		return authn.OnpremPasswordExpired
	case ppolicyLocked:
		return authn.OnpremLocked
	case ppolicyMustChange:
		return authn.OnpremMustChange
	}
	return ReasonOf(p.code, "")
}
