package passhash

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/pbkdf2"
	"github.com/go-crypt/crypt/algorithm/scrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

// Bounds of records that others made. One that asks for more would hold up whoever waits for the same worker, and the
// machine's memory with it.
const (
	maxBcryptCost   = 15         // about three seconds
	maxScryptMemory = 256 << 20  // bytes: 128 * r * 2^ln (RFC 7914, section 2)
	maxScryptLanes  = 16         //
	maxPBKDF2Rounds = 10_000_000 // about four seconds
	maxCryptRounds  = 5_000_000
	leastRounds     = 1
)

// Record is a parsed password hash of any scheme that can be verified: ours, or one that was brought along from elsewhere.
type Record struct {
	scheme, params string
	cost           Argon2id // of argon2id
	digest         algorithm.Digest
}

// Scheme is argon2id, argon2i, argon2d, bcrypt, scrypt, pbkdf2-sha256 and so on, sha256-crypt or sha512-crypt.
func (r Record) Scheme() string { return r.scheme }

// Params is what a check costs, as the scheme's own strings write it.
func (r Record) Params() string { return r.params }

// Current reports that the record is what a new password would get today. Any other is hashed anew when its person signs in.
func (r Record) Current(cost Argon2id) bool { return r.scheme == "argon2id" && r.cost == cost }

// Match does the whole work and compares in constant time. bcrypt knows no more than the first 72 bytes of a password. A NUL
// is a byte as any other, while implementations in C end a password at it.
func (r Record) Match(password []byte) bool {
	if r.scheme == "bcrypt" {
		password = password[:min(len(password), 72)]
	}
	ok, err := r.digest.MatchBytesAdvanced(password)
	return ok && err == nil
}

// Parse reads a record: the PHC strings of Argon2 and scrypt, bcrypt's $2a$ $2b$ $2y$, passlib's and Django's PBKDF2, and
// crypt(3)'s $5$ and $6$. One whose cost is out of bounds is refused. The error never shows the record.
func Parse(record string) (Record, error) {
	if len(record) > longestPHC {
		return Record{}, fmt.Errorf("%w: longer than %d bytes", ErrRecord, longestPHC)
	}
	record = fromDjango(record)
	_, rest, _ := strings.Cut(record, "$")
	name, rest, _ := strings.Cut(rest, "$")
	for _, s := range schemes() {
		if s.prefix != name {
			continue
		}
		r := Record{scheme: s.name}
		var err error
		if r.params, r.cost, err = s.judge(rest); err != nil {
			return Record{}, fmt.Errorf("%w: %s: %w", ErrRecord, s.name, err)
		}
		if !whole(s.name, record) {
			return Record{}, fmt.Errorf("%w: %s: its digest is cut off", ErrRecord, s.name)
		}
		if r.digest, err = decode(s.decode, record); err != nil {
			return Record{}, fmt.Errorf("%w: not a string of %s", ErrRecord, s.name) // the library's error may show it
		}
		return r, nil
	}
	return Record{}, fmt.Errorf("%w: no scheme that is known here: argon2, bcrypt, scrypt, PBKDF2 and SHA-crypt are", ErrRecord)
}

// whole reports that a digest is as long as its scheme's, or has the 16 bytes below which others than the password match.
func whole(scheme, record string) bool {
	switch n := len(record) - strings.LastIndexByte(record, '$') - 1; scheme {
	case "bcrypt":
		return n == 53 // salt and digest
	case "sha256-crypt":
		return n == 43
	case "sha512-crypt":
		return n == 86
	default:
		return n >= 22
	}
}

// decode keeps a record that the library chokes on from taking the gateway down.
func decode(by algorithm.DecodeFunc, record string) (d algorithm.Digest, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = ErrRecord
		}
	}()
	return by(record)
}

// scheme is one way to write a hash. judge reads the cost from what follows the prefix, before anything is made of it.
type scheme struct {
	prefix, name string
	decode       algorithm.DecodeFunc
	judge        func(rest string) (params string, cost Argon2id, err error)
}

func schemes() []scheme {
	all := []scheme{
		{"argon2id", "argon2id", argon2.DecodeVariant(argon2.VariantID), judgeArgon2},
		{"argon2i", "argon2i", argon2.DecodeVariant(argon2.VariantI), judgeArgon2},
		{"argon2d", "argon2d", argon2.DecodeVariant(argon2.VariantD), judgeArgon2},
		{"scrypt", "scrypt", scrypt.DecodeVariant(scrypt.VariantScrypt), judgeScrypt},
		{"5", "sha256-crypt", shacrypt.DecodeVariant(shacrypt.VariantSHA256), judgeCrypt},
		{"6", "sha512-crypt", shacrypt.DecodeVariant(shacrypt.VariantSHA512), judgeCrypt},
		{"pbkdf2", "pbkdf2-sha1", pbkdf2.Decode, judgePBKDF2},
	}
	for _, v := range []string{"2a", "2b", "2y"} {
		all = append(all, scheme{v, "bcrypt", bcrypt.DecodeVariant(bcrypt.VariantStandard), judgeBcrypt})
	}
	for _, hash := range []string{"sha1", "sha224", "sha256", "sha384", "sha512"} {
		all = append(all, scheme{"pbkdf2-" + hash, "pbkdf2-" + hash, pbkdf2.Decode, judgePBKDF2})
	}
	return all
}

func judgeArgon2(rest string) (string, Argon2id, error) {
	at := regexp.MustCompile(`^v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$`).FindStringSubmatch(rest)
	if at == nil {
		return "", Argon2id{}, errors.New("no cost in it, or another version than 19")
	}
	a := Argon2id{MemoryKiB: number(at[1]), Time: number(at[2]), Parallelism: number(at[3])}
	return a.String(), a, a.Check()
}

func judgeBcrypt(rest string) (string, Argon2id, error) {
	cost, _, _ := strings.Cut(rest, "$")
	return bounded("cost", cost, 4, maxBcryptCost)
}

func judgeScrypt(rest string) (string, Argon2id, error) {
	at := regexp.MustCompile(`^ln=(\d{1,2}),r=(\d{1,6}),p=(\d{1,6})\$`).FindStringSubmatch(rest)
	if at == nil {
		return "", Argon2id{}, errors.New("no cost in it")
	}
	ln, r, p := number(at[1]), number(at[2]), number(at[3])
	if ln < 1 || ln > 30 || r < 1 || p < 1 || p > maxScryptLanes || r > maxScryptMemory>>7>>ln {
		return "", Argon2id{}, fmt.Errorf("ln=%d,r=%d,p=%d is out of bounds: at most %d MiB and %d lanes", ln, r, p, maxScryptMemory>>20, maxScryptLanes)
	}
	return fmt.Sprintf("ln=%d,r=%d,p=%d", ln, r, p), Argon2id{}, nil
}

func judgePBKDF2(rest string) (string, Argon2id, error) {
	rounds, _, _ := strings.Cut(rest, "$")
	return bounded("rounds", rounds, leastRounds, maxPBKDF2Rounds)
}

// judgeCrypt follows crypt(5): without rounds= there are 5000.
func judgeCrypt(rest string) (string, Argon2id, error) {
	given, isGiven := strings.CutPrefix(rest, "rounds=")
	if !isGiven {
		return "rounds=5000", Argon2id{}, nil
	}
	rounds, _, _ := strings.Cut(given, "$")
	return bounded("rounds", rounds, leastRounds, maxCryptRounds)
}

func bounded(what, text string, least, most int) (string, Argon2id, error) {
	n := number(text)
	if n < least || n > most {
		return "", Argon2id{}, fmt.Errorf("%s is not a number from %d to %d", what, least, most)
	}
	return fmt.Sprintf("%s=%d", what, n), Argon2id{}, nil
}

// number is -1 for what is none.
func number(s string) int {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return -1
	}
	return int(n)
}

// fromDjango writes pbkdf2_sha256$rounds$salt$hash, whose salt is plain text and whose hash is standard base64, as passlib
// does, whose base64 has a dot for the plus and no padding.
func fromDjango(record string) string {
	hash, rest, ok := strings.Cut(record, "$")
	hash, isPBKDF2 := strings.CutPrefix(hash, "pbkdf2_")
	part := strings.Split(rest, "$")
	if !ok || !isPBKDF2 || len(part) != 3 {
		return record
	}
	digest := strings.TrimRight(strings.ReplaceAll(part[2], "+", "."), "=")
	return "$pbkdf2-" + hash + "$" + part[0] + "$" + plainBase64(part[1]) + "$" + digest
}

func plainBase64(s string) string {
	return strings.ReplaceAll(base64.RawStdEncoding.EncodeToString([]byte(s)), "+", ".")
}
