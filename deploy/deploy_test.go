// Package deploy_test holds what this folder tells people to run: the programs take the files, and so do the tools that
// read them.
package deploy_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/metrics"
	"github.com/fourways-id/fourways/internal/realtest"
)

func TestTheProgramsTakeTheConfiguration(t *testing.T) {
	if _, err := config.LoadFile("fourways.toml"); err != nil {
		t.Errorf("fourways.toml: %v", err)
	}
	if _, err := config.LoadAgent("agent.toml"); err != nil {
		t.Errorf("agent.toml: %v", err)
	}
}

// prepared is a copy of this folder in which prepare.sh was run.
func prepared(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"bash", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("FOURWAYS_REAL") == "1" {
				t.Fatalf("prepare.sh needs %s: install it", program)
			}
			t.Skipf("SKIPPED: prepare.sh needs %s; `make test-real` fails without it", program)
		}
	}
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	_ = os.RemoveAll(filepath.Join(folder, "secrets")) // somebody's own, if they tried it out
	run(t, folder, "bash", "prepare.sh")
	return folder
}

func run(t *testing.T, folder, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
	return string(out)
}

func TestConfigurationAndSecretsPassTheChecks(t *testing.T) {
	folder := prepared(t)
	bin := t.TempDir()
	run(t, "..", "go", "build", "-o", bin+string(filepath.Separator), "./cmd/fourways", "./cmd/fourways-agent")
	run(t, folder, filepath.Join(bin, "fourways"), "config", "check", "-c", "fourways.toml")
	run(t, folder, filepath.Join(bin, "fourways-agent"), "check", "--offline", "-c", "agent.toml")

	secret := filepath.Join(folder, "secrets", "gateway.key")
	if err := os.Chmod(secret, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(bin, "fourways"), "config", "check", "-c", "fourways.toml")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("a key that everybody can read passes the check, so this test proves little:\n%s", out)
	}
}

// mount is a file or folder of this folder that a container gets.
var mount = regexp.MustCompile(`(?m)^ +- \./([^:\s]+):`)

func TestComposeMountsWhatIsThere(t *testing.T) {
	folder := prepared(t)
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	mounts := mount.FindAllStringSubmatch(string(text), -1)
	if len(mounts) < 10 {
		t.Fatalf("%d mounts were found in compose.yaml", len(mounts))
	}
	for _, m := range mounts {
		if _, err := os.Stat(filepath.Join(folder, m[1])); err != nil {
			t.Errorf("compose.yaml mounts %s, which prepare.sh does not make: %v", m[1], err)
		}
	}
	for _, bad := range []string{"PASSWORD", "TOKEN"} {
		if strings.Contains(string(text), bad) {
			t.Errorf("compose.yaml has %s in it: secrets are files", bad)
		}
	}
}

func TestComposeIsTakenByDockerCompose(t *testing.T) {
	if exec.Command("docker", "compose", "version").Run() != nil {
		t.Skip("SKIPPED: there is no docker compose here")
	}
	run(t, prepared(t), "docker", "compose", "config", "--quiet")
}

func TestPrometheusTakesItsConfiguration(t *testing.T) {
	realtest.Promtool(t) // skipped when it isn't installed
	run(t, ".", "promtool", "check", "config", "prometheus.yml")
	run(t, ".", "promtool", "test", "rules", "alerts_test.yml")
}

func TestAlertsAskForMetricsThatThereAre(t *testing.T) {
	families, err := metrics.New(metrics.Readers{}).Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, f := range families {
		there[f.GetName()] = true
	}
	text, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	asked := regexp.MustCompile(`fourways_\w+`).FindAllString(string(text), -1)
	if len(asked) < 4 {
		t.Fatalf("only %q were found in alerts.yml", asked)
	}
	for _, name := range asked {
		if !there[name] {
			t.Errorf("alerts.yml asks for %s, which the gateway does not serve", name)
		}
	}
}

func TestSystemdTakesTheUnits(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("SKIPPED: there is no systemd-analyze here")
	}
	folder := t.TempDir()
	units, err := fs.Glob(os.DirFS("."), "*.service")
	if err != nil || len(units) != 2 {
		t.Fatalf("units %q, %v: want two", units, err)
	}
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		// The programs are not installed here; systemd wants to see an executable.
		here := regexp.MustCompile(`/usr/local/bin/fourways\S*`).ReplaceAllString(string(text), "/bin/true")
		file := filepath.Join(folder, unit)
		if err := os.WriteFile(file, []byte(here), 0o600); err != nil {
			t.Fatal(err)
		}
		// What it complains of are keys and values that it doesn't know; it may do so with exit status 0.
		cmd := exec.Command("systemd-analyze", "verify", "--man=no", file)
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), unit) {
			t.Errorf("%s: %v\n%s", unit, err, out)
		}
	}
}
