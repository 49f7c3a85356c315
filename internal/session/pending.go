package session

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
)

const (
	pendingLabel = "pending"
	pendingFor   = 10 * time.Minute
	// maxPending bounds the cookie's value, in bytes: browsers take 4096 with its name and attributes (RFC 6265, section 6.1).
	maxPending = 3800
)

// sealedPending is what stands in the cookie before the raw bytes of Kept, which base64 in JSON would make a third longer.
type sealedPending struct {
	authn.Pending
	Sealed time.Time `json:"sealed"`
}

// SealPending makes the cookie value of a sign-in that waits for its next step. It is good for ten minutes, and nobody
// but a gateway with the same root key can read or change it.
func (m *Manager) SealPending(p authn.Pending) (string, error) {
	kept := p.Kept
	p.Kept = nil
	head, err := json.Marshal(sealedPending{Pending: p, Sealed: m.o.Clock.Now()})
	if err != nil {
		return "", fmt.Errorf("seal a pending sign-in: %w", err)
	}
	plain := binary.BigEndian.AppendUint16(nil, uint16(min(len(head), 1<<16-1))) // a longer head fails the check below
	plain = append(append(plain, head...), kept...)
	cookie := base64.RawURLEncoding.EncodeToString(m.o.Ring.Seal(pendingLabel, nil, plain))
	if len(cookie) > maxPending {
		return "", fmt.Errorf("seal a pending sign-in: it takes %d bytes and a cookie holds %d: the return address, login hint or the provider's state is too long", len(cookie), maxPending)
	}
	return cookie, nil
}

// OpenPending opens what SealPending made. Tampering, another root key and age all give ErrNone.
func (m *Manager) OpenPending(cookie string) (authn.Pending, error) {
	if len(cookie) > maxPending {
		return authn.Pending{}, ErrNone
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(cookie)
	if err != nil {
		return authn.Pending{}, ErrNone
	}
	plain, err := m.o.Ring.Unseal(pendingLabel, nil, sealed)
	if err != nil || len(plain) < 2 {
		return authn.Pending{}, ErrNone
	}
	n := int(binary.BigEndian.Uint16(plain))
	if plain = plain[2:]; n > len(plain) {
		return authn.Pending{}, ErrNone
	}
	var p sealedPending
	if json.Unmarshal(plain[:n], &p) != nil {
		return authn.Pending{}, ErrNone
	}
	if age := m.o.Clock.Now().Sub(p.Sealed).Abs(); age >= pendingFor { // also after the clock went back
		return authn.Pending{}, ErrNone
	}
	if n < len(plain) {
		p.Kept = plain[n:]
	}
	return p.Pending, nil
}
