package realtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// fakeT stands in for a test and remembers how it was ended.
type fakeT struct {
	testing.TB
	skipped, failed string
}

func (*fakeT) Helper() {}

func (f *fakeT) Skipf(format string, args ...any) {
	f.skipped = fmt.Sprintf(format, args...)
	panic(f)
}

func (f *fakeT) Fatalf(format string, args ...any) {
	f.failed = fmt.Sprintf(format, args...)
	panic(f)
}

// need runs Need as a test would, up to where it ends the test.
func need(server string) *fakeT {
	f := &fakeT{}
	func() {
		defer func() { _ = recover() }()
		Need(f, server)
	}()
	return f
}

func TestWithoutTheSwitchATestIsSkippedAndSaysHowToRunIt(t *testing.T) {
	for _, value := range []string{"", "0", "true"} {
		t.Setenv(Switch, value)
		f := need("samba")
		if !strings.Contains(f.skipped, "make test-real") || !strings.Contains(f.skipped, "samba") {
			t.Errorf("%s=%q: skipped with %q, want the server and the command that runs the test", Switch, value, f.skipped)
		}
	}
}

func TestWithTheSwitchAMissingServerIsAFailureAndNeverASkip(t *testing.T) {
	t.Setenv(Switch, "1")
	f := need("no-such-server")
	if f.skipped != "" || !strings.Contains(f.failed, "samba") {
		t.Errorf("an unknown server: skipped %q, failed %q; want a failure that lists the known ones", f.skipped, f.failed)
	}
	lacking := requirement{commands: []string{"fourways-no-such-program"}, files: []string{"/no/such/*.file"}, root: true}
	if got := lacking.missing(1000); len(got) != 3 {
		t.Errorf("missing(1000) = %q, want command, file and root", got)
	}
	present := requirement{commands: []string{"sh"}, files: []string{"/etc/host*"}, root: true}
	if got := present.missing(0); len(got) != 0 {
		t.Errorf("positive control: sh, /etc/host* and root are there, yet missing = %q", got)
	}
}

func TestInstallScriptBringsEveryPackageThatATestMayNeed(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(moduleRoot(), ".ci/install"))
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{}
	for _, word := range strings.Fields(string(script)) {
		words[word] = true
	}
	for server, need := range requirements() {
		for _, name := range need.packages {
			if !words[name] {
				t.Errorf(".ci/install doesn't install %s, which %s needs", name, server)
			}
		}
	}
}

func TestLockOfTheNodeProgramNamesNoRegistry(t *testing.T) {
	lock, err := os.ReadFile(filepath.Join(moduleRoot(), nodeFolder, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(lock), `"integrity": "sha512-`) {
		t.Error("the lock pins no content: run npm install in " + nodeFolder)
	}
	if strings.Contains(string(lock), `"resolved"`) {
		t.Error("the lock says where packages were downloaded; run npm install with omit-lockfile-registry-resolved=true")
	}
}

func TestEveryDrawnAddressIsLoopback(t *testing.T) {
	for range 50 {
		ip, err := loopback(0)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(ip, "127.") || strings.HasPrefix(ip, "127.0.") || strings.HasSuffix(ip, ".0") || strings.HasSuffix(ip, ".255") {
			t.Errorf("drew %s", ip)
		}
	}
}
