package endtoend_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/gateway"
	"github.com/fourways-id/fourways/internal/lab"
	"github.com/fourways-id/fourways/internal/lab/world"
)

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

// house is a lab and the gateway beside it, as `fourways up` joins them, in this process: so a test can cut a wire, stop
// the agent and hear the broker.
type house struct {
	door
	lab     *lab.Lab
	gateway *gateway.Gateway
	config  *config.Config
	dir     string
	log     *logBook
	metrics string // URL
	api     string // console's URL
	token   string
	agent   running
}

// running is the lab's agent.
type running struct {
	stop context.CancelFunc
	done chan error
}

// openHouse starts everything and waits for the agent. change may edit the configuration before the gateway opens; the
// demo world is filled in only when populated.
func openHouse(t *testing.T, change func(*config.Config)) *house {
	t.Helper()
	h := &house{dir: t.TempDir(), log: &logBook{}}
	h.t = t
	public, operator, telemetry := listen(t), listen(t), listen(t)
	h.url = "http://localhost:" + port(public)
	h.metrics = "http://" + telemetry.Addr().String() + "/metrics"
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	h.lab, err = lab.Start(context.WithoutCancel(t.Context()), lab.Options{
		Dir: h.dir, Seed: 1, PublicURL: h.url, LDAPListen: "127.0.0.1:0", IdPListen: "127.0.0.1:0", Clock: realClock{}, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.lab.Close)
	h.configure(change)
	h.gateway, err = gateway.Open(t.Context(), gateway.Options{
		Config: h.config, File: filepath.Join(h.dir, "fourways.toml"), Clock: realClock{}, Log: log,
		Lab:       &gateway.Lab{Ports: &console.LabPorts{Onprem: h.lab.Premises()}, Inspect: true},
		Listeners: gateway.Listeners{Public: public, Console: operator, Telemetry: telemetry},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.gateway.Close)
	h.api = "http://" + operator.Addr().String()
	h.token, h.console = newConsole(t, h.gateway, h.api)
	if err := h.lab.SeedPremises(); err != nil {
		t.Fatal(err)
	}
	h.startAgent()
	t.Cleanup(h.stopAgent)
	return h
}

// populate fills the demo world in.
func (h *house) populate() {
	h.t.Helper()
	o := h.gateway.Operator()
	if err := h.lab.Populate(h.t.Context(), o, o); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) configure(change func(*config.Config)) {
	h.t.Helper()
	c := config.Default()
	c.Server.PublicURL, c.Server.AgentListen = h.url, "127.0.0.1:0"
	c.Store.Path, c.Store.RootKeyFile = filepath.Join(h.dir, "fourways.db"), filepath.Join(h.dir, "root.key")
	c.Tenant.InitialDomain = world.CloudDomain
	c.SignIn.PerAddressRate = 0
	c.Sync.Paused = true
	c.Lab = &config.Lab{Seed: 1, IdPListen: strings.TrimPrefix(h.lab.IdPURL(), "http://"), LDAPListen: strings.TrimPrefix(h.lab.Premises().URL(), "ldap://")}
	if err := h.lab.Configure(c); err != nil {
		h.t.Fatal(err)
	}
	if change != nil {
		change(c)
	}
	h.config = written(h.t, c, filepath.Join(h.dir, "fourways.toml"))
}

// startAgent runs the lab's agent until stopAgent, and waits until it could be asked.
func (h *house) startAgent() {
	h.t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(h.t.Context()))
	h.agent = running{stop: stop, done: make(chan error, 1)}
	o := h.gateway.Operator()
	done := h.agent.done
	go func() {
		done <- h.lab.Premises().RunAgents(ctx, o.AgentURL(), func(ctx context.Context, name string) (authn.Secret, error) {
			i, err := h.console.Invite(ctx, api.Invite{Name: name})
			return authn.NewSecret([]byte(i.Token)), err
		}, 1)
	}()
	eventually(h.t, "the agent is live", func() bool { return o.AgentLive(agentlink.RoleSync) && o.AgentLive(agentlink.RolePTA) })
}

func (h *house) stopAgent() {
	h.agent.stop()
	if err := <-h.agent.done; err != nil {
		h.t.Errorf("the agent ended: %v", err)
	}
	h.agent.done <- nil // stopping twice is stopping once
}

// written makes the configuration the one of a file, so that it went through everything that a file goes through.
func written(t *testing.T, c *config.Config, path string) *config.Config {
	t.Helper()
	var text bytes.Buffer
	if err := config.Encode(&text, c); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := config.LoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := loaded.Check(); err != nil {
		t.Fatal(err)
	}
	return loaded
}

// newConsole is a client of the console with an administrator's token.
func newConsole(t *testing.T, g *gateway.Gateway, at string) (string, *client.Console) {
	t.Helper()
	token, err := g.Operator().NewToken(t.Context(), api.NewToken{Name: "test", Role: console.Admin})
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(at, token.Secret)
	if err != nil {
		t.Fatal(err)
	}
	return token.Secret, c
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func port(l net.Listener) string {
	_, p, _ := net.SplitHostPort(l.Addr().String())
	return p
}

// logBook keeps everything that was logged.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBook) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.text.Bytes())
}
