package architecture

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// mandated are the modules the project is built on, and the room whose program uses each.
func mandated() map[string]string {
	return map[string]string{
		"github.com/coreos/go-oidc/v3":        "providers/oidc",
		"github.com/crewjam/saml":             "providers/saml",
		"golang.org/x/crypto":                 "internal/passhash",
		"github.com/go-ldap/ldap/v3":          "internal/onprem",
		"github.com/prometheus/client_golang": "internal/metrics",
	}
}

func TestMandatedModulesAreDirectAndInUse(t *testing.T) {
	out, err := run("go", "mod", "edit", "-json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal([]byte(out), &file); err != nil {
		t.Fatal(err)
	}
	direct := map[string]bool{}
	for _, r := range file.Require {
		direct[r.Path] = !r.Indirect
	}
	all := load(t)
	for path, room := range mandated() {
		if !direct[path] {
			t.Errorf("go.mod doesn't require %s directly", path)
		}
		if !uses(all, room, path) {
			t.Errorf("no program in %s imports %s", room, path)
		}
	}
	if uses(all, "authn", "github.com/crewjam/saml") {
		t.Error("control: authn imports no SAML library, and yet it is said to")
	}
}

// uses tells whether the program (not the tests) in a room imports a package of a module.
func uses(all []pkg, room, path string) bool {
	for _, p := range all {
		if below(name(p.ImportPath), room) {
			for _, i := range p.Imports {
				if below(i, path) {
					return true
				}
			}
		}
	}
	return false
}

// crewjam/saml v0.5.1 alone would select a goxmldsig whose signature check can be bypassed (GO-2026-4753).
func TestSignatureLibrariesAreNotOlderThanTheirFixes(t *testing.T) {
	for path, least := range map[string]string{"github.com/russellhaering/goxmldsig": "v1.6.1", "github.com/beevik/etree": "v1.8.1"} {
		got, err := run("go", "list", "-m", "-f", "{{.Version}}", path)
		if err != nil {
			t.Fatal(err)
		}
		if older(t, strings.TrimSpace(got), least) {
			t.Errorf("the build selects %s %s, at least %s is needed", path, strings.TrimSpace(got), least)
		}
	}
	if !older(t, "v1.4.0", "v1.6.1") || older(t, "v1.10.0", "v1.6.1") || older(t, "v1.6.1", "v1.6.1") {
		t.Error("control: versions are compared wrongly")
	}
}

func older(t *testing.T, version, than string) bool {
	t.Helper()
	number := func(v string) (n [3]int) {
		if _, err := fmt.Sscanf(v, "v%d.%d.%d", &n[0], &n[1], &n[2]); err != nil {
			t.Fatalf("version %q: %v", v, err)
		}
		return n
	}
	a, b := number(version), number(than)
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}
