package lab

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// World tells what the lab was made of.
func (l *Lab) World() World { return l.world }

// AccountID is the id of an account that is made here: a UUID out of the seed and the name (RFC 9562, version 8), so that
// each lab of one seed has the same. Accounts from the forest have ids that come of their anchors, which do so too.
func (l *Lab) AccountID(upn string) authn.AccountID {
	b := draw(l.world.Seed, "account", upn)
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return authn.AccountID(fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16]))
}

// The demo company hired its people between these two, and nothing of theirs changed after the third: all of it is before
// any lab was started, so that no time in a list of people tells when that was.
func years() (first, last, still time.Time) {
	return time.Date(2019, 1, 7, 8, 0, 0, 0, time.UTC), time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
}

// times are when a person's account was made and last changed, out of the seed.
func (l *Lab) times(upn string) (made, changed time.Time) {
	b := draw(l.world.Seed, "times", upn)
	first, last, still := years()
	at := func(from, to time.Time, dice []byte) time.Time {
		span := uint64(to.Sub(from) / time.Second)
		return from.Add(time.Duration(binary.BigEndian.Uint64(dice)%span) * time.Second)
	}
	made = at(first, last, b[0:8])
	return made, at(made, still, b[8:16])
}

// draw is what the seed says of a name.
func draw(seed int, what, name string) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s %d %s", what, seed, name))
}
