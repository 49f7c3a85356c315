// Package keyring holds the root key, the one secret that is not in the store.
//
// In comes a key file; out come sub-keys by label, and sealed records that only the same root key and label can open. It
// never hands out the root key, never writes over a key file, and knows nothing of what it seals.
package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// rootLen is the length of the root key; idLen that of its public id, in bytes.
const (
	rootLen = 32
	idLen   = 8
)

// ErrOtherKey says that a record was sealed with another root key. ErrBroken says that it is no sealed record of this
// label and context: cut short, changed, or moved from where it belongs.
var (
	ErrOtherKey = errors.New("sealed with another root key")
	ErrBroken   = errors.New("the sealed record is damaged or does not belong here")
)

// Ring is an opened root key. It is safe for concurrent use.
type Ring struct {
	root []byte
	id   []byte
}

func newRing(root []byte) *Ring {
	r := &Ring{root: root}
	r.id = r.Derive("key id", idLen)
	return r
}

// ID names the root key in public: a value derived from it that tells nothing of it.
func (r *Ring) ID() string { return hex.EncodeToString(r.id) }

// Derive makes the sub-key of a label: HKDF-SHA256 (RFC 5869) of the root key, n bytes, at most 8160.
// Every use has a label of its own, so that no key serves two purposes.
func (r *Ring) Derive(label string, n int) []byte {
	key, err := hkdf.Key(sha256.New, r.root, nil, "fourways "+label, n)
	if err != nil {
		panic(fmt.Sprintf("keyring: derive %d bytes for %q: %v", n, label, err)) // a wrong n is the caller's mistake
	}
	return key
}

// Seal encrypts plain under the label's sub-key: key id | random nonce | AES-256-GCM. The record opens only with the
// same label and aad, so aad says where the record belongs.
func (r *Ring) Seal(label string, aad, plain []byte) []byte {
	aead := r.aead(label)
	sealed := make([]byte, 0, idLen+aead.Overhead()+len(plain))
	return aead.Seal(append(sealed, r.id...), nil, plain, aad) //nolint:gosec // G407: NewGCMWithRandomNonce makes the nonce itself
}

// Unseal opens what Seal made. Its errors are ErrOtherKey and ErrBroken, with the key ids in the text.
func (r *Ring) Unseal(label string, aad, sealed []byte) ([]byte, error) {
	if len(sealed) < idLen {
		return nil, fmt.Errorf("%d bytes are too few: %w", len(sealed), ErrBroken)
	}
	if id := sealed[:idLen]; string(id) != string(r.id) {
		return nil, fmt.Errorf("%w: it needs key %x, this is key %x", ErrOtherKey, id, r.id)
	}
	plain, err := r.aead(label).Open(nil, nil, sealed[idLen:], aad)
	if err != nil {
		return nil, ErrBroken
	}
	return plain, nil
}

// aead puts the random 96-bit nonce in front of the ciphertext itself (NIST SP 800-38D, section 8.2.2: at most 2^32 records a label).
func (r *Ring) aead(label string) cipher.AEAD {
	block, err := aes.NewCipher(r.Derive("seal "+label, 32))
	if err != nil {
		panic("keyring: " + err.Error()) // the key length is constant
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("keyring: " + err.Error())
	}
	return aead
}
