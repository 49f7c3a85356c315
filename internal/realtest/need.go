package realtest

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Switch is the environment variable that turns the tests against real servers on, with the value "1".
const Switch = "FOURWAYS_REAL"

// systemPath is where Debian puts servers and their tools; children see nothing else, so that a python or node
// of the person who runs the tests can't slip under samba-tool.
const systemPath = "/usr/sbin:/usr/bin:/sbin:/bin"

// requirement says what must be on the machine for one server.
type requirement struct {
	commands []string // looked for in systemPath
	files    []string // glob patterns; one match each is enough
	root     bool
	packages []string // Debian packages that bring the above
}

// requirements is the whole list of servers that [Need] knows.
func requirements() map[string]requirement {
	return map[string]requirement{
		"samba": {
			commands: []string{"samba", "samba-tool", "ldbadd", "ldbmodify", "ldbsearch"},
			files:    []string{"/usr/share/samba/setup/provision.ldif", "/usr/lib/*/samba/vfs/acl_xattr.so"},
			root:     true, // ports 88, 135, 389 and 636 can't be moved
			packages: []string{"samba", "samba-ad-provision", "samba-dsdb-modules", "samba-vfs-modules", "ldb-tools"},
		},
		"openldap": {
			commands: []string{"slapd", "slapadd"},
			files:    []string{"/usr/lib/ldap/ppolicy.la", "/etc/ldap/schema/inetorgperson.ldif"},
			packages: []string{"slapd", "ldap-utils"},
		},
		"smbk5pwd": {
			commands: []string{"slapd", "slapadd"},
			files:    []string{"/usr/lib/ldap/smbk5pwd.la", "/etc/ldap/schema/inetorgperson.ldif"},
			packages: []string{"slapd", "slapd-contrib", "ldap-utils"},
		},
		"simplesamlphp": {
			commands: []string{"php"},
			files:    []string{"/usr/share/simplesamlphp/www/index.php", "/usr/lib/php/*/dom.so", "/usr/lib/php/*/mbstring.so"},
			root:     true, // Debian's defaults include a secret that only root and the web server may read
			packages: []string{"simplesamlphp", "php-cli", "php-xml", "php-mbstring", "php-curl"},
		},
		"oidc-provider": {
			commands: []string{"node"},
			files:    []string{filepath.Join(moduleRoot(), nodeFolder, "node_modules/oidc-provider/package.json")},
			packages: []string{"nodejs", "npm"},
		},
		"postgres": {
			commands: []string{"psql"},
			files:    []string{postgresPattern},
			packages: []string{"postgresql", "postgresql-client"},
		},
		"chromium": {commands: []string{"chromium"}, packages: []string{"chromium"}},
		"promtool": {commands: []string{"promtool"}, packages: []string{"prometheus"}},
	}
}

// Need lets the test go on only if the named server can be started. Without FOURWAYS_REAL=1 the test is skipped and
// says which command runs it. With it, a missing program is a failure, never a skip: a run that promised real
// servers must not pass without them.
func Need(t testing.TB, server string) {
	t.Helper()
	if os.Getenv(Switch) != "1" {
		t.Skipf("SKIPPED: this test needs a real %s; run `make test-real` (it sets %s=1)", server, Switch)
	}
	need, known := requirements()[server]
	if !known {
		t.Fatalf("realtest knows no server %q; known are %s", server, strings.Join(servers(), ", "))
	}
	if missing := need.missing(os.Geteuid()); len(missing) > 0 {
		t.Fatalf("%s=1 is set, but %s can't be started: %s. Run .ci/install, or: apt-get install --no-install-recommends %s",
			Switch, server, strings.Join(missing, "; "), strings.Join(need.packages, " "))
	}
}

func servers() []string { return slices.Sorted(maps.Keys(requirements())) }

// missing lists in words what the machine lacks.
func (r requirement) missing(uid int) []string {
	var gone []string
	for _, command := range r.commands {
		if _, err := program(command); err != nil {
			gone = append(gone, err.Error())
		}
	}
	for _, pattern := range r.files {
		if found, err := filepath.Glob(pattern); err != nil || len(found) == 0 {
			gone = append(gone, "no file "+pattern)
		}
	}
	if r.root && uid != 0 {
		gone = append(gone, "it must be started as root")
	}
	return gone
}

// program finds a command in systemPath, whatever PATH says.
func program(name string) (string, error) {
	for _, folder := range filepath.SplitList(systemPath) {
		if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no command %s in %s", name, systemPath)
}

// moduleRoot is the folder of go.mod: `go test` runs a test in its package's folder, somewhere below.
func moduleRoot() string {
	folder, err := os.Getwd()
	if err != nil {
		return "."
	}
	for at := folder; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return folder
		}
	}
}
