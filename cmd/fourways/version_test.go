package main

import "testing"

func TestABuildIsOneLineWithoutGaps(t *testing.T) {
	for want, b := range map[string]build{
		"fourways (devel) go1.26 linux/amd64":             {Version: "(devel)", Go: "go1.26", Platform: "linux/amd64"},
		"fourways v0.1.0 0123456789ab go1.26 linux/amd64": {Version: "v0.1.0", Revision: "0123456789abcdef", Go: "go1.26", Platform: "linux/amd64"},
		"fourways v0.0.0-2026-0123456789ab go1.26 a/b":    {Version: "v0.0.0-2026-0123456789ab", Revision: "0123456789abcdef", Go: "go1.26", Platform: "a/b"},
	} {
		if got := b.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
