package agentlink

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// ErrSealed says that a sealed text did not open: damaged, moved to another request, or sealed for somebody else.
var ErrSealed = errors.New("the sealed text does not open")

// ErrKey says that the key of a sealed text could not be derived.
var ErrKey = errors.New("the key of the sealed text can't be derived")

const (
	keyLifetime  = time.Minute // how long one exported key seals
	exportedSize = 32          // AES-256
	maxOpenKeys  = 64          // exported keys that a receiver remembers
)

// sealer exports one key per receiver and minute (RFC 9180, section 5.3): the costly key agreement is not paid per password.
type sealer struct {
	clock authn.Clock
	mu    sync.Mutex
	keys  map[string]sealKey
}

type sealKey struct {
	enc  []byte
	aead cipher.AEAD
	till time.Time
}

func newSealer(c authn.Clock) *sealer { return &sealer{clock: c, keys: map[string]sealKey{}} }

// key returns the current key for a receiver; label is bound into it.
func (s *sealer) key(public []byte, label string) (sealKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, now := label+"\x00"+string(public), s.clock.Now()
	if k, ok := s.keys[id]; ok && now.Before(k.till) && k.till.Sub(now) <= keyLifetime {
		return k, nil
	}
	for old, k := range s.keys {
		if !now.Before(k.till) {
			delete(s.keys, old)
		}
	}
	pub, err := hpke.MLKEM768X25519().NewPublicKey(public)
	if err != nil {
		return sealKey{}, fmt.Errorf("read the receiver's public key: %w", err)
	}
	enc, sender, err := hpke.NewSender(pub, hpke.HKDFSHA256(), hpke.ExportOnly(), []byte(label))
	if err != nil {
		return sealKey{}, fmt.Errorf("agree on a key: %w", err)
	}
	raw, err := sender.Export(label, exportedSize)
	if err != nil {
		return sealKey{}, fmt.Errorf("export a key: %w", err)
	}
	k := sealKey{enc: enc, aead: newGCM(raw), till: now.Add(keyLifetime)}
	s.keys[id] = k
	return k, nil
}

// seal returns nonce | ciphertext.
func (k sealKey) seal(plain, aad []byte) []byte {
	nonce := make([]byte, k.aead.NonceSize(), k.aead.NonceSize()+len(plain)+k.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails since Go 1.24
	return k.aead.Seal(nonce, nonce, plain, aad)
}

// unsealer is the receiving end. It remembers the keys it derived, since many messages share one.
type unsealer struct {
	private hpke.PrivateKey
	mu      sync.Mutex
	keys    map[[sha256.Size]byte]cipher.AEAD
	order   [][sha256.Size]byte
}

func newUnsealer(k hpke.PrivateKey) *unsealer {
	return &unsealer{private: k, keys: map[[sha256.Size]byte]cipher.AEAD{}}
}

func (u *unsealer) open(enc, sealed, aad []byte, label string) ([]byte, error) {
	aead, err := u.key(enc, label)
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, ErrSealed
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], aad)
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

func (u *unsealer) key(enc []byte, label string) (cipher.AEAD, error) {
	id := sha256.Sum256(append([]byte(label+"\x00"), enc...))
	u.mu.Lock()
	defer u.mu.Unlock()
	if a, ok := u.keys[id]; ok {
		return a, nil
	}
	r, err := hpke.NewRecipient(enc, u.private, hpke.HKDFSHA256(), hpke.ExportOnly(), []byte(label))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	raw, err := r.Export(label, exportedSize)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if len(u.order) >= maxOpenKeys {
		delete(u.keys, u.order[0])
		u.order = u.order[1:]
	}
	u.keys[id], u.order = newGCM(raw), append(u.order, id)
	return u.keys[id], nil
}

func newGCM(raw []byte) cipher.AEAD {
	block, err := aes.NewCipher(raw)
	clear(raw)
	if err != nil {
		panic(err) // the exported key always has 32 bytes
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES always has 16-byte blocks
	}
	return gcm
}

// Labels bind an exported key to its direction and its agent.
func labelDown(agent string) string { return "fourways agent link 1 down " + agent }
func labelUp(agent string) string   { return "fourways agent link 1 up " + agent }

// paddedSizes are the sizes that a password may have on the wire, so that its length is no secret that leaks.
// The larger one holds the longest that authn lets through.
func paddedSizes() []int { return []int{256, 1024} }

// packPassword makes decoy flag | length | password | padding. A decoy has the size of the password that was typed, and
// nothing of it.
func packPassword(s authn.Secret, decoy bool) ([]byte, error) {
	for _, size := range paddedSizes() {
		if s.Len() > size {
			continue
		}
		b := make([]byte, 3+size)
		if decoy {
			b[0] = 1
			return b, nil
		}
		binary.BigEndian.PutUint16(b[1:], uint16(s.Len()))
		copy(b[3:], s.Reveal())
		return b, nil
	}
	return nil, fmt.Errorf("a password of %d bytes is longer than any that is sent", s.Len())
}

// unpackPassword takes ownership of b and wipes it. The secret of a decoy is empty.
func unpackPassword(b []byte) (secret authn.Secret, decoy bool, err error) {
	defer clear(b)
	if len(b) < 3 || b[0] > 1 || int(binary.BigEndian.Uint16(b[1:])) > len(b)-3 {
		return authn.Secret{}, false, ErrSealed
	}
	if b[0] == 1 {
		return authn.Secret{}, true, nil
	}
	n := int(binary.BigEndian.Uint16(b[1:]))
	if n == 0 {
		return authn.Secret{}, false, ErrSealed // an empty password reaches no directory
	}
	return authn.NewSecret(bytes.Clone(b[3 : 3+n])), false, nil
}
