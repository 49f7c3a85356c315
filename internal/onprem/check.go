package onprem

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// Check goes the whole way once on a fresh connection: reach, TLS, the service account's bind, a look at the base. The error
// is a sentence for the operator: what failed, why, and what to do.
func (d *Directory) Check(ctx context.Context) error {
	open := d.connect
	if d.cfg.BindDN != "" {
		open = d.connectService
	}
	l, err := open(ctx)
	if err != nil {
		return advise(err)
	}
	defer l.close()
	if d.cfg.BindDN == "" || d.cfg.BaseDN == "" {
		return nil
	}
	req := ldap.NewSearchRequest(d.cfg.BaseDN, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)",
		[]string{"1.1"}, nil)
	res, err := d.searchOn(ctx, l, req)
	if err == nil && len(res.Entries) == 0 {
		err = ErrNotFound
	}
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("the base %q isn't there or can't be seen by %q: correct the base DN or give the account read access: %w",
			d.cfg.BaseDN, d.cfg.BindDN, err)
	}
	return err
}

// advise adds what to do about a connection that failed.
func advise(err error) error {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var alert *tls.CertificateVerificationError
	var step *failure
	switch {
	case errors.As(err, &authority):
		return fmt.Errorf("%w; the directory's certificate is signed by an authority that isn't trusted here: give its CA certificate", err)
	case errors.As(err, &name):
		return fmt.Errorf("%w; the certificate is for another name: use that name in the URL or as the server name", err)
	case errors.As(err, &alert):
		return fmt.Errorf("%w; renew the directory's certificate", err)
	case errors.As(err, &step) && step.step == stepReach:
		return fmt.Errorf("%w; is the directory up, and does a firewall let this machine reach it?", err)
	case errors.As(err, &step) && step.step == stepService:
		return fmt.Errorf("%w; check the service account's name, password and state", err)
	}
	return err
}
