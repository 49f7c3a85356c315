package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

// Directory tries passwords. onprem.Directory is one.
type Directory interface {
	Bind(ctx context.Context, upn string, password authn.Secret) onprem.Verdict
}

// Options say who the agent is and what it works with. Identity, Clock and Log must be set, and Directory or Source.
type Options struct {
	Identity  *agentlink.Identity
	Directory Directory      // nil: it tries no passwords
	Decoy     Decoy          // must be set with Directory
	Source    dirsync.Source // nil: it reads nothing
	Clock     authn.Clock    // real time
	Log       *slog.Logger
	Version   string
	AtOnce    int // binds at the same time; 0: 64. Sixteen times as many requests wait for their turn
	Lab       Lab // how a lab breaks it; zero in production
}

// Lab is what a lab sets, and fourways-agent has no way to.
type Lab struct {
	// Intercept sees every request that came from the gateway, before its time is looked at, and may alter it. It must not
	// block. nil: nobody looks.
	Intercept  func(*agentlink.Request) Fate
	Dial       agentlink.Dialer // nil: straight to the broker
	LookWithin time.Duration    // how long a look, a watch or a write-back may take; 0: as long as its asker waits
	Retry      time.Duration    // longest wait between two attempts to connect; 0: agentlink's
}

// Fate is what an Intercept does to a request; the zero value is nothing.
type Fate struct {
	Wait  time.Duration   // before it is taken up
	Until <-chan struct{} // when it closes, the wait is over; nil: it takes its time
	Drop  bool            // it is taken, and never answered
}

// Decoy is the account that is bound when somebody signs in who doesn't exist, so that both take as long. The password
// stays its owner's to wipe.
type Decoy struct {
	UPN      string
	Password authn.Secret
}

const (
	defaultAtOnce = 64
	heldPerBind   = 16               // requests that are held, for each bind at the same time
	drainWithin   = 15 * time.Second // for what was begun when the agent is told to stop
)

type agent struct {
	Options
	conn  *nats.Conn
	recv  *agentlink.Receiver
	book  *book
	held  chan struct{} // one place a request
	binds chan struct{} // one place a bind
	wake  chan struct{}
	looks chan struct{} // one place: a look at a time
	turns turns         // a run at a time

	mu      sync.Mutex
	leaving bool
	work    sync.WaitGroup
}

// Run serves until ctx ends; then it takes nothing new, finishes what it began, and returns nil. It keeps trying to
// connect for ever. An error says that it could not begin.
func Run(ctx context.Context, o Options) error {
	if err := o.validate(); err != nil {
		return err
	}
	a := &agent{
		Options: o, recv: agentlink.NewReceiver(o.Identity), book: newBook(),
		held: make(chan struct{}, heldPerBind*o.atOnce()), binds: make(chan struct{}, o.atOnce()), wake: make(chan struct{}, 1), looks: make(chan struct{}, 1),
	}
	var err error
	a.conn, err = agentlink.Dial(o.Identity, agentlink.DialOptions{
		Log: o.Log, Connected: func(*nats.Conn) { a.wakeUp() }, Dialer: o.Lab.Dial, LongestWait: o.Lab.Retry,
	})
	if err != nil {
		return fmt.Errorf("start the agent: %w", err)
	}
	defer a.conn.Close()
	subs, err := a.recv.Listen(a.conn, agentlink.Told{
		Bind: a.asked, Sync: func(m *nats.Msg) { a.ordered(ctx, m) },
	})
	if err != nil {
		return fmt.Errorf("start the agent: %w", err)
	}
	a.live(ctx)
	a.leave(subs)
	return nil
}

func (o *Options) validate() error {
	switch {
	case o.Identity == nil || o.Clock == nil || o.Log == nil:
		return errors.New("the agent needs an identity, a clock and a log")
	case o.Directory == nil && o.Source == nil:
		return errors.New("the agent has neither a directory to bind to nor a source to read: give it a role")
	case o.Directory != nil && (o.Decoy.UPN == "" || o.Decoy.Password.Empty()):
		return errors.New("an agent that tries passwords needs a decoy account: without it a stranger could tell by the time whether a name exists")
	}
	return nil
}

func (o *Options) atOnce() int {
	if o.AtOnce > 0 {
		return o.AtOnce
	}
	return defaultAtOnce
}

// begin starts work that a leaving agent waits for; false when it is leaving already.
func (a *agent) begin(do func()) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.leaving {
		a.work.Go(do)
	}
	return !a.leaving
}

func (a *agent) wakeUp() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// live gives signs of life until ctx ends: after every connect, then every few seconds.
func (a *agent) live(ctx context.Context) {
	t := time.NewTicker(agentlink.AliveEvery)
	defer t.Stop()
	for {
		a.sayAlive(false)
		a.book.forget(a.Clock.Now())
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-a.wake:
		}
	}
}

func (a *agent) sayAlive(leaving bool) {
	err := a.recv.SayAlive(a.conn, agentlink.Alive{Version: a.Version, At: a.Clock.Now().UTC(), Leaving: leaving})
	if err != nil && !errors.Is(err, nats.ErrReconnectBufExceeded) { // not connected: the next connect says it again
		a.Log.Warn("could not give a sign of life", "error", err)
	}
}

// leave says goodbye, so that nobody asks any more, and finishes what was begun.
func (a *agent) leave(subs []*nats.Subscription) {
	a.sayAlive(true)
	for _, s := range subs {
		if err := s.Unsubscribe(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
			a.Log.Warn("could not stop listening", "error", err)
		}
	}
	a.mu.Lock()
	a.leaving = true
	a.mu.Unlock()
	done := make(chan struct{})
	go func() {
		a.work.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(drainWithin):
		a.Log.Warn("left without finishing every request", "waited", drainWithin)
	}
	if err := a.conn.FlushTimeout(time.Second); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		a.Log.Warn("the last answers may not have arrived", "error", err)
	}
}
