package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/web"
)

// Listeners are sockets that the caller has opened already; a nil one is opened as the configuration says.
type Listeners struct {
	Public, Console, Telemetry net.Listener
}

// Lab is what a lab adds to a gateway.
type Lab struct {
	Users   []web.LabUser     // shown on the sign-in page
	App     http.Handler      // the demo application, at /app/
	Ports   *console.LabPorts // what the console steers in the lab; nil: nothing
	Inspect bool              // tests may read every broker message

	NewID func(upn string) authn.AccountID // ids of accounts that are made here; nil: random ones
	Hops  Hops                             // breaks the gateway on purpose; nil: nothing does
	// Faults is every fault of the lab by name, and whether it is on.
	Faults func() map[string]bool
}

// serving is the three HTTP servers and the background loops.
type serving struct {
	servers []*http.Server
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

// grace is how long requests that are under way may take at the end.
const grace = 10 * time.Second

// listen starts the public, console and telemetry servers.
func (g *Gateway) listen(ctx context.Context, l Listeners) error {
	c := g.conf.Load()
	public, err := g.public(c)
	if err != nil {
		return err
	}
	operator := console.New(g.ports(), g.core.clock)
	m := g.watch.metrics
	for _, s := range []struct {
		name, address string
		listener      net.Listener
		handler       http.Handler
	}{
		{"public", c.Server.PublicListen, l.Public, m.Instrument("public", public)},
		{"console", c.Server.ConsoleListen, l.Console, m.Instrument("console", operator)},
		{"telemetry", c.Server.TelemetryListen, l.Telemetry, m.Handler()},
	} {
		listener := s.listener
		if listener == nil {
			if listener, err = new(net.ListenConfig).Listen(ctx, "tcp", s.address); err != nil {
				return fmt.Errorf("listen on %s for the %s listener: %w: is another fourways running? server.%s_listen chooses another address", s.address, s.name, err, s.name)
			}
		}
		if s.name == "public" && c.Server.TLSCertFile != "" {
			files := &certificate{cert: c.Server.TLSCertFile, key: c.Server.TLSKeyFile, now: realClock{}.Now, log: g.core.log}
			if err := files.read(); err != nil {
				_ = listener.Close() // nothing was served there yet
				return fmt.Errorf("%w: check server.tls_cert_file and server.tls_key_file", err)
			}
			listener = tls.NewListener(listener, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: files.get})
		}
		g.serve(listener, s.handler)
	}
	return nil
}

func (g *Gateway) public(c *config.Config) (http.Handler, error) {
	public, err := url.Parse(c.Server.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("server.public_url: %w", err)
	}
	site := web.Site{
		Tenant: c.Tenant.Name, PublicURL: public, TrustedProxies: c.Proxies(), Clock: g.core.clock, Log: g.core.log,
		Limits: web.Limits{PerSecond: c.SignIn.PerAddressRate, Busy: g.busy, Shed: g.turnAway},
	}
	if g.lab != nil {
		site.Lab, site.App = &web.Lab{Traces: seen{g}, Users: g.lab.Users, Broken: g.lab.broken}, g.lab.App
	}
	return web.New(web.Options{
		Flow: g.flow, Sessions: g.sessions, Pending: g.sessions, People: g.core.store, Realms: g.tenant,
		Federation: federation{g.paths}, Enrol: g.onprem, Apps: licences{g}, Site: site,
	})
}

func (g *Gateway) ports() console.Ports {
	p := console.Ports{
		Access: g.access(), Books: g.books(), Tenant: g.administration(), Modes: g, History: g,
		Premises: console.PremisesPorts{Syncs: g, Views: g, Switch: g, Agents: g}, Settings: g,
	}
	if g.lab != nil {
		p.Lab = g.lab.Ports
	}
	return p
}

func (g *Gateway) serve(l net.Listener, h http.Handler) {
	s := web.NewServer(h)
	g.serving.servers = append(g.serving.servers, s)
	g.serving.wg.Go(func() {
		if err := s.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			g.core.log.Error("a listener ended", "address", l.Addr().String(), "error", err)
		}
	})
}

// stop ends listeners and loops; what is under way may finish within grace.
func (s *serving) stop() {
	if s.cancel != nil {
		s.cancel()
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	for _, server := range s.servers {
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // whoever is left has had grace
		}
	}
	s.wg.Wait()
}
