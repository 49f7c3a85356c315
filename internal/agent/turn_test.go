package agent_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink"
)

// The gateway doesn't answer whether the agent may bind. The agent binds nobody, and says so, so that another is asked.
func TestAnAgentThatMayNotAskSaysThatItBoundNobody(t *testing.T) {
	w := agenttest.Start(t)
	deaf, asked := &premises{}, make(chan struct{}, 64)
	id := w.Enrol(t, "deaf", agentlink.RolePTA)
	w.Run(t, agent.Options{Identity: id, Directory: deaf, Lab: agent.Lab{Intercept: func(*agentlink.Request) agent.Fate {
		w.Registry.Revoke(id.AgentID) // the link doesn't know it any more and keeps silent; the broker has not cut it off yet
		if err := w.Link.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
		asked <- struct{}{}
		return agent.Fate{}
	}}})
	w.Run(t, agent.Options{Identity: w.Enrol(t, "idle", agentlink.RolePTA), Directory: &premises{}})
	r := askUntil(t, w, agenttest.Hang, asked, func() {})
	if r.Reason != authn.None || r.AgentName != "idle" || len(r.Tries) != 2 || r.Tries[0].Reason != authn.AgentError {
		t.Errorf("%+v", r)
	}
	if got := deaf.bound(); len(got) != 0 {
		t.Errorf("it bound %v without leave", got)
	}
}

// What a lab does to a request is what happens to it: held back until it is late, swallowed, damaged.
func TestARequestThatWasBrokenIsTakenForWhatItIs(t *testing.T) {
	w := agenttest.Start(t)
	type breakage struct {
		fate agent.Fate
		harm func(*agentlink.Request)
	}
	var now atomic.Pointer[breakage]
	dir := &premises{}
	w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RolePTA), Directory: dir, Lab: agent.Lab{Intercept: func(q *agentlink.Request) agent.Fate {
		b := now.Load()
		if b.harm != nil {
			b.harm(q)
		}
		return b.fate
	}}})
	for _, c := range []struct {
		name string
		fate agent.Fate
		harm func(*agentlink.Request)
		want authn.Reason
	}{
		{"held for a moment", agent.Fate{Wait: 1}, nil, authn.None},
		{"held beyond its time", agent.Fate{Wait: agenttest.Hang}, nil, authn.AgentLate},
		{"swallowed", agent.Fate{Drop: true}, nil, authn.AgentTimeout},
		{"damaged", agent.Fate{}, func(q *agentlink.Request) { q.Sealed[0] ^= 1 }, authn.AgentDecrypt},
		{"from another time", agent.Fate{}, func(q *agentlink.Request) {
			q.Issued, q.Deadline = q.Issued.Add(-agenttest.Hang), q.Deadline.Add(-agenttest.Hang)
		}, authn.TimeSkew},
	} {
		now.Store(&breakage{c.fate, c.harm})
		if r := ask(t, w, 2*time.Second, question(right)); r.Reason != c.want {
			t.Errorf("%s: %v, want %v: %v", c.name, r.Reason, c.want, r.Err)
		}
	}
	if got := len(dir.bound()); got != 1 {
		t.Errorf("%d binds, want the one that was held for a moment", got)
	}
}
