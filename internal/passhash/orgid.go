package passhash

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"

	"golang.org/x/crypto/md4" //nolint:staticcheck,gosec // the scheme is defined on MD4, and PBKDF2 goes on top of it
)

// Figures of the OrgId hash (Microsoft: "Implement password hash synchronization with Microsoft Entra Connect Sync",
// section "Detailed description of how password hash synchronization works").
const (
	OrgIDRounds  = 1000
	orgIDSalt    = 10
	orgIDKey     = 32
	orgIDPrefix  = "v1;PPH1_MD4,"
	maxRounds    = 1_000_000 // a stored record must not be able to stop the gateway
	longestOrgID = 160
)

// ErrRecord says that a stored hash record is not one of ours.
var ErrRecord = errors.New("malformed hash record")

// NTHash is MD4 over the UTF-16LE password: what Active Directory stores in unicodePwd. Callers wipe it.
func NTHash(password []byte) [16]byte {
	units := utf16.Encode([]rune(string(password)))
	wide := make([]byte, 0, 2*len(units))
	for _, u := range units {
		wide = append(wide, byte(u), byte(u>>8))
	}
	h := md4.New()       //nolint:gosec // as above
	_, _ = h.Write(wide) // hash.Hash never fails
	clear(wide)
	clear(units)
	return [16]byte(h.Sum(nil))
}

// Expand writes the NT hash as 32 upper-case hexadecimal digits in UTF-16LE: the 64 bytes that are salted and stretched.
func Expand(nt [16]byte) [64]byte {
	var out [64]byte
	const digits = "0123456789ABCDEF"
	for i, b := range nt {
		out[4*i], out[4*i+2] = digits[b>>4], digits[b&15]
	}
	return out
}

// OrgID is a parsed record `v1;PPH1_MD4,<salt>,<rounds>,<hash>;`: the hash of the hash that a directory synchronises.
type OrgID struct {
	Salt   [orgIDSalt]byte
	Rounds int
	Hash   [orgIDKey]byte
}

// NewOrgID hashes an NT hash with a fresh salt, as the agent does on-premises.
func NewOrgID(nt [16]byte) OrgID {
	var salt [orgIDSalt]byte
	_, _ = rand.Read(salt[:]) // never fails since Go 1.24
	return HashOrgID(Expand(nt), salt, OrgIDRounds)
}

// HashOrgID is PBKDF2-HMAC-SHA256 over the 64 bytes of Expand.
func HashOrgID(expanded [64]byte, salt [orgIDSalt]byte, rounds int) OrgID {
	key, err := pbkdf2.Key(sha256.New, string(expanded[:]), salt[:], rounds, orgIDKey)
	if err != nil {
		panic("passhash: PBKDF2 refused figures that ParseOrgID had checked: " + err.Error())
	}
	return OrgID{Salt: salt, Rounds: rounds, Hash: [orgIDKey]byte(key)}
}

// Match compares in constant time; both must come from the same salt and rounds.
func (o OrgID) Match(other OrgID) bool {
	return o.Rounds == other.Rounds && subtle.ConstantTimeCompare(o.Salt[:], other.Salt[:]) == 1 &&
		subtle.ConstantTimeCompare(o.Hash[:], other.Hash[:]) == 1
}

// String is the record, with its trailing semicolon.
func (o OrgID) String() string {
	return fmt.Sprintf("%s%x,%d,%x;", orgIDPrefix, o.Salt, o.Rounds, o.Hash)
}

// ParseOrgID reads a record strictly: lower-case hex, exact lengths, 1 to 1,000,000 rounds. The error never shows the record.
func ParseOrgID(record string) (OrgID, error) {
	body, ok := strings.CutPrefix(record, orgIDPrefix)
	body, ok2 := strings.CutSuffix(body, ";")
	part := strings.Split(body, ",")
	if !ok || !ok2 || len(record) > longestOrgID || len(part) != 3 {
		return OrgID{}, fmt.Errorf("%w: not of the form v1;PPH1_MD4,salt,rounds,hash;", ErrRecord)
	}
	var o OrgID
	if !lowerHex(o.Salt[:], part[0]) {
		return OrgID{}, fmt.Errorf("%w: the salt is not %d bytes in lower-case hex", ErrRecord, orgIDSalt)
	}
	if !lowerHex(o.Hash[:], part[2]) {
		return OrgID{}, fmt.Errorf("%w: the hash is not %d bytes in lower-case hex", ErrRecord, orgIDKey)
	}
	rounds, err := strconv.Atoi(part[1])
	if err != nil || rounds < 1 || rounds > maxRounds || strconv.Itoa(rounds) != part[1] {
		return OrgID{}, fmt.Errorf("%w: rounds are not a number from 1 to %d", ErrRecord, maxRounds)
	}
	o.Rounds = rounds
	return o, nil
}

func lowerHex(dst []byte, s string) bool {
	if len(s) != 2*len(dst) || s != strings.ToLower(s) {
		return false
	}
	_, err := hex.Decode(dst, []byte(s))
	return err == nil
}
