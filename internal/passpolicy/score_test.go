package passpolicy

import (
	"bytes"
	"strings"
	"testing"
)

func words(list ...string) terms {
	t := terms{set: map[string]bool{}}
	for _, w := range list {
		t.add(w)
	}
	return t
}

func TestTheScore(t *testing.T) {
	banned := words("contoso", "blank", "abcd", "cdefgh")
	for pw, want := range map[string]int{
		"": 0, "x": 1, "blank": 1, "C0ntos0Blank12": 4, "ContoS0Bl@nkf9!": 5, "blankblankblank": 3,
		"abcdefgh": 3, // ab + cdefgh is 3, abcd + efgh is 5
	} {
		if got := banned.score(normalise([]byte(pw))); got != want {
			t.Errorf("%q scores %d, want %d", pw, got, want)
		}
	}
}

func TestEditDistanceOne(t *testing.T) {
	for _, near := range []string{"abcdef", "abcdeg", "abcdefg", "abcde", "xbcdef", "xabcdef", "bcdef", "abxdef"} {
		if !within1([]byte("abcdef"), []byte(near)) || !within1([]byte(near), []byte("abcdef")) {
			t.Errorf("%s is not near abcdef", near)
		}
	}
	for _, far := range []string{"", "abcd", "abcdefgh", "abcdfe", "xxcdef", "badcef"} {
		if within1([]byte("abcdef"), []byte(far)) {
			t.Errorf("%s is near abcdef", far)
		}
	}
}

func TestTheBuiltInListIsWhatItSays(t *testing.T) {
	list, err := builtIn()
	if err != nil || len(list.set) < 300 {
		t.Fatalf("%d words: %v", len(list.set), err)
	}
	for word := range list.set {
		if word != string(normalise([]byte(word))) || strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%q can't be found", word)
		}
	}
}

// A score lies between the number of words that cover the password and its length, doesn't grow with the list, and one
// more character adds at most one point.
func FuzzScore(f *testing.F) {
	for _, seed := range []string{"", "blank", "ContoS0Bl@nkf9!", "abcdefgh", strings.Repeat("blank", 60), "\xff\x00"} {
		f.Add([]byte(seed))
	}
	few, more := words("blank", "contoso"), words("blank", "contoso", "abcd", "lankc", "ntosob")
	f.Fuzz(func(t *testing.T, pw []byte) {
		plain := normalise(pw)
		if len(plain) != len(pw) || !bytes.Equal(normalise(plain), plain) {
			t.Fatalf("the normal form of %q is not one: %q", pw, plain)
		}
		got := few.score(plain)
		if got > len(plain) || len(plain) > 0 && got < 1 || more.score(plain) > got {
			t.Errorf("%q scores %d, and %d with more words", pw, got, more.score(plain))
		}
		if next := few.score(append(bytes.Clone(plain), 'x')); next > got+1 {
			t.Errorf("%q scores %d, with one more character %d", pw, got, next)
		}
		if len(plain) > 0 && !within1(plain, plain[1:]) {
			t.Errorf("%q without its first character is far from itself", plain)
		}
	})
}
