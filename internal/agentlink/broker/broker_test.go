package broker_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"go.uber.org/goleak"

	"github.com/fourways-id/fourways/internal/agentlink/broker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const hang = 30 * time.Second

// world is a broker with two enrolled agents.
type world struct {
	*broker.Broker
	authority *broker.Authority

	mu     sync.Mutex
	agents map[string]string // by nkey
}

func (w *world) auth(nkey string) (string, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id, ok := w.agents[nkey]
	return id, ok
}

func start(t *testing.T, inspect bool) *world {
	t.Helper()
	w := &world{agents: map[string]string{}}
	var err error
	if w.authority, err = broker.NewAuthority(bytes.Repeat([]byte{3}, 32), time.Now); err != nil {
		t.Fatal(err)
	}
	cfg, err := w.authority.TLS("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	w.Broker, err = broker.Start(t.Context(), broker.Options{
		Listen: "127.0.0.1:0", TLS: cfg, Auth: w.auth, Log: slog.New(slog.DiscardHandler), Inspect: inspect,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// enrol makes an agent known and returns its key.
func (w *world) enrol(t *testing.T, id string) nkeys.KeyPair {
	t.Helper()
	key, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.agents[public] = id
	return key
}

func (w *world) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(w.authority.PEM()))
	return pool
}

// dial connects over TLS; denied collects what the broker refuses.
func (w *world) dial(key nkeys.KeyPair, more ...nats.Option) (*nats.Conn, chan error, error) {
	denied := make(chan error, 16)
	options := []nats.Option{
		nats.Secure(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: w.roots()}), nats.TLSHandshakeFirst(), nats.NoReconnect(),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { denied <- err }),
	}
	if key != nil {
		public, err := key.PublicKey()
		if err != nil {
			return nil, nil, err
		}
		options = append(options, nats.Nkey(public, key.Sign))
	}
	c, err := nats.Connect("tls://"+w.Addr().String(), append(options, more...)...)
	return c, denied, err
}

func (w *world) connect(t *testing.T, key nkeys.KeyPair, more ...nats.Option) (*nats.Conn, chan error) {
	t.Helper()
	c, denied, err := w.dial(key, more...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, denied
}

func TestAgentHearsAndSpeaksOnItsOwnSubjectsOnly(t *testing.T) {
	w := start(t, false)
	one, denied := w.connect(t, w.enrol(t, "one"))
	w.connect(t, w.enrol(t, "two"))
	for _, c := range []struct {
		subject string
		ok      bool
	}{
		{"pta.one.bind", true},
		{"pta.one.>", true},
		{"pta.one.inbox.*", true},
		{">", false},
		{"*", false},
		{"pta.>", false},
		{"pta.*.bind", false},
		{"pta.two.bind", false},
		{"pta.two.>", false},
		{"pta.one", false},
		{"up.>", false},
		{"up.one.>", false},
		{"up.two.alive", false},
		{"gw.>", false},
		{"_INBOX.>", false},
		{"$SYS.>", false},
	} {
		if _, err := one.SubscribeSync(c.subject); err != nil {
			t.Fatal(err)
		}
		expect(t, one, denied, "subscribe "+c.subject, c.ok)
	}
	for _, c := range []struct {
		subject string
		ok      bool
	}{
		{"up.one.alive", true},
		{"up.one.binding", true},
		{"up.one.sync", true},
		{"up.two.alive", false},
		{"up.one", false},
		{"pta.one.bind", false},
		{"pta.two.bind", false},
		{"gw.x.y", false},
		{"_INBOX.x", false},
		{"$SYS.REQ.SERVER.PING", false},
	} {
		if err := one.Publish(c.subject, []byte("x")); err != nil {
			t.Fatal(err)
		}
		expect(t, one, denied, "publish "+c.subject, c.ok)
	}
}

// expect flushes, so that a denial has arrived if there is one.
func expect(t *testing.T, c *nats.Conn, denied chan error, what string, ok bool) {
	t.Helper()
	if err := c.FlushTimeout(hang); err != nil {
		t.Fatal(err)
	}
	if ok {
		select {
		case err := <-denied:
			t.Errorf("%s was denied: %v", what, err)
		default:
		}
		return
	}
	select {
	case err := <-denied:
		if !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("%s: %v", what, err)
		}
	case <-time.After(hang):
		t.Errorf("%s was permitted", what)
	}
}

func TestAgentRepliesOnceToWhatItWasAsked(t *testing.T) {
	w := start(t, false)
	gateway, err := w.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer gateway.Close()
	one, deniedOne := w.connect(t, w.enrol(t, "one"))
	two, deniedTwo := w.connect(t, w.enrol(t, "two"))
	answers, err := gateway.SubscribeSync("gw.test.*")
	if err != nil {
		t.Fatal(err)
	}
	asked, err := one.SubscribeSync("pta.one.bind")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(one.Flush(), gateway.PublishRequest("pta.one.bind", "gw.test.1", nil)); err != nil {
		t.Fatal(err)
	}
	msg, err := asked.NextMsg(hang)
	if err != nil {
		t.Fatal(err)
	}
	if err := two.Publish(msg.Reply, []byte("foreign")); err != nil {
		t.Fatal(err)
	}
	expect(t, two, deniedTwo, "an answer to another agent's request", false)
	if err := msg.Respond([]byte("first")); err != nil {
		t.Fatal(err)
	}
	expect(t, one, deniedOne, "the first reply", true)
	if err := msg.Respond([]byte("second")); err != nil {
		t.Fatal(err)
	}
	expect(t, one, deniedOne, "a second reply", false)
	got, err := answers.NextMsg(hang)
	if err != nil || string(got.Data) != "first" {
		t.Fatalf("%v, %v", got, err)
	}
	if err := gateway.Flush(); err != nil {
		t.Fatal(err)
	}
	if n, _, _ := answers.Pending(); n != 0 {
		t.Errorf("%d more answers came through", n)
	}
}

func TestNobodyElseGetsIn(t *testing.T) {
	w := start(t, false)
	known := w.enrol(t, "one")
	w.connect(t, known) // positive control
	stranger, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err := known.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key  nkeys.KeyPair
		more []nats.Option
	}{
		"nobody at all":                  {},
		"an unknown key":                 {key: stranger},
		"a known key without its secret": {more: []nats.Option{nats.Nkey(public, stranger.Sign)}},
		"a known key, unsigned":          {more: []nats.Option{nats.Nkey(public, func([]byte) ([]byte, error) { return nil, nil })}},
		"the gateway's name":             {more: []nats.Option{nats.UserInfo("gateway", "")}},
		"the inspector's name":           {more: []nats.Option{nats.UserInfo("inspect", "inspect")}},
	} {
		conn, _, err := w.dial(c.key, c.more...)
		if err == nil {
			conn.Close()
		}
		if !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("%s: %v, want an authorization violation", name, err)
		}
	}
	if _, err := nats.Connect("nats://"+w.Addr().String(), nats.NoReconnect(), nats.Timeout(2*time.Second)); err == nil {
		t.Error("a connection without TLS was taken")
	}
	old := &tls.Config{MaxVersion: tls.VersionTLS12, RootCAs: w.roots()}
	if _, _, err := w.dial(known, nats.Secure(old)); err == nil {
		t.Error("TLS 1.2 was taken")
	}
	if _, err := w.Inspect(); err == nil {
		t.Error("a broker that was not started for inspection lets itself be inspected")
	}
}

func TestAgentPinsTheAuthority(t *testing.T) {
	w := start(t, false)
	other, err := broker.NewAuthority(bytes.Repeat([]byte{4}, 32), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(other.PEM()))
	key := w.enrol(t, "one")
	if _, _, err := w.dial(key, nats.Secure(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool})); err == nil {
		t.Error("a broker of another authority was trusted")
	}
	w.connect(t, key) // positive control
	same, err := broker.NewAuthority(bytes.Repeat([]byte{3}, 32), time.Now)
	if err != nil || same.PEM() != w.authority.PEM() || !strings.Contains(same.PEM(), "CERTIFICATE") {
		t.Errorf("an authority made twice from one seed differs: %v", err)
	}
}

func TestCertificateRenewsItself(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a, err := broker.NewAuthority(bytes.Repeat([]byte{3}, 32), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := a.TLS("broker.example.test", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	first, err := cfg.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(a.PEM()))
	for _, host := range []string{"broker.example.test", "127.0.0.1"} {
		if _, err := first.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: pool, CurrentTime: now}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	now = now.Add(24 * time.Hour)
	if same, err := cfg.GetCertificate(nil); err != nil || same != first {
		t.Errorf("renewed after a day: %v", err)
	}
	now = now.Add(21 * 24 * time.Hour)
	if next, err := cfg.GetCertificate(nil); err != nil || next == first || !next.Leaf.NotAfter.After(first.Leaf.NotAfter) {
		t.Errorf("not renewed in time: %v", err)
	}
}

func TestConnectionsAreToldAndCut(t *testing.T) {
	w := start(t, false)
	key := w.enrol(t, "one")
	type event struct {
		agent     string
		conn      uint64
		connected bool
	}
	events := make(chan event, 16)
	stop := w.Watch(func(agent string, conn uint64, connected bool) { events <- event{agent, conn, connected} })
	defer stop()
	next := func(what string) event {
		t.Helper()
		select {
		case e := <-events:
			return e
		case <-time.After(hang):
			t.Fatalf("never told: %s", what)
			return event{}
		}
	}
	w.connect(t, key)
	first := next("the first connection")
	if first.agent != "one" || !first.connected {
		t.Fatalf("%+v", first)
	}
	second, _ := w.connect(t, key)
	came, went := next("the second connection"), next("the end of the first")
	if !came.connected || came.conn == first.conn || went.connected || went.conn != first.conn {
		t.Errorf("a second connection must replace the first: %+v, then %+v", came, went)
	}
	late := make(chan event, 1)
	stopLate := w.Watch(func(agent string, conn uint64, connected bool) { late <- event{agent, conn, connected} })
	if e := <-late; e != (event{"one", came.conn, true}) {
		t.Errorf("who comes late is told %+v", e)
	}
	stopLate()
	w.Disconnect("two")
	if err := second.FlushTimeout(hang); err != nil {
		t.Errorf("cutting another agent cut this one: %v", err)
	}
	w.Disconnect("one")
	if e := next("the cut"); e.connected || e.conn != came.conn {
		t.Errorf("%+v", e)
	}
}

func TestInspectorHearsEverythingAndSaysNothing(t *testing.T) {
	w := start(t, true)
	tap, err := w.Inspect()
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	all, err := tap.SubscribeSync(">")
	if err != nil {
		t.Fatal(err)
	}
	one, _ := w.connect(t, w.enrol(t, "one"))
	if err := errors.Join(tap.Flush(), one.Publish("up.one.alive", []byte("hello")), tap.Publish("pta.one.bind", []byte("forged"))); err != nil {
		t.Fatal(err)
	}
	msg, err := all.NextMsg(hang)
	if err != nil || string(msg.Data) != "hello" {
		t.Fatalf("%v, %v", msg, err)
	}
	if err := tap.Flush(); err != nil {
		t.Fatal(err)
	}
	if n, _, _ := all.Pending(); n != 0 {
		t.Error("the inspector could publish")
	}
}

func TestAddressInUseIsSaid(t *testing.T) {
	w := start(t, false)
	cfg, err := w.authority.TLS("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, listen := range []string{w.Addr().String(), "nonsense", "127.0.0.1:http", "127.0.0.1:70000"} {
		o := broker.Options{Listen: listen, TLS: cfg, Auth: w.auth, Log: slog.New(slog.DiscardHandler)}
		if b, err := broker.Start(t.Context(), o); err == nil {
			b.Close()
			t.Errorf("listens on %s", listen)
		}
	}
}
