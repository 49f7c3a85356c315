package agentlink_test

import (
	"testing"

	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink"
)

func TestKeyFileOnTwoMachinesIsToldToTheOperator(t *testing.T) {
	w := agenttest.Start(t)
	id := w.Enrol(t, "twin", agentlink.RolePTA)
	for range 2 {
		if contains(w.Log.Bytes(), "two machines") {
			t.Error("told of one machine alone")
		}
		conn, err := agentlink.Dial(id, agentlink.DialOptions{Log: w.Logger()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		w.Until(t, "connected", conn.IsConnected)
	}
	w.Until(t, "the operator told", func() bool { return contains(w.Log.Bytes(), "two machines") })
}
