package onprem

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"

	"github.com/fourways-id/fourways/authn"
)

// ChangeOp is what a Change does with its values.
type ChangeOp uint8

// Replace puts the values in the place of all others (none: the attribute goes); AddValues and DeleteValues work on single
// values.
const (
	Replace ChangeOp = iota
	AddValues
	DeleteValues
)

// Change is one edit of one attribute.
type Change struct {
	Op     ChangeOp
	Attr   string
	Values []string // raw octets
}

// bypassControl lets the administrator of the lab's domain controller set pwdLastSet and lockoutTime to any time. Active
// Directory and Samba refuse such values over LDAP with it and without it.
const bypassControl = "1.3.6.1.4.1.7165.4.3.12"

// Modify makes all changes to an entry, or none. The account of the configuration must be allowed to.
func (d *Directory) Modify(ctx context.Context, dn string, changes ...Change) error {
	req := ldap.NewModifyRequest(dn, nil)
	for _, c := range changes {
		switch c.Op {
		case AddValues:
			req.Add(c.Attr, c.Values)
		case DeleteValues:
			req.Delete(c.Attr, c.Values)
		default:
			req.Replace(c.Attr, c.Values)
		}
		if backdates(c) {
			req.Controls = []ldap.Control{ldap.NewControlString(bypassControl, false, "")}
		}
	}
	return d.write(ctx, "changing", dn, func(c *ldap.Conn) error { return c.Modify(req) })
}

// backdates reports a value that Active Directory only ever sets itself.
func backdates(c Change) bool {
	if c.Attr != "pwdLastSet" && c.Attr != "lockoutTime" {
		return false
	}
	return len(c.Values) == 1 && c.Values[0] != "0" && c.Values[0] != "-1"
}

// Add makes an entry.
func (d *Directory) Add(ctx context.Context, dn string, attrs map[string][]string) error {
	req := ldap.NewAddRequest(dn, nil)
	for name, values := range attrs {
		req.Attribute(name, values)
	}
	return d.write(ctx, "adding", dn, func(c *ldap.Conn) error { return c.Add(req) })
}

// Delete removes an entry that has none below it.
func (d *Directory) Delete(ctx context.Context, dn string) error {
	return d.write(ctx, "deleting", dn, func(c *ldap.Conn) error { return c.Del(ldap.NewDelRequest(dn, nil)) })
}

// Move gives an entry a new relative name, a new parent, or both; newParent "" leaves it where it is.
func (d *Directory) Move(ctx context.Context, dn, newRDN, newParent string) error {
	req := ldap.NewModifyDNRequest(dn, newRDN, true, newParent)
	return d.write(ctx, "moving", dn, func(c *ldap.Conn) error { return c.ModifyDN(req) })
}

// SetPassword gives an account a new password, as an administrator does: the old one isn't asked for. It refuses to go over
// a connection without TLS, and so does Active Directory.
func (d *Directory) SetPassword(ctx context.Context, dn string, newPassword authn.Secret) error {
	if newPassword.Empty() {
		return errors.New("the new password is empty")
	}
	if d.cfg.TLS == Plain {
		return errors.New("passwords are set over TLS only: this directory is configured without it")
	}
	if d.cfg.Kind == LDAP { // RFC 3062
		req := ldap.NewPasswordModifyRequest(dn, "", string(newPassword.Reveal()))
		return d.write(ctx, "setting the password of", dn, func(c *ldap.Conn) error {
			_, err := c.PasswordModify(req)
			return err
		})
	}
	return d.Modify(ctx, dn, Change{Op: Replace, Attr: "unicodePwd", Values: []string{quoted(newPassword)}})
}

// quoted is a password as unicodePwd takes it: in quotation marks, UTF-16LE ([MS-ADTS] 3.1.1.3.1.5.1).
func quoted(password authn.Secret) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(`"` + string(password.Reveal()) + `"`)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return string(b)
}

func (d *Directory) write(ctx context.Context, what, dn string, op func(*ldap.Conn) error) error {
	return d.withService(ctx, false, func(l *link) error {
		done := l.during(ctx, d.cfg.Timeout)
		err := op(l.conn)
		if done() && err != nil {
			err = fmt.Errorf("no answer in time, so it may have happened or not: %w", context.DeadlineExceeded)
		}
		if err != nil {
			return fmt.Errorf("%s %s at %s: %w", what, dn, l.server, classify(err))
		}
		return nil
	})
}

// withService runs work on a connection of the service account, and keeps the connection when the server answered. Work that
// only reads is done once more when a kept connection turns out to be dead; a change isn't, for it may have happened.
func (d *Directory) withService(ctx context.Context, readOnly bool, work func(*link) error) error {
	for {
		l, err := d.services.take(ctx)
		if err != nil {
			return err
		}
		reused := l.reused
		err = work(l)
		if alive(err) {
			d.services.put(l)
			return err
		}
		l.close()
		if !readOnly || !reused || !died(ctx, err) {
			return err
		}
	}
}

// died reports that the connection ended before the server answered, so that another one may do better.
func died(ctx context.Context, err error) bool {
	return !alive(err) && ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, errNoLDAP)
}

// alive reports that the server answered, whatever it said.
func alive(err error) bool {
	var answer *ldap.Error
	return err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrAmbiguous) || errors.As(err, &answer) && answer.ResultCode < ldap.ErrorNetwork
}

// classify adds what a refusal comes down to.
func classify(err error) error {
	var answer *ldap.Error
	if !errors.As(err, &answer) {
		return err
	}
	switch answer.ResultCode {
	case ldap.LDAPResultNoSuchObject:
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	case ldap.LDAPResultEntryAlreadyExists, ldap.LDAPResultAttributeOrValueExists:
		return fmt.Errorf("%w: %w", ErrExists, err)
	case ldap.LDAPResultInsufficientAccessRights:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}
