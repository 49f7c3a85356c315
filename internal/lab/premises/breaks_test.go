package premises

import (
	"bytes"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/lab/fault"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// broken is a fault and what a sign-in by pass-through authentication says while it is on.
type broken struct {
	name, param string
	patience    time.Duration
	whole, one  authn.Reason // everybody is hit; a single message is
}

func brokenPremises() []broken {
	long := agenttest.Hang
	return []broken{
		{"dc-down", "", long, authn.ADUnreachable, authn.ADUnreachable},
		{"dc-slow", "30s", hasty, authn.AgentTimeout, authn.AgentTimeout},
		{"agent-down", "", long, authn.NoAgent, authn.AgentError}, // cut in the middle of a request is not the same as not there
		{"agent-hang", "", hasty, authn.AgentTimeout, authn.AgentTimeout},
		{"agent-late", "", hasty, authn.AgentLate, authn.AgentLate},
		{"agent-bad-key", "", long, authn.AgentDecrypt, authn.AgentDecrypt},
		{"agent-clock-skew", "10m", long, authn.TimeSkew, authn.TimeSkew},
	}
}

func TestEachFaultBreaksItsHopAndHeals(t *testing.T) {
	t.Parallel()
	v := openWard(t, 1)
	alice := who("alice", world.PTADomain)
	for _, b := range brokenPremises() {
		t.Run(b.name, func(t *testing.T) {
			v.t = t
			v.live(1)
			v.allowed("before", alice)
			v.set(fault.Setting{Name: b.name, Param: b.param})
			if b.name == "agent-down" {
				v.live(0) // the broker hears of it a moment later
			}
			v.fails("during", b.patience, alice, b.whole)
			v.clear(b.name)
			v.heals(alice)
			v.allowed("after", who("judy", world.PTADomain))
		})
	}
}

func TestAFaultHitsWhomItIsAimedAt(t *testing.T) {
	t.Parallel()
	v := openWard(t, 1)
	alice, judy, olga, elsewhere := who("alice", world.PTADomain), who("judy", world.PTADomain), who("olga", world.PTADomain), who("alice", world.LabDomain)
	for _, b := range brokenPremises() {
		t.Run(b.name, func(t *testing.T) {
			v.t = t
			at := func(scope string) { v.set(fault.Setting{Name: b.name, Param: b.param, Scope: scope}) }
			at("user=" + alice.UPN)
			v.fails("aimed at her", b.patience, alice, b.one)
			v.live(1) // agent-down cut the connection that everybody uses
			v.allowed("aimed at somebody else", judy)
			if b.patience > hasty { // the others aim by the same means, and take their time
				at("user=" + olga.UPN) // whom the forest knows by another name
				v.fails("aimed at her", b.patience, olga, b.one)
				v.live(1)
				at("domain=" + world.PTADomain)
				v.fails("aimed at her domain", b.patience, alice, b.one)
				v.live(1)
				v.allowed("aimed at another domain", elsewhere)
			}
			v.set(fault.Setting{Name: b.name, Param: b.param, Next: 1})
			v.fails("the next one", b.patience, judy, b.one)
			v.live(1)
			v.allowed("the one after", judy)
			if v.faults.On(b.name) {
				t.Error("it is on after its last hit")
			}
		})
	}
}

func TestAFaultHitsItsShareOfTheMessages(t *testing.T) {
	t.Parallel()
	v := openWard(t, 1)
	v.set(fault.Setting{Name: "agent-bad-key", Rate: 0.5})
	alice := who("alice", world.PTADomain)
	var in, out int
	for range 64 { // that all go one way happens once in 2^63
		if v.signIn(agenttest.Hang, alice).Verdict == authn.Allowed {
			in++
		} else {
			out++
		}
	}
	if in == 0 || out == 0 {
		t.Errorf("%d were let in and %d not", in, out)
	}
}

// Who waits for what is slow is answered when it is mended, and doesn't keep its connections.
func TestMendingWhatIsSlowAnswersWhoWaits(t *testing.T) {
	t.Parallel()
	v := openWard(t, 1)
	for _, slow := range []string{"dc-slow", "agent-late"} {
		v.set(fault.Setting{Name: slow, Param: "20m"})
		out := make(chan authn.Outcome, 1)
		go func() { out <- v.signIn(agenttest.Hang, who("alice", world.PTADomain)) }()
		v.world.Until(t, "she waits", func() bool { return v.faults.Active()[0].Hits == 1 })
		v.clear(slow)
		if o := <-out; o.Verdict != authn.Allowed {
			t.Errorf("%s: %v: %v", slow, o.Reason, o.Err)
		}
	}
}

// Connections that were kept from before show no certificate, so they are hung up on.
func TestAStrangersCertificateIsMetAtOnceAndSaidToBeTheCause(t *testing.T) {
	t.Parallel()
	v := openWard(t, 1)
	alice := who("alice", world.PTADomain)
	for range 3 {
		v.allowed("before", alice)
	}
	v.set(fault.Setting{Name: "dc-tls-bad"})
	v.fails("during", agenttest.Hang, alice, authn.ADUnreachable)
	v.logged("certificate")
	v.clear("dc-tls-bad")
	v.allowed("after", alice)
	v.set(fault.Setting{Name: "dc-tls-bad", Next: 1})
	v.fails("the next handshake", agenttest.Hang, alice, authn.ADUnreachable)
	v.allowed("the one after", alice)
}

func TestAPartitionSwallowsWhatIsSentAndHeals(t *testing.T) {
	t.Parallel()
	v := openWard(t, 1)
	alice := who("alice", world.PTADomain)
	v.allowed("before", alice)
	harbourID := v.premises.Outside()
	if r := harbourID.Bind(t.Context(), alice.UPN, password()).Reason; r != authn.None {
		t.Fatalf("Harbour ID, before: %v", r)
	}
	v.set(fault.Setting{Name: "network-partition"})
	v.fails("while the agent counts as live", hasty, alice, authn.AgentTimeout, authn.NoAgent)
	v.live(0) // nothing was closed: it gives no sign of life any more
	v.fails("when it doesn't", agenttest.Hang, alice, authn.NoAgent)
	if v.premises.reader.Bind(t.Context(), alice.UPN, password()).Reason != authn.None {
		t.Error("within the premises nothing is cut off")
	}
	harbour := make(chan authn.Reason, 1)
	go func() { harbour <- harbourID.Bind(t.Context(), alice.UPN, password()).Reason }()
	v.clear("network-partition")
	if r := <-harbour; r != authn.None {
		t.Errorf("Harbour ID, whose packets were held up: %v", r)
	}
	v.heals(alice)
	v.set(fault.Setting{Name: "network-partition", Scope: "agent=agent-2"})
	v.allowed("another agent is cut off", alice)
	v.set(fault.Setting{Name: "network-partition", Next: 1})
	v.fails("one packet is lost", hasty, alice, authn.AgentTimeout)
	v.allowed("the next isn't", alice)
}

func password() authn.Secret { return authn.NewSecret([]byte(world.Password)) }

func TestOneOfTwoAgentsMayBeDown(t *testing.T) {
	t.Parallel()
	v := openWard(t, 2)
	alice := who("alice", world.PTADomain)
	for _, name := range []string{"agent-down", "agent-bad-key", "agent-clock-skew"} {
		v.set(fault.Setting{Name: name, Scope: "agent=agent-1"})
		for range 8 { // by lot, each is asked first
			v.allowed(name+" at the other", alice)
		}
		if name == "agent-down" {
			v.live(1)
		}
		v.clear(name)
		v.live(2)
	}
	v.set(fault.Setting{Name: "agent-down"})
	v.live(0) // the broker hears of it a moment later
	v.fails("both are down", agenttest.Hang, alice, authn.NoAgent)
	v.stop() // agents that are hired meanwhile are down too
	v.clear("agent-down")
	v.start(2)
	v.allowed("started anew, with the same keys", alice)
	names := map[string]bool{}
	for _, s := range v.world.Link.Agents() {
		names[s.Name] = true
	}
	if len(names) != 2 || !names["agent-1"] || !names["agent-2"] {
		t.Errorf("%v", names)
	}
}

func TestAnAgentWhoseClockIsWrongSaysSo(t *testing.T) {
	t.Parallel()
	v := openWard(t, 1)
	v.set(fault.Setting{Name: "agent-clock-skew", Param: "7m"})
	v.world.Until(t, "its sign of life shows it", func() bool {
		return v.world.Link.Agents()[0].Skew > 6*time.Minute
	})
	v.clear("agent-clock-skew")
	v.world.Until(t, "it is right again", func() bool { return v.world.Link.Agents()[0].Skew < agentlink.AliveEvery })
}

func TestAnOperatorDoesNotMendAFault(t *testing.T) {
	t.Parallel()
	v := openWard(t, 1)
	alice := who("alice", world.PTADomain)
	v.set(fault.Setting{Name: "dc-down"})
	v.premises.StopDC()
	if err := v.premises.StartDC(); err == nil {
		t.Error("the operator was not told that the fault is on")
	}
	v.fails("started while the fault is on", agenttest.Hang, alice, authn.ADUnreachable)
	v.premises.StopDC()
	v.clear("dc-down")
	v.fails("cleared while the operator has it down", agenttest.Hang, alice, authn.ADUnreachable)
	if err := v.premises.StartDC(); err != nil {
		t.Fatal(err)
	}
	v.heals(alice)
	if bytes.Contains(v.said.Bytes(), []byte("mend what was broken")) {
		t.Errorf("the lab complains:\n%s", v.said.Bytes())
	}
}

func TestALabThatEndsMendsNothingByHand(t *testing.T) {
	t.Parallel()
	v := openWard(t, 1)
	for _, b := range brokenPremises() {
		v.set(fault.Setting{Name: b.name})
	}
	v.set(fault.Setting{Name: "network-partition"})
	v.stop()
	v.close()
	v.close()
}
