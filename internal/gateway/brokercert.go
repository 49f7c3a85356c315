package gateway

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/keyring"
)

// brokerTLS makes the broker's certificate under an authority of its own, which agents pin when they enrol. The authority
// is derived from the root key, so it is the same after a restart and on every gateway that shares the key, and needs no file.
func brokerTLS(ring *keyring.Ring, hosts []string) (*tls.Config, string, error) {
	caKey := ed25519.NewKeyFromSeed(ring.Derive("agent link authority", ed25519.SeedSize))
	since := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // fixed: agents compare the certificate byte by byte
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "fourways agent link " + ring.ID()},
		NotBefore: since, NotAfter: since.AddDate(20, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, authority, authority, caKey.Public(), caKey)
	if err != nil {
		return nil, "", fmt.Errorf("make the agent link's authority: %w", err)
	}
	_, leafKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, "", err
	}
	now := realClock{}.Now()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, "", err
	}
	leaf := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: hosts[0]}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, authority, leafKey.Public(), caKey)
	if err != nil {
		return nil, "", fmt.Errorf("make the agent link's certificate: %w", err)
	}
	pair := tls.Certificate{Certificate: [][]byte{der, caDER}, PrivateKey: leafKey}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}, string(ca), nil
}

// brokerHosts are the names under which agents may know the broker; the first is the one they are told.
func brokerHosts(c *config.Config) []string {
	var hosts []string
	for _, raw := range []string{c.Server.AgentURL, c.Server.PublicURL} {
		if u, err := url.Parse(raw); err == nil && u.Hostname() != "" {
			hosts = append(hosts, u.Hostname())
		}
	}
	return append(hosts, "localhost", "127.0.0.1", "::1")
}

// brokerURL is where agents are told to dial.
func brokerURL(c *config.Config, host string, at net.Addr) string {
	if c.Server.AgentURL != "" {
		return c.Server.AgentURL
	}
	_, port, found := strings.Cut(at.String(), "]:")
	if !found {
		_, port, _ = strings.Cut(at.String(), ":")
	}
	return "tls://" + net.JoinHostPort(host, port)
}
