package trace

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fourways-id/fourways/authn"
)

func TestWrapBreaksBetweenWordsAndCutsLongOnes(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"browser, gateway, agent, DC", 9, []string{"browser,", "gateway,", "agent, DC"}},
		{"onprem_password_expired it is", 10, []string{"onprem_pas", "sword_expi", "red it is"}},
		{"é é é", 3, []string{"é é", "é"}},
		{"as it  stands", 0, []string{"as it  stands"}},
		{"", 5, []string{""}},
	} {
		if diff := cmp.Diff(c.want, Wrap(c.text, c.width)); diff != "" {
			t.Errorf("%q at %d:\n%s", c.text, c.width, diff)
		}
	}
}

func TestNarrowTracesSayTheSameInShortLines(t *testing.T) {
	const width = 80
	for name, records := range map[string][]authn.Record{"pta": {ptaRecord()}, "federated": federatedRecords()} {
		var narrow, wide bytes.Buffer
		if err := Text(&narrow, records, width); err != nil {
			t.Fatal(err)
		}
		if err := Text(&wide, records, 0); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(narrow.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > width {
				t.Errorf("%s: a line of %d characters: %s", name, n, line)
			}
		}
		words := func(s string) int { return len(strings.Fields(s)) }
		if got, want := words(narrow.String()), words(wide.String())-words("WHAT"); got != want {
			t.Errorf("%s: %d words, the wide form has %d:\n%s", name, got, want, narrow.String())
		}
	}
}
