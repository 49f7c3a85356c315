// Package golden compares what a test made with a file that somebody has looked at.
//
// In come a file name and a text; out comes a test failure with the difference, or, with the flag -update, the file
// written anew. It is for tests alone.
package golden

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Check fails the test when file does not hold got. With -update it writes the file first: look at it before you commit it.
func Check(t testing.TB, file, got string) {
	t.Helper()
	if update() {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil { //nolint:gosec // golden files are public
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file) //nolint:gosec // the test names the file
	if err != nil {
		t.Fatalf("%v: run the test with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; look at it, then run with -update):\n%s", file, diff)
	}
}

var updating = flag.Bool("update", false, "write golden files anew")

func update() bool { return *updating }
