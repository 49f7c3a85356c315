package endtoend_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/realtest"
)

// site is the two programs as an operator runs them, before a domain controller.
type site struct {
	production
	dir            string
	wire           *breaker
	gateway, agent *program
}

// TestProgramsKilledInTheMiddleOfARunGoOnWithIt ends each program by SIGKILL while the agent reads, and starts it again.
func TestProgramsKilledInTheMiddleOfARunGoOnWithIt(t *testing.T) {
	dc := realtest.NewSamba(t)
	dc.LetSeeDeleted(t, dc.Service)
	dc.AddPartners(t, manyPartners)
	s := openSite(t, dc)

	s.wire.arm(300_000, func() { s.agent.kill() })
	if r, err := s.failsToSync(); r.Result != "failed" || r.Added+r.Updated+r.Deleted != 0 {
		t.Errorf("the agent was killed: %s, %s (%v)", r.Result, outcome(r), err)
	}
	s.wire.disarm()
	s.startAgent()
	s.converges("the agent is back")

	s.wire.arm(300_000, func() { s.gateway.kill() })
	if _, err := s.console.Sync(t.Context(), api.SyncRequest{Kinds: []string{"directory"}, Full: true}); err == nil {
		t.Error("a gateway that was killed says that all went well")
	}
	dc.Modify(t, dc.DN("dora"), "displayName", "Dora")
	s.wire.disarm()
	s.startGateway()
	s.converges("the gateway is back")
	if got := s.person("dora@" + corp); got == nil || got.DisplayName != "Dora" {
		t.Errorf("what changed meanwhile is lost: %+v", got)
	}
	s.recordsItAsInterrupted()
}

// converges runs until the right to synchronise of who was killed has run out, and then wants all to be here once.
func (s *site) converges(what string) {
	s.t.Helper()
	done, err := s.console.SyncRun(s.t.Context(), "directory")
	guard := time.After(2 * hang)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for err != nil { // the right to synchronise is for a minute that of who was killed
		select {
		case <-guard:
			s.t.Fatalf("%s, and nothing is synchronised: %v", what, err)
		case <-tick.C:
			done, err = s.console.SyncRun(s.t.Context(), "directory")
		}
	}
	r := done.Runs[0]
	if got := s.people(corp); r.Deleted != 0 || got != "dora emil frida" {
		s.t.Errorf("%s: %s; the domain has %q", what, outcome(r), got)
	}
	contacts := 0
	for after := ""; ; {
		page, err := s.console.Contacts(s.t.Context(), directory.GroupQuery{After: after, Limit: 999})
		if err != nil {
			s.t.Fatal(err)
		}
		contacts += len(page.Items)
		if after = page.Next; after == "" {
			break
		}
	}
	if got := s.countMembers("partners"); got != manyPartners || contacts != manyPartners+1 {
		s.t.Errorf("%s: %d contacts are here, and %d in their group, want %d", what, contacts, got, manyPartners)
	}
	if r, err := s.console.SyncRun(s.t.Context(), "directory"); err != nil || r.Runs[0].Mode != "delta" || counts(r.Runs[0]) != "0 added, 0 updated, 0 deleted" {
		s.t.Errorf("%s, and the run after that: %v %+v", what, err, r.Runs)
	}
}

func (s *site) recordsItAsInterrupted() {
	s.t.Helper()
	runs, err := s.console.SyncHistory(s.t.Context(), 20)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range runs {
		if r.Result == "interrupted" && r.Error != "" {
			return
		}
	}
	s.t.Errorf("no record says that a run was interrupted: %+v", runs)
}

// openSite builds both programs, sets them up by their files, and starts them.
func openSite(t *testing.T, dc *realtest.SambaDC) *site {
	t.Helper()
	s := &site{dir: t.TempDir(), wire: newBreaker(t, strings.TrimPrefix(dc.LDAPS, "ldaps://"))}
	s.t = t
	build := exec.CommandContext(t.Context(), "go", "build", "-o", s.dir+"/", "github.com/fourways-id/fourways/cmd/fourways", "github.com/fourways-id/fourways/cmd/fourways-agent")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	c := config.Default()
	public, operator := address(t), address(t)
	c.Server.PublicURL, c.Server.PublicListen = "http://localhost:"+public[strings.LastIndexByte(public, ':')+1:], public
	c.Server.ConsoleListen, c.Server.TelemetryListen, c.Server.AgentListen = operator, "127.0.0.1:0", address(t)
	c.Store.Path, c.Store.RootKeyFile = filepath.Join(s.dir, "fourways.db"), filepath.Join(s.dir, "root.key")
	c.Tenant.InitialDomain, c.Sync.Paused = cloudDomain, true
	c.Domain = []config.Domain{{Name: cloudDomain, Path: authn.PathCloud}, {Name: corp, Path: authn.PathPTA}}
	written(t, c, filepath.Join(s.dir, "fourways.toml"))
	token := strings.TrimSpace(s.command("", "fourways", "admin", "token", "create", "-c", "fourways.toml"))
	var err error
	if s.console, err = client.New("http://"+operator, token); err != nil {
		t.Fatal(err)
	}
	s.startGateway()
	s.enrol(dc, c.Server.PublicURL)
	s.startAgent()
	return s
}

func (s *site) enrol(dc *realtest.SambaDC, gateway string) {
	s.t.Helper()
	agent := fmt.Sprintf(`[agent]
name = "sync-1"
gateway_url = %q
roles = ["sync"]
[directory]
kind = "ad"
urls = ["ldaps://%s"]
server_name = "localhost"
ca_file = %q
base_dn = %q
bind_dn = %q
bind_password_file = "./service.password"
[sync]
scope = [%q]
`, gateway, s.wire.Addr(), dc.CAFile, dc.BaseDN, dc.Service.DN, dc.Synced())
	for name, text := range map[string]string{"agent.toml": agent, "service.password": dc.Service.Password + "\n"} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	invitation, err := s.console.Invite(s.t.Context(), api.Invite{Name: "sync-1", Roles: []string{agentlink.RoleSync}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.command(invitation.Token, "fourways-agent", "enrol", "-c", "agent.toml", "--token-stdin")
}

func (s *site) startGateway() {
	s.t.Helper()
	s.gateway = s.start("fourways", "serve", "-c", "fourways.toml")
	eventually(s.t, "the gateway answers", func() bool { _, err := s.console.SyncStatus(s.t.Context()); return err == nil })
	if s.agent != nil {
		s.seesAgent()
	}
}

func (s *site) startAgent() {
	s.t.Helper()
	s.agent = s.start("fourways-agent", "run", "-c", "agent.toml")
	s.seesAgent()
}

func (s *site) seesAgent() {
	s.t.Helper()
	eventually(s.t, "the agent is live", func() bool {
		agents, err := s.console.Agents(s.t.Context())
		return err == nil && len(agents) == 1 && agents[0].State == "active"
	})
}

// command runs one of the programs to its end and gives what it printed.
func (s *site) command(input, name string, args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), hang)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(s.dir, name), args...)
	cmd.Dir, cmd.Stdin = s.dir, strings.NewReader(input)
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// program is one that runs until it is killed.
type program struct {
	cmd   *exec.Cmd
	log   *logBook
	ended chan struct{}
}

func (s *site) start(name string, args ...string) *program {
	s.t.Helper()
	p := &program{cmd: exec.Command(filepath.Join(s.dir, name), args...), log: &logBook{}, ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = s.dir, p.log, p.log
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { defer close(p.ended); _ = p.cmd.Wait() }()
	s.t.Cleanup(func() {
		p.kill()
		if s.t.Failed() {
			s.t.Logf("%s %q:\n%s", name, args, p.log.bytes())
		}
	})
	return p
}

// kill is SIGKILL: the program can't do a thing about it.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// address is one of this machine with a port that is free.
func address(t *testing.T) string {
	t.Helper()
	l := listen(t)
	defer l.Close()
	return l.Addr().String()
}
