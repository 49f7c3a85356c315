package passhash

import (
	"fmt"

	"github.com/go-crypt/crypt/algorithm/argon2"
)

// Argon2id is the cost of the cloud password hash (RFC 9106; OWASP's second recommended choice is the default).
type Argon2id struct {
	MemoryKiB   int // default 19456 (19 MiB)
	Time        int // passes, default 2
	Parallelism int // default 1
}

// DefaultArgon2id costs about 35 ms of one core.
func DefaultArgon2id() Argon2id { return Argon2id{MemoryKiB: 19 * 1024, Time: 2, Parallelism: 1} }

// Bounds of a stored record: one that asks for more was not written by us, and must not take the gateway's memory.
const (
	maxMemoryKiB   = 1 << 20 // 1 GiB
	maxTime        = 64
	maxParallelism = 64
	longestPHC     = 512
)

// Hash makes a PHC string `$argon2id$v=19$m=…,t=…,p=…$salt$hash` with a fresh salt.
func (a Argon2id) Hash(password []byte) (string, error) {
	h, err := argon2.New(argon2.WithVariantID(), argon2.WithT(a.Time), argon2.WithM(uint32(a.MemoryKiB)), argon2.WithP(a.Parallelism), argon2.WithK(32), argon2.WithS(16))
	if err != nil {
		return "", fmt.Errorf("argon2id with m=%d,t=%d,p=%d: %w", a.MemoryKiB, a.Time, a.Parallelism, err)
	}
	digest, err := h.Hash(string(password))
	if err != nil {
		return "", fmt.Errorf("argon2id: %w", err)
	}
	return digest.Encode(), nil
}

// Check refuses a cost that can't work or that would take the machine down.
func (a Argon2id) Check() error {
	if a.Time < 1 || a.Time > maxTime || a.Parallelism < 1 || a.Parallelism > maxParallelism || a.MemoryKiB < 8*a.Parallelism || a.MemoryKiB > maxMemoryKiB {
		return fmt.Errorf("argon2id cost m=%d KiB, t=%d, p=%d is out of bounds: m is 8*p to %d, t 1 to %d, p 1 to %d", a.MemoryKiB, a.Time, a.Parallelism, maxMemoryKiB, maxTime, maxParallelism)
	}
	return nil
}

// String is the cost as PHC strings write it.
func (a Argon2id) String() string {
	return fmt.Sprintf("m=%d,t=%d,p=%d", a.MemoryKiB, a.Time, a.Parallelism)
}
