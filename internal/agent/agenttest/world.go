// Package agenttest starts a real broker, a link and agents on loopback for tests of whatever stands on top of them.
//
// In come directories that tests make up; out comes a world that speaks the real protocol over real TLS. It is never part
// of a program.
package agenttest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/agentlink/broker"
)

// Hang bounds every wait of a test: a guard, not a measure.
const Hang = 30 * time.Second

// Clock is the machine's.
type Clock struct{}

// Now is the time.
func (Clock) Now() time.Time { return time.Now() } //nolint:forbidigo // the real clock of the tests

// World is a gateway's end with its broker.
type World struct {
	Broker   *broker.Broker
	Link     *agentlink.Link
	Conn     *nats.Conn // the gateway's
	Registry *Registry
	Enroller *agentlink.Enroller
	Keys     *agentlink.GatewayKeys
	Seed     []byte // of Keys
	Log      *Log

	mu     sync.Mutex
	events []agentlink.Event
}

// Start starts a world that ends with the test.
func Start(t *testing.T) *World {
	t.Helper()
	w := &World{Registry: NewRegistry(), Log: &Log{}}
	seed := make([]byte, 32)
	_, _ = rand.Read(seed)
	w.Seed = seed
	authority, err := broker.NewAuthority(seed, Clock{}.Now)
	must(t, err)
	w.Keys, err = agentlink.NewGatewayKeys(seed, 0)
	must(t, err)
	tls, err := authority.TLS("127.0.0.1")
	must(t, err)
	w.Broker, err = broker.Start(t.Context(), broker.Options{
		Listen: "127.0.0.1:0", TLS: tls, Auth: w.Registry.ByNKey, Log: w.Logger(), Inspect: true,
	})
	must(t, err)
	t.Cleanup(w.Broker.Close)
	w.Conn, err = w.Broker.Connect()
	must(t, err)
	t.Cleanup(w.Conn.Close)
	w.Enroller = &agentlink.Enroller{Registry: w.Registry, URL: "tls://" + w.Broker.Addr().String(), CA: authority.PEM(), Keys: w.Keys}
	w.Link, err = agentlink.NewLink(t.Context(), agentlink.LinkOptions{
		Conn: w.Conn, Registry: w.Registry, Keys: w.Keys, Presence: w.Broker, Clock: Clock{}, Log: w.Logger(), Observe: w.observe,
	})
	must(t, err)
	t.Cleanup(w.Link.Close)
	return w
}

func (w *World) observe(e agentlink.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// Count says how often something was observed.
func (w *World) Count(k agentlink.EventKind) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, e := range w.events {
		if e.Kind == k {
			n++
		}
	}
	return n
}

// Logger logs into Log.
func (w *World) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(w.Log, nil)) }

// Enrol enrols an agent as the program does, but for the listener.
func (w *World) Enrol(t *testing.T, name string, roles ...string) *agentlink.Identity {
	t.Helper()
	token, hash := agentlink.NewToken()
	w.Registry.Invite(hash, name, roles...)
	id, err := agentlink.EnrolOverHTTP(t.Context(), &http.Client{Transport: enrolment{w}}, "http://127.0.0.1", name, "test", token)
	must(t, err)
	must(t, w.Link.Refresh(t.Context()))
	return id
}

// enrolment answers enrolment requests without a listener.
type enrolment struct{ w *World }

// RoundTrip implements http.RoundTripper.
func (e enrolment) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	answer := &http.Response{StatusCode: http.StatusForbidden, Body: http.NoBody, Request: r}
	req, err := agentlink.ParseEnrolRequest(body)
	if err != nil {
		return nil, err
	}
	if res, err := e.w.Enroller.Enrol(r.Context(), req); err == nil {
		b, err := json.Marshal(res)
		if err != nil {
			return nil, err
		}
		answer.StatusCode, answer.Body = http.StatusOK, io.NopCloser(bytes.NewReader(b))
	}
	return answer, nil
}

// Running is an agent that runs.
type Running struct {
	*agentlink.Identity
	stop func()
}

// Stop ends the agent as its program would on SIGTERM, and waits for it.
func (r *Running) Stop() { r.stop() }

// Run runs an agent until it is stopped or the test ends, and waits until the link sees it live. What o leaves out is
// filled in.
func (w *World) Run(t *testing.T, o agent.Options) *Running {
	t.Helper()
	r := w.RunUnseen(t, o)
	w.Until(t, "agent "+o.Identity.Name+" live", func() bool {
		return slices.ContainsFunc(w.Link.Agents(), func(s agentlink.AgentState) bool { return s.ID == o.Identity.AgentID && s.Live })
	})
	return r
}

// RunUnseen is Run without the wait.
func (w *World) RunUnseen(t *testing.T, o agent.Options) *Running {
	t.Helper()
	if o.Clock == nil {
		o.Clock = Clock{}
	}
	if o.Log == nil {
		o.Log = w.Logger()
	}
	if o.Directory != nil && o.Decoy.UPN == "" {
		o.Decoy = agent.Decoy{UPN: DecoyUPN, Password: authn.NewSecret([]byte(DecoyPassword))}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- agent.Run(ctx, o) }()
	stop := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("agent %s: %v", o.Identity.Name, err)
			}
		case <-time.After(Hang):
			t.Errorf("agent %s did not stop", o.Identity.Name)
		}
	})
	t.Cleanup(stop)
	return &Running{Identity: o.Identity, stop: stop}
}

// The decoy account of agents that Run starts.
const (
	DecoyUPN      = "decoy@corp.example.test"
	DecoyPassword = "Decoy-Own-Password-1"
)

// Until waits for something to become true.
func (w *World) Until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := (Clock{}).Now().Add(Hang); !ok(); time.Sleep(5 * time.Millisecond) {
		if (Clock{}).Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// Tap hears every message on the broker from now on.
func (w *World) Tap(t *testing.T) *Log {
	t.Helper()
	c, err := w.Broker.Inspect()
	must(t, err)
	t.Cleanup(c.Close)
	l := &Log{}
	_, err = c.Subscribe(">", func(m *nats.Msg) {
		_, _ = l.Write([]byte(m.Subject + " " + m.Reply + "\n"))
		_, _ = l.Write(append(m.Data, '\n'))
	})
	must(t, err)
	must(t, c.Flush())
	return l
}

// Log is a buffer for many writers.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// Bytes is a copy of what was written.
func (l *Log) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.b.Bytes())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Registry keeps agents in memory.
type Registry struct {
	mu      sync.Mutex
	invited map[[sha256.Size]byte]agentlink.Member
	members []agentlink.Member
	seen    map[string]time.Time
}

// NewRegistry is an empty one.
func NewRegistry() *Registry {
	return &Registry{invited: map[[sha256.Size]byte]agentlink.Member{}, seen: map[string]time.Time{}}
}

// Invite makes a token good.
func (r *Registry) Invite(hash []byte, name string, roles ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.invited[[sha256.Size]byte(hash)] = agentlink.Member{Name: name, Roles: roles}
}

// Enrol implements agentlink.Registry.
func (r *Registry) Enrol(_ context.Context, hash []byte, m agentlink.Member) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	as, ok := r.invited[[sha256.Size]byte(hash)]
	if !ok {
		return agentlink.ErrToken
	}
	delete(r.invited, [sha256.Size]byte(hash))
	m.Name, m.Roles = as.Name, as.Roles
	r.members = append(r.members, m)
	return nil
}

// Agents implements agentlink.Registry.
func (r *Registry) Agents(context.Context) ([]agentlink.Member, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.members), nil
}

// Seen implements agentlink.Registry.
func (r *Registry) Seen(_ context.Context, id string, at time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[id] = at
	return nil
}

// Revoke marks an agent.
func (r *Registry) Revoke(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.members {
		if r.members[i].ID == id {
			r.members[i].Revoked = true
		}
	}
}

// ByNKey is the broker's Auth.
func (r *Registry) ByNKey(nkey string) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.members {
		if m.Keys.NKey == nkey && !m.Revoked {
			return m.ID, true
		}
	}
	return "", false
}
