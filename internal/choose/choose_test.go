package choose

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/golden"
)

// walks gives every way through the tree, as the words that were said.
func walks(t *testing.T) [][]string {
	t.Helper()
	var all [][]string
	var walk func(said []string)
	walk = func(said []string) {
		if len(said) > len(Questions()) {
			t.Fatalf("%q has no end", said)
		}
		q, open := replay(t, said).Next()
		if !open {
			all = append(all, said)
			return
		}
		for _, o := range q.Options {
			walk(append(slices.Clone(said), o.Word))
		}
	}
	walk(nil)
	return all
}

func replay(t *testing.T, said []string) *Talk {
	t.Helper()
	talk := Begin()
	for _, word := range said {
		if err := talk.Answer(word); err != nil {
			t.Fatal(err)
		}
	}
	return talk
}

func TestEveryWalkEndsAndEveryPathIsReached(t *testing.T) {
	reached, asked := map[string]bool{}, map[string]bool{}
	for _, said := range walks(t) {
		r, ok := replay(t, said).Recommend("contoso.example")
		if !ok || r.Path == "" || len(r.Costs) == 0 || len(r.Show) == 0 || len(r.Why) != len(said) {
			t.Errorf("%q ends with %+v", said, r)
		}
		reached[fmt.Sprintf("%s %s %t", r.Path, r.Protocol, r.Hashes)] = true
		for _, a := range r.Why {
			asked[a.Key] = true
			if a.Because == "" || !strings.HasPrefix(a.Source, "https://learn.microsoft.com/") {
				t.Errorf("%s=%s has no reason or source: %+v", a.Key, a.Word, a)
			}
		}
	}
	for _, want := range []string{
		"cloud  false", "phs  true", "pta  true", "pta  false",
		"federated saml true", "federated saml false", "federated oidc true", "federated oidc false",
	} {
		if !reached[want] {
			t.Errorf("nothing leads to %s", want)
		}
	}
	for _, q := range Questions() {
		if !asked[q.Key] {
			t.Errorf("the question %s is never asked", q.Key)
		}
		for _, o := range q.Options {
			if o.Next != "" && !slices.ContainsFunc(Questions(), func(n Question) bool { return n.Key == o.Next }) {
				t.Errorf("%s=%s leads to %q, which there is not", q.Key, o.Word, o.Next)
			}
		}
	}
}

func TestTheLinesOfEveryEndAreAValidConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, file := range []string{"partner-metadata.xml", "partner-client-secret"} {
		if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, said := range walks(t) {
		r, _ := replay(t, said).Recommend("contoso.example")
		c, err := config.Load("fourways.toml", []byte("[tenant]\nname = \"Contoso\"\n\n"+r.TOML))
		if err == nil {
			err = c.Check()
		}
		if err != nil {
			t.Errorf("%q:\n%s\n%v", said, r.TOML, err)
			continue
		}
		if d := c.Domain[0]; d.Name != r.Domain || d.Path != r.Path || d.HashSync() != r.Hashes {
			t.Errorf("%q says %+v and the lines mean %+v", said, r, d)
		}
	}
	if _, err := config.Load("fourways.toml", []byte("[[domain]]\nname = \"contoso.example\"\npath = \"ptaa\"\n")); err == nil {
		t.Error("control: a wrong path is taken for valid")
	}
}

func TestWhoeverHasNoDirectoryIsMatchedByName(t *testing.T) {
	for said, match := range map[string]string{
		"provider saml": "upn", "provider oidc": "upn", "directory yes saml yes": "immutable_id", "directory yes oidc no": "upn",
	} {
		r, _ := replay(t, strings.Fields(said)).Recommend("contoso.example")
		if !strings.Contains(r.TOML, "\nmatch = \""+match+"\"\n") {
			t.Errorf("%s: %s", said, r.TOML)
		}
		if made := strings.Contains(strings.Join(r.Costs, " "), "fourways user create"); made != strings.HasPrefix(said, "provider") {
			t.Errorf("%s: %q", said, r.Costs)
		}
	}
}

func TestEveryEnd(t *testing.T) {
	var b strings.Builder
	for _, said := range walks(t) {
		r, _ := replay(t, said).Recommend("contoso.example")
		raw, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n%s\n\n", strings.Join(said, " "), raw)
	}
	golden.Check(t, "testdata/ends.golden", b.String())
}

func TestAnswersAreWordsBeginningsOrNumbers(t *testing.T) {
	for _, said := range []string{"directory", "2", " Direct ", "d"} {
		talk := Begin()
		if err := talk.Answer(said); err != nil || talk.given[0].Word != "directory" {
			t.Errorf("%q: %v, %+v", said, err, talk.given)
		}
	}
	for _, said := range []string{"", "0", "4", "both", "directoryy"} {
		talk := Begin()
		if err := talk.Answer(said); err == nil || len(talk.given) > 0 {
			t.Errorf("%q is taken for an answer: %+v", said, talk.given)
		}
	}
	talk := replay(t, []string{"directory", "no"})
	if q, _ := talk.Next(); q.Key != "features" || !talk.Back() {
		t.Fatal(q.Key)
	}
	if q, _ := talk.Next(); q.Key != "handover" || !talk.Back() || talk.Back() {
		t.Error("back leads elsewhere")
	}
}
