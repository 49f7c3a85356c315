// Package broker is the embedded message broker of the agent link: a NATS server that does core request and reply only.
//
// In come the TLS configuration and a function that knows enrolled agents; out come an address for agents and a connection
// inside the process for the gateway. There is no JetStream, websocket, MQTT, cluster or monitoring port, and nothing
// durable. The broker never sees a password in clear.
//
// An agent authenticates by signing the server's nonce with its nkey. It may subscribe pta.<id>.> and publish up.<id>.>,
// and it may publish one message to the reply subject of a request that it received. The notice that it is about to bind
// is an ordinary message (up.<id>.binding), so one reply is enough. The gateway's own user is accepted over the in-process
// connection only.
package broker

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Options assemble a broker. Listen, TLS, Auth and Log must be set.
type Options struct {
	Listen string      // host:port; port 0 takes a free one
	TLS    *tls.Config // raised to TLS 1.3
	// Auth knows the agent to whom an nkey (a NATS user public key) belongs; false for unknown and revoked ones. It is asked
	// at every connection and must not block for long.
	Auth func(nkey string) (agentID string, ok bool)
	Log  *slog.Logger
	// Inspect permits Broker.Inspect. For tests alone: it reads every message.
	Inspect bool
}

// Bounds.
const (
	maxPayload   = 1 << 20
	maxAgents    = 10_000
	startWithin  = 10 * time.Second
	readyPoll    = 100 * time.Millisecond
	pingEvery    = 5 * time.Second
	replyWithin  = 2 * time.Minute // longer than any request is good
	gatewayUser  = "gateway"
	observerUser = "observer" // of connections going away
	inspectUser  = "inspect"
	accountName  = "fourways"
)

// Broker is a running broker.
type Broker struct {
	o       Options
	srv     *server.Server
	secret  string // of the in-process users; new at every start
	account *server.Account
	agents  *connections
	events  *nats.Conn
}

// Start listens. It returns when agents can connect.
func Start(ctx context.Context, o Options) (*Broker, error) {
	host, port, err := splitListen(o.Listen)
	if err != nil {
		return nil, err
	}
	if o.TLS == nil || o.Auth == nil || o.Log == nil {
		return nil, errors.New("the broker needs TLS, Auth and Log")
	}
	cfg := o.TLS.Clone()
	cfg.MinVersion = tls.VersionTLS13
	b := &Broker{o: o, secret: newSecret()}
	b.agents = newConnections(b.cut)
	b.srv, err = server.NewServer(&server.Options{
		ServerName: "fourways", Host: host, Port: port,
		TLS: true, TLSConfig: cfg, TLSHandshakeFirst: true, TLSTimeout: 5, AuthTimeout: 5,
		CustomClientAuthentication: b, AlwaysEnableNonce: true,
		Accounts: []*server.Account{server.NewAccount(accountName)},
		NoSigs:   true, NoLog: true,
		MaxPayload: maxPayload, MaxConn: maxAgents, MaxControlLine: 4096, MaxSubs: 64,
		PingInterval: pingEvery, MaxPingsOut: 2, WriteDeadline: 5 * time.Second,
	})
	if err != nil {
		return nil, fmt.Errorf("configure the broker: %w", err)
	}
	if b.account, err = b.srv.LookupAccount(accountName); err != nil { // the server works on a copy
		return nil, fmt.Errorf("configure the broker's account: %w", err)
	}
	fatal := make(chan string, 1)
	b.srv.SetLoggerV2(natsLog{o.Log, fatal}, false, false, false)
	b.srv.Start()
	if err := b.ready(ctx, fatal); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func (b *Broker) ready(ctx context.Context, fatal <-chan string) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for !b.srv.ReadyForConnections(readyPoll) {
		select {
		case why := <-fatal:
			return fmt.Errorf("the broker can't listen on %s: is the address taken by another program? %s", b.o.Listen, why)
		case <-ctx.Done():
			return fmt.Errorf("the broker did not come up on %s: %w", b.o.Listen, ctx.Err())
		default:
		}
	}
	var err error
	if b.events, err = b.connect(observerUser); err != nil {
		return err
	}
	if _, err = b.events.Subscribe("$SYS.ACCOUNT."+accountName+".DISCONNECT", b.disconnected); err != nil {
		return fmt.Errorf("watch the broker's connections: %w", err)
	}
	return b.events.Flush()
}

// Addr is where agents connect.
func (b *Broker) Addr() net.Addr { return b.srv.Addr() }

// Connect is the gateway's connection, inside the process. The caller closes it.
func (b *Broker) Connect() (*nats.Conn, error) { return b.connect(gatewayUser) }

// Inspect is a connection that may subscribe everything and publish nothing. It works only with Options.Inspect.
func (b *Broker) Inspect() (*nats.Conn, error) {
	if !b.o.Inspect {
		return nil, errors.New("this broker was not started for inspection")
	}
	return b.connect(inspectUser)
}

func (b *Broker) connect(user string) (*nats.Conn, error) {
	c, err := nats.Connect("", nats.InProcessServer(b.srv), nats.UserInfo(user, b.secret), nats.Name(user), nats.MaxReconnects(-1),
		nats.ErrorHandler(func(_ *nats.Conn, s *nats.Subscription, err error) {
			b.o.Log.Warn("the agent broker complains", "user", user, "error", err, "subscription", s != nil)
		}))
	if err != nil {
		return nil, fmt.Errorf("connect to the broker in this process: %w", err)
	}
	return c, nil
}

// Disconnect cuts an agent's connections at once; after a revocation it can't come back, since Auth refuses it.
func (b *Broker) Disconnect(agentID string) { b.agents.cutAll(agentID) }

func (b *Broker) cut(conn uint64) { _ = b.srv.DisconnectClientByID(conn) } // an error says that it is gone already

// Watch implements agentlink.Presence.
func (b *Broker) Watch(see func(agentID string, conn uint64, connected bool)) (stop func()) {
	return b.agents.watch(see)
}

// Close cuts everybody and stops listening.
func (b *Broker) Close() {
	if b.events != nil {
		b.events.Close()
	}
	b.srv.Shutdown()
	b.srv.WaitForShutdown()
}

// Check implements server.Authentication.
func (b *Broker) Check(c server.ClientAuthentication) bool {
	opts := c.GetOpts()
	if opts.Nkey == "" {
		return b.checkInside(c, opts.Username, opts.Password)
	}
	if !signedNonce(opts.Nkey, opts.Sig, c.GetNonce()) {
		return false
	}
	id, ok := b.o.Auth(opts.Nkey)
	if !ok {
		b.o.Log.Warn("an agent that is unknown or revoked was refused", "addr", addr(c))
		return false
	}
	c.RegisterUser(&server.User{Username: id, Account: b.account, Permissions: agentMay(id)})
	if b.agents.came(id, c.GetID()) {
		b.o.Log.Warn("an agent connected again before its old connection was gone: if that goes on, its key file is on two machines; revoke it and enrol each machine",
			"agent", id, "addr", addr(c))
	}
	return true
}

// checkInside admits this process's own users: over the in-process pipe, with a secret that never leaves it.
func (b *Broker) checkInside(c server.ClientAuthentication, user, secret string) bool {
	a := c.RemoteAddress()
	if a == nil || a.Network() != "pipe" || subtle.ConstantTimeCompare([]byte(secret), []byte(b.secret)) != 1 {
		return false
	}
	u := &server.User{Username: user, Account: b.account}
	switch {
	case user == gatewayUser:
		u.Permissions = &server.Permissions{Publish: allow("pta.>", "gw.>"), Subscribe: allow("up.>", "gw.>")}
	case user == observerUser:
		u.Account = b.srv.SystemAccount()
		u.Permissions = &server.Permissions{Publish: deny(">"), Subscribe: allow("$SYS.ACCOUNT." + accountName + ".>")}
	case user == inspectUser && b.o.Inspect:
		u.Permissions = &server.Permissions{Publish: deny(">"), Subscribe: allow(">")}
	default:
		return false
	}
	c.RegisterUser(u)
	return true
}

func agentMay(id string) *server.Permissions {
	return &server.Permissions{
		Publish:   allow("up." + id + ".>"),
		Subscribe: allow("pta." + id + ".>"),
		Response:  &server.ResponsePermission{MaxMsgs: 1, Expires: replyWithin},
	}
}

func allow(subjects ...string) *server.SubjectPermission {
	return &server.SubjectPermission{Allow: subjects}
}

func deny(subjects ...string) *server.SubjectPermission {
	return &server.SubjectPermission{Deny: subjects}
}

func addr(c server.ClientAuthentication) string {
	if a := c.RemoteAddress(); a != nil {
		return a.String()
	}
	return ""
}

func splitListen(listen string) (string, int, error) {
	host, p, err := net.SplitHostPort(listen)
	if err != nil {
		return "", 0, fmt.Errorf("the broker's address %q is not host:port: %w", listen, err)
	}
	port, err := strconv.Atoi(p)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("the broker's address %q has no port number", listen)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}
