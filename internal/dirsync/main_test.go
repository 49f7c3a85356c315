package dirsync_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain keeps the properties short, since each of their tries opens stores; `make test-long` tries more.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	checks := "20"
	if os.Getenv("FOURWAYS_LONG") != "" {
		checks = "500"
	}
	if f := flag.Lookup("rapid.checks"); f != nil && !given {
		_ = f.Value.Set(checks)
	}
	os.Exit(m.Run())
}
