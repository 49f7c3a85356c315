package agent_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/onprem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	alice = "alice@corp.example.test"
	right = "Right-Password-1!"
)

// premises is a directory with alice and the decoy, that remembers who was bound.
type premises struct {
	mu     sync.Mutex
	binds  []string
	before func(ctx context.Context) // what happens while the directory is asked
	reason authn.Reason              // when set, what it says to everybody
}

func (p *premises) Bind(ctx context.Context, upn string, password authn.Secret) onprem.Verdict {
	p.mu.Lock()
	p.binds = append(p.binds, upn)
	before := p.before
	p.mu.Unlock()
	if before != nil {
		before(ctx)
	}
	v := onprem.Verdict{Server: "ldap://dc1", Reason: p.reason}
	people := map[string]string{alice: right, agenttest.DecoyUPN: agenttest.DecoyPassword}
	if v.Reason == authn.None && people[upn] != string(password.Reveal()) {
		v.Reason, v.Code, v.Data = authn.BadPassword, 49, "52e"
	}
	return v
}

func (p *premises) bound() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.binds...)
}

func ask(t *testing.T, w *agenttest.World, within time.Duration, q agentlink.Question) agentlink.Reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return w.Link.Ask(ctx, q)
}

func question(password string) agentlink.Question {
	return agentlink.Question{User: alice, Secret: authn.NewSecret([]byte(password))}
}

// account is what an agent tells of its steps.
func account(hops []agentlink.Hop) string {
	var all []string
	for _, h := range hops {
		all = append(all, strings.TrimSpace(string(h.ID)+" "+string(h.Result)+" "+h.Facts[authn.FactReason]))
	}
	return strings.Join(all, ", ")
}

func TestDirectoryDecides(t *testing.T) {
	w := agenttest.Start(t)
	dir := &premises{}
	a := w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RolePTA), Directory: dir, Version: "v1"})

	yes := ask(t, w, agenttest.Hang, question(right))
	if yes.Reason != authn.None || !yes.Answer.Bound || yes.AgentID != a.AgentID || yes.Err != nil {
		t.Errorf("right password: %+v", yes)
	}
	no := ask(t, w, agenttest.Hang, question("wrong"))
	if no.Reason != authn.BadPassword || no.Answer.Data != "52e" || no.Answer.Code != 49 || no.Answer.Server != "ldap://dc1" {
		t.Errorf("wrong password: %+v", no)
	}
	if got := w.Count(agentlink.Answered); got != 2 {
		t.Errorf("%d answers were counted, want 2", got)
	}
	if s := w.Link.Agents(); len(s) != 1 || s[0].Version != "v1" || s[0].InFlight != 0 || s[0].LastSeen.IsZero() {
		t.Errorf("states: %+v", s)
	}
	var ids []string
	for _, h := range yes.Answer.Steps {
		ids = append(ids, string(h.ID))
	}
	if got := strings.Join(ids, " "); got != "P5 P6 P7 P8" {
		t.Errorf("the agent's evidence is %s", got)
	}
}

func TestDecoyBindsItsOwnAccount(t *testing.T) {
	w := agenttest.Start(t)
	dir := &premises{}
	w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RolePTA), Directory: dir})
	r := ask(t, w, agenttest.Hang, agentlink.Question{User: "stranger@corp.example.test", Secret: authn.NewSecret([]byte("typed")), Decoy: true})
	if r.Reason != authn.UnknownUser || !r.Answer.Bound {
		t.Errorf("decoy: %+v", r)
	}
	if got := account(r.Answer.Steps); got != "P5 ok, P6 ok, P7 skipped, P8 ok" { // what it said of the decoy decides nothing
		t.Errorf("the agent's account: %s", got)
	}
	if got := dir.bound(); len(got) != 1 || got[0] != agenttest.DecoyUPN {
		t.Errorf("the directory saw %v, want the decoy account alone", got)
	}
	dir.reason = authn.ADUnreachable
	if r := ask(t, w, agenttest.Hang, agentlink.Question{User: "stranger@corp.example.test", Decoy: true}); r.Reason != authn.ADUnreachable {
		t.Errorf("decoy while the directory is down: %v, want what everybody gets", r.Reason)
	}
}

func TestNobodyLiveIsNoAgent(t *testing.T) {
	w := agenttest.Start(t)
	if r := ask(t, w, agenttest.Hang, question(right)); r.Reason != authn.NoAgent || r.Err == nil {
		t.Errorf("nobody enrolled: %+v", r)
	}
	a := w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RolePTA), Directory: &premises{}})
	if r := ask(t, w, agenttest.Hang, question(right)); r.Reason != authn.None {
		t.Errorf("one live: %+v", r)
	}
	a.Stop()
	if r := ask(t, w, agenttest.Hang, question(right)); r.Reason != authn.NoAgent {
		t.Errorf("after it left: %v", r.Reason)
	}
}

func TestSyncingAgentIsNotAskedForPasswords(t *testing.T) {
	w := agenttest.Start(t)
	w.Run(t, agent.Options{Identity: w.Enrol(t, "sync only", agentlink.RoleSync), Directory: &premises{}})
	if r := ask(t, w, agenttest.Hang, question(right)); r.Reason != authn.NoAgent {
		t.Errorf("an agent without the role was asked: %+v", r)
	}
}

func TestRevokedAgentIsCutOffAtOnce(t *testing.T) {
	w := agenttest.Start(t)
	a := w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RolePTA), Directory: &premises{}})
	b := w.Run(t, agent.Options{Identity: w.Enrol(t, "two", agentlink.RolePTA), Directory: &premises{}})
	w.Registry.Revoke(a.AgentID)
	w.Broker.Disconnect(a.AgentID)
	if err := w.Link.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Until(t, "the revoked agent refused when it comes back", func() bool {
		return strings.Contains(string(w.Log.Bytes()), "unknown or revoked was refused")
	})
	for range 8 {
		if r := ask(t, w, agenttest.Hang, question(right)); r.Reason != authn.None || r.AgentID != b.AgentID {
			t.Fatalf("asked %s: %v", r.AgentName, r.Reason)
		}
	}
}

func TestHandedOverWhenAnAgentDoesNotBegin(t *testing.T) {
	w := agenttest.Start(t)
	deaf := w.Enrol(t, "deaf", agentlink.RolePTA)
	stop := pretendLive(t, w, deaf)
	defer stop()
	dir := &premises{}
	w.Run(t, agent.Options{Identity: w.Enrol(t, "works", agentlink.RolePTA), Directory: dir})
	for w.Count(agentlink.HandedOver) == 0 { // by lot, the deaf one is asked first sooner or later
		r := ask(t, w, 4*time.Second, question(right))
		if r.Reason != authn.None || r.AgentName != "works" {
			t.Fatalf("%+v", r)
		}
		if len(r.Tries) == 2 && (r.Tries[0].AgentName != "deaf" || r.Tries[0].Reason != authn.AgentTimeout) {
			t.Errorf("tries: %+v", r.Tries)
		}
	}
}

// cutOff is a directory that nobody reaches.
type cutOff struct{}

func (cutOff) Bind(context.Context, string, authn.Secret) onprem.Verdict {
	return onprem.Verdict{Reason: authn.ADUnreachable, Unasked: true}
}

func TestHandedOverWhenAnAgentsDirectoryCannotBeReached(t *testing.T) {
	w := agenttest.Start(t)
	w.Run(t, agent.Options{Identity: w.Enrol(t, "cut off", agentlink.RolePTA), Directory: cutOff{}})
	if r := ask(t, w, agenttest.Hang, question(right)); r.Reason != authn.ADUnreachable {
		t.Errorf("alone: %v, want ad_unreachable", r.Reason)
	}
	w.Run(t, agent.Options{Identity: w.Enrol(t, "works", agentlink.RolePTA), Directory: &premises{}})
	for w.Count(agentlink.HandedOver) == 0 { // by lot, the one that is cut off is asked first sooner or later
		if r := ask(t, w, agenttest.Hang, question(right)); r.Reason != authn.None || r.AgentName != "works" {
			t.Fatalf("%v by %s: %v", r.Reason, r.AgentName, r.Err)
		}
	}
}

// hung is a directory that takes a password and doesn't answer before it is released.
func hung() (dir *premises, taken chan struct{}, release func()) {
	taken, over := make(chan struct{}, 64), make(chan struct{})
	return &premises{before: func(ctx context.Context) {
		taken <- struct{}{}
		select {
		case <-ctx.Done():
		case <-over:
		}
	}}, taken, func() { close(over) }
}

// askUntil asks until the lot has fallen on the agent whose directory says taken, and returns the reply of that question.
func askUntil(t *testing.T, w *agenttest.World, within time.Duration, taken <-chan struct{}, then func()) agentlink.Reply {
	t.Helper()
	reply := make(chan agentlink.Reply, 1)
	for {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), within)
			defer cancel()
			reply <- w.Link.Ask(ctx, question(right))
		}()
		select {
		case <-taken:
			then()
			return <-reply
		case r := <-reply:
			if r.Reason != authn.None {
				t.Fatalf("the other agent: %+v", r)
			}
		}
	}
}

func TestNeverHandedOverForSlownessAfterBinding(t *testing.T) {
	w := agenttest.Start(t)
	slow, taken, release := hung()
	defer release()
	slow.reason = authn.AgentTimeout // what onprem says when its context ends
	w.Run(t, agent.Options{Identity: w.Enrol(t, "slow", agentlink.RolePTA), Directory: slow})
	w.Run(t, agent.Options{Identity: w.Enrol(t, "idle", agentlink.RolePTA), Directory: &premises{}})
	r := askUntil(t, w, 4*time.Second, taken, func() {})
	if r.Reason != authn.AgentTimeout || r.AgentName != "slow" || len(r.Tries) != 1 {
		t.Errorf("%v by %s after %d tries, want agent_timeout after one", r.Reason, r.AgentName, len(r.Tries))
	}
	if got := len(slow.bound()); got != 1 {
		t.Errorf("the slow agent bound %d times, want once", got)
	}
}

func TestAgentSaysThatItsDirectoryHangs(t *testing.T) {
	w := agenttest.Start(t)
	dir, _, release := hung()
	defer release()
	dir.reason = authn.AgentTimeout
	w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RolePTA), Directory: dir})
	r := ask(t, w, 2*time.Second, question(right))
	if got := account(r.Answer.Steps); r.Reason != authn.AgentTimeout || !r.Answer.Bound || got != "P5 ok, P6 refused agent_timeout, P8 ok" {
		t.Errorf("%s of %+v, want the agent's own account of it, and no answer of the directory in it", got, r)
	}
}

func TestAgentDeadMidRequestIsUnavailableBeforeTheDeadline(t *testing.T) {
	w := agenttest.Start(t)
	dir, taken, release := hung()
	defer release()
	only := w.Enrol(t, "only", agentlink.RolePTA)
	w.Run(t, agent.Options{Identity: only, Directory: dir})
	r := askUntil(t, w, 2*agenttest.Hang, taken, func() { w.Broker.Disconnect(only.AgentID) })
	if r.Reason != authn.AgentError || r.Err == nil || !strings.Contains(r.Err.Error(), "gone") {
		t.Errorf("%v: %v, want agent_error because the connection is gone", r.Reason, r.Err)
	}
}

func TestAnotherAgentTakesOverFromADeadOne(t *testing.T) {
	w := agenttest.Start(t)
	dir, taken, release := hung()
	defer release()
	first := w.Enrol(t, "first", agentlink.RolePTA)
	w.Run(t, agent.Options{Identity: first, Directory: dir})
	w.Run(t, agent.Options{Identity: w.Enrol(t, "second", agentlink.RolePTA), Directory: &premises{}})
	r := askUntil(t, w, 2*agenttest.Hang, taken, func() { w.Broker.Disconnect(first.AgentID) })
	if r.Reason != authn.None || r.AgentName != "second" || len(r.Tries) != 2 {
		t.Errorf("%+v", r)
	}
}

func TestClocksThatDifferAreToldApart(t *testing.T) {
	w := agenttest.Start(t)
	dir := &premises{}
	for name, c := range map[string]struct {
		ahead time.Duration
		want  authn.Reason
	}{
		"right":            {0, authn.None},
		"an hour ahead":    {time.Hour, authn.TimeSkew},
		"a minute behind":  {-time.Minute, authn.TimeSkew},
		"past the request": {12 * time.Second, authn.AgentLate},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.Run(t, agent.Options{Identity: w.Enrol(t, name, agentlink.RolePTA), Directory: dir, Clock: ahead(c.ahead)})
			defer a.Stop()
			if r := ask(t, w, 10*time.Second, question(right)); r.Reason != c.want {
				t.Errorf("%v, want %v: %v", r.Reason, c.want, r.Err)
			}
		})
	}
	if got := len(dir.bound()); got != 1 {
		t.Errorf("the directory was asked %d times, want once", got)
	}
}

type ahead time.Duration

func (a ahead) Now() time.Time { return time.Now().Add(time.Duration(a)) }

func TestTooManyAtOnceWaitAndFarTooManyFail(t *testing.T) {
	w := agenttest.Start(t)
	dir, taken, release := hung()
	w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RolePTA), Directory: dir, AtOnce: 1})
	const held, beyond = 16, 4
	replies := make(chan agentlink.Reply, held+beyond)
	for range held + beyond {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), agenttest.Hang)
			defer cancel()
			replies <- w.Link.Ask(ctx, question(right))
		}()
	}
	<-taken
	for range beyond { // while the first is still being tried
		if r := <-replies; r.Reason != authn.AgentError {
			t.Errorf("beyond all room: %v, want agent_error", r.Reason)
		}
	}
	if n := len(dir.bound()); n != 1 {
		t.Errorf("%d binds at the same time, want one", n)
	}
	release()
	for range held {
		if r := <-replies; r.Reason != authn.None {
			t.Errorf("after waiting: %v: %v", r.Reason, r.Err)
		}
	}
}

func TestRequestThatWaitsTooLongBindsNobody(t *testing.T) {
	w := agenttest.Start(t)
	dir, taken, release := hung()
	w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RolePTA), Directory: dir, AtOnce: 1})
	first := make(chan agentlink.Reply, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), agenttest.Hang)
		defer cancel()
		first <- w.Link.Ask(ctx, question(right))
	}()
	<-taken
	if r := ask(t, w, 2*time.Second, question(right)); r.Reason != authn.AgentLate || r.Answer.Bound {
		t.Errorf("while another is tried: %v, want agent_late before the deadline", r.Reason)
	}
	release()
	if r := <-first; r.Reason != authn.None {
		t.Errorf("the first: %v", r.Reason)
	}
	if r := ask(t, w, agenttest.Hang, question(right)); r.Reason != authn.None {
		t.Errorf("afterwards: %v", r.Reason)
	}
	if n := len(dir.bound()); n != 2 {
		t.Errorf("%d binds, want 2: nobody waits for the one that came too late", n)
	}
}

func TestStoppedAgentFinishesWhatItBegan(t *testing.T) {
	w := agenttest.Start(t)
	release := make(chan struct{})
	inside := make(chan struct{}, 1)
	dir := &premises{before: func(context.Context) {
		inside <- struct{}{}
		<-release
	}}
	a := w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RolePTA), Directory: dir})
	reply := make(chan agentlink.Reply, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), agenttest.Hang)
		defer cancel()
		reply <- w.Link.Ask(ctx, question(right))
	}()
	<-inside
	stopped := make(chan struct{})
	go func() {
		a.Stop()
		close(stopped)
	}()
	w.Until(t, "the agent said goodbye", func() bool { return !w.Link.Live(agentlink.RolePTA) })
	close(release)
	if r := <-reply; r.Reason != authn.None {
		t.Errorf("%+v", r)
	}
	<-stopped
}

func TestPasswordIsNowhereInClear(t *testing.T) {
	w := agenttest.Start(t)
	tap := w.Tap(t)
	w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RolePTA), Directory: &premises{}})
	const canary = "Canary-Pässword-93!"
	for _, decoy := range []bool{false, true} {
		r := ask(t, w, agenttest.Hang, agentlink.Question{User: alice, Secret: authn.NewSecret([]byte(canary)), Decoy: decoy})
		if r.Reason.Verdict() != authn.Denied {
			t.Fatalf("decoy %t: %v", decoy, r.Reason)
		}
	}
	w.Until(t, "the tap heard both answers", func() bool { return strings.Count(string(tap.Bytes()), `"reason":"`) >= 2 })
	if !strings.Contains(string(tap.Bytes()), alice) {
		t.Fatal("the tap hears nothing: the test would prove nothing")
	}
	for name, data := range map[string][]byte{"broker": tap.Bytes(), "log": w.Log.Bytes()} {
		for _, secret := range []string{canary, agenttest.DecoyPassword} {
			for _, form := range authntest.Leaks(data, secret) {
				t.Errorf("%s shows a password: %s", name, form)
			}
		}
	}
}
