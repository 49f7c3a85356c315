package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passhash"
	"github.com/fourways-id/fourways/providers/cloud"
	"github.com/fourways-id/fourways/providers/phs"
	"github.com/fourways-id/fourways/providers/pta"
)

// paths implements authn.Providers: the managed paths, which are there for good, and the configured identity providers,
// which change with the configuration.
type paths struct {
	managed   map[authn.Path]authn.Provider
	pool      pools
	passwords *passwords
	federated atomic.Pointer[map[string]*idp]
	begin     func(authn.Path) func()
}

// pools are the places to hash in, one pool a path: behind a crowd at Argon2id, which takes a hundred times as long, nobody
// would sign in by a synchronised hash.
type pools struct{ cloud, phs *passhash.Pool }

func newPools(c config.Hashing) pools {
	return pools{passhash.NewPool(c.Workers, c.QueueLimit), passhash.NewPool(c.Workers, c.QueueLimit)}
}

// Waiting is how many sign-ins wait for a place.
func (p pools) Waiting() int { return p.cloud.Waiting() + p.phs.Waiting() }

// full reports that the path has no place left to hash or wait in.
func (p pools) full(path authn.Path) bool {
	return path == authn.PathCloud && p.cloud.Full() || path == authn.PathPHS && p.phs.Full()
}

// busy reports that the path of the domain's people has no place left. The domain is looked up only when some path has none.
func (g *Gateway) busy(ctx context.Context, domain string) (authn.Path, bool) {
	p := g.paths.pool
	if !p.full(authn.PathCloud) && !p.full(authn.PathPHS) {
		return "", false
	}
	r, err := g.tenant.Of(ctx, authn.ParseIdentifier("x@"+domain), authn.Account{})
	return r.Path, err == nil && p.full(r.Path)
}

func newPaths(g *Gateway, pool pools, c *config.Config) (*paths, error) {
	cost := passhash.Argon2id{MemoryKiB: c.Hashing.Argon2Memory, Time: c.Hashing.Argon2Time, Parallelism: c.Hashing.Argon2Parallelism}
	judge := &passwords{people: g.core.store}
	if err := judge.configure(c); err != nil {
		return nil, err
	}
	cloudPath, err := cloud.New(cloudHashes{g.hashes(), g.tenant}, judge, pool.cloud, cost, g.core.clock)
	if err != nil {
		return nil, err
	}
	p := &paths{pool: pool, passwords: judge, begin: g.watch.metrics.Begin, managed: map[authn.Path]authn.Provider{
		authn.PathCloud: cloudPath,
		authn.PathPHS:   phs.New(syncedHashes{g.hashes()}, pool.phs, g.core.clock),
		authn.PathPTA:   newBounded(pta.New(g.onprem, g.core.clock, pta.Options{Timeout: time.Duration(c.PTA.RequestTimeout)}), mostAway),
	}}
	p.federated.Store(&map[string]*idp{})
	return p, nil
}

// For implements authn.Providers.
func (p *paths) For(r authn.Realm) authn.Provider {
	provider := p.find(r)
	return counted{provider, p.begin, r.Path}
}

func (p *paths) find(r authn.Realm) authn.Provider {
	if r.Path != authn.PathFederated {
		if provider, ok := p.managed[r.Path]; ok {
			return provider
		}
		return refusing{authn.Internal, fmt.Errorf("no provider carries out the path %q", r.Path)}
	}
	// An attempt that began before its identity provider was removed, or lost the domain, ends here.
	idp, ok := (*p.federated.Load())[r.IdP]
	if !ok || !slices.Contains(idp.Domains, r.Domain) {
		return refusing{authn.RealmUnknown, fmt.Errorf("no identity provider %q speaks for %s: check the [[idp]] tables and their domains", r.IdP, r.Domain)}
	}
	return idp.provider
}

// refusing is the provider of a path that can't work: it says why.
type refusing struct {
	reason authn.Reason
	cause  error
}

// Step implements authn.Provider.
func (r refusing) Step(context.Context, authn.Attempt) authn.Outcome {
	return authn.Outcome{Verdict: r.reason.Verdict(), Reason: r.reason, Check: authn.C2, Err: r.cause}
}

// mostAway bounds the steps that wait for the premises at once. A directory that hangs keeps each for seconds, and must not
// keep every place at the door: the other paths go on.
const mostAway = 256

// bounded turns away at once whoever finds no place; nobody waits for one.
type bounded struct {
	authn.Provider
	places chan struct{}
}

func newBounded(p authn.Provider, most int) bounded { return bounded{p, make(chan struct{}, most)} }

// Step implements authn.Provider.
func (b bounded) Step(ctx context.Context, a authn.Attempt) authn.Outcome {
	select {
	case b.places <- struct{}{}:
		defer func() { <-b.places }()
		return b.Provider.Step(ctx, a)
	default:
		return authn.Fail(authn.Overloaded, authn.P2, fmt.Errorf("%d sign-ins wait for the premises already: does the directory answer?", cap(b.places)))
	}
}

// counted keeps the gauge of steps that are being worked on.
type counted struct {
	authn.Provider
	begin func(authn.Path) func()
	path  authn.Path
}

// Step implements authn.Provider.
func (c counted) Step(ctx context.Context, a authn.Attempt) authn.Outcome {
	defer c.begin(c.path)()
	return c.Provider.Step(ctx, a)
}

// credentials is the store as the two hash paths see it.
type credentials interface {
	Credential(ctx context.Context, id authn.AccountID, scheme string) (directory.Credential, error)
	PasswordOf(ctx context.Context, id authn.AccountID) (directory.Imported, error) // what the premises know of it
}

type cloudHashes struct {
	credentials
	tenant *directory.Tenant
}

// CloudHash implements cloud.Hashes. How long a password is good is its domain's business.
func (h cloudHashes) CloudHash(ctx context.Context, who authn.Account) (cloud.Hash, error) {
	c, err := found(h.Credential(ctx, who.ID, directory.SchemeCloud))
	d, unknown := h.tenant.Domain(ctx, authn.ParseIdentifier(who.UPN).Domain())
	hash := cloud.Hash{Record: c.Record}
	if d.Expiry > 0 && !c.Changed.IsZero() {
		hash.Expires = c.Changed.Add(d.Expiry)
	}
	if errors.Is(unknown, directory.ErrNotFound) {
		unknown = nil
	}
	return hash, errors.Join(err, unknown)
}

type syncedHashes struct{ credentials }

// SyncedHash implements phs.Hashes.
func (h syncedHashes) SyncedHash(ctx context.Context, id authn.AccountID) (phs.Hash, error) {
	c, err1 := found(h.Credential(ctx, id, directory.SchemePHS))
	o, err2 := found(h.PasswordOf(ctx, id))
	hash := phs.Hash{Record: string(c.Record), Source: c.Source, Synced: c.Stored, ChangedOnprem: o.HashAt, Withheld: o.Withheld, MustChange: o.Temporary}
	if !o.HashAt.IsZero() && o.PasswordAt.After(o.HashAt) {
		hash.PendingSince = o.PasswordAt
	}
	return hash, errors.Join(err1, err2)
}
