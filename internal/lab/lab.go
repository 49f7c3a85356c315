// Package lab is the workshop that `fourways up` runs beside the gateway: the premises (a simulated domain controller and
// an agent), another company's identity provider, and the demo world that lives in them. It starts and ends these, fills
// them, keeps their states and brings them back, and joins them with the board of faults and the clock.
//
// In come a data folder and the gateway's public address; out come a configuration for the gateway, and servers that speak
// the real protocols over real sockets. It never reaches into the gateway: it fills the tenant by the same means as any
// operator has, and its agent dials in like every other.
package lab

import (
	"cmp"
	"context"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/lab/evidence"
	"github.com/fourways-id/fourways/internal/lab/fault"
	"github.com/fourways-id/fourways/internal/lab/harbour"
	"github.com/fourways-id/fourways/internal/lab/premises"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// Options say where a lab lives. All but Seed, World and IdPHost must be set.
type Options struct {
	Dir        string     // data folder, there already
	Seed       int        // of World, for who wants nothing else of it
	World      world.Spec // what a new lab is made of; one that is there already must not contradict it
	PublicURL  string     // of the gateway, without a slash at the end
	LDAPListen string
	IdPListen  string
	IdPHost    string      // by which browsers reach Harbour ID; "": the address that it listens on
	Clock      authn.Clock // policy time, also of the domain controller's account rules
	Log        *slog.Logger
}

// Lab is a running lab.
type Lab struct {
	dir     string
	public  string
	clock   authn.Clock
	log     *slog.Logger
	world   world.Spec
	worlds  *Worlds
	secrets secrets
	lock    *os.File // of the data folder
	again   bool     // the premises were seeded before, by a start that did not come to its end
	faults  *fault.Board

	premises *premises.Premises
	harbour  *harbour.Server
	evidence *evidence.Recorder
}

// Start starts the premises and the external identity provider. Close ends them.
func Start(ctx context.Context, o Options) (_ *Lab, err error) {
	l := &Lab{dir: o.Dir, public: strings.TrimSuffix(o.PublicURL, "/"), clock: o.Clock, log: o.Log, faults: fault.NewBoard()}
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	if l.lock, err = lockFolder(o.Dir); err != nil {
		return nil, err
	}
	if err := sweepFolder(o.Dir); err != nil {
		return nil, err
	}
	o.World.Seed = cmp.Or(o.World.Seed, o.Seed)
	if l.world, err = openWorld(o.Dir, o.World); err != nil {
		return nil, err
	}
	if l.secrets, err = openSecrets(filepath.Join(o.Dir, secretsFileName), l.world.Exposed); err != nil {
		return nil, err
	}
	moved, _ := o.Clock.(*Clock)
	l.worlds = newWorlds(l, moved)
	if l.evidence, err = evidence.Open(o.Dir, o.Log); err != nil {
		return nil, err
	}
	l.premises, err = premises.Start(ctx, premises.Options{
		Dir: o.Dir, Listen: o.LDAPListen, Gateway: l.home(), Keys: l.secrets.keys, Clock: o.Clock, Log: o.Log, Faults: l.faults, Record: l.evidence.DC,
	})
	if err != nil {
		return nil, err
	}
	if err := l.startHarbour(ctx, o); err != nil {
		return nil, err
	}
	return l, nil
}

// home is the gateway as this machine reaches it: enrolling over plain http is for loopback only, whatever others call it.
func (l *Lab) home() string {
	u, err := url.Parse(l.public)
	if err != nil || !l.world.Exposed {
		return l.public
	}
	return "http://localhost:" + u.Port()
}

// Close ends everything. What is broken on purpose is mended first, so that all can end as it should.
func (l *Lab) Close() {
	l.faults.Close()
	if l.harbour != nil {
		_ = l.harbour.Close() // it was told to end; what it could not finish is lost with the lab
	}
	if l.premises != nil {
		l.premises.Close()
	}
	if l.evidence != nil {
		l.evidence.Close()
	}
	if l.lock != nil {
		_ = l.lock.Close() // it was never written to
	}
}

// Premises are the company's own side of the lab.
func (l *Lab) Premises() *premises.Premises { return l.premises }

func (l *Lab) forest() *dc.Server { return l.premises.Forest() }

// World tells what the lab was made of.
func (l *Lab) World() world.Spec { return l.world }

// Accounts are those of the cast that sign in.
func (l *Lab) Accounts() []world.Account { return world.Accounts(l.secrets.people) }

// Password is the password of nearly everybody in this lab.
func (l *Lab) Password() string { return l.secrets.people.Common() }

// Board is what is broken on purpose.
func (l *Lab) Board() *fault.Board { return l.faults }

// DCEvents are the domain controller's own log since a time by the lab's clock, oldest first: as much of it as is remembered.
func (l *Lab) DCEvents(since time.Time) []dc.Event { return l.evidence.DCEvents(since) }
