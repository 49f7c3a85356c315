package agent_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink"
)

// pretendLive connects as an agent that says it is alive, listens, and never does anything.
func pretendLive(t *testing.T, w *agenttest.World, id *agentlink.Identity) (stop func()) {
	t.Helper()
	conn, err := agentlink.Dial(id, agentlink.DialOptions{Log: w.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	r := agentlink.NewReceiver(id)
	ignore := func(*nats.Msg) {}
	if _, err := r.Listen(conn, agentlink.Told{Bind: ignore, Sync: ignore}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		for {
			_ = r.SayAlive(conn, agentlink.Alive{At: time.Now()})
			select {
			case <-done:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	w.Until(t, "the pretender live", func() bool { return w.Link.Live(agentlink.RolePTA) })
	return func() {
		close(done)
		conn.Close()
	}
}
