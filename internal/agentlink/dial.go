package agentlink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// DialOptions are an agent's wishes for its connection.
type DialOptions struct {
	Log       *slog.Logger
	Connected func(*nats.Conn) // called after every connect, the first one too; may be nil

	Dialer      Dialer        // nil: a TCP connection to the broker's address
	LongestWait time.Duration // between two attempts to connect; 0: fifteen seconds
}

// Dialer opens the connection on which TLS then begins: a lab's wire, which can be cut.
type Dialer func(network, address string) (net.Conn, error)

// Dial implements nats.CustomDialer.
func (d Dialer) Dial(network, address string) (net.Conn, error) { return d(network, address) }

// Waits between two attempts to connect: doubled from the first to the last, with jitter, for ever.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 15 * time.Second
	steady     = 2 * lastRetry // a connection that lasts as long begins the waits anew
)

// Dial connects an agent to its broker over TLS 1.3, trusting the pinned roots alone. It returns at once and keeps trying
// for ever, also when the broker refuses the agent: it may be reinstated. Close the connection to stop.
func Dial(id *Identity, o DialOptions) (*nats.Conn, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(id.CA)) {
		return nil, errors.New("the pinned broker roots hold no certificate: enrol this agent anew")
	}
	public, err := id.keys.conn.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("read the connection key: %w", err)
	}
	r := &retry{now: time.Now, longest: o.LongestWait} //nolint:forbidigo // connections live in real time
	connected := func(c *nats.Conn) {
		r.connected()
		o.Log.Info("connected to the gateway", "agent", id.AgentID, "broker", c.ConnectedUrlRedacted())
		if o.Connected != nil {
			o.Connected(c)
		}
	}
	dial := func(*nats.Options) error { return nil }
	if o.Dialer != nil {
		dial = nats.SetCustomDialer(o.Dialer)
	}
	conn, err := nats.Connect(id.URL, dial,
		nats.Name(id.AgentID),
		nats.Nkey(public, id.keys.conn.Sign),
		nats.Secure(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}),
		nats.TLSHandshakeFirst(),
		nats.CustomInboxPrefix(inboxOf(id.AgentID)),
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectBufSize(-1), // what can't be said now must not be said late
		nats.CustomReconnectDelay(r.wait),
		nats.PingInterval(5*time.Second), nats.MaxPingsOutstanding(2),
		nats.ConnectHandler(connected), nats.ReconnectHandler(connected),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err == nil { // we hung up ourselves
				return
			}
			o.Log.Warn("connection to the gateway is gone", "agent", id.AgentID, "error", err)
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			o.Log.Warn("the broker complains", "agent", id.AgentID, "error", err)
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("connect to the broker: %w", err)
	}
	return conn, nil
}

// retry lengthens the waits also when every connection is made, and soon lost: two machines with one key cut each other off.
type retry struct {
	now     func() time.Time
	longest time.Duration // 0: no other bound than backoff's
	mu      sync.Mutex
	since   time.Time // of the last connection
	short   int       // connections one after another that did not last
}

func (r *retry) connected() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.since = r.now()
}

// wait is how long to wait before an attempt; they count from 1 at every loss.
func (r *retry) wait(attempt int) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case attempt > 1:
	case !r.since.IsZero() && r.now().Sub(r.since) < steady:
		r.short++
	default:
		r.short = 0
	}
	wait := backoff(attempt + r.short)
	if r.longest > 0 {
		wait = min(wait, r.longest)
	}
	return wait
}

func backoff(attempts int) time.Duration {
	wait := lastRetry
	if attempts < 8 {
		wait = min(firstRetry<<max(attempts-1, 0), lastRetry)
	}
	return wait/2 + rand.N(wait/2+1) //nolint:gosec // jitter needs no secrecy
}

// What an agent is told. The token before it is always the agent's id: the broker's permissions hang on it.
const (
	toldBind  = "bind"
	toldSync  = "sync"
	toldInbox = "inbox"
)

// What an agent says by itself.
const (
	saidBinding = "binding"
	saidAlive   = "alive"
	saidFrame   = "sync"
)

// Down is a subject on which that agent is told something.
func Down(agent, what string) string { return "pta." + agent + "." + what }

// Up is a subject on which that agent says something by itself.
func Up(agent, what string) string { return "up." + agent + "." + what }

func inboxOf(agent string) string { return Down(agent, toldInbox) }
