package architecture

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

const (
	module = "github.com/fourways-id/fourways"
	root   = "../.."
)

// pkg is what `go list -json` says about a package, in its own field names.
type pkg struct {
	ImportPath, Dir, Doc      string
	Imports, Deps             []string // of the program, without its tests
	GoFiles                   []string
	TestGoFiles, XTestGoFiles []string
}

// name is the package's path below the module, "" when it is somebody else's.
func name(path string) string {
	if below, ok := strings.CutPrefix(path, module+"/"); ok {
		return below
	}
	return ""
}

// below tells whether path is one of the folders or in one.
func below(path string, folders ...string) bool {
	for _, folder := range folders {
		if path == folder || strings.HasPrefix(path, folder+"/") {
			return true
		}
	}
	return false
}

func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// packages lists the module once for all tests. A package that does not build is the compiler's to report, hence -e.
var packages = sync.OnceValues(func() ([]pkg, error) {
	out, err := run("go", "list", "-e", "-json=ImportPath,Dir,Doc,Imports,Deps,GoFiles,TestGoFiles,XTestGoFiles", "./...")
	if err != nil {
		return nil, err
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(out)); ; {
		var p pkg
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		all = append(all, p)
	}
})

// run runs a command in the module's root.
func run(command string, args ...string) (string, error) {
	cmd := exec.Command(command, args...)
	cmd.Dir = root
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", command, strings.Join(args, " "), err, complaint.String())
	}
	return string(out), nil
}

func load(t *testing.T) []pkg {
	t.Helper()
	all, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, p := range all {
		found = found || name(p.ImportPath) == "authn"
	}
	if !found {
		t.Fatalf("go list found %d packages and no authn: the rules would hold for nothing", len(all))
	}
	return all
}
