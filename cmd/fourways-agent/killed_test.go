//go:build unix

package main

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/onprem"
)

// asProgram makes the test's own binary the program, so that there is a process to kill.
const asProgram = "RUN_AS_THE_AGENT"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// gate stands before the domain controller, and holds back what agents send while it is shut.
type gate struct {
	to   string
	held chan struct{} // one for everything held back
	mu   sync.Mutex
	open chan struct{} // closed while the gate is open
}

func newGate(t *testing.T, to string) (g *gate, addr string) {
	t.Helper()
	g = &gate{to: to, held: make(chan struct{}, 1024), open: make(chan struct{})}
	close(g.open)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go g.serve(c)
		}
	}()
	return g, l.Addr().String()
}

func (g *gate) serve(c net.Conn) {
	defer c.Close()
	s, err := net.Dial("tcp", g.to)
	if err != nil {
		return
	}
	defer s.Close()
	go func() { _, _ = io.Copy(c, s); _ = c.Close() }()
	b := make([]byte, 64<<10)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		g.mu.Lock()
		open := g.open
		g.mu.Unlock()
		select {
		case <-open:
		default:
			g.held <- struct{}{}
			<-open
		}
		if _, err := s.Write(b[:n]); err != nil {
			return
		}
	}
}

func (g *gate) shut() (reopen func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	shut := make(chan struct{})
	g.open = shut
	return sync.OnceFunc(func() { close(shut) })
}

// enrolled is a premises with an agent enrolled, and a gate before its directory.
func enrolled(t *testing.T) (*premises, *gate) {
	t.Helper()
	p := setUp(t)
	text, err := os.ReadFile(p.path("agent.toml"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), `"ldap://`)
	dc, _, _ := strings.Cut(rest, `"`)
	g, addr := newGate(t, dc)
	p.write(t, "agent.toml", strings.Replace(string(text), dc, addr, 1))
	p.world.Registry.Invite(agentlink.TokenHash(p.token), "agent-1", agentlink.RolePTA)
	code, out := p.agent(t, p.token, "enrol", "--token-stdin")
	expect(t, code, 0, out)
	return p, g
}

// process runs the agent as a program of its own, until the test ends.
func (p *premises) process(t *testing.T) *os.Process {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-c", p.path("agent.toml"), "run")
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stderr = p.world.Log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	p.world.Until(t, "the program live", func() bool { return p.world.Link.Live(agentlink.RolePTA) })
	return cmd.Process
}

// freeze stops the program, and returns once it stands still: a signal is under way for a while, and meanwhile an agent
// takes requests up.
func freeze(t *testing.T, program *os.Process) {
	t.Helper()
	if err := program.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(program.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("the program did not stop: %v %v", status, err)
	}
}

func (p *premises) ask(within time.Duration) agentlink.Reply {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return p.world.Link.Ask(ctx, agentlink.Question{User: "alice@corp.example.test", Secret: authn.NewSecret([]byte(alicePassword))})
}

// askMany asks n times at once and hands the replies over as they come.
func (p *premises) askMany(n int, within time.Duration) <-chan agentlink.Reply {
	replies := make(chan agentlink.Reply, n)
	for range n {
		go func() { replies <- p.ask(within) }()
	}
	return replies
}

const inFlight = 40

func TestKilledAgentLeavesNobodyWaiting(t *testing.T) {
	p, g := enrolled(t)
	program := p.process(t)
	if r := p.ask(agenttest.Hang); r.Reason != authn.None {
		t.Fatalf("positive control: %v: %v", r.Reason, r.Err)
	}
	reopen := g.shut()
	defer reopen()
	replies := p.askMany(inFlight, 10*agenttest.Hang)
	for range 8 {
		<-g.held
	}
	if err := program.Kill(); err != nil {
		t.Fatal(err)
	}
	for range inFlight {
		select {
		case r := <-replies:
			if r.Reason != authn.AgentError && r.Reason != authn.NoAgent || r.Err == nil {
				t.Errorf("%v: %v, want agent_error or no_agent", r.Reason, r.Err)
			}
		case <-time.After(agenttest.Hang):
			t.Fatal("somebody waits for an agent that is dead")
		}
	}
}

func TestKilledAgentIsReplacedByAnother(t *testing.T) {
	p, g := enrolled(t)
	program := p.process(t)
	p.world.Run(t, agent.Options{Identity: p.world.Enrol(t, "agent-2", agentlink.RolePTA), Directory: says(authn.None)})
	reopen := g.shut()
	defer reopen()
	replies := p.askMany(inFlight, 10*agenttest.Hang)
	<-g.held
	if err := program.Kill(); err != nil {
		t.Fatal(err)
	}
	for range inFlight {
		select {
		case r := <-replies:
			if r.Reason != authn.None || r.AgentName != "agent-2" {
				t.Errorf("%v by %s: %v", r.Reason, r.AgentName, r.Err)
			}
		case <-time.After(agenttest.Hang):
			t.Fatal("somebody waits for an agent that is dead")
		}
	}
}

type says authn.Reason

func (s says) Bind(context.Context, string, authn.Secret) onprem.Verdict {
	return onprem.Verdict{Reason: authn.Reason(s)}
}

func TestStoppedAgentIsReplacedByAnother(t *testing.T) {
	p, _ := enrolled(t)
	program := p.process(t)
	p.world.Run(t, agent.Options{Identity: p.world.Enrol(t, "agent-2", agentlink.RolePTA), Directory: says(authn.None)})
	freeze(t, program)
	replies := p.askMany(5*inFlight, 4*time.Second)
	for range 5 * inFlight {
		if r := <-replies; r.Reason != authn.None || r.AgentName != "agent-2" {
			t.Errorf("%v by %s: %v", r.Reason, r.AgentName, r.Err)
		}
	}
	if p.world.Count(agentlink.HandedOver) == 0 {
		t.Error("nothing was handed over: the test proves nothing")
	}
}

func TestStoppedAgentTimesOutAndBindsNobodyLater(t *testing.T) {
	p, g := enrolled(t)
	program := p.process(t)
	freeze(t, program)
	reopen := g.shut() // whatever the agent binds from here on is seen
	defer reopen()
	replies := p.askMany(inFlight, time.Second)
	for range inFlight {
		if r := <-replies; r.Reason != authn.AgentTimeout {
			t.Errorf("%v: %v, want agent_timeout", r.Reason, r.Err)
		}
	}
	if err := program.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	p.world.Until(t, "all turned down as late", func() bool { return p.world.Count(agentlink.Late) >= inFlight })
	if n := len(g.held); n != 0 {
		t.Errorf("%d requests went to the directory after nobody waited any more", n)
	}
	reopen()
	p.world.Until(t, "a sign-in again", func() bool { return p.ask(agenttest.Hang).Reason == authn.None })
}
