package pta_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/onprem"
	"github.com/fourways-id/fourways/providers/pta"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "Spring-2025!"

func alice() authn.Account {
	return authn.Account{ID: "a1", UPN: "alice@pta.example.test", OnpremUPN: "alice@corp.example.test", Synced: true}
}

func realm() authn.Realm { return authn.Realm{Domain: "pta.example.test", Path: authn.PathPTA} }

// premises knows alice by her on-premises name, and the decoy account.
type premises struct{}

func (premises) Bind(_ context.Context, upn string, p authn.Secret) onprem.Verdict {
	people := map[string]string{"alice@corp.example.test": password, agenttest.DecoyUPN: agenttest.DecoyPassword}
	if people[upn] == "" || people[upn] != string(p.Reveal()) {
		return onprem.Verdict{Reason: authn.BadPassword, Code: 49, Data: "52e", Server: "ldap://dc1"}
	}
	return onprem.Verdict{Server: "ldap://dc1"}
}

func TestPromisesOverARealLink(t *testing.T) {
	w := agenttest.Start(t)
	w.Run(t, agent.Options{Identity: w.Enrol(t, "one", agentlink.RolePTA), Directory: premises{}})
	authntest.TestProvider(t, authntest.Harness{
		Provider: pta.New(w.Link, agenttest.Clock{}, pta.Options{}), Account: alice(), Realm: realm(), Password: password,
	})
}

func attempt(a authn.Account, typed, secret string) authn.Attempt {
	return authn.Attempt{
		ID: "00000000-0000-4000-8000-000000000001", Who: authn.ParseIdentifier(typed), Account: a, Realm: realm(),
		Answer: authn.Password{Secret: authn.NewSecret([]byte(secret))},
	}
}

func TestEvidenceTellsWhoHeldThePassword(t *testing.T) {
	w := agenttest.Start(t)
	w.Run(t, agent.Options{Identity: w.Enrol(t, "agent-1", agentlink.RolePTA), Directory: premises{}})
	p := pta.New(w.Link, agenttest.Clock{}, pta.Options{})
	for _, c := range []struct {
		name, secret string
		account      authn.Account
		want         string
	}{
		{"right", password, alice(), "P1 P2 P3 P4 P5 P6 P7 P8 P9; gateway=clear queue=none agent=none directory=none"},
		{"wrong", "wrong", alice(), "P1 P2 P3 P4 P5 P6 P7 P8 P9; gateway=clear queue=none agent=none directory=none"},
		{"nobody", password, authn.Account{}, "P1 P2 P3 P4 P5 P6 P7 P8 P9; gateway=clear queue=none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := p.Step(t.Context(), attempt(c.account, "alice@pta.example.test", c.secret))
			if got := story(out.Steps); got != c.want {
				t.Errorf("got  %s\nwant %s\n%v", got, c.want, out)
			}
			for i := 1; i < len(out.Steps); i++ {
				if out.Steps[i].At.Before(out.Steps[i-1].At) || out.Steps[i].Took < 0 {
					t.Errorf("%s comes before %s", out.Steps[i].ID, out.Steps[i-1].ID)
				}
			}
			if c.account.Exists() {
				if held := out.Steps[3].Held[authn.Queue]; held != authn.SealedFor("agent-1") {
					t.Errorf("at P4 the queue holds %q", held)
				}
				if held := out.Steps[4].Held[authn.Agent]; held != authn.FormClear {
					t.Errorf("at P5 the agent holds %q", held)
				}
			}
		})
	}
}

// story is the steps, then who holds what at the end.
func story(steps []authn.Step) string {
	var ids, held []string
	forms := map[authn.Lane]authn.Form{}
	for _, s := range steps {
		ids = append(ids, string(s.ID))
		for lane, form := range s.Held {
			forms[lane] = form
		}
	}
	for _, lane := range []authn.Lane{authn.Gateway, authn.Queue, authn.Agent, authn.OnpremDir} {
		if f, ok := forms[lane]; ok {
			held = append(held, string(lane)+"="+string(f))
		}
	}
	return strings.Join(ids, " ") + "; " + strings.Join(held, " ")
}

// canned answers every question in one way, and remembers the last.
type canned struct {
	reply agentlink.Reply
	asked agentlink.Question
}

func (c *canned) Ask(_ context.Context, q agentlink.Question) agentlink.Reply {
	c.asked = q
	return c.reply
}

func reply(r authn.Reason, bound bool, hops ...agentlink.Hop) agentlink.Reply {
	now := time.Now()
	return agentlink.Reply{
		Reason: r, AgentID: "id", AgentName: "agent-1", Answered: now.Add(10 * time.Millisecond), Err: errors.New("cause"),
		Answer: agentlink.Answer{Request: "r", Bound: bound, Reason: r.String(), Steps: hops},
		Tries:  []agentlink.Try{{Request: "r", AgentName: "agent-1", Chosen: now, Sealed: now, Sent: now}},
	}
}

func TestEveryReasonKeepsItsVerdict(t *testing.T) {
	for _, r := range authn.Reasons() {
		known := pta.New(&canned{reply: reply(r, true)}, agenttest.Clock{}, pta.Options{}).Step(t.Context(), attempt(alice(), "alice@pta.example.test", password))
		nobody := pta.New(&canned{reply: reply(r, true)}, agenttest.Clock{}, pta.Options{}).Step(t.Context(), attempt(authn.Account{}, "no@pta.example.test", password))
		wantKnown, wantNobody := fmt.Sprint(r.Verdict(), " ", r), fmt.Sprint(r.Verdict(), " ", r)
		switch {
		case r == authn.None:
			wantKnown, wantNobody = "allowed none", "unavailable agent_bad_response"
		case !r.On(authn.PathPTA):
			wantKnown, wantNobody = "unavailable agent_bad_response", "unavailable agent_bad_response"
		case r.Verdict() == authn.Denied:
			wantNobody = "denied unknown_user"
		}
		if got := fmt.Sprint(known.Verdict, " ", known.Reason); got != wantKnown {
			t.Errorf("%s: a known person gets %s, want %s", r, got, wantKnown)
		}
		if got := fmt.Sprint(nobody.Verdict, " ", nobody.Reason); got != wantNobody {
			t.Errorf("%s: a stranger gets %s, want %s", r, got, wantNobody)
		}
	}
}

func TestYesWithoutABindLetsNobodyIn(t *testing.T) {
	out := pta.New(&canned{reply: reply(authn.None, false)}, agenttest.Clock{}, pta.Options{}).Step(t.Context(), attempt(alice(), "alice@pta.example.test", password))
	if out.Verdict != authn.Unavailable || out.Reason != authn.AgentBadResponse {
		t.Errorf("%v %v", out.Verdict, out.Reason)
	}
}

func TestDirectoryThatWasSentNothingHoldsNothing(t *testing.T) {
	hops := []agentlink.Hop{{ID: authn.P5, Result: authn.StepOK}, {ID: authn.P6, Result: authn.StepRefused}, {ID: authn.P8, Result: authn.StepOK}}
	for sent, want := range map[bool]authn.Form{true: authn.FormClear, false: ""} {
		out := pta.New(&canned{reply: reply(authn.ADUnreachable, sent, hops...)}, agenttest.Clock{}, pta.Options{}).Step(t.Context(), attempt(alice(), "alice@pta.example.test", password))
		i := slices.IndexFunc(out.Steps, func(s authn.Step) bool { return s.ID == authn.P6 })
		if i < 0 || out.Steps[i].Held[authn.OnpremDir] != want {
			t.Errorf("sent %t: %+v, want the directory to hold %q", sent, out.Steps, want)
		}
	}
}

func TestEveryEndIsAtAStepThatIsThere(t *testing.T) {
	unsealed := reply(authn.AgentKey, false)
	unsealed.Answer, unsealed.Tries[0].Sealed, unsealed.Tries[0].Sent = agentlink.Answer{}, time.Time{}, time.Time{}
	silent := reply(authn.AgentTimeout, false)
	silent.Answer = agentlink.Answer{}
	opened, hung := agentlink.Hop{ID: authn.P5, Result: authn.StepOK}, agentlink.Hop{ID: authn.P6, Result: authn.StepRefused}
	for name, c := range map[string]struct {
		reply agentlink.Reply
		want  string
	}{
		"no key to seal to":       {unsealed, "P3 of P1 P2 P3; gateway=clear"},
		"no answer":               {silent, "P4 of P1 P2 P3 P4; gateway=clear queue=sealed:agent-1"},
		"no room at the agent":    {reply(authn.AgentError, false), "P4 of P1 P2 P3 P4 P9; gateway=clear queue=none"},
		"the directory hangs":     {reply(authn.AgentTimeout, true, opened, hung), "P6 of P1 P2 P3 P4 P5 P6 P9; gateway=clear queue=none agent=clear directory=clear"},
		"the directory said busy": {reply(authn.ADUnreachable, true, opened, agentlink.Hop{ID: authn.P6, Result: authn.StepOK}, agentlink.Hop{ID: authn.P7, Result: authn.StepRefused}), "P7 of P1 P2 P3 P4 P5 P6 P7 P9; gateway=clear queue=none agent=clear directory=none"},
	} {
		out := pta.New(&canned{reply: c.reply}, agenttest.Clock{}, pta.Options{}).Step(t.Context(), attempt(alice(), "alice@pta.example.test", password))
		if got := string(out.Check) + " of " + story(out.Steps); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestNothingIsSealedForNobody(t *testing.T) {
	p := pta.New(&canned{reply: reply(authn.UnknownUser, true)}, agenttest.Clock{}, pta.Options{})
	for account, want := range map[authn.AccountID]authn.StepResult{"": authn.StepSkipped, "a1": authn.StepOK} {
		out := p.Step(t.Context(), attempt(authn.Account{ID: account}, "no@pta.example.test", password))
		if s := out.Steps[2]; s.ID != authn.P3 || s.Result != want {
			t.Errorf("account %q: %+v, want P3 %s", account, s, want)
		}
	}
}

func TestNameThatIsAsked(t *testing.T) {
	c := &canned{reply: reply(authn.BadPassword, true)}
	p := pta.New(c, agenttest.Clock{}, pta.Options{})
	plain := alice()
	plain.OnpremUPN = ""
	for _, x := range []struct {
		account     authn.Account
		typed, want string
		decoy       bool
	}{
		{alice(), "alice@pta.example.test", "alice@corp.example.test", false},
		{plain, "alice@pta.example.test", "alice@pta.example.test", false},
		{authn.Account{}, "Nobody@PTA.example.test", "nobody@pta.example.test", true},
		{authn.Account{}, "nö@pta.example.test", "nobody", true},
	} {
		p.Step(t.Context(), attempt(x.account, x.typed, password))
		if c.asked.User != x.want || c.asked.Decoy != x.decoy {
			t.Errorf("%s: asked for %q, decoy %t", x.typed, c.asked.User, c.asked.Decoy)
		}
	}
}

func TestAgentCannotWriteItsOwnHistory(t *testing.T) {
	lie := []agentlink.Hop{
		{ID: authn.C9, Took: time.Second},
		{ID: authn.P6, Result: "excellent", After: -time.Hour, Took: 365 * 24 * time.Hour, Facts: map[authn.Fact]string{authn.FactServer: "dc1", "password": "x", authn.FactAgent: "somebody else"}},
		{ID: authn.P5},
		{ID: authn.P6},
		{ID: authn.P9},
		{ID: "P99"},
	}
	r := reply(authn.BadPassword, true, lie...)
	out := pta.New(&canned{reply: r}, agenttest.Clock{}, pta.Options{}).Step(t.Context(), attempt(alice(), "alice@pta.example.test", password))
	if got := story(out.Steps); !strings.HasPrefix(got, "P1 P2 P3 P4 P6 P9;") {
		t.Errorf("taken over: %s", got)
	}
	p6 := out.Steps[4]
	if p6.At.Before(r.Tries[0].Sent) || p6.At.Add(p6.Took).After(r.Answered) || p6.Result != authn.StepRefused {
		t.Errorf("P6: %+v", p6)
	}
	if len(p6.Facts) != 2 || p6.Facts[authn.FactServer] != "dc1" || p6.Facts[authn.FactAgent] != "agent-1" {
		t.Errorf("facts: %v", p6.Facts)
	}
}

func TestAgentStepsStayBetweenTheGatewaysOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var hops []agentlink.Hop
		for range rapid.IntRange(0, 6).Draw(t, "hops") {
			hops = append(hops, agentlink.Hop{
				ID:    rapid.SampledFrom(authn.StepIDs()).Draw(t, "id"),
				After: time.Duration(rapid.Int64().Draw(t, "after")), Took: time.Duration(rapid.Int64().Draw(t, "took")),
			})
		}
		r := reply(authn.BadPassword, true, hops...)
		out := pta.New(&canned{reply: r}, agenttest.Clock{}, pta.Options{}).Step(context.Background(), attempt(alice(), "alice@pta.example.test", password))
		for _, s := range out.Steps {
			if !slices.Contains([]authn.StepID{authn.P5, authn.P6, authn.P7, authn.P8}, s.ID) {
				continue
			}
			if s.At.Before(r.Tries[0].Sent) || s.Took < 0 || s.At.Add(s.Took).After(r.Answered) {
				t.Fatalf("%s at %s for %s lies outside", s.ID, s.At, s.Took)
			}
		}
	})
}

func TestHandOverIsInTheEvidence(t *testing.T) {
	r := reply(authn.BadPassword, true)
	first := r.Tries[0]
	first.AgentName, first.Reason = "agent-0", authn.AgentTimeout
	r.Tries = append([]agentlink.Try{first}, r.Tries...)
	out := pta.New(&canned{reply: r}, agenttest.Clock{}, pta.Options{}).Step(t.Context(), attempt(alice(), "alice@pta.example.test", password))
	if got := story(out.Steps); !strings.HasPrefix(got, "P1 P2 P3 P4 P2 P3 P4 P9;") {
		t.Errorf("%s", got)
	}
	if s := out.Steps[1]; s.Result != authn.StepRefused || s.Facts[authn.FactReason] != "agent_timeout" || s.Facts[authn.FactAgent] != "agent-0" {
		t.Errorf("the first try: %+v", s)
	}
}

func TestAgentThatGaveUpTellsWhatItHeld(t *testing.T) {
	r := reply(authn.BadPassword, true)
	first := r.Tries[0]
	first.AgentName, first.Reason, first.Answered = "agent-0", authn.ADUnreachable, first.Sent.Add(time.Millisecond)
	first.Answer = agentlink.Answer{Request: "r", Steps: []agentlink.Hop{{ID: authn.P5, Result: authn.StepOK}, {ID: authn.P6, Result: authn.StepRefused}, {ID: authn.P8, Result: authn.StepOK}}}
	r.Tries = append([]agentlink.Try{first}, r.Tries...)
	out := pta.New(&canned{reply: r}, agenttest.Clock{}, pta.Options{}).Step(t.Context(), attempt(alice(), "alice@pta.example.test", password))
	if got := story(out.Steps); !strings.HasPrefix(got, "P1 P2 P3 P4 P5 P6 P8 P2 P3 P4 P9;") {
		t.Errorf("%s", got)
	}
	if s := out.Steps[4]; s.Held[authn.Agent] != authn.FormClear || s.Facts[authn.FactAgent] != "agent-0" {
		t.Errorf("the agent that gave up: %+v", s)
	}
}

func TestEvidenceIsToldByOneClock(t *testing.T) {
	clock := authntest.NewClock(time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)) // the lab's policy time is elsewhere
	r := reply(authn.BadPassword, true, agentlink.Hop{ID: authn.P5, Took: time.Millisecond})
	out := pta.New(&canned{reply: r}, clock, pta.Options{}).Step(t.Context(), attempt(alice(), "alice@pta.example.test", password))
	for _, s := range out.Steps {
		if clock.Now().Sub(s.At).Abs() > time.Minute {
			t.Errorf("%s at %s", s.ID, s.At)
		}
	}
}

// nobodyAsks fails the test when it is asked.
type nobodyAsks struct{ t *testing.T }

func (n nobodyAsks) Ask(_ context.Context, q agentlink.Question) agentlink.Reply {
	n.t.Errorf("an agent was asked about %s", q.User)
	return agentlink.Reply{Reason: authn.AgentError}
}

func TestPasswordThatADirectoryCouldTakeForNoneReachesNobody(t *testing.T) {
	p := pta.New(nobodyAsks{t}, agenttest.Clock{}, pta.Options{})
	for _, secret := range []string{"", "\x00", "\x00" + password, password + "\x00"} {
		for _, account := range []authn.Account{alice(), {}} {
			out := p.Step(t.Context(), attempt(account, "alice@pta.example.test", secret))
			if out.Verdict != authn.Denied || out.Reason != authn.BadPassword {
				t.Errorf("%q: %v", secret, out)
			}
		}
	}
}
