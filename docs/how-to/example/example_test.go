package example_test

import (
	"crypto/sha256"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/docs/how-to/example"
)

const (
	code    = "h7Qw-2kPz-9xLm-4vTr-6bNc"
	page    = "../add-a-provider.md"
	longest = 80 // lines: a page that nobody reads to its end teaches nothing
)

var peggy = authn.Account{ID: "a-1", UPN: "peggy@cloud.example.test"}

func provider(t *testing.T) *example.Provider {
	t.Helper()
	p, err := example.New(peggy.ID, sha256.Sum256([]byte(code)), authntest.NewClock(time.Unix(1e9, 0)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProviderKeepsItsPromises(t *testing.T) {
	authntest.TestProvider(t, authntest.Harness{
		Provider: provider(t), Account: peggy, Password: code,
		Realm: authn.Realm{Domain: "cloud.example.test", Path: authn.PathCloud},
	})
}

func TestTheCodeLetsNobodyElseIn(t *testing.T) {
	p := provider(t)
	for _, c := range []struct {
		who  authn.Account
		want authn.Verdict
	}{
		{peggy, authn.Allowed},
		{authn.Account{ID: "a-2", UPN: "alice@cloud.example.test"}, authn.Denied},
	} {
		out := p.Step(t.Context(), authn.Attempt{Account: c.who, Answer: authn.Password{Secret: authn.NewSecret([]byte(code))}})
		if out.Verdict != c.want {
			t.Errorf("%s: %v, want %v", c.who.UPN, out.Verdict, c.want)
		}
	}
}

func TestACodeForNobodyIsRefused(t *testing.T) {
	if _, err := example.New("", sha256.Sum256([]byte(code)), authntest.NewClock(time.Unix(1e9, 0))); err == nil {
		t.Error("a code without an account was taken: it would let in whoever has no account")
	}
}

func TestThePageShowsThisVeryCode(t *testing.T) {
	source, err := os.ReadFile("example.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "```go\n"+string(source)+"```\n") {
		t.Errorf("%s does not show docs/how-to/example/example.go as it is: paste it there", page)
	}
	if n := strings.Count(string(source), "\n"); n >= longest {
		t.Errorf("the example has %d lines, want fewer than %d", n, longest)
	}
}
