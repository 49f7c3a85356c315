package agentlink_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink"
)

func TestGatewayLetsBindOnceAndNeverAfterHandingOver(t *testing.T) {
	w := agenttest.Start(t)
	type asked struct {
		q   *agentlink.Request
		msg *nats.Msg
	}
	came := make(chan asked, 8)
	id := w.Enrol(t, "slow", agentlink.RolePTA)
	conn, err := agentlink.Dial(id, agentlink.DialOptions{Log: w.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	slow := puppetOn(t, w, id, conn, func(q *agentlink.Request, msg *nats.Msg) { came <- asked{q, msg} })
	mayBind := func(q *agentlink.Request) error {
		ctx, cancel := context.WithTimeout(t.Context(), agenttest.Hang)
		defer cancel()
		return slow.MayBind(ctx, conn, q)
	}
	replies := make(chan agentlink.Reply, 1)
	go func() { replies <- ask(t, w, agenttest.Hang) }()
	first := <-came
	if err := mayBind(first.q); err != nil {
		t.Fatalf("positive control: %v", err)
	}
	if err := mayBind(first.q); !errors.Is(err, agentlink.ErrNotYours) {
		t.Errorf("a second time for one request: %v", err)
	}
	_ = first.msg.Respond(answerOf(t, slow, first.q, yes()))
	if r := <-replies; r.Reason != authn.None {
		t.Fatalf("positive control: %v", r.Reason)
	}
	if err := mayBind(first.q); !errors.Is(err, agentlink.ErrNotYours) {
		t.Errorf("after the end: %v", err)
	}

	w.Run(t, agent.Options{Identity: w.Enrol(t, "quick", agentlink.RolePTA), Directory: allow{}})
	for len(came) == 0 { // by lot, the slow one is asked first sooner or later
		if r := ask(t, w, time.Second); r.Reason != authn.None || r.AgentName != "quick" {
			t.Fatalf("%v by %s: %v", r.Reason, r.AgentName, r.Err)
		}
	}
	if err := mayBind((<-came).q); !errors.Is(err, agentlink.ErrNotYours) {
		t.Errorf("after it was handed over: %v", err)
	}
}
