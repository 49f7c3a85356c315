package gateway

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/config"
)

// writePair writes a certificate of that serial number and its key.
func writePair(t *testing.T, dir string, serial int64) (crt, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	crt, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for path, block := range map[string]*pem.Block{crt: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return crt, key
}

func TestARenewedCertificateIsTakenAndADamagedOneIsNot(t *testing.T) {
	dir, now, log := t.TempDir(), time.Now(), &bytes.Buffer{}
	c := &certificate{now: func() time.Time { return now }, log: slog.New(slog.NewTextHandler(log, nil))}
	c.cert, c.key = writePair(t, dir, 1)
	if err := c.read(); err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		now = now.Add(lookAgain)
		pair, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf.SerialNumber.Int64()
	}
	writePair(t, dir, 2)
	if got := serial(); got != 2 {
		t.Errorf("renewed: serial %d", got)
	}
	if err := os.WriteFile(c.cert, []byte("half a certif"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got != 2 || !strings.Contains(log.String(), "could not be renewed") {
		t.Errorf("damaged: serial %d, log %q", got, log)
	}
	writePair(t, dir, 3)
	if got := serial(); got != 3 {
		t.Errorf("repaired: serial %d", got)
	}
}

func TestAGatewayDoesNotStartOnABrokenCertificate(t *testing.T) {
	dir := t.TempDir()
	start := func() error {
		c := config.Default()
		c.Server.PublicURL, c.Server.PublicListen = "https://localhost:8400", "127.0.0.1:0"
		c.Server.ConsoleListen, c.Server.TelemetryListen = "127.0.0.1:0", "127.0.0.1:0"
		c.Server.TLSCertFile, c.Server.TLSKeyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
		c.Store = config.Store{Path: filepath.Join(dir, "fourways.db"), RootKeyFile: filepath.Join(dir, "root.key")}
		g, err := Open(t.Context(), Options{Config: c, Log: slog.New(slog.DiscardHandler)})
		if err == nil {
			g.Close()
		}
		return err
	}
	writePair(t, dir, 1)
	if err := start(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tls.crt"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := start(); err == nil || !strings.Contains(err.Error(), "server.tls_cert_file") {
		t.Errorf("junk: %v", err)
	}
}
