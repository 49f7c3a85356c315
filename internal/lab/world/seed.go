package world

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// AccountID is the id of an account that is made in the tenant: a UUID out of the seed and the name (RFC 9562, version 8),
// so that each lab of one seed has the same. Accounts from the forest have ids that come of their anchors, which do so too.
func (s Spec) AccountID(upn string) authn.AccountID {
	b := s.draw("account", upn)
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return authn.AccountID(fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16]))
}

// The demo company hired its people between these two, and nothing of theirs changed after the third: all of it is before
// any lab was started, so that no time in a list of people tells when that was.
func years() (first, last, still time.Time) {
	return time.Date(2019, 1, 7, 8, 0, 0, 0, time.UTC), time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
}

// Times are when a person's account was made and last changed, out of the seed.
func (s Spec) Times(upn string) (made, changed time.Time) {
	b := s.draw("times", upn)
	first, last, still := years()
	at := func(from, to time.Time, dice []byte) time.Time {
		span := uint64(to.Sub(from) / time.Second)
		return from.Add(time.Duration(binary.BigEndian.Uint64(dice)%span) * time.Second)
	}
	made = at(first, last, b[0:8])
	return made, at(made, still, b[8:16])
}

// guid makes the octets of an objectGUID, the same for the same seed and name.
func (s Spec) guid(name string) string {
	sum := s.draw("objectGUID", name)
	sum[7], sum[8] = sum[7]&0x0f|0x40, sum[8]&0x3f|0x80 // version 4; the third field is stored little-endian
	return string(sum[:16])
}

// draw is what the seed says of a name.
func (s Spec) draw(what, name string) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s %d %s", what, s.Seed, name))
}
