package passpolicy

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/fourways-id/fourways/authn"
)

// Length of a cloud password, in characters (Microsoft: password policies that apply only to cloud user accounts).
const (
	Shortest = 8
	Longest  = 256
)

// Refusal says why a password is not good enough, in a sentence for the person who chose it. It never shows the password.
type Refusal string

func (r Refusal) Error() string { return string(r) }

// The refusals, in the order in which they are looked for.
const (
	TooShort   Refusal = "The new password is too short: choose at least 8 characters."
	TooLong    Refusal = "The new password is too long: choose at most 256 characters."
	Characters Refusal = "The new password has characters that can't be used: choose letters A to Z, digits, blanks and the symbols of an English keyboard."
	Kinds      Refusal = "The new password is too plain: use three of these four: small letters, capital letters, digits, symbols."
	OwnName    Refusal = "The new password contains your name or your organisation's: choose one that does not."
	Easy       Refusal = "The new password is too easy to guess: choose one that is not made of common words."
	Leaked     Refusal = "The new password stands in a list of leaked passwords: choose another one."
)

// Options say what is refused beyond Microsoft's rules. The zero value is good: the built-in list alone.
type Options struct {
	Banned       []string // an organisation's own words; at most 1000, each of 4 to 16 characters
	Tenant       string   // the organisation's name, which no password may contain
	BreachedFile string   // sorted SHA-1 or NT hashes of leaked passwords, one a line; "": none
}

// Policy judges passwords. It is safe for concurrent use.
type Policy struct {
	banned   terms
	tenant   []string // normalised
	breached *breached
}

// New makes a policy. Words that break the rules for them, and a breached file that is missing, unsorted or of no known
// format, are errors; the file is sampled, not read.
func New(o Options) (*Policy, error) {
	banned, err := builtIn()
	if err != nil {
		return nil, err
	}
	if err := banned.own(o.Banned); err != nil {
		return nil, err
	}
	p := &Policy{banned: banned, tenant: nameTerms(o.Tenant)}
	if o.BreachedFile == "" {
		return p, nil
	}
	p.breached = &breached{path: o.BreachedFile}
	if err := p.breached.probe(); err != nil {
		return nil, err
	}
	return p, nil
}

// Person is whose password it is to be.
type Person struct {
	Names []string // given name, surname, display name, user principal name; order and empty ones don't matter
}

// Check is nil when the password may be used, a Refusal when not, and any other error when the breached file could not be
// asked. It neither keeps nor wipes pw.
func (p *Policy) Check(ctx context.Context, pw authn.Secret, who Person) error {
	if err := shape(pw.Reveal()); err != nil {
		return err
	}
	plain := normalise(pw.Reveal())
	defer clear(plain)
	names := p.tenant
	for _, name := range who.Names {
		names = append(names[:len(names):len(names)], nameTerms(name)...)
	}
	if containsAny(plain, names) {
		return OwnName
	}
	if p.banned.near(plain) || p.banned.score(plain) < enough {
		return Easy
	}
	if p.breached == nil {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	found, err := p.breached.has(pw.Reveal())
	switch {
	case err != nil:
		return fmt.Errorf("look a password up in the breached file: %w", err)
	case found:
		return Leaked
	}
	return nil
}

// shape judges length, characters and kinds.
func shape(pw []byte) error {
	var small, capital, digit, symbol, foreign bool
	chars := 0
	for rest := pw; len(rest) > 0; chars++ { // a string of it would be a copy that nobody wipes
		r, size := utf8.DecodeRune(rest)
		rest = rest[size:]
		switch {
		case r >= 'a' && r <= 'z':
			small = true
		case r >= 'A' && r <= 'Z':
			capital = true
		case r >= '0' && r <= '9':
			digit = true
		case r >= ' ' && r <= '~': // all of ASCII's printable symbols and the blank are on Microsoft's list
			symbol = true
		default:
			foreign = true
		}
	}
	switch {
	case chars < Shortest:
		return TooShort
	case chars > Longest:
		return TooLong
	case foreign:
		return Characters
	}
	kinds := 0
	for _, has := range []bool{small, capital, digit, symbol} {
		if has {
			kinds++
		}
	}
	if kinds < 3 {
		return Kinds
	}
	return nil
}
