package endtoend_test

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/gateway"
	"github.com/fourways-id/fourways/internal/onprem"
	"github.com/fourways-id/fourways/internal/realtest"
)

// production is a gateway as `fourways serve` opens it: no lab, a configuration from a file.
type production struct {
	door
	gateway *gateway.Gateway
	config  *config.Config
	log     *logBook
	api     string
	token   string
}

const cloudDomain, cloudPassword = "cloud.example.test", "Cloud-Pw-2025!"

// openProduction serves cloud.example.test, with one person in it, and what change adds to the configuration.
func openProduction(t *testing.T, change func(c *config.Config, url string)) *production {
	t.Helper()
	p := openTenant(t, change)
	if _, err := p.console.CreateUser(t.Context(), api.NewUser{UPN: "peggy@" + cloudDomain, Password: cloudPassword}); err != nil {
		t.Fatal(err)
	}
	return p
}

// openTenant is openProduction with nobody in it but who is in the store already.
func openTenant(t *testing.T, change func(c *config.Config, url string)) *production {
	t.Helper()
	p := &production{log: &logBook{}}
	p.t = t
	public, operator, telemetry := listen(t), listen(t), listen(t)
	p.url, p.api = "http://localhost:"+port(public), "http://"+operator.Addr().String()
	dir := t.TempDir()
	c := config.Default()
	c.Server.PublicURL, c.Server.PublicListen, c.Server.AgentListen = p.url, public.Addr().String(), "127.0.0.1:0"
	c.Store.Path, c.Store.RootKeyFile = filepath.Join(dir, "fourways.db"), filepath.Join(dir, "root.key")
	c.Tenant.InitialDomain = cloudDomain
	c.SignIn.PerAddressRate = 0
	c.Sync.Paused = true
	c.Domain = []config.Domain{{Name: cloudDomain, Path: authn.PathCloud}}
	change(c, p.url)
	file := filepath.Join(dir, "fourways.toml")
	loaded := written(t, c, file)
	p.config = loaded
	if err := loaded.RefuseLab(); err != nil {
		t.Fatal(err)
	}
	var err error
	p.gateway, err = gateway.Open(t.Context(), gateway.Options{
		Config: loaded, File: file, Log: slog.New(slog.NewTextHandler(p.log, nil)),
		Listeners: gateway.Listeners{Public: public, Console: operator, Telemetry: telemetry},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.gateway.Close)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", p.log.bytes())
		}
	})
	p.token, p.console = newConsole(t, p.gateway, p.api)
	return p
}

// cloudGoesOn signs in on the path that needs nobody else.
func (p *production) cloudGoesOn() {
	p.t.Helper()
	p.allowed(p.signIn("peggy@"+cloudDomain, cloudPassword), "peggy@"+cloudDomain, authn.PathCloud)
}

// premises is how a real directory is reached and read.
type premises struct {
	onprem.Config
	source agent.SourceOptions
	decoy  realtest.Person
}

// startAgent invites, enrols and runs an agent in front of a directory until the test ends.
func (p *production) startAgent(at premises) {
	p.t.Helper()
	directory, err := onprem.New(at.Config)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(directory.Close)
	if err := directory.Check(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	invitation, err := p.console.Invite(p.t.Context(), api.Invite{Name: "agent-1", Roles: []string{agentlink.RolePTA, agentlink.RoleSync}})
	if err != nil {
		p.t.Fatal(err)
	}
	token := authn.NewSecret([]byte(invitation.Token))
	identity, err := agentlink.EnrolOverHTTP(p.t.Context(), &http.Client{Timeout: hang}, invitation.Gateway, "agent-1", "test", token)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := agentlink.EnrolOverHTTP(p.t.Context(), &http.Client{Timeout: hang}, invitation.Gateway, "agent-2", "test", authn.NewSecret([]byte(invitation.Token))); err == nil {
		p.t.Error("an invitation was good twice")
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(p.t.Context()))
	done := make(chan error, 1)
	go func() {
		done <- agent.Run(ctx, agent.Options{
			Identity: identity, Directory: directory, Decoy: agent.Decoy{UPN: at.decoy.UPN, Password: authn.NewSecret([]byte(at.decoy.Password))},
			Source: agent.NewSource(directory, at.source), Clock: realClock{}, Log: slog.New(slog.NewTextHandler(p.log, nil)), Version: "test",
		})
	}()
	p.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			p.t.Errorf("the agent ended: %v", err)
		}
	})
	o := p.gateway.Operator()
	eventually(p.t, "the agent is live", func() bool { return o.AgentLive(agentlink.RolePTA) && o.AgentLive(agentlink.RoleSync) })
}

// quick bounds what a hanging directory costs a test.
const quick = 2 * time.Second
