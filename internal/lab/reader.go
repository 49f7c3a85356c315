package lab

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/onprem"
)

// Where the forest keeps its people.
const (
	BaseDN   = "DC=corp,DC=example,DC=test"
	PeopleDN = "OU=Synced," + BaseDN

	readerDN = "CN=svc-sync,CN=Users," + BaseDN
)

// Reader says how another process reaches a running lab's directory at url as the account of its synchronisation, which
// may read and change nothing. dir is the lab's data folder; only the user who runs the lab can read the password in it.
func Reader(dir, url string) (onprem.Config, error) {
	path := filepath.Join(dir, secretsFileName)
	if _, err := os.Stat(path); err != nil { // openSecrets would make them
		return onprem.Config{}, err
	}
	s, err := openSecrets(path, false)
	if err != nil {
		return onprem.Config{}, err
	}
	crt, err := os.ReadFile(filepath.Join(dir, CertificateFile)) //nolint:gosec // G304: the operator names the folder
	if err != nil {
		return onprem.Config{}, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(crt) {
		return onprem.Config{}, fmt.Errorf("%s holds no certificate", CertificateFile)
	}
	return onprem.Config{
		URLs: []string{url}, TLS: onprem.StartTLS, RootCAs: roots, ServerName: "localhost", Kind: onprem.AD, BaseDN: BaseDN,
		BindDN: readerDN, BindPassword: authn.NewSecret([]byte(s.sync)),
	}, nil
}
