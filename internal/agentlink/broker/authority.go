package broker

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"
)

// Authority is the broker's own certificate authority, which agents pin when they enrol. It comes from a seed, to the
// byte, so that every gateway with that root key has the same one and no file needs to be kept.
type Authority struct {
	key  ed25519.PrivateKey
	cert *x509.Certificate
	now  func() time.Time
}

// How long a broker certificate is good, and when it is made anew.
const (
	certLifetime = 30 * 24 * time.Hour
	certRenewal  = 10 * 24 * time.Hour
)

// NewAuthority derives an authority from a seed of at least 32 bytes (keyring.Derive). now tells real time.
func NewAuthority(seed []byte, now func() time.Time) (*Authority, error) {
	if len(seed) < 32 {
		return nil, fmt.Errorf("the broker authority's seed has %d bytes; at least 32 are needed", len(seed))
	}
	s, err := hkdf.Expand(sha256.New, seed, "fourways agent broker authority", ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("derive the broker's authority: %w", err)
	}
	key := ed25519.NewKeyFromSeed(s)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "fourways agent link"},
		NotBefore: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2075, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key) // Ed25519 takes no randomness
	if err != nil {
		return nil, fmt.Errorf("make the broker's authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make the broker's authority: %w", err)
	}
	return &Authority{key: key, cert: cert, now: now}, nil
}

// PEM is the certificate that agents pin.
func (a *Authority) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
}

// TLS is the broker's TLS configuration for the names and addresses under which agents reach it. Its certificate renews
// itself long before it is over.
func (a *Authority) TLS(hosts ...string) (*tls.Config, error) {
	if len(hosts) == 0 {
		return nil, errors.New("the broker's certificate needs at least one host name or address")
	}
	r := &renewing{authority: a, hosts: hosts}
	if _, err := r.certificate(nil); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: r.certificate}, nil
}

// renewing keeps one certificate fresh.
type renewing struct {
	authority *Authority
	hosts     []string
	mu        sync.Mutex
	cert      *tls.Certificate
}

func (r *renewing) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cert != nil && r.authority.now().Before(r.cert.Leaf.NotAfter.Add(-certRenewal)) {
		return r.cert, nil
	}
	c, err := r.authority.issue(r.hosts)
	if err != nil {
		return nil, err
	}
	r.cert = c
	return c, nil
}

func (a *Authority) issue(hosts []string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the broker's key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("make the broker's certificate: %w", err)
	}
	now := a.now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: hosts[0]},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certLifetime), // an hour for clocks that differ
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("make the broker's certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make the broker's certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}
