// Package lab is the workshop that `fourways up` runs beside the gateway: the premises (a simulated domain controller and
// an agent), another company's identity provider, and the demo world that lives in them.
//
// In come a data folder and the gateway's public address; out come a configuration for the gateway, and servers that speak
// the real protocols over real sockets. It never reaches into the gateway: it fills the tenant by the same means as any
// operator has, and its agent dials in like every other.
package lab

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/lab/fault"
	"github.com/fourways-id/fourways/internal/lab/harbour"
	"github.com/fourways-id/fourways/internal/onprem"
)

// Options say where a lab lives. All but Seed, World and IdPHost must be set.
type Options struct {
	Dir        string // data folder, there already
	Seed       int    // of World, for who wants nothing else of it
	World      World  // what a new lab is made of; one that is there already must not contradict it
	PublicURL  string // of the gateway, without a slash at the end
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
	world   World
	worlds  *Worlds
	secrets secrets
	servers servers
	dc      *dc.Server
	lock    *os.File // of the data folder
	again   bool     // the premises were seeded before, by a start that did not come to its end
	faults  *fault.Board

	premises *premises
	recorder *recorder
}

type servers struct {
	harbour *harbour.Server
	admin   *onprem.Directory // the forest's administrator
	reader  *onprem.Directory // the synchronisation's service account; it also binds people
	idp     *onprem.Directory // the same account as Harbour ID has it, over a wire of its own
}

// Start starts the premises and the external identity provider. Close ends them.
func Start(ctx context.Context, o Options) (_ *Lab, err error) {
	l := &Lab{dir: o.Dir, public: strings.TrimSuffix(o.PublicURL, "/"), clock: o.Clock, log: o.Log, faults: fault.NewBoard(), premises: newPremises()}
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
	if l.recorder, err = openEvidence(o.Dir, o.Log); err != nil {
		return nil, err
	}
	if err := l.startPremises(ctx, o.LDAPListen); err != nil {
		return nil, err
	}
	l.breakPremises()
	l.servers.harbour, err = harbour.Start(ctx, harbour.Options{
		Listen: o.IdPListen, Host: o.IdPHost, Issuers: l.issuers(), Directory: binder{l.servers.idp}, People: l, KeyDir: filepath.Join(o.Dir, "harbour"),
		ErrorLog: o.Log, Clock: o.Clock, Log: l.recorder.harbourEvent, Tamper: l.atIdP,
	})
	if err != nil {
		return nil, fmt.Errorf("start Harbour ID: %w", err)
	}
	l.breakIdP()
	return l, nil
}

func (l *Lab) startPremises(ctx context.Context, listen string) error {
	pair, roots, err := certificate(l.dir)
	if err != nil {
		return err
	}
	shown := serverTLS(pair)
	shown.GetConfigForClient = l.certificateShown
	l.dc, err = dc.Start(ctx, dc.Options{
		Listen: listen, Domain: forest, NetBIOS: "CORP", Host: "DC01", TLS: shown, Log: l.recorder.dcEvent, Intercept: l.atDC, File: filepath.Join(l.dir, "dc.json"),
		Admin:      dc.Account{Name: "Administrator", Password: l.secrets.admin},
		SyncReader: dc.Account{Name: "svc-sync", Password: l.secrets.sync},
		Clock:      l.clock, LockoutDuration: -1, // carol stays locked until somebody unlocks her
		LockoutThreshold: 30, // Microsoft: two to three times the gateway's
	})
	if err != nil {
		return fmt.Errorf("start the domain controller: %w", err)
	}
	dial := onprem.Config{
		URLs: []string{"ldap://" + l.dc.Addr()}, TLS: onprem.StartTLS, RootCAs: roots, ServerName: "localhost", BaseDN: l.dc.BaseDN(), Kind: onprem.AD,
	}
	admin, reader := dial, dial
	admin.BindDN, admin.BindPassword = l.dc.AdminDN(), authn.NewSecret([]byte(l.secrets.admin))
	reader.BindDN, reader.BindPassword = l.dc.SyncReaderDN(), authn.NewSecret([]byte(l.secrets.sync))
	if l.servers.admin, err = onprem.New(admin); err != nil {
		return err
	}
	if l.servers.reader, err = onprem.New(reader); err != nil {
		return err
	}
	if l.premises.idp, err = openWire(ctx, l.dc.Addr()); err != nil {
		return err
	}
	reader.URLs = []string{"ldap://" + l.premises.idp.addr()}
	l.servers.idp, err = onprem.New(reader)
	return err
}

// Close ends everything. What is broken on purpose is mended first, so that all can end as it should.
func (l *Lab) Close() {
	l.faults.Close()
	if l.servers.harbour != nil {
		_ = l.servers.harbour.Close() // it was told to end; what it could not finish is lost with the lab
	}
	for _, d := range []*onprem.Directory{l.servers.admin, l.servers.reader, l.servers.idp} {
		if d != nil {
			d.Close()
		}
	}
	if l.dc != nil {
		if err := l.dc.Close(); err != nil {
			l.log.Error("end the domain controller", "error", err)
		}
	}
	if l.premises.idp != nil {
		l.premises.idp.close()
	}
	if l.recorder != nil {
		l.recorder.close()
	}
	if l.lock != nil {
		_ = l.lock.Close() // it was never written to
	}
}

// IdPURL and LDAPURL are where Harbour ID and the domain controller listen.
func (l *Lab) IdPURL() string { return l.servers.harbour.URL() }

// LDAPURL is the domain controller's address.
func (l *Lab) LDAPURL() string { return "ldap://" + l.dc.Addr() }

// New reports that nobody lives in the forest yet.
func (l *Lab) New() bool { return l.dc.Empty() }

// Board is what is broken on purpose.
func (l *Lab) Board() *fault.Board { return l.faults }

// binder is the forest as Harbour ID checks passwords there, as AD FS would.
type binder struct{ d *onprem.Directory }

// Bind implements harbour.Directory. People call themselves by their cloud name, which for some is not the forest's.
func (b binder) Bind(ctx context.Context, upn string, pw authn.Secret) harbour.Verdict {
	if e, err := b.find(ctx, upn); err == nil {
		upn = e.First("userPrincipalName")
	}
	v := b.d.Bind(ctx, upn, pw)
	return harbour.Verdict{Reason: v.Reason, Cause: v.Cause}
}

func (b binder) find(ctx context.Context, upn string) (onprem.Entry, error) {
	q := onprem.Query{Filter: "(mail=" + onprem.Escape(upn) + ")", Attributes: []string{"userPrincipalName", "displayName", "mail", "objectGUID"}}
	for e, err := range b.d.Read(ctx, q) {
		return e, err
	}
	return onprem.Entry{}, onprem.ErrNotFound
}

// Person implements harbour.People.
func (l *Lab) Person(ctx context.Context, upn string) (harbour.Person, error) {
	e, err := binder{l.servers.idp}.find(ctx, upn)
	if err != nil {
		return harbour.Person{}, err
	}
	return harbour.Person{
		UPN: e.First("mail"), DisplayName: e.First("displayName"), Anchor: base64.StdEncoding.EncodeToString(e.Attrs["objectGUID"][0]),
	}, nil
}
