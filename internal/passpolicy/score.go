package passpolicy

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
)

// enough is the score from which a password is taken (Microsoft: "A password must be at least five (5) points").
const enough = 5

// Bounds of a word, in characters: names below four are not looked for; an organisation's own words have at most sixteen.
const (
	shortestTerm = 4
	longestTerm  = 16
	mostOwn      = 1000
)

// terms are banned words in normal form.
type terms struct {
	set  map[string]bool
	most int // length of the longest
}

func (t *terms) add(word string) {
	n := string(normalise([]byte(word)))
	t.set[n] = true
	t.most = max(t.most, len(n))
}

// score is one point for each banned word found and one for each character that remains (Microsoft: "Score calculation").
// Where words overlap, the reading with the fewest points counts.
func (t terms) score(plain []byte) int {
	best := make([]int, len(plain)+1) // best[i]: the fewest points of the first i characters
	for end := 1; end <= len(plain); end++ {
		best[end] = best[end-1] + 1
		for start := max(0, end-t.most); start <= end-shortestTerm; start++ {
			if t.set[string(plain[start:end])] {
				best[end] = min(best[end], best[start]+1)
			}
		}
	}
	return best[len(plain)]
}

// near reports that the whole password is a banned word but for one character: changed, added or missing (Microsoft:
// "Fuzzy matching", edit distance 1).
func (t terms) near(plain []byte) bool {
	if len(plain) > t.most+1 {
		return false
	}
	for word := range t.set {
		if within1([]byte(word), plain) {
			return true
		}
	}
	return false
}

// within1 reports an edit distance of at most one.
func within1(a, b []byte) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return i == len(a) || bytes.Equal(a[i+1:], b[i+1:])
	}
	return bytes.Equal(a[i:], b[i+1:])
}

// normalise is a password or word with capitals and look-alikes taken back. Microsoft's table is an example ("such as"):
// 0 for o, 1 for l, $ for s, @ for a. The look-alikes beyond those are ours; i and ! join l, since 1 stands for either.
func normalise(s []byte) []byte {
	out := make([]byte, len(s))
	for i, c := range s {
		switch c {
		case '0':
			c = 'o'
		case '1', '!', '|', 'i', 'I':
			c = 'l'
		case '3':
			c = 'e'
		case '4', '@':
			c = 'a'
		case '5', '$':
			c = 's'
		case '7':
			c = 't'
		default:
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
		}
		out[i] = c
	}
	return out
}

// nameTerms are the words of a name, and the name as one word, in normal form. Of a user principal name only what stands
// before the @ is the person's.
func nameTerms(name string) []string {
	local, _, _ := strings.Cut(name, "@")
	words := strings.FieldsFunc(local, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	var all []string
	for _, word := range append(words, strings.Join(words, "")) {
		if len(word) >= shortestTerm && !slices.Contains(all, word) {
			all = append(all, word)
		}
	}
	for i, word := range all {
		all[i] = string(normalise([]byte(word)))
	}
	return all
}

func containsAny(plain []byte, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(plain, []byte(w)) })
}
