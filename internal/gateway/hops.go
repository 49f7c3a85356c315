package gateway

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/guard"
	"github.com/fourways-id/fourways/internal/passhash"
	"github.com/fourways-id/fourways/internal/store"
)

// Hops is what a lab may break inside a gateway. Without a lab nothing of this file is in the way of a sign-in.
type Hops interface {
	// Pass is asked before each question to a hop about a person (by name; "" is nobody in particular). It may take its
	// time; an error is what the hop says in place of its answer.
	Pass(ctx context.Context, hop Hop, who string) error
	// Badge gives the steps of a record, marked with the faults that hit them.
	Badge(r authn.Record) []authn.Step
	// Narrow has leave called with how many hash workers are left to a path ("" is every path); 0 is all of them.
	Narrow(leave func(path string, workers int))
}

// Hop is a part of the gateway that a lab may break.
type Hop = string

// The hops.
const (
	HopStore     Hop = "store"      // the store, asked or told by a sign-in
	HopProbe     Hop = "probe"      // the store, asked whether it is there
	HopCloudHash Hop = "cloud hash" // the record of a cloud password
	HopPHSHash   Hop = "phs hash"   // a synchronised hash
)

// hops is who may break something here; nil in production.
func (g *Gateway) hops() Hops {
	if g.lab == nil {
		return nil
	}
	return g.lab.Hops
}

// broken names the faults that are on.
func (l *Lab) broken() []string {
	if l.Faults == nil {
		return nil
	}
	var names []string
	for name, on := range l.Faults() {
		if on {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// breakable puts a lab's faults in the way of the flow's questions to the store.
func (g *Gateway) breakable(f *authn.Flow) *authn.Flow {
	if h := g.hops(); h != nil {
		f.Directory, f.Providers = brokenDirectory{f.Directory, h}, named{f.Providers}
		h.Narrow(g.paths.pool.leave())
	}
	return f
}

// brokenDirectory is a directory whose store may be broken.
type brokenDirectory struct {
	authn.Directory
	hops Hops
}

// Find implements authn.Directory.
func (d brokenDirectory) Find(ctx context.Context, who authn.Identifier) (authn.Account, error) {
	if err := d.hops.Pass(ctx, HopStore, who.Key()); err != nil {
		return authn.Account{}, err
	}
	return d.Directory.Find(ctx, who)
}

// brokenTallies are the lockout counts in a store that may be broken.
type brokenTallies struct {
	tallies
	hops Hops
}

// counts are the lockout counts that the guard reads.
func counts(db *store.DB, l *Lab) guard.Tallies {
	if l == nil || l.Hops == nil {
		return db
	}
	return brokenTallies{db, l.Hops}
}

// tallies is the store as the guard and a lab see it.
type tallies interface {
	Tally(ctx context.Context, key string) (authn.Tally, error)
	UserByID(ctx context.Context, id authn.AccountID) (directory.User, error)
}

// Tally implements guard.Tallies. The key names a person, or an account that is somebody's.
func (t brokenTallies) Tally(ctx context.Context, key string) (authn.Tally, error) {
	who, _ := strings.CutPrefix(key, "name:")
	if id, ok := strings.CutPrefix(key, "account:"); ok {
		user, err := t.UserByID(ctx, authn.AccountID(id))
		if err != nil {
			return authn.Tally{}, err
		}
		who = user.UPN
	}
	if err := t.hops.Pass(ctx, HopStore, who); err != nil {
		return authn.Tally{}, err
	}
	return t.tallies.Tally(ctx, key)
}

// named tells the hops behind a provider whose sign-in it is: what they ask of the store names an account only.
type named struct{ authn.Providers }

// For implements authn.Providers.
func (n named) For(r authn.Realm) authn.Provider { return namedProvider{n.Providers.For(r)} }

type namedProvider struct{ authn.Provider }

// Step implements authn.Provider.
func (n namedProvider) Step(ctx context.Context, a authn.Attempt) authn.Outcome {
	return n.Provider.Step(context.WithValue(ctx, whose{}, a.Who.Key()), a)
}

// whose is the context's key of the person whose sign-in it is.
type whose struct{}

// brokenHashes are the stored hashes, which may be out of reach or missing.
type brokenHashes struct {
	credentials
	hops Hops
}

// Credential implements credentials.
func (h brokenHashes) Credential(ctx context.Context, id authn.AccountID, scheme string) (directory.Credential, error) {
	who, _ := ctx.Value(whose{}).(string)
	if err := h.hops.Pass(ctx, HopStore, who); err != nil {
		return directory.Credential{}, err
	}
	hop := HopPHSHash
	if scheme == directory.SchemeCloud {
		hop = HopCloudHash
	}
	if err := h.hops.Pass(ctx, hop, who); err != nil {
		return directory.Credential{}, errors.Join(err, directory.ErrNotFound)
	}
	return h.credentials.Credential(ctx, id, scheme)
}

// hashes is the store as the hash paths see it.
func (g *Gateway) hashes() credentials {
	if h := g.hops(); h != nil {
		return brokenHashes{g.core.store, h}
	}
	return g.core.store
}

// leave narrows the pools for real.
func (p pools) leave() func(path string, workers int) {
	var mu sync.Mutex
	widen := map[authn.Path]func(){}
	return func(only string, workers int) {
		mu.Lock()
		defer mu.Unlock()
		for path, pool := range map[authn.Path]*passhash.Pool{authn.PathCloud: p.cloud, authn.PathPHS: p.phs} {
			if only != "" && only != string(path) {
				continue
			}
			if again, ok := widen[path]; ok {
				again()
				delete(widen, path)
			}
			if workers > 0 {
				widen[path] = pool.Narrow(workers)
			}
		}
	}
}
