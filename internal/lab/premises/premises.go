// Package premises is the company's own side of the lab while it runs: the domain controller, the agents, the wires between
// them, and what breaks each of these on purpose.
//
// In come a data folder, passwords of its own machinery and a board of faults; out come an LDAP server on a real socket,
// connections to it, and agents that dial in at the gateway like every other. It never says how a sign-in ends: it breaks a
// hop, and whoever meets that finds out why. Nor does it fill the forest: that is for who starts it.
package premises

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/lab/fault"
	"github.com/fourways-id/fourways/internal/lab/world"
	"github.com/fourways-id/fourways/internal/onprem"
)

// ForestFile is where the domain controller keeps its people, in the lab's data folder.
const ForestFile = "dc.json"

// Options say where the premises are. All must be set.
type Options struct {
	Dir     string // the lab's data folder
	Listen  string // the domain controller's address
	Gateway string // its URL as this machine reaches it; agents enrol there
	Keys    Keys
	Clock   authn.Clock // of the domain controller's account rules
	Log     *slog.Logger
	Faults  *fault.Board
	Record  func(dc.Event) // takes the domain controller's own log
}

// Keys are the passwords of what is no person.
type Keys struct {
	Administrator string // of the forest
	Sync          string // the account that the agents read with
	Decoy         string // the account that is bound for strangers
}

// Premises are running premises.
type Premises struct {
	with  Options
	names map[string]string // a person's name in the forest -> in the tenant; both in lower case
	dc    *dc.Server
	off   dcSwitch

	admin    *onprem.Directory           // the forest's administrator
	reader   *onprem.Directory           // the synchronisation's service account; it also binds people
	outside  *onprem.Directory           // the same account as another company has it
	way      *wire                       // outside's, to the domain controller
	stranger func() (*tls.Config, error) // a certificate that nobody trusts

	mu     sync.Mutex
	agents []*worker
	now    map[string]fault.Active // what is broken as a whole in an agent: also those that are hired later
}

// Start starts the domain controller. Close ends it.
func Start(ctx context.Context, o Options) (_ *Premises, err error) {
	p := &Premises{with: o, names: world.ForestNames(), now: map[string]fault.Active{}, stranger: sync.OnceValues(strangersTLS)}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	pair, roots, err := certificate(o.Dir)
	if err != nil {
		return nil, err
	}
	shown := serverTLS(pair)
	shown.GetConfigForClient = p.certificateShown
	p.dc, err = dc.Start(ctx, dc.Options{
		Listen: o.Listen, Domain: world.ForestDomain, NetBIOS: "CORP", Host: "DC01", TLS: shown, Log: o.Record, Intercept: p.atDC,
		File:       filepath.Join(o.Dir, ForestFile),
		Admin:      dc.Account{Name: "Administrator", Password: o.Keys.Administrator},
		SyncReader: dc.Account{Name: "svc-sync", Password: o.Keys.Sync},
		Clock:      o.Clock, LockoutDuration: -1, // carol stays locked until somebody unlocks her
		LockoutThreshold: 30, // Microsoft: two to three times the gateway's
	})
	if err != nil {
		return nil, fmt.Errorf("start the domain controller: %w", err)
	}
	if err := p.connect(ctx, roots); err != nil {
		return nil, err
	}
	p.joinBoard()
	return p, nil
}

// Close ends everything; after the board, so that nothing is broken any more.
func (p *Premises) Close() {
	for _, d := range []*onprem.Directory{p.admin, p.reader, p.outside} {
		if d != nil {
			d.Close()
		}
	}
	if p.dc != nil {
		if err := p.dc.Close(); err != nil {
			p.with.Log.Error("end the domain controller", "error", err)
		}
	}
	if p.way != nil {
		p.way.close()
	}
}

// URL is the domain controller's address.
func (p *Premises) URL() string { return "ldap://" + p.dc.Addr() }

// Forest is the domain controller's people: to be filled, kept, and brought back.
func (p *Premises) Forest() *dc.Server { return p.dc }

// Outside is the forest as another company reaches it, over a wire of its own: the account of the synchronisation.
func (p *Premises) Outside() *onprem.Directory { return p.outside }
