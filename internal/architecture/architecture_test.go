package architecture

import (
	"fmt"
	"slices"
	"testing"
)

// rule looks at one package and says what is wrong with it. Each brings a package that breaks it and one that keeps
// it, so that a rule that never complains can't pass.
type rule struct {
	name  string
	check func(pkg) []string
	bad   pkg
	good  pkg
}

func our(path string) string { return module + "/" + path }

// fake is a package as a rule sees it.
func fake(path string, imports ...string) pkg {
	return pkg{ImportPath: our(path), Imports: imports, Deps: imports}
}

// room is where a library lives.
type room struct {
	library string
	rooms   []string
}

// rooms lists libraries that only some packages may import. internal/realtest is for tests only, like a test file.
func rooms() []room {
	return []room{
		{"github.com/go-ldap/ldap", []string{"internal/onprem", "internal/realtest"}},
		{"github.com/go-asn1-ber/asn1-ber", []string{"internal/lab", "internal/onprem"}},
		{"github.com/zitadel", []string{"internal/lab"}},
		{"database/sql", []string{"internal/store"}},
		{"modernc.org/sqlite", []string{"internal/store"}},
		{"github.com/pressly/goose", []string{"internal/store"}},
		{"github.com/jackc/pgx", []string{"internal/store"}},
		{"github.com/nats-io/nats-server", []string{"internal/agentlink/broker"}},
		{"github.com/crewjam/saml", []string{"providers/saml", "internal/lab"}},
		{"github.com/coreos/go-oidc", []string{"providers/oidc"}},
		{"github.com/prometheus/client_golang", []string{"internal/metrics"}},
		{"github.com/pelletier/go-toml", []string{"internal/config"}},
		{"github.com/chromedp", []string{"internal/realtest"}},
	}
}

func rules() []rule {
	all := []rule{
		{
			"authn imports the standard library only, and little of it", authnIsAlone,
			fake("authn", "net/http"), fake("authn", "context", "time"),
		},
		{
			"authn/authntest imports authn and the standard library", authnIsAlone,
			fake("authn/authntest", our("internal/guard")), fake("authn/authntest", "testing", our("authn")),
		},
		{
			"authn/fourwaystest may use all of the standard library and nothing else", authnIsAlone,
			fake("authn/fourwaystest", "github.com/spf13/cobra"), fake("authn/fourwaystest", "net/http", "os/exec"),
		},
		{
			"a provider imports authn and what its path is made of", providersAreNarrow,
			fake("providers/phs", our("internal/store")), fake("providers/phs", our("authn"), our("internal/passhash")),
		},
		{
			"no provider imports another", providersAreNarrow,
			fake("providers/pta", our("providers/phs")), fake("providers/pta", our("authn"), our("internal/agentlink")),
		},
		{
			"a provider links no broker", providersAreNarrow,
			fake("providers/pta", our("internal/agentlink/broker")), fake("providers/pta", our("internal/agentlink")),
		},
		{
			"the agent links no server", agentIsSmall,
			fake("cmd/fourways-agent", our("internal/store")), fake("cmd/fourways-agent", our("internal/agent"), "github.com/nats-io/nats.go"),
		},
		{
			"only cmd/fourways imports the lab", onlyCommandImportsLab,
			fake("internal/gateway", our("internal/lab")), fake("cmd/fourways", our("internal/lab"), our("internal/gateway")),
		},
		{
			"the lab links no gateway", labHasNoGateway,
			fake("internal/lab/mail", our("internal/gateway")), fake("internal/lab/mail", our("authn")),
		},
		{
			"the board of faults knows the standard library, and so no reason", faultsSetNoReason,
			fake("internal/lab/fault", our("internal/onprem")), fake("internal/lab/fault", "net"),
		},
		{
			"the demo world is told and not run: no sockets, no files, no log", worldIsData,
			fake("internal/lab/world", our("internal/onprem")), fake("internal/lab/world", "time", our("authn"), our("internal/lab/dc")),
		},
		{
			"nothing points at cmd", nothingImportsCommands,
			fake("internal/web", our("cmd/fourways")), fake("internal/web", our("authn")),
		},
		{
			"real servers are for test files", onlyTestsStartServers,
			fake("internal/lab", our("internal/realtest")), fake("internal/lab", our("authn")),
		},
	}
	for _, r := range rooms() {
		all = append(all, rule{
			name: fmt.Sprintf("%s stays in %v", r.library, r.rooms), check: r.keepsTo,
			bad: fake("internal/elsewhere", r.library), good: fake(r.rooms[0], r.library),
		})
	}
	return all
}

func TestPackagesPointOnlyWhereTheyMay(t *testing.T) {
	all := load(t)
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			if len(r.check(r.bad)) == 0 {
				t.Errorf("the rule doesn't complain about %s importing %v", r.bad.ImportPath, r.bad.Imports)
			}
			if got := r.check(r.good); len(got) > 0 {
				t.Errorf("the rule complains about a package that keeps it: %v", got)
			}
			for _, p := range all {
				for _, complaint := range r.check(p) {
					t.Errorf("%s %s", name(p.ImportPath), complaint)
				}
			}
		})
	}
}

func authnIsAlone(p pkg) []string {
	at := name(p.ImportPath)
	if !below(at, "authn") {
		return nil
	}
	// What authn must not know: HTTP, logs, connections, databases.
	forbidden := []string{"net/http", "log/slog", "crypto/tls", "database"}
	if at == "authn/fourwaystest" {
		forbidden = nil
	}
	if at == "authn" {
		forbidden = append(forbidden, "testing")
	}
	return imports(p.Imports, func(path string) bool {
		if below(name(path), "authn") {
			return at == "authn" // the root imports none of its sub-packages
		}
		return !standard(path) || below(path, forbidden...)
	})
}

func providersAreNarrow(p pkg) []string {
	at := name(p.ImportPath)
	if !below(at, "providers") {
		return nil
	}
	may := []string{"authn", "internal/passhash", "internal/agentlink"}
	return imports(p.Imports, func(path string) bool {
		to := name(path)
		return to != "" && !slices.Contains(may, to) && !below(to, at)
	})
}

func agentIsSmall(p pkg) []string {
	if name(p.ImportPath) != "cmd/fourways-agent" {
		return nil
	}
	return imports(p.Deps, func(path string) bool {
		return below(name(path), "internal/store", "internal/web", "internal/console", "internal/lab") ||
			below(path, "github.com/nats-io/nats-server")
	})
}

func onlyCommandImportsLab(p pkg) []string {
	if below(name(p.ImportPath), "cmd/fourways", "internal/lab") {
		return nil
	}
	return imports(p.Imports, func(path string) bool { return below(name(path), "internal/lab") })
}

func labHasNoGateway(p pkg) []string {
	if !below(name(p.ImportPath), "internal/lab") {
		return nil
	}
	return imports(p.Deps, func(path string) bool { return below(name(path), "internal/gateway") })
}

func faultsSetNoReason(p pkg) []string {
	if !below(name(p.ImportPath), "internal/lab/fault") {
		return nil
	}
	return imports(p.Deps, func(path string) bool { return !standard(path) && path != p.ImportPath })
}

func worldIsData(p pkg) []string {
	if name(p.ImportPath) != "internal/lab/world" {
		return nil
	}
	// The directory's entries and the synchronisation's objects are words for what it tells.
	may := []string{"authn", "internal/dirsync", "internal/lab/dc"}
	return imports(p.Imports, func(path string) bool {
		return below(path, "net", "os", "log", "io") || !standard(path) && !slices.Contains(may, name(path))
	})
}

func nothingImportsCommands(p pkg) []string {
	if below(name(p.ImportPath), "cmd") {
		return nil
	}
	return imports(p.Imports, func(path string) bool { return below(name(path), "cmd") })
}

func onlyTestsStartServers(p pkg) []string {
	return imports(p.Imports, func(path string) bool { return name(path) == "internal/realtest" })
}

func (r room) keepsTo(p pkg) []string {
	if below(name(p.ImportPath), r.rooms...) {
		return nil
	}
	return imports(p.Imports, func(path string) bool { return below(path, r.library) })
}

// imports complains about every path that is wrong.
func imports(paths []string, wrong func(string) bool) []string {
	var complaints []string
	for _, path := range paths {
		if wrong(path) {
			complaints = append(complaints, "must not reach "+path)
		}
	}
	return complaints
}
