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

const command = "github.com/fourways-id/fourways/cmd/fourways"

// build makes the program, once for each test process.
var build = sync.OnceValues(func() (string, error) {
	dir, err := binaryFolder()
	if err != nil {
		return "", fmt.Errorf("fourwaystest: folder for the fourways program: %w", err)
	}
	path := filepath.Join(dir, "fourways-of-test")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, command).CombinedOutput() //nolint:gosec // G204: a path of our own
	if err != nil {
		return "", fmt.Errorf("fourwaystest: the fourways program can't be built: %w\n%s\nEither add it to your module with `go get -tool %s`, or name one with %s", err, out, command, envBinary)
	}
	return path, nil
})

// binaryFolder is where `go test` put the test itself: it removes that folder at its end. A test that was built by hand gets
// a temporary folder, which the system clears.
func binaryFolder() (string, error) {
	self, err := os.Executable()
	if err == nil && strings.Contains(self, "go-build") {
		return filepath.Dir(self), nil
	}
	return os.MkdirTemp("", "fourwaystest-")
}
