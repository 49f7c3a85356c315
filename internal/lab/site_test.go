package lab_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/lab/fault"
	"github.com/fourways-id/fourways/internal/lab/premises"
	"github.com/fourways-id/fourways/internal/lab/world"
	"github.com/fourways-id/fourways/internal/onprem"
)

// hang is a guard against programs that never answer, not a measure of speed.
const hang = time.Minute

type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

// site is a company as it runs fourways: gateway and agent are the programs, each a process of its own, and the lab's
// domain controller stands in this process. Nothing is synchronised before it is asked for.
type site struct {
	tb       testing.TB
	dir      string
	premises *premises.Premises
	admin    *onprem.Directory // as the forest's administrator
	gateway  *program
	agent    *program
	console  *client.Console
	door     string
}

func openSite(tb testing.TB) *site {
	tb.Helper()
	s := &site{tb: tb, dir: tb.TempDir()}
	for _, name := range []string{"fourways", "fourways-agent"} {
		s.run("", "go", "build", "-o", s.file(name), "github.com/fourways-id/fourways/cmd/"+name)
	}
	public, operator, broker := freePort(tb), freePort(tb), freePort(tb)
	s.door = "http://localhost:" + public
	s.openPremises()
	s.configure(public, operator, broker)
	s.run("", s.file("fourways"), "user", "create", "admin@"+world.CloudDomain, "--admin", "--password-stdin", "-c", s.file("fourways.toml"))
	token := strings.TrimSpace(s.run("", s.file("fourways"), "admin", "token", "create", "-c", s.file("fourways.toml")))
	s.gateway = s.start(s.file("fourways"), "serve", "-c", s.file("fourways.toml"))
	var err error
	if s.console, err = client.New("http://127.0.0.1:"+operator, token); err != nil {
		tb.Fatal(err)
	}
	s.until("the gateway is ready", func() bool {
		r, err := http.Get(s.door + "/healthz") //nolint:noctx // a test's own gateway
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		_, err = s.console.Agents(tb.Context())
		return err == nil
	})
	s.enrol()
	return s
}

func (s *site) file(name string) string { return filepath.Join(s.dir, name) }

func (s *site) openPremises() {
	s.tb.Helper()
	keys := premises.Keys{Administrator: rand.Text(), Sync: rand.Text(), Decoy: rand.Text()}
	faults := fault.NewBoard()
	var err error
	s.premises, err = premises.Start(context.Background(), premises.Options{
		Dir: s.dir, Listen: "127.0.0.1:0", Gateway: s.door, Keys: keys, Clock: wallClock{}, Log: slog.New(slog.DiscardHandler),
		Faults: faults, Record: func(dc.Event) {},
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	s.tb.Cleanup(s.premises.Close)
	s.tb.Cleanup(faults.Close)
	forest := world.Spec{Seed: 1}.Forest("", keys.Decoy)
	units := forest[:0]
	for _, e := range forest {
		if strings.HasPrefix(e.DN, "OU=") || strings.HasPrefix(e.DN, "CN=Decoy") {
			units = append(units, e)
		}
	}
	if err := s.premises.Forest().Seed(units); err != nil {
		s.tb.Fatal(err)
	}
	reader, err := premises.Reader(s.dir, s.premises.URL(), keys)
	if err != nil {
		s.tb.Fatal(err)
	}
	admin := reader
	admin.BindDN, admin.BindPassword = s.premises.Forest().AdminDN(), authn.NewSecret([]byte(keys.Administrator))
	if s.admin, err = onprem.New(admin); err != nil {
		s.tb.Fatal(err)
	}
	s.tb.Cleanup(s.admin.Close)
	s.write("bind.secret", keys.Sync)
	s.write("decoy.secret", keys.Decoy)
	s.write("agent.toml", fmt.Sprintf(`[agent]
name = "agent-1"
gateway_url = %q
data_dir = %q
roles = ["pta", "sync"]
[directory]
kind = "ad"
urls = [%q]
tls = "starttls"
ca_file = %q
server_name = "localhost"
base_dn = %q
bind_dn = %q
bind_password_file = %q
timeout = "1m"
[decoy]
upn = %q
password_file = %q
[sync]
scope = [%q]
cloud_upn_attribute = "mail"
hash_source = "attribute"
hash_attribute = %q
`, s.door, s.file("agent"), s.premises.URL(), s.file(premises.CertificateFile), world.BaseDN, reader.BindDN, s.file("bind.secret"),
		"decoy@"+world.ForestDomain, s.file("decoy.secret"), world.PeopleDN, dc.AttrNTHash))
}

// configure writes the gateway's file: a domain of password hash synchronisation and the cloud's own.
func (s *site) configure(public, operator, broker string) {
	s.tb.Helper()
	c := config.Default()
	c.Server = config.Server{
		PublicURL: s.door, PublicListen: "127.0.0.1:" + public, ConsoleListen: "127.0.0.1:" + operator,
		TelemetryListen: "127.0.0.1:0", AgentListen: "127.0.0.1:" + broker,
	}
	c.Store.Path, c.Store.RootKeyFile = s.file("fourways.db"), s.file("root.key")
	c.Tenant.InitialDomain = world.CloudDomain
	c.SignIn.PerAddressRate = 0
	c.Sync.Paused = true
	c.Log.Level = "warn"
	c.Domain = []config.Domain{{Name: world.CloudDomain, Path: authn.PathCloud}, {Name: world.PHSDomain, Path: authn.PathPHS}}
	var text bytes.Buffer
	if err := config.Encode(&text, c); err != nil {
		s.tb.Fatal(err)
	}
	s.write("fourways.toml", text.String())
}

// enrol enrols the agent as its operator does, and runs it.
func (s *site) enrol() {
	s.tb.Helper()
	i, err := s.console.Invite(s.tb.Context(), api.Invite{Name: "agent-1", Roles: []string{"pta", "sync"}})
	if err != nil {
		s.tb.Fatal(err)
	}
	s.run(i.Token, s.file("fourways-agent"), "enrol", "-c", s.file("agent.toml"), "--token-stdin")
	s.agent = s.start(s.file("fourways-agent"), "run", "-c", s.file("agent.toml"))
	s.until("the agent is there", func() bool {
		all, err := s.console.Agents(s.tb.Context())
		return err == nil && len(all) == 1 && all[0].State == "active"
	})
}

func (s *site) write(name, text string) {
	s.tb.Helper()
	if err := os.WriteFile(s.file(name), []byte(text), 0o600); err != nil {
		s.tb.Fatal(err)
	}
}

// run runs a command to its end and gives what it printed. A password that it asks for is drawn.
func (s *site) run(stdin, name string, args ...string) string {
	s.tb.Helper()
	cmd := exec.CommandContext(s.tb.Context(), name, args...)
	var errs bytes.Buffer
	if stdin == "" {
		stdin = rand.Text() + "-a1"
	}
	cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), &errs
	out, err := cmd.Output()
	if err != nil {
		s.tb.Fatalf("%s %v: %v\n%s", name, args, err, errs.String())
	}
	return string(out)
}

func (s *site) until(what string, so func() bool) {
	s.tb.Helper()
	for deadline := time.Now().Add(hang); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.tb.Fatalf("%s: not within %s\ngateway: %s\nagent: %s", what, hang, s.gateway.said(), s.agent.said())
		}
	}
}

func freePort(tb testing.TB) string {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	return port
}

// program is one that runs until the test ends.
type program struct {
	process *os.Process

	mu  sync.Mutex
	log bytes.Buffer
}

func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *program) said() string {
	if p == nil {
		return "not started"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

func (s *site) start(name string, args ...string) *program {
	s.tb.Helper()
	cmd, p := exec.Command(name, args...), &program{}
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, p, p
	if err := cmd.Start(); err != nil {
		s.tb.Fatal(err)
	}
	p.process = cmd.Process
	s.tb.Cleanup(func() {
		if err := p.process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			s.tb.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			s.tb.Errorf("%s did not end as it should: %v\n%s", filepath.Base(name), err, p.said())
		}
	})
	return p
}

// forgetPeak has the next peak be one of what comes now. Linux counts for itself (proc(5), clear_refs); where it can't,
// peak is 0.
func (p *program) forgetPeak() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.process.Pid), []byte("5"), 0)
}

// peak is the most memory that the process has held, in MiB.
func (p *program) peak() int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.process.Pid))
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			return n >> 10
		}
	}
	return 0
}
