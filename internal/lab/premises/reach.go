package premises

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/world"
	"github.com/fourways-id/fourways/internal/onprem"
)

// readerDN is the account of the synchronisation.
const readerDN = "CN=svc-sync,CN=Users," + world.BaseDN

// Reader says how another process reaches running premises at url as the account of their synchronisation, which may read
// and change nothing. dir is the lab's data folder.
func Reader(dir, url string, k Keys) (onprem.Config, error) {
	crt, err := os.ReadFile(filepath.Join(dir, CertificateFile)) //nolint:gosec // G304: the operator names the folder
	if err != nil {
		return onprem.Config{}, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(crt) {
		return onprem.Config{}, fmt.Errorf("%s holds no certificate", CertificateFile)
	}
	return asReader(url, roots, k), nil
}

// connect opens the ways to the domain controller.
func (p *Premises) connect(ctx context.Context, roots *x509.CertPool) (err error) {
	admin := dial(p.URL(), roots)
	admin.BindDN, admin.BindPassword = p.dc.AdminDN(), authn.NewSecret([]byte(p.with.Keys.Administrator))
	if p.admin, err = onprem.New(admin); err != nil {
		return err
	}
	if p.reader, err = onprem.New(asReader(p.URL(), roots, p.with.Keys)); err != nil {
		return err
	}
	if p.way, err = openWire(ctx, p.dc.Addr()); err != nil {
		return err
	}
	p.outside, err = onprem.New(asReader("ldap://"+p.way.addr(), roots, p.with.Keys))
	return err
}

func dial(url string, roots *x509.CertPool) onprem.Config {
	return onprem.Config{
		URLs: []string{url}, TLS: onprem.StartTLS, RootCAs: roots, ServerName: "localhost", BaseDN: world.BaseDN, Kind: onprem.AD,
	}
}

func asReader(url string, roots *x509.CertPool, k Keys) onprem.Config {
	c := dial(url, roots)
	c.BindDN, c.BindPassword = readerDN, authn.NewSecret([]byte(k.Sync))
	return c
}
