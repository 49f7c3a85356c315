package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/agentlink/broker"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/lab/dc"
)

const (
	alicePassword = "Spring-2025!"
	decoyPassword = "Decoy-Pw-2025!"
	readerPw      = "Sync-Pw-1!"
)

// premises is a machine with a domain controller beside it and an agent's configuration on it.
type premises struct {
	world *agenttest.World
	dir   string
	token string
}

func setUp(t *testing.T) *premises {
	t.Helper()
	p := &premises{world: agenttest.Start(t), dir: t.TempDir(), token: "one-time-token"}
	authority, err := broker.NewAuthority(bytes.Repeat([]byte{9}, 32), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := authority.TLS("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	srv, err := dc.Start(context.Background(), dc.Options{
		Domain: "corp.example.test", NetBIOS: "CORP", TLS: cfg, Clock: agenttest.Clock{},
		Admin: dc.Account{Name: "Administrator", Password: "Admin-Pw-1!"}, SyncReader: dc.Account{Name: "svc-sync", Password: readerPw},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	ou := "OU=Synced," + srv.BaseDN()
	seed := []dc.Entry{
		{DN: ou, Attrs: map[string][]string{"objectClass": {"organizationalUnit"}}},
		person(ou, "alice", alicePassword), person(ou, "decoy", decoyPassword),
	}
	if err := srv.Seed(seed); err != nil {
		t.Fatal(err)
	}
	gateway := httptest.NewServer(http.HandlerFunc(p.serveEnrol))
	t.Cleanup(gateway.Close)
	p.write(t, "ca.pem", authority.PEM())
	p.write(t, "bind.secret", readerPw+"\n")
	p.write(t, "decoy.secret", decoyPassword+"\n")
	p.write(t, "agent.toml", fmt.Sprintf(`
[agent]
name = "agent-1"
gateway_url = %q
data_dir = %q
roles = ["pta", "sync"]
[directory]
kind = "ad"
urls = ["ldap://%s"]
tls = "starttls"
ca_file = %q
base_dn = %q
bind_dn = %q
bind_password_file = %q
[decoy]
upn = "decoy@corp.example.test"
password_file = %q
[sync]
scope = [%q]
hash_source = "attribute"
hash_attribute = "fourwaysNTHash"
`, gateway.URL, p.path("data"), srv.Addr(), p.path("ca.pem"), srv.BaseDN(), srv.SyncReaderDN(), p.path("bind.secret"), p.path("decoy.secret"), ou))
	return p
}

func person(ou, name, password string) dc.Entry {
	return dc.Entry{DN: "CN=" + name + "," + ou, Password: password, Attrs: map[string][]string{
		"objectClass": {"user"}, "sAMAccountName": {name}, "userPrincipalName": {name + "@corp.example.test"}, "displayName": {name},
	}}
}

func (p *premises) path(name string) string { return filepath.Join(p.dir, name) }

func (p *premises) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(p.path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (p *premises) serveEnrol(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	req, err := agentlink.ParseEnrolRequest(body)
	if err != nil {
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	res, err := p.world.Enroller.Enrol(r.Context(), req)
	if err != nil {
		http.Error(w, "", http.StatusForbidden)
		return
	}
	_ = json.NewEncoder(w).Encode(res)
}

// agent runs a command and returns its exit code and what it printed.
func (p *premises) agent(t *testing.T, stdin string, args ...string) (int, string) {
	t.Helper()
	var out agenttest.Log
	code := execute(t.Context(), append([]string{"-c", p.path("agent.toml")}, args...), streams{strings.NewReader(stdin), &out, &out})
	return code, string(out.Bytes())
}

func expect(t *testing.T, code, wantCode int, out string, want ...string) {
	t.Helper()
	if code != wantCode {
		t.Errorf("exit code %d, want %d", code, wantCode)
	}
	for _, w := range want {
		if !strings.Contains(out, w) {
			t.Errorf("%q is not in:\n%s", w, out)
		}
	}
}

func TestFromInvitationToSignIn(t *testing.T) {
	p := setUp(t)
	code, out := p.agent(t, "", "check")
	expect(t, code, exitFailed, out, "ok: directory", "ok: decoy account", "enrol this agent first")
	code, out = p.agent(t, p.token, "enrol", "--token-stdin")
	expect(t, code, exitDenied, out, "token is not valid")
	p.world.Registry.Invite(agentlink.TokenHash(p.token), "agent-1", agentlink.RolePTA, agentlink.RoleSync)
	t.Setenv("AGENT_TOKEN", p.token)
	code, out = p.agent(t, "", "enrol", "--token-env", "AGENT_TOKEN")
	expect(t, code, 0, out, "Enrolled as agent-1", "pta, sync")
	if strings.Contains(out, p.token) || strings.Contains(out, "SU") {
		t.Errorf("a secret was printed:\n%s", out)
	}
	code, out = p.agent(t, p.token, "enrol", "--token-stdin")
	expect(t, code, exitFailed, out, "enrolled already")
	code, out = p.agent(t, "", "check")
	expect(t, code, 0, out, "ok: enrolled as agent-1")

	stopped := p.run(t)
	ctx, cancel := context.WithTimeout(t.Context(), agenttest.Hang)
	defer cancel()
	for secret, want := range map[string]authn.Reason{alicePassword: authn.None, "wrong": authn.BadPassword} {
		r := p.world.Link.Ask(ctx, agentlink.Question{User: "alice@corp.example.test", Secret: authn.NewSecret([]byte(secret))})
		if r.Reason != want {
			t.Errorf("%v, want %v: %v", r.Reason, want, r.Err)
		}
	}
	decoy := p.world.Link.Ask(ctx, agentlink.Question{User: "stranger@corp.example.test", Secret: authn.NewSecret([]byte("x")), Decoy: true})
	if decoy.Reason != authn.UnknownUser {
		t.Errorf("decoy: %v: %v", decoy.Reason, decoy.Err)
	}
	for kind, ok := range map[dirsync.Kind]func(dirsync.Object) bool{
		dirsync.KindDirectory: func(o dirsync.Object) bool { return o.UPN == "alice@corp.example.test" && o.Enabled },
		dirsync.KindHash:      func(o dirsync.Object) bool { return strings.HasPrefix(o.Hash, "v1;PPH1_MD4,") },
	} {
		found := false
		err := p.world.Link.Sync(ctx, "run-"+string(kind), dirsync.Ask{Kind: kind}, func(b dirsync.Batch) error {
			for _, o := range b.Objects {
				found = found || ok(o)
			}
			return nil
		})
		if err != nil || !found {
			t.Errorf("%s: found %t, %v", kind, found, err)
		}
	}
	if code := stopped(); code != 0 {
		t.Errorf("run ended with %d", code)
	}
}

// run starts the agent as its service would and waits until the gateway sees it.
func (p *premises) run(t *testing.T) (stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	go func() {
		code <- execute(ctx, []string{"-c", p.path("agent.toml"), "run"}, streams{strings.NewReader(""), io.Discard, p.world.Log})
	}()
	t.Cleanup(cancel)
	p.world.Until(t, "the agent live", func() bool { return p.world.Link.Live(agentlink.RolePTA) })
	return func() int {
		cancel()
		return <-code
	}
}

func TestTryingAPassword(t *testing.T) {
	p := setUp(t)
	for _, c := range []struct {
		name, stdin string
		args        []string
		code        int
		want        []string
	}{
		{"right", alicePassword + "\n", []string{"test", "alice@corp.example.test", "--password-stdin"}, 0, []string{"allowed by ldap://"}},
		{"wrong", "wrong", []string{"test", "alice@corp.example.test", "--password-stdin"}, exitDenied, []string{"bad_password (50126), LDAP code 49, data 52e"}},
		{"empty", "\n", []string{"test", "alice@corp.example.test", "--password-stdin"}, exitUsage, []string{"password is empty"}},
		{"none given", "", []string{"test", "alice@corp.example.test"}, exitUsage, []string{"--password-stdin"}},
		{"nobody", "", []string{"test"}, exitUsage, []string{"one USER is wanted"}},
		{"unknown command", "", []string{"cook"}, exitUsage, []string{"unknown command"}},
		{"unknown flag", "", []string{"test", "--password=x"}, exitUsage, []string{"unknown flag"}},
		{"version", "", []string{"version"}, 0, []string{"fourways-agent "}},
		{"check of the file alone", "", []string{"check", "--offline"}, 0, []string{"ok: configuration"}},
		{"run before enrolling", "", []string{"run"}, exitFailed, []string{"enrol this agent first"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out := p.agent(t, c.stdin, c.args...)
			expect(t, code, c.code, out, c.want...)
		})
	}
}

func TestBadConfigurationSaysEverythingAtOnce(t *testing.T) {
	p := setUp(t)
	p.write(t, "agent.toml", "[agent]\nnme = \"x\"\nroles = [\"cook\"]\n")
	code, out := p.agent(t, "", "check", "--offline")
	expect(t, code, exitConfig, out, "nme", "cook")
	if code, _ := p.agent(t, "", "run"); code != exitConfig {
		t.Errorf("run: exit code %d, want %d", code, exitConfig)
	}
}

func TestDirectoryThatIsDownIsSaid(t *testing.T) {
	p := setUp(t)
	text, err := os.ReadFile(p.path("agent.toml"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i := range lines {
		if strings.HasPrefix(lines[i], "urls") {
			lines[i] = `urls = ["ldap://127.0.0.1:1"]`
		}
	}
	p.write(t, "agent.toml", strings.Join(lines, "\n"))
	code, out := p.agent(t, "", "check")
	expect(t, code, exitUnreachable, out, "directory:")
	code, out = p.agent(t, "x", "test", "alice@corp.example.test", "--password-stdin")
	expect(t, code, exitUnreachable, out, "ad_unreachable (80007)")
}

func TestProgramLinksNoServer(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	for _, d := range deps {
		for _, never := range []string{"nats-server", "modernc.org/sqlite", "/internal/store", "/internal/web", "/internal/console", "/internal/lab", "/internal/gateway"} {
			if strings.Contains(d, never) {
				t.Errorf("links %s", d)
			}
		}
	}
	if !strings.Contains(string(out), "nats-io/nats.go") {
		t.Error("the list is not that of this program: the test would prove nothing")
	}
}

func TestEveryCommandHasAnExample(t *testing.T) {
	for _, c := range newRoot().Commands() {
		if !strings.Contains(c.Example, "fourways-agent "+c.Name()) {
			t.Errorf("%s has none", c.Name())
		}
	}
}
