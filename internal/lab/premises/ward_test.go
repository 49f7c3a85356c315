package premises

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent/agenttest"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/lab/evidence"
	"github.com/fourways-id/fourways/internal/lab/fault"
	"github.com/fourways-id/fourways/internal/lab/world"
	"github.com/fourways-id/fourways/providers/pta"
)

// ward is the premises before a real broker, with the provider that asks its agents.
type ward struct {
	t        *testing.T
	dir      string
	premises *Premises
	faults   *fault.Board
	seen     *evidence.Recorder
	world    *agenttest.World
	said     *agenttest.Log
	stop     func() // the agents, and waits for them
}

// close ends what was started, in the order in which a lab does.
func (v *ward) close() {
	v.faults.Close()
	v.premises.Close()
	v.seen.Close()
}

type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

const decoy = "nobody-knows-it"

// hasty is the patience of those sign-ins that are meant to run out of it.
const hasty = 2 * time.Second

// openWard starts premises with so many agents, and waits until all live.
func openWard(t *testing.T, agents int) *ward {
	t.Helper()
	v := &ward{t: t, dir: t.TempDir(), world: agenttest.Start(t), said: &agenttest.Log{}, faults: fault.NewBoard()}
	log := slog.New(slog.NewTextHandler(v.said, nil))
	door := httptest.NewServer(http.HandlerFunc(v.enrol))
	t.Cleanup(door.Close)
	var err error
	if v.seen, err = evidence.Open(v.dir, log); err != nil {
		t.Fatal(err)
	}
	v.premises, err = Start(context.Background(), Options{
		Dir: v.dir, Listen: "127.0.0.1:0", Gateway: door.URL, Keys: Keys{Administrator: rand.Text(), Sync: rand.Text(), Decoy: decoy},
		Clock: wallClock{}, Log: log, Faults: v.faults, Record: v.seen.DC,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.close)
	if err := v.premises.Forest().Seed(world.Spec{Seed: 1}.Forest("", decoy)); err != nil {
		t.Fatal(err)
	}
	v.start(agents)
	t.Cleanup(func() { v.stop() })
	return v
}

func (v *ward) start(agents int) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- v.premises.RunAgents(ctx, "tls://"+v.world.Broker.Addr().String(), v.invite, agents)
	}()
	v.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			v.t.Errorf("the agents: %v", err)
		}
		ended <- nil
	}
	v.live(agents)
}

// live waits until so many agents could be asked.
func (v *ward) live(agents int) {
	v.t.Helper()
	v.world.Until(v.t, "the agents live", func() bool {
		n := 0
		for _, s := range v.world.Link.Agents() {
			if s.Live {
				n++
			}
		}
		return n == agents
	})
}

func (v *ward) invite(_ context.Context, name string) (authn.Secret, error) {
	token, hash := agentlink.NewToken()
	v.world.Registry.Invite(hash, name, agentlink.RolePTA, agentlink.RoleSync)
	return token, nil
}

// enrol answers as the gateway's public listener does.
func (v *ward) enrol(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		v.t.Error(err)
		return
	}
	q, err := agentlink.ParseEnrolRequest(body)
	if err != nil {
		v.t.Error(err)
		return
	}
	answer, err := v.world.Enroller.Enrol(r.Context(), q)
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		v.t.Error(err)
	}
	if err := v.world.Link.Refresh(r.Context()); err != nil {
		v.t.Error(err)
	}
}

// who is somebody of the demo world as the tenant knows them.
func who(name, domain string) authn.Account {
	upn := name + "@" + domain
	a := authn.Account{ID: authn.AccountID(upn), UPN: upn, Synced: true}
	for bind, tenant := range world.ForestNames() {
		if tenant == upn && bind != upn {
			a.OnpremUPN = bind
		}
	}
	return a
}

// signIn signs somebody in by pass-through authentication.
func (v *ward) signIn(within time.Duration, who authn.Account) authn.Outcome {
	v.t.Helper()
	p := pta.New(v.world.Link, agenttest.Clock{}, pta.Options{Timeout: within})
	return p.Step(v.t.Context(), authn.Attempt{
		ID: "00000000-0000-4000-8000-000000000001", Who: authn.ParseIdentifier(who.UPN), Account: who,
		Realm: authn.Realm{Domain: world.PTADomain, Path: authn.PathPTA}, Answer: authn.Password{Secret: authn.NewSecret([]byte(world.Password))},
	})
}

// allowed expects that somebody gets in.
func (v *ward) allowed(when string, who authn.Account) {
	v.t.Helper()
	if out := v.signIn(agenttest.Hang, who); out.Verdict != authn.Allowed {
		v.t.Errorf("%s: %s is not let in: %v: %v", when, who.UPN, out.Reason, out.Err)
	}
}

// heals expects that somebody gets in again, soon and without anything being started anew by hand.
func (v *ward) heals(who authn.Account) {
	v.t.Helper()
	v.world.Until(v.t, who.UPN+" gets in again", func() bool { return v.signIn(hasty, who).Verdict == authn.Allowed })
}

// fails expects that nobody could look, and that this counts as no wrong password.
func (v *ward) fails(when string, within time.Duration, who authn.Account, want ...authn.Reason) {
	v.t.Helper()
	out := v.signIn(within, who)
	if out.Verdict != authn.Unavailable || !slices.Contains(want, out.Reason) || out.Reason.Counts() {
		v.t.Errorf("%s: %v %v, want %v: %v", when, out.Verdict, out.Reason, want, out.Err)
	}
}

func (v *ward) set(s fault.Setting) {
	v.t.Helper()
	if _, err := v.faults.Set(s); err != nil {
		v.t.Fatal(err)
	}
}

func (v *ward) clear(name string) {
	v.t.Helper()
	if !v.faults.Clear(name) {
		v.t.Errorf("%s was not on", name)
	}
}

// logged waits until the lab has logged something.
func (v *ward) logged(text string) {
	v.t.Helper()
	v.world.Until(v.t, "the log says "+text, func() bool { return bytes.Contains(v.said.Bytes(), []byte(text)) })
}
