package harbour

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// keyBits and certificateGood are of the lab's keys; the certificate only carries the key (SAML trusts it by pinning).
const (
	keyBits         = 2048
	certificateGood = 10 * 365 * 24 * time.Hour
)

// identity is an issuer's key and the certificate that carries it.
type identity struct {
	key         *rsa.PrivateKey
	certificate *x509.Certificate
}

// keys are those of one issuer: the one it signs with, the one it rolled over to, and one that nobody was ever told of.
type keys struct {
	name string
	now  identity

	mu             sync.Mutex
	next, stranger *identity
}

func openKeys(dir, name string) (*keys, error) {
	now, err := openIdentity(dir, name, realClock{}.Now())
	return &keys{name: name, now: now}, err
}

// pick is the key that signs one answer.
func (k *keys) pick(t Tampering) (identity, error) {
	switch {
	case t.OtherKey:
		return k.made(&k.stranger)
	case t.NextKey:
		return k.made(&k.next)
	default:
		return k.now, nil
	}
}

// made makes a key when it is first needed.
func (k *keys) made(at **identity) (identity, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if *at == nil {
		fresh, err := newIdentity(k.name, realClock{}.Now())
		if err != nil {
			return identity{}, err
		}
		*at = &fresh
	}
	return **at, nil
}

// rollOver makes a new next key. The one before it is withdrawn.
func (k *keys) rollOver() error {
	fresh, err := newIdentity(k.name, realClock{}.Now())
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.next = &fresh
	return nil
}

// published are those that the world may know. A next key stays among them when it is no longer used, for the answers that
// are on their way.
func (k *keys) published() []identity {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.next == nil {
		return []identity{k.now}
	}
	return []identity{k.now, *k.next}
}

// id names the key by its public half.
func (i identity) id() string {
	sum := sha256.Sum256(i.certificate.RawSubjectPublicKeyInfo)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// openIdentity reads the issuer's key file, or makes one at the first start.
func openIdentity(dir, name string, now time.Time) (identity, error) {
	path := filepath.Join(dir, name+".pem")
	data, err := os.ReadFile(path) //nolint:gosec // G304: the operator names the file
	if errors.Is(err, fs.ErrNotExist) {
		return makeIdentity(path, name, now)
	}
	if err != nil {
		return identity{}, err
	}
	found, err := parseIdentity(data)
	if err != nil {
		return identity{}, fmt.Errorf("%s: %w: delete it to have a new key made", path, err)
	}
	return found, nil
}

func parseIdentity(data []byte) (identity, error) {
	keyPEM, rest := pem.Decode(data)
	certPEM, _ := pem.Decode(rest)
	if keyPEM == nil || certPEM == nil {
		return identity{}, errors.New("it does not hold a key and a certificate")
	}
	key, err := x509.ParsePKCS8PrivateKey(keyPEM.Bytes)
	if err != nil {
		return identity{}, err
	}
	cert, err := x509.ParseCertificate(certPEM.Bytes)
	if err != nil {
		return identity{}, err
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok || !private.PublicKey.Equal(cert.PublicKey) {
		return identity{}, errors.New("its certificate is not that of its RSA key")
	}
	return identity{key: private, certificate: cert}, nil
}

func makeIdentity(path, name string, now time.Time) (identity, error) {
	made, err := newIdentity(name, now)
	if err != nil {
		return identity{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(made.key)
	if err != nil {
		return identity{}, err
	}
	data := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	data = append(data, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.certificate.Raw})...)
	return made, writePrivate(path, data)
}

func newIdentity(name string, now time.Time) (identity, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return identity{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return identity{}, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Organization: []string{"Harbour ID"}, CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateGood), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return identity{}, err
	}
	cert, err := x509.ParseCertificate(der)
	return identity{key: key, certificate: cert}, err
}

// writePrivate writes a whole file or none, for its owner only.
func writePrivate(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	part := path + ".part"
	if err := os.WriteFile(part, data, 0o600); err != nil {
		return err
	}
	return os.Rename(part, path)
}
