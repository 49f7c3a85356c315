package architecture

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// dockerfile is what the Dockerfile says, by instruction.
type dockerfile struct {
	builds []string            // "go build" lines
	env    []string            // NAME=value of the build stage
	stages map[string][]string // the instructions of each named stage
}

func readDockerfile(t *testing.T) dockerfile {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	d := dockerfile{stages: map[string][]string{}}
	stage := ""
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] == "#" {
			continue
		}
		if words[0] == "FROM" {
			stage = words[len(words)-1]
		}
		d.stages[stage] = append(d.stages[stage], strings.TrimSpace(line))
		switch {
		case words[0] == "ENV" && stage == "build":
			d.env = append(d.env, words[1:]...)
		case words[0] == "RUN" && strings.HasPrefix(strings.Join(words[1:], " "), "go build "):
			d.builds = append(d.builds, strings.Join(words[1:], " "))
		}
	}
	return d
}

func TestImagesHoldABinaryAndAUserWhoIsNotRoot(t *testing.T) {
	d := readDockerfile(t)
	for _, target := range []string{"gateway", "agent"} {
		stage := strings.Join(d.stages[target], "\n")
		for _, want := range []string{"FROM scratch AS " + target, "/etc/ssl/certs/ca-certificates.crt", "USER 65532:65532", "ENTRYPOINT"} {
			if !strings.Contains(stage, want) {
				t.Errorf("target %s lacks %q:\n%s", target, want, stage)
			}
		}
		if strings.Contains(stage, "RUN ") {
			t.Errorf("target %s runs something, and an empty image has no shell:\n%s", target, stage)
		}
	}
}

// The image itself needs a container engine; its binaries don't.
func TestBuildLinesOfTheImagesMakeStaticBinaries(t *testing.T) {
	if os.Getenv("FOURWAYS_REAL") != "1" {
		t.Skip("SKIPPED: builds both binaries anew; run `make test-real` (it sets FOURWAYS_REAL=1)")
	}
	d := readDockerfile(t)
	if len(d.builds) != 2 {
		t.Fatalf("go build lines: %q, want one for the gateway and one for the agent", d.builds)
	}
	out := t.TempDir()
	for _, line := range d.builds {
		binary := filepath.Join(out, filepath.Base(line[strings.LastIndexByte(line, '/'):]))
		here := strings.ReplaceAll(line, "/out/", out+"/")
		cmd := exec.Command("sh", "-c", here)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), append(d.env, "GOOS=linux", "GOARCH="+runtime.GOARCH)...)
		if message, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", here, err, message)
		}
		if why := dynamic(t, binary); why != "" {
			t.Errorf("%s is not static: %s", filepath.Base(binary), why)
		}
	}
	// Control: the shell of a common system is dynamic.
	if shell, err := filepath.EvalSymlinks("/bin/sh"); err == nil && runtime.GOOS == "linux" && dynamic(t, shell) == "" {
		t.Errorf("control: %s is taken for a static binary", shell)
	}
}

// dynamic says what ties a binary to its system's libraries, "" when nothing does.
func dynamic(t *testing.T, path string) string {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return "it names a loader (PT_INTERP)"
		}
	}
	if libraries, err := f.ImportedLibraries(); err == nil && len(libraries) > 0 {
		return "it needs " + strings.Join(libraries, ", ")
	}
	return ""
}
