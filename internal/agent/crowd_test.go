package agent_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/onprem"
)

// crowd is a directory of many people. Each has a password of their own, and an even number decides who may sign in.
type crowd struct {
	mu    sync.Mutex
	binds map[string]int
}

func (c *crowd) Bind(_ context.Context, upn string, password authn.Secret) onprem.Verdict {
	c.mu.Lock()
	c.binds[upn]++
	c.mu.Unlock()
	time.Sleep(time.Duration(rand.IntN(5)) * time.Millisecond) // answers overtake each other
	if string(password.Reveal()) != "password of "+upn {
		return onprem.Verdict{Reason: authn.BadPassword, Server: upn}
	}
	return onprem.Verdict{Server: upn}
}

func (c *crowd) most() (upn string, binds int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for u, n := range c.binds {
		if n > binds {
			upn, binds = u, n
		}
	}
	return upn, binds
}

// atOnce asks about people 0 to n-1 at the same time, the odd ones with a wrong password.
func atOnce(t *testing.T, w *agenttest.World, n int, within time.Duration) []agentlink.Reply {
	t.Helper()
	replies := make([]agentlink.Reply, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			upn := person(i)
			password := "password of " + upn
			if i%2 == 1 {
				password = "password of " + person(i-1)
			}
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			replies[i] = w.Link.Ask(ctx, agentlink.Question{User: upn, Secret: authn.NewSecret([]byte(password))})
		})
	}
	all.Wait()
	return replies
}

func person(i int) string { return fmt.Sprintf("person%03d@corp.example.test", i) }

func TestACrowdGetsEveryonesOwnAnswer(t *testing.T) {
	for agents := 1; agents <= 2; agents++ {
		w := agenttest.Start(t)
		dir := &crowd{binds: map[string]int{}}
		for i := range agents {
			w.Run(t, agent.Options{Identity: w.Enrol(t, fmt.Sprint(i), agentlink.RolePTA), Directory: dir})
		}
		for i, r := range atOnce(t, w, 200, agenttest.Hang) {
			want := authn.None
			if i%2 == 1 {
				want = authn.BadPassword
			}
			if r.Reason != want || r.Answer.Server != person(i) {
				t.Errorf("%d agents, %s: %v by %q, want %v: %v", agents, person(i), r.Reason, r.Answer.Server, want, r.Err)
			}
		}
		if upn, n := dir.most(); n != 1 {
			t.Errorf("%d agents: %s was bound %d times, want once", agents, upn, n)
		}
	}
}
