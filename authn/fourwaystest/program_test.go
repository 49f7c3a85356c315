package fourwaystest

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain makes this test binary a program that goes wrong in the way that its first own flag says.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != "up" {
		os.Exit(m.Run())
	}
	file := os.Args[slices.Index(os.Args, "--ready-file")+1]
	switch os.Args[len(os.Args)-1] {
	case "dies":
		fmt.Fprintln(os.Stderr, "fourways: the port is taken")
		os.Exit(4)
	case "never-ready":
		awaitInterrupt()
	case "garbles":
		_ = os.WriteFile(file, []byte("ready!"), 0o600)
		awaitInterrupt()
	case "ends-soon":
		_ = os.WriteFile(file, []byte("{}"), 0o600)
		for now := filepath.Join(filepath.Dir(file), "now"); ; time.Sleep(lookAgain) {
			if _, err := os.Stat(now); err == nil {
				break
			}
		}
		fmt.Fprintln(os.Stderr, "out of memory")
	case "ends-badly":
		_ = os.WriteFile(file, []byte("{}"), 0o600)
		awaitInterrupt()
		fmt.Fprintln(os.Stderr, "something was lost")
		os.Exit(1)
	}
}

func awaitInterrupt() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	<-stop
}

func ours(t *testing.T, way string) options {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return options{binary: self, args: []string{way}, ready: readyWithin}
}

func TestEarlyDeathGivesExitCodeAndLastWords(t *testing.T) {
	_, _, err := run(ours(t, "dies"), t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "exit status 4") || !strings.Contains(err.Error(), "the port is taken") {
		t.Error(err)
	}
}

func TestReadyFileThatNeverComesEndsTheWait(t *testing.T) {
	o := ours(t, "never-ready")
	ReadyWithin(100 * time.Millisecond)(&o)
	_, _, err := run(o, t.TempDir()) // which waits for the end of the process
	if err == nil || !strings.Contains(err.Error(), "not ready within 100ms") || !strings.Contains(err.Error(), "ReadyWithin") {
		t.Error(err)
	}
}

func TestReadyFileThatIsNoneEndsTheProcess(t *testing.T) {
	if _, _, err := run(ours(t, "garbles"), t.TempDir()); err == nil || !strings.Contains(err.Error(), "ready file") {
		t.Error(err)
	}
}

func TestBadEndIsTold(t *testing.T) {
	p, _, err := run(ours(t, "ends-badly"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.stop(); err == nil || !strings.Contains(err.Error(), "something was lost") {
		t.Error(err)
	}
	select {
	case <-p.done:
	default:
		t.Error("the process still runs")
	}
}

func TestLabThatDiesDuringTheTestIsTold(t *testing.T) {
	home := t.TempDir()
	p, _, err := run(ours(t, "ends-soon"), home)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "now"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	<-p.done
	if err := p.stop(); err == nil || !strings.Contains(err.Error(), "before it was asked") || !strings.Contains(err.Error(), "out of memory") {
		t.Error(err)
	}
}

func TestMissingProgramSaysHowToNameOne(t *testing.T) {
	_, _, err := run(options{binary: filepath.Join(t.TempDir(), "fourways")}, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), envBinary) {
		t.Error(err)
	}
}

func TestCallersSettingsDoNotReachTheLab(t *testing.T) {
	t.Setenv("FOURWAYS_SERVER", "http://127.0.0.1:1")
	t.Setenv("OTHER", "kept")
	got := []byte(strings.Join(environment("FOURWAYS_TOKEN=ours"), "\n"))
	if bytes.Contains(got, []byte("FOURWAYS_SERVER")) || !bytes.Contains(got, []byte("OTHER=kept")) || !bytes.Contains(got, []byte("FOURWAYS_TOKEN=ours")) {
		t.Errorf("%s", got)
	}
}
