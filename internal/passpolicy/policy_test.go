package passpolicy_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/passpolicy"
)

func policy(t testing.TB, o passpolicy.Options) *passpolicy.Policy {
	t.Helper()
	p, err := passpolicy.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func check(p *passpolicy.Policy, pw string, names ...string) error {
	return p.Check(context.Background(), authn.NewSecret([]byte(pw)), passpolicy.Person{Names: names})
}

// The four vectors of Microsoft's page "Eliminate bad passwords with Microsoft Entra Password Protection".
func TestMicrosoftsVectors(t *testing.T) {
	p := policy(t, passpolicy.Options{Banned: []string{"contoso", "blank"}})
	for pw, want := range map[string]error{
		"C0ntos0Blank12":  passpolicy.Easy, // [contoso] + [blank] + [1] + [2] = 4
		"ContoS0Bl@nkf9!": nil,             // [contoso] + [blank] + [f] + [9] + [!] = 5
		"Bl@nK":           passpolicy.TooShort,
		"p0LL23fb":        passpolicy.OwnName,
	} {
		if got := check(p, pw, "Poll"); !errors.Is(got, want) {
			t.Errorf("%s: %v, want %v", pw, got, want)
		}
	}
	if got := check(p, "p0LL23fb", "Ann"); got != nil {
		t.Errorf("control: somebody else's name: %v", got)
	}
}

func TestWhatAPasswordMayBe(t *testing.T) {
	p := policy(t, passpolicy.Options{Tenant: "Harbour Mail", Banned: []string{"lighthouse"}})
	alice := []string{"Alice", "Kranz", "Alice Kranz", "alice.kranz@cloud.example.test", "", "Bo"}
	for _, c := range []struct {
		story, pw string
		want      error
	}{
		{"seven characters", "aB3!efg", passpolicy.TooShort},
		{"eight characters", "aB3!efgh", nil},
		{"nothing", "", passpolicy.TooShort},
		{"256 characters", strings.Repeat("aB3!", 64), nil},
		{"257 characters", strings.Repeat("aB3!", 64) + "x", passpolicy.TooLong},
		{"Unicode", "Sømmernacht-77", passpolicy.Characters},
		{"broken UTF-8", "aB3!efgh\xff", passpolicy.Characters},
		{"a control character", "aB3!efgh\x00", passpolicy.Characters},
		{"two kinds", "pflaumenmus9", passpolicy.Kinds},
		{"three kinds", "Pflaumenmus9", nil},
		{"blanks and capitals", "pflaumen MUS", nil},
		{"every symbol", "@#$%^&*-_!+=[]{}|\\:',.?/`~\"();<> aB", nil},
		{"the given name", "xy-aLiC3-xy99", passpolicy.OwnName},
		{"the name before the @", "alicekranz-XY9", passpolicy.OwnName},
		{"a name of two letters is not looked for", "Bobsleigh-XY9", nil},
		{"the organisation's name", "H4rb0ur-front-9", passpolicy.OwnName},
		{"an own word and a year", "Lighthouse123", passpolicy.Easy},
		{"an own word in good company", "Lighthouse-x7Wq", nil},
		{"the classic", "P@ssw0rd1", passpolicy.Easy},
		{"a season and a year", "Winter24", passpolicy.Easy},
		{"four common words", "Password1234Summer1234", passpolicy.Easy},
	} {
		if got := check(p, c.pw, alice...); !errors.Is(got, c.want) {
			t.Errorf("%s: %v, want %v", c.story, got, c.want)
		}
	}
}

func TestAnOrganisationsWords(t *testing.T) {
	many := make([]string, 1001)
	for i := range many {
		many[i] = "word" + strings.Repeat("x", i%9)
	}
	for name, words := range map[string][]string{"too many": many, "too short": {"abc"}, "too long": {strings.Repeat("a", 17)}, "not ASCII": {"Straße"}, "a blank": {"two words"}} {
		if _, err := passpolicy.New(passpolicy.Options{Banned: words}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	policy(t, passpolicy.Options{Banned: many[:1000]})
}

// Microsoft's example for the fuzzy match: abcdeg, abcdefg and abcde are within one edit of abcdef.
func TestOneCharacterMoreOrLessIsStillTheWord(t *testing.T) {
	p := policy(t, passpolicy.Options{Banned: []string{"xylophon-key"}})
	for _, pw := range []string{"Xylophon-key", "Xylophon-keys", "Xylophon-ke", "Xylophon+key", "XyIophon-k3y", "-Xylophon-key"} {
		if got := check(p, pw); !errors.Is(got, passpolicy.Easy) {
			t.Errorf("%s: %v", pw, got)
		}
	}
	if got := check(p, "Xylophon+kay"); got != nil {
		t.Errorf("control: two edits away: %v", got)
	}
}

func TestNoRefusalShowsThePassword(t *testing.T) {
	p := policy(t, passpolicy.Options{})
	for _, pw := range []string{"Sh0rt!", "pflaumenmus9", "P@ssw0rd1", "Sømmernacht-77"} {
		if err := check(p, pw); err == nil || strings.Contains(err.Error(), pw) {
			t.Errorf("%s: %v", pw, err)
		}
	}
}

func TestItDoesNotTouchThePassword(t *testing.T) {
	p, pw := policy(t, passpolicy.Options{}), authn.NewSecret([]byte("Pflaumenmus9"))
	if err := p.Check(t.Context(), pw, passpolicy.Person{}); err != nil || string(pw.Reveal()) != "Pflaumenmus9" {
		t.Errorf("%v, and the password is changed", err)
	}
}
