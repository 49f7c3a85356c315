package premises

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/fourways-id/fourways/internal/lab/world"
)

// CertificateFile is the domain controller's certificate in the lab's data folder: what ldapmodify and others trust.
const CertificateFile = "dc.crt"

const keyFile = "dc.key"

// certificate reads the domain controller's self-signed certificate, or makes one: it is the same after a restart.
func certificate(dir string) (tls.Certificate, *x509.CertPool, error) {
	crt, key := filepath.Join(dir, CertificateFile), filepath.Join(dir, keyFile)
	if _, err := os.Stat(key); errors.Is(err, fs.ErrNotExist) {
		if err := makeCertificate(crt, key); err != nil {
			return tls.Certificate{}, nil, fmt.Errorf("make the domain controller's certificate: %w", err)
		}
	}
	pair, err := tls.LoadX509KeyPair(crt, key)
	if err != nil {
		return tls.Certificate{}, nil, fmt.Errorf("read the domain controller's certificate: %w: remove %s and %s to have new ones made", err, crt, key)
	}
	roots := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	roots.AddCert(leaf)
	return pair, roots, nil
}

func makeCertificate(crt, key string) error {
	der, private, err := selfSigned()
	if err != nil {
		return err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	if err := os.WriteFile(crt, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600)
}

// selfSigned makes a certificate with the domain controller's names, and its key.
func selfSigned() ([]byte, *ecdsa.PrivateKey, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	now := time.Now() //nolint:forbidigo // a certificate's time is protocol time
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "DC01." + world.ForestDomain}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"localhost", "dc01." + world.ForestDomain}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	return der, private, err
}

func serverTLS(pair tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
}

// strangersTLS has a certificate with all the right names that nobody has reason to trust.
func strangersTLS() (*tls.Config, error) {
	der, private, err := selfSigned()
	if err != nil {
		return nil, fmt.Errorf("make a stranger's certificate: %w", err)
	}
	return serverTLS(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}), nil
}
