package agent_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A lab's seam is a lab's alone: the program that runs on the premises has no way to open it.
func TestOnlyALabSetsWhatALabSets(t *testing.T) {
	for folder, want := range map[string]bool{"../../cmd/fourways-agent": false, "../lab/premises": true} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", folder, files, err)
		}
		sets := false
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			sets = sets || strings.Contains(string(text), "agent.Lab{")
		}
		if sets != want {
			t.Errorf("%s: sets agent.Lab: %t, want %t", folder, sets, want)
		}
	}
}
