package authn

import (
	"fmt"
	"io"
)

// redacted is all that any rendering of a Secret ever says.
const redacted = "[secret]"

// Secret holds a password or code. However it is printed, logged or marshalled it says [secret]; Reveal is the one way
// to its bytes. Copies share one buffer, so Wipe clears them all. Copies that net/http and the runtime made on the way in
// are beyond its reach; the custody ledger says so.
type Secret struct{ b *[]byte }

// NewSecret takes ownership of b: the caller must not keep or change it.
func NewSecret(b []byte) Secret { return Secret{b: &b} }

// Reveal returns the bytes themselves. Callers neither keep nor change them, and never put them in an error.
func (s Secret) Reveal() []byte {
	if s.b == nil {
		return nil
	}
	return *s.b
}

// Len is the number of bytes; 0 for the zero Secret and after Wipe.
func (s Secret) Len() int { return len(s.Reveal()) }

// Empty reports that there is nothing to check: no path may let an empty password in.
func (s Secret) Empty() bool { return s.Len() == 0 }

// Wipe overwrites the buffer and empties every copy of s.
func (s Secret) Wipe() {
	if s.b == nil {
		return
	}
	clear(*s.b)
	*s.b = nil
}

// Format makes every fmt verb say [secret], %x and %#v too.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String says [secret].
func (Secret) String() string { return redacted }

// MarshalText says [secret]: slog's text handler and encoding/json use it.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON says "[secret]".
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
