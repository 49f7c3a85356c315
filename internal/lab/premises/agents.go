package premises

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/lab/world"
	"github.com/fourways-id/fourways/internal/onprem"
)

// Inviter makes enrolment tokens.
type Inviter func(ctx context.Context, name string) (authn.Secret, error)

// firstAgent has the key file that every fourways-agent has; the others have their names in it.
const firstAgent = "agent-1"

// retryWithin is how soon the lab's agents try again to connect: who mends something wants to see it healed.
const retryWithin = 100 * time.Millisecond

// RunAgents enrols n agents over HTTP, each once, and runs them until ctx ends: in this process, but over real TLS
// connections to the gateway's broker, which is at url today. They are called agent-1, agent-2, and so on.
func (p *Premises) RunAgents(ctx context.Context, url string, invite Inviter, n int) error {
	to, err := hostPort(url)
	if err != nil {
		return err
	}
	var all []*worker
	for i := range n {
		name := "agent-" + strconv.Itoa(i+1)
		id, err := p.identity(ctx, name, invite)
		if err != nil {
			return fmt.Errorf("enrol the lab's agent: %w", err)
		}
		id.URL = url // a lab that comes back on another port has the same keys
		all = append(all, &worker{of: p, name: name, id: id, to: to, changed: make(chan struct{}, 1)})
	}
	defer p.hire(all)()
	work, ctx := errgroup.WithContext(ctx)
	for _, w := range all {
		work.Go(func() error { return w.serve(ctx) })
	}
	return work.Wait()
}

func hostPort(broker string) (string, error) {
	u, err := url.Parse(broker)
	if err != nil || u.Port() == "" {
		return "", fmt.Errorf("%q is no address of a broker: it looks like tls://host:port", broker)
	}
	return u.Host, nil
}

func (p *Premises) identity(ctx context.Context, name string, invite Inviter) (*agentlink.Identity, error) {
	file := agentlink.IdentityFile
	if name != firstAgent {
		file = name + ".json"
	}
	path := filepath.Join(p.with.Dir, file)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		id, err := agentlink.LoadIdentity(path)
		if err != nil {
			return nil, fmt.Errorf("%w: remove that file, and the agent is enrolled anew", err)
		}
		return id, nil
	}
	token, err := invite(ctx, name)
	if err != nil {
		return nil, err
	}
	id, err := agentlink.EnrolOverHTTP(ctx, http.DefaultClient, p.with.Gateway, name, "lab", token)
	if err != nil {
		return nil, err
	}
	return id, id.Save(path)
}

// worker is one of the lab's agents. It can be killed, and then lives again as a process does that somebody restarts.
type worker struct {
	of   *Premises
	name string
	id   *agentlink.Identity
	to   string       // the broker
	skew atomic.Int64 // of its clock, in nanoseconds

	changed chan struct{}

	mu      sync.Mutex
	down    bool
	stalled bool
	way     *wire              // of the life that goes on; nil between two
	kill    context.CancelFunc // of the same
}

// Now implements authn.Clock: the agent's machine may have the time wrong.
func (w *worker) Now() time.Time {
	return time.Now().Add(time.Duration(w.skew.Load())) //nolint:forbidigo // an agent goes by protocol time
}

// serve lives life after life until ctx ends.
func (w *worker) serve(ctx context.Context) error {
	var dying sync.WaitGroup // a killed agent's loop ends in its own time, cut off from everybody
	defer dying.Wait()
	for ctx.Err() == nil {
		life, way, err := w.begin(ctx)
		if err != nil {
			return err
		}
		if way == nil { // it is to stay down for now
			select {
			case <-ctx.Done():
			case <-w.changed:
			}
			continue
		}
		ended := make(chan error, 1)
		dying.Go(func() {
			defer way.close()
			ended <- agent.Run(life, w.options(way))
		})
		select {
		case err := <-ended: // it could not begin, or ctx is over
			return err
		case <-life.Done():
		}
		if ctx.Err() != nil {
			return <-ended
		}
	}
	return nil
}

// begin opens the wire of the next life; nil while the agent is to stay down.
func (w *worker) begin(ctx context.Context) (context.Context, *wire, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		return nil, nil, nil
	}
	way, err := openWire(ctx, w.to)
	if err != nil {
		return nil, nil, err
	}
	way.stall(w.stalled)
	w.way = way
	life, kill := context.WithCancel(ctx)
	w.kill = kill
	return life, way, nil
}

// die cuts the connection without a goodbye and ends the loop, or lets the next life begin.
func (w *worker) die(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
	if down && w.way != nil {
		w.way.close()
		w.kill()
		w.way = nil
	}
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// stall has what goes to and fro vanish.
func (w *worker) stall(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stalled = on
	if w.way != nil {
		w.way.stall(on)
	}
}

// cut ends the connection; the agent makes a new one.
func (w *worker) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.way != nil {
		w.way.drop()
	}
}

func (w *worker) options(way *wire) agent.Options {
	p := w.of
	return agent.Options{
		Identity: w.id, Directory: p.reader, Clock: w, Log: p.with.Log, Version: "lab",
		Decoy: agent.Decoy{UPN: "decoy@" + world.ForestDomain, Password: authn.NewSecret([]byte(p.with.Keys.Decoy))},
		Source: faultySource{of: p, agent: w.name, Source: agent.NewSource(p.reader, agent.SourceOptions{
			Kind: onprem.AD, Scope: []string{world.PeopleDN}, CloudUPN: "mail", BindUPN: "userPrincipalName",
			AnchorAttribute: "objectGUID", HashAttribute: dc.AttrNTHash,
		})},
		Lab: agent.Lab{Intercept: w.arrived, Dial: way.dial, Retry: retryWithin},
	}
}
