package agentlink_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/onprem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// puppet is an agent that does what the test says with every request.
func puppet(t *testing.T, w *agenttest.World, id *agentlink.Identity, do func(q *agentlink.Request, msg *nats.Msg)) *agentlink.Receiver {
	t.Helper()
	conn, err := agentlink.Dial(id, agentlink.DialOptions{Log: w.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return puppetOn(t, w, id, conn, do)
}

func puppetOn(t *testing.T, w *agenttest.World, id *agentlink.Identity, conn *nats.Conn, do func(q *agentlink.Request, msg *nats.Msg)) *agentlink.Receiver {
	t.Helper()
	r := agentlink.NewReceiver(id)
	ignore := func(*nats.Msg) {}
	_, err := r.Listen(conn, agentlink.Told{Sync: ignore, Bind: func(msg *nats.Msg) {
		q, err := r.Request(msg.Data)
		if err != nil {
			t.Errorf("a request of the gateway is refused: %v", err)
			return
		}
		do(q, msg)
	}})
	if err != nil {
		t.Fatal(err)
	}
	w.Until(t, id.Name+" live", func() bool {
		_ = r.SayAlive(conn, agentlink.Alive{At: time.Now()})
		for _, s := range w.Link.Agents() {
			if s.ID == id.AgentID && s.Live {
				return true
			}
		}
		return false
	})
	return r
}

func yes() agentlink.Answer { return agentlink.Answer{Bound: true, Reason: authn.None.String()} }

func ask(t *testing.T, w *agenttest.World, within time.Duration) agentlink.Reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return w.Link.Ask(ctx, agentlink.Question{User: "alice@corp.example.test", Secret: authn.NewSecret([]byte("Right-Password-1!"))})
}

func answerOf(t *testing.T, r *agentlink.Receiver, q *agentlink.Request, a agentlink.Answer) []byte {
	t.Helper()
	b, err := r.Answer(q, a)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAnswersThatAreNotTheAgentsOwnAreRefused(t *testing.T) {
	w := agenttest.Start(t)
	mallory := agentlink.NewReceiver(w.Enrol(t, "mallory", agentlink.RolePTA))
	var (
		self *agentlink.Receiver
		old  []byte // a good answer to an earlier request
		next func(q *agentlink.Request) []byte
	)
	self = puppet(t, w, w.Enrol(t, "honest", agentlink.RolePTA), func(q *agentlink.Request, msg *nats.Msg) {
		if err := msg.Respond(next(q)); err != nil {
			t.Error(err)
		}
	})
	for _, c := range []struct {
		name   string
		answer func(q *agentlink.Request) []byte
		want   authn.Reason
		event  agentlink.EventKind
	}{
		{"good", func(q *agentlink.Request) []byte { old = answerOf(t, self, q, yes()); return old }, authn.None, agentlink.Answered},
		{"of another request", func(*agentlink.Request) []byte { return old }, authn.AgentBadResponse, agentlink.Foreign},
		{"signed by another agent", func(q *agentlink.Request) []byte { return answerOf(t, mallory, q, yes()) }, authn.AgentBadResponse, agentlink.Forged},
		{"not signed", func(q *agentlink.Request) []byte {
			b := answerOf(t, self, q, yes())
			clear(b[1:65])
			return b
		}, authn.AgentBadResponse, agentlink.Forged},
		{"changed after it was signed", func(q *agentlink.Request) []byte {
			b := answerOf(t, self, q, agentlink.Answer{Bound: true, Reason: authn.BadPassword.String()})
			b[len(b)-2] ^= 1
			return b
		}, authn.AgentBadResponse, agentlink.Forged},
		{"of another version", func(q *agentlink.Request) []byte {
			b := answerOf(t, self, q, yes())
			b[0] = 2
			return b
		}, authn.AgentBadResponse, agentlink.Forged},
		{"empty", func(*agentlink.Request) []byte { return nil }, authn.AgentBadResponse, agentlink.Forged},
		{"a reason that no agent may give", func(q *agentlink.Request) []byte {
			return answerOf(t, self, q, agentlink.Answer{Bound: true, Reason: authn.DomainUnknown.String()})
		}, authn.AgentBadResponse, agentlink.Failed},
		{"yes without having asked", func(q *agentlink.Request) []byte {
			return answerOf(t, self, q, agentlink.Answer{Reason: authn.None.String()})
		}, authn.AgentBadResponse, agentlink.Failed},
		{"good again", func(q *agentlink.Request) []byte { return answerOf(t, self, q, yes()) }, authn.None, agentlink.Answered},
	} {
		t.Run(c.name, func(t *testing.T) {
			next = c.answer
			before := w.Count(c.event)
			r := ask(t, w, agenttest.Hang)
			if r.Reason != c.want {
				t.Errorf("%v, want %v: %v", r.Reason, c.want, r.Err)
			}
			if w.Count(c.event) == before {
				t.Errorf("%s was not counted", c.event)
			}
		})
	}
}

func TestAnswersNobodyWaitsForAreCounted(t *testing.T) {
	w := agenttest.Start(t)
	var self *agentlink.Receiver
	respond := true
	requests := make(chan *agentlink.Request, 4)
	inboxes := make(chan string, 4)
	self = puppet(t, w, w.Enrol(t, "one", agentlink.RolePTA), func(q *agentlink.Request, msg *nats.Msg) {
		if respond {
			_ = msg.Respond(answerOf(t, self, q, yes()))
		}
		requests <- q
		inboxes <- msg.Reply
	})
	// The broker lets an agent reply once; the gateway's own connection stands for a broker that was taken over.
	inject := func(subject string, b []byte) {
		t.Helper()
		if err := w.Conn.Publish(subject, b); err != nil {
			t.Fatal(err)
		}
	}
	if r := ask(t, w, agenttest.Hang); r.Reason != authn.None {
		t.Fatalf("positive control: %v", r.Reason)
	}
	q, inbox := <-requests, <-inboxes
	inject(inbox, answerOf(t, self, q, yes()))
	w.Until(t, "a second answer counted as replayed", func() bool { return w.Count(agentlink.Replayed) == 1 })

	respond = false
	if r := ask(t, w, 200*time.Millisecond); r.Reason != authn.AgentTimeout {
		t.Fatalf("no answer: %v, want agent_timeout", r.Reason)
	}
	q, inbox = <-requests, <-inboxes
	inject(inbox, answerOf(t, self, q, yes()))
	w.Until(t, "a late answer counted", func() bool { return w.Count(agentlink.Late) == 1 })
	inject(inbox, []byte("nonsense"))
	w.Until(t, "a forged late answer counted", func() bool { return w.Count(agentlink.Forged) == 1 })
	inject(inbox[:len(inbox)-1]+"x", answerOf(t, self, q, yes()))
	w.Until(t, "an answer to no question counted", func() bool { return w.Count(agentlink.Foreign) == 1 })
	if r := ask(t, w, 200*time.Millisecond); r.Reason != authn.AgentTimeout {
		t.Errorf("after all that: %v", r.Reason)
	}
}

func TestSecondReplyIsDeniedByTheBroker(t *testing.T) {
	w := agenttest.Start(t)
	tap := w.Tap(t)
	var self *agentlink.Receiver
	self = puppet(t, w, w.Enrol(t, "one", agentlink.RolePTA), func(q *agentlink.Request, msg *nats.Msg) {
		_ = msg.Respond(answerOf(t, self, q, yes()))
		_ = msg.Respond([]byte("a second reply"))
		_ = msg.Respond([]byte("a third reply"))
	})
	if r := ask(t, w, agenttest.Hang); r.Reason != authn.None {
		t.Fatalf("positive control: %v", r.Reason)
	}
	w.Until(t, "the broker's complaint", func() bool { return contains(w.Log.Bytes(), "ermissions violation") })
	if contains(tap.Bytes(), "a second reply") || contains(tap.Bytes(), "a third reply") {
		t.Error("more than one reply went through")
	}
}

func TestForgedSignsOfLifeMakeNobodyLive(t *testing.T) {
	w := agenttest.Start(t)
	id := w.Enrol(t, "one", agentlink.RolePTA)
	other := agentlink.NewReceiver(w.Enrol(t, "two", agentlink.RolePTA))
	conn, err := agentlink.Dial(id, agentlink.DialOptions{Log: w.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	w.Until(t, "connected", conn.IsConnected)
	if err := other.SayAlive(conn, agentlink.Alive{At: time.Now()}); err != nil { // on two's subject, over one's connection
		t.Fatal(err)
	}
	if err := conn.Publish(agentlink.Up(id.AgentID, "alive"), []byte("nonsense")); err != nil {
		t.Fatal(err)
	}
	w.Until(t, "the forgery counted", func() bool { return w.Count(agentlink.Forged) == 1 })
	if w.Link.Live(agentlink.RolePTA) {
		t.Error("somebody lives on a forged word")
	}
	if err := agentlink.NewReceiver(id).SayAlive(conn, agentlink.Alive{At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	w.Until(t, "positive control", func() bool { return w.Link.Live(agentlink.RolePTA) })
}

func TestGatewayKeyThatNobodyPinnedIsToldApart(t *testing.T) {
	w := agenttest.Start(t)
	w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RolePTA), Directory: allow{}})
	for generation, want := range map[uint32]authn.Reason{0: authn.None, 1: authn.None, 2: authn.AgentKey} {
		keys, err := agentlink.NewGatewayKeys(w.Seed, generation)
		if err != nil {
			t.Fatal(err)
		}
		link, err := agentlink.NewLink(t.Context(), agentlink.LinkOptions{
			Conn: w.Conn, Registry: w.Registry, Keys: keys, Clock: agenttest.Clock{}, Log: w.Logger(),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.Until(t, "live by its own word alone", func() bool { return link.Live(agentlink.RolePTA) })
		ctx, cancel := context.WithTimeout(t.Context(), agenttest.Hang)
		r := link.Ask(ctx, agentlink.Question{User: "alice@corp.example.test", Secret: authn.NewSecret([]byte("x"))})
		cancel()
		link.Close()
		if r.Reason != want {
			t.Errorf("generation %d: %v, want %v: %v", generation, r.Reason, want, r.Err)
		}
	}
}

func TestReplayedRequestBindsNobody(t *testing.T) {
	w := agenttest.Start(t)
	tap, err := w.Broker.Inspect()
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	heard, err := tap.SubscribeSync("pta.*.bind")
	if err != nil {
		t.Fatal(err)
	}
	if err := tap.Flush(); err != nil {
		t.Fatal(err)
	}
	binds := make(counted, 8)
	w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RolePTA), Directory: binds})
	if r := ask(t, w, agenttest.Hang); r.Reason != authn.None {
		t.Fatalf("positive control: %v", r.Reason)
	}
	msg, err := heard.NextMsg(agenttest.Hang)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Conn.PublishRequest(msg.Subject, "gw.attacker.1", msg.Data); err != nil {
		t.Fatal(err)
	}
	w.Until(t, "the replay dropped", func() bool { return contains(w.Log.Bytes(), "came before") })
	if r := ask(t, w, agenttest.Hang); r.Reason != authn.None {
		t.Errorf("afterwards: %v", r.Reason)
	}
	if len(binds) != 2 {
		t.Errorf("%d binds, want 2", len(binds))
	}
}

type allow struct{}

func (allow) Bind(context.Context, string, authn.Secret) onprem.Verdict { return onprem.Verdict{} }

type counted chan struct{}

func (c counted) Bind(context.Context, string, authn.Secret) onprem.Verdict {
	c <- struct{}{}
	return onprem.Verdict{}
}

func TestNoTimeLeftIsATimeout(t *testing.T) {
	w := agenttest.Start(t)
	w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RolePTA), Directory: allow{}})
	for name, c := range map[string]struct {
		within time.Duration
		secret int
		want   authn.Reason
	}{
		"time":            {agenttest.Hang, 1, authn.None},
		"no time":         {-time.Second, 1, authn.AgentTimeout},
		"beyond any size": {agenttest.Hang, 1025, authn.Internal},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), c.within)
		r := w.Link.Ask(ctx, agentlink.Question{User: "alice@corp.example.test", Secret: authn.NewSecret(make([]byte, c.secret))})
		cancel()
		if r.Reason != c.want {
			t.Errorf("%s: %v, want %v: %v", name, r.Reason, c.want, r.Err)
		}
	}
}
