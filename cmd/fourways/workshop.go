package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/gateway"
	"github.com/fourways-id/fourways/internal/lab"
	"github.com/fourways-id/fourways/internal/lab/mail"
	"github.com/fourways-id/fourways/internal/lab/world"
	"github.com/fourways-id/fourways/internal/web"
)

// labConfig is the lab's whole configuration in its data folder: edit it and `config reload`.
const labConfig = "fourways.toml"

// workshop is a lab and the gateway beside it, in one process.
type workshop struct {
	lab     *lab.Lab
	gateway *gateway.Gateway
	config  *config.Config
	sockets sockets
	dir     string
	clock   *lab.Clock
	agent   chan error // what the lab's agent ended with
	stop    context.CancelFunc
	copies  *copies
}

// openWorkshop starts everything and fills the demo world of that seed, if that was not done before.
func openWorkshop(ctx context.Context, dir string, seed int, s sockets, log *slog.Logger) (*workshop, error) {
	return openWorld(ctx, dir, world.Spec{Seed: seed}, 1, s, log)
}

// openWorld is openWorkshop for any world, and any number of agents.
func openWorld(ctx context.Context, dir string, of world.Spec, agents int, s sockets, log *slog.Logger) (_ *workshop, err error) {
	clock, err := lab.OpenClock(dir)
	if err != nil {
		return nil, err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	w := &workshop{sockets: s, dir: dir, clock: clock, agent: make(chan error, 1), stop: stop}
	w.copies = newCopies(w)
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	w.lab, err = lab.Start(background, lab.Options{
		Dir: dir, World: of, PublicURL: s.publicURL(), LDAPListen: s.ldap, IdPListen: s.idp, IdPHost: s.host, Clock: clock, Log: log,
	})
	if err != nil {
		return nil, err
	}
	if w.config, err = w.configure(); err != nil {
		return nil, err
	}
	w.gateway, err = gateway.Open(ctx, gateway.Options{
		Config: w.config, File: filepath.Join(dir, labConfig), Clock: clock, Log: log,
		Lab:       &gateway.Lab{Users: w.labUsers(), NewID: w.lab.World().AccountID, App: mail.New(mail.ReaderFunc(visitor)), Ports: w.ports(), Hops: w.lab.Hops(), Faults: w.lab.Hops().On},
		Listeners: gateway.Listeners{Public: s.public, Console: s.console, Telemetry: s.telemetry},
	})
	if err != nil {
		return nil, err
	}
	operator := w.gateway.Operator()
	clock.Moved(operator.Tidy)
	w.auditEnds(operator, log)
	if err := w.lab.Worlds().Join(ctx, operator); err != nil {
		return nil, err
	}
	return w, w.populate(ctx, background, agents)
}

// configure writes the lab's configuration, keeping what somebody edited in an earlier one.
func (w *workshop) configure() (*config.Config, error) {
	path := filepath.Join(w.dir, labConfig)
	c := config.Default()
	c.Sync.Paused = true           // the demo world's states stay until somebody synchronises
	c.SignIn.PerAddressRate = 1000 // everybody comes from loopback
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		if c, err = config.LoadFile(path); err != nil {
			return nil, err
		}
	}
	c.Server.PublicURL, c.Server.PublicListen = w.sockets.publicURL(), w.sockets.public.Addr().String()
	c.Server.ConsoleListen, c.Server.TelemetryListen = w.sockets.console.Addr().String(), w.sockets.telemetry.Addr().String()
	c.Server.AgentListen = w.sockets.agent
	c.Store.Path, c.Store.RootKeyFile = filepath.Join(w.dir, "fourways.db"), filepath.Join(w.dir, "root.key")
	c.Tenant = config.Tenant{Name: "Demo tenant", InitialDomain: world.CloudDomain}
	made := w.lab.World()
	c.Lab = &config.Lab{Seed: made.Seed, Users: made.Crowd, Expose: made.Exposed, IdPListen: w.sockets.idp, LDAPListen: w.sockets.ldap}
	if err := w.lab.Configure(c); err != nil {
		return nil, err
	}
	if err := writeConfig(path, c); err != nil {
		return nil, err
	}
	return config.LoadFile(path)
}

// writeConfig replaces the file whole, or leaves the old one; a file that says the same already is left alone, comments
// and all.
func writeConfig(path string, c *config.Config) error {
	var now, before bytes.Buffer
	if err := config.Encode(&now, c); err != nil {
		return fmt.Errorf("write the lab's configuration: %w", err)
	}
	if earlier, err := config.LoadFile(path); err == nil && config.Encode(&before, earlier) == nil && before.String() == now.String() {
		return nil
	}
	fresh := path + ".new"
	if err := os.WriteFile(fresh, now.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the lab's configuration: %w", err)
	}
	return os.Rename(fresh, path)
}

// populate starts the lab's agents and, the first time, fills the forest and the tenant.
func (w *workshop) populate(ctx, background context.Context, agents int) error {
	const mark = "demo world"
	operator := w.gateway.Operator()
	done, err := operator.Marked(ctx, mark)
	if err != nil {
		return err
	}
	if done == "" {
		if err := w.lab.SeedPremises(); err != nil {
			return err
		}
	}
	url := operator.AgentURL()
	if url == "" {
		return nil // somebody edited the file so that no domain needs an agent
	}
	go func() { w.agent <- w.lab.Premises().RunAgents(background, url, w.invite, agents) }()
	if err := w.awaitAgent(ctx, operator); err != nil || done != "" {
		return err
	}
	if err := w.fill(ctx, operator); err != nil {
		return err
	}
	return operator.Mark(ctx, mark, "complete")
}

// fill brings the cast and the crowd in, and keeps the world that this makes for reset.
func (w *workshop) fill(ctx context.Context, operator *gateway.Operator) error {
	// Hashing two dozen passwords takes memory that signing in does not: it is collected early, and given back.
	defer debug.FreeOSMemory()
	limit := debug.SetMemoryLimit(96 << 20)
	err := w.lab.Populate(ctx, operator, operator)
	debug.SetMemoryLimit(limit)
	if err != nil {
		return err
	}
	if err := w.lab.License(ctx, operator.Licensing()); err != nil {
		return err
	}
	if err := w.lab.RollOut(ctx, operator); err != nil {
		return err
	}
	if err := w.lab.Crowd(ctx, operator, w.say); err != nil {
		return err
	}
	return w.lab.Worlds().KeepSeeded(ctx)
}

func (w *workshop) invite(ctx context.Context, name string) (authn.Secret, error) {
	i, err := w.gateway.Invite(ctx, api.Invite{Name: name}, "lab")
	return authn.NewSecret([]byte(i.Token)), err
}

func (w *workshop) awaitAgent(ctx context.Context, o *gateway.Operator) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !o.AgentLive(agentlink.RoleSync) || !o.AgentLive(agentlink.RolePTA) {
		select {
		case err := <-w.agent:
			return fmt.Errorf("the lab's agent ended: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

func (w *workshop) close() {
	w.copies.close()
	if w.lab != nil {
		w.lab.Board().Close() // first: who is held up on purpose goes on, and is not waited for
	}
	if w.gateway != nil {
		w.gateway.Close()
	}
	w.stop()
	if w.lab != nil {
		w.lab.Close()
	}
	w.sockets.close()
}

func (w *workshop) labUsers() []web.LabUser {
	var all []web.LabUser
	if w.lab.World().Exposed {
		return nil // whoever reaches the sign-in page is not to read passwords there
	}
	for _, a := range w.lab.Accounts() {
		all = append(all, web.LabUser{UPN: a.UPN, Password: a.Password, Path: a.Path})
	}
	return all
}

// visitor joins the gateway's session with the demo application.
func visitor(r *http.Request) (mail.Visitor, bool) {
	v, ok := web.VisitorFrom(r.Context())
	return mail.Visitor(v), ok
}

// ports joins what the console steers in the lab.
func (w *workshop) ports() *console.LabPorts {
	return &console.LabPorts{Onprem: w.lab.Premises(), Clock: w.clock, Worlds: w.lab.Worlds(), Matrix: matrixRuns{w.copies}, Scenarios: scenarioRuns{w.copies}, Faults: w.lab, Evidence: w.lab}
}
