package fourwaystest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

const (
	command   = "github.com/fourways-id/fourways/cmd/fourways"
	complaint = 2048 // bytes of the go command's, in a message: it may have one for each package
)

// find settles which program is run. home is a folder that goes with the test.
func (o *options) find(home string) error {
	if o.binary == "" {
		o.binary = os.Getenv(envBinary)
	}
	var err error
	if o.binary == "" {
		o.binary, err = built(home)
		return err
	}
	if o.binary, err = exec.LookPath(o.binary); err == nil {
		o.binary, err = filepath.Abs(o.binary) // the lab runs in a folder of its own
	}
	if err != nil {
		return fmt.Errorf("fourwaystest: %w: %s or the option Binary is to name a fourways program", err, envBinary)
	}
	return nil
}

// built is the program of the module that the test belongs to. `go test` removes the folder of a test's binary at its end,
// so one that lies there is kept for all tests of the process; a test that was built by hand makes it in home each time.
func built(home string) (string, error) {
	if self, err := os.Executable(); err == nil && strings.Contains(self, "go-build") {
		return beside()
	}
	return build(home)
}

var beside = sync.OnceValues(func() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	return build(filepath.Dir(self))
})

func build(dir string) (string, error) {
	path := filepath.Join(dir, "fourways-of-test")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, command).CombinedOutput() //nolint:gosec // G204: a path of our own
	if err != nil {
		return "", fmt.Errorf("fourwaystest: the fourways program can't be built: add it to your module with `go get -tool %s`, or name one with %s: %w\n%.*s", command, envBinary, err, complaint, out)
	}
	return path, nil
}
