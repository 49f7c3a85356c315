package fourwaystest_test

import (
	"os"
	"strings"
	"testing"
)

// The how-to's test is one that runs: all below its package clause is this folder's example_test.go.
func TestHowToShowsTheExampleThatRuns(t *testing.T) {
	page, err := os.ReadFile("../../docs/how-to/test-your-app-with-fourwaystest.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(page), "```go\npackage mine_test\n")
	shown, _, ended := strings.Cut(shown, "```\n")
	ours, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, run, _ := strings.Cut(string(ours), "package fourwaystest_test\n")
	if !ended || run == "" || shown != run {
		t.Errorf("the page shows\n%s\nand what runs is\n%s", shown, run)
	}
}
