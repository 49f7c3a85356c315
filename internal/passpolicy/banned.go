package passpolicy

import (
	_ "embed" // the list is a file that people read
	"fmt"
	"strings"
)

// bannedText is the built-in list: base words; a line that begins with # is a remark.
//
//go:embed banned.txt
var bannedText string

// builtIn reads the built-in list. Microsoft's global list is secret; this one is our own.
func builtIn() (terms, error) {
	t := terms{set: map[string]bool{}}
	for line := range strings.Lines(bannedText) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, word := range strings.Fields(line) {
			if len(word) < shortestTerm {
				return t, fmt.Errorf("the built-in list of banned words: %q is shorter than %d characters", word, shortestTerm)
			}
			t.add(word)
		}
	}
	return t, nil
}

// own adds an organisation's words.
func (t *terms) own(words []string) error {
	if err := CheckWords(words); err != nil {
		return err
	}
	for _, w := range words {
		t.add(w)
	}
	return nil
}

// CheckWords judges an organisation's own words (Microsoft: up to 1000 terms of 4 to 16 characters). Passwords are ASCII,
// so a word that isn't would never be found.
func CheckWords(words []string) error {
	if len(words) > mostOwn {
		return fmt.Errorf("%d banned words: at most %d are taken", len(words), mostOwn)
	}
	for _, w := range words {
		if len(w) < shortestTerm || len(w) > longestTerm || strings.ContainsFunc(w, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fmt.Errorf("the banned word %q is not taken: give %d to %d letters, digits or symbols of ASCII, without blanks", w, shortestTerm, longestTerm)
		}
	}
	return nil
}
