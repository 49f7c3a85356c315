package agentlink

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// wireVersion is the first byte of every message. A message of another version is refused, never guessed at.
const wireVersion = 1

// Bounds of a message on the wire, in bytes.
const (
	maxMessage = 64 << 10  // anything but a frame of synchronised objects
	maxFrame   = 512 << 10 // a frame
)

// Why a message is refused.
var (
	ErrMalformed = errors.New("the message is malformed")
	ErrVersion   = errors.New("the message has another version than 1: bring gateway and agent to the same release")
	ErrForged    = errors.New("the message is not signed by a key that we know")
)

// kind separates the messages: a signature over one kind proves nothing about another.
type kind string

const (
	kindBind    kind = "bind"
	kindBinding kind = "binding"
	kindAnswer  kind = "answer"
	kindTurn    kind = "turn"
	kindAlive   kind = "alive"
	kindSync    kind = "sync"
	kindFrame   kind = "frame"
	kindAck     kind = "ack"
	kindLost    kind = "lost"
)

// signMessage makes version | signature | JSON body.
func signMessage(key ed25519.PrivateKey, k kind, body any) ([]byte, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode a %s message: %w", k, err)
	}
	msg := make([]byte, 0, 1+ed25519.SignatureSize+len(b))
	msg = append(msg, wireVersion)
	msg = append(msg, ed25519.Sign(key, signed(k, b))...)
	return append(msg, b...), nil
}

// openMessage checks version, size and signature, in that order, before it reads a single field into body.
func openMessage(keys [][]byte, k kind, limit int, msg []byte, body any) error {
	b, err := bodyOf(msg, limit)
	if err != nil {
		return fmt.Errorf("%s: %w", k, err)
	}
	sig, text := msg[1:1+ed25519.SignatureSize], signed(k, b)
	for _, key := range keys {
		if len(key) == ed25519.PublicKeySize && ed25519.Verify(key, text, sig) {
			return decodeStrict(b, body)
		}
	}
	return fmt.Errorf("%s: %w", k, ErrForged)
}

func bodyOf(msg []byte, limit int) ([]byte, error) {
	switch {
	case len(msg) < 1+ed25519.SignatureSize || len(msg) > limit:
		return nil, fmt.Errorf("%w: %d bytes", ErrMalformed, len(msg))
	case msg[0] != wireVersion:
		return nil, ErrVersion
	}
	return msg[1+ed25519.SignatureSize:], nil
}

func signed(k kind, body []byte) []byte {
	return append([]byte("fourways agent link 1 "+string(k)+"\x00"), body...)
}

// decodeStrict takes exactly one JSON value without unknown fields.
func decodeStrict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: more than one value", ErrMalformed)
	}
	return nil
}
