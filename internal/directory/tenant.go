package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/fourways-id/fourways/authn"
)

// Source is where accounts are kept, and what was set for domains while gateways run.
type Source interface {
	UserByUPN(ctx context.Context, upn string) (User, error) // ErrNotFound when there is none
	Domains(ctx context.Context) ([]KeptDomain, error)

	// Standing is all that decides how a sign-in goes, in one read: what is kept of the domain, and the roll-outs of the groups
	// that the account ("" is nobody's) is a direct member of. groups names those of the configuration file, by name or id.
	Standing(ctx context.Context, domain string, account authn.AccountID, groups []string) (Standing, error)
}

// Tenant implements authn.Directory and authn.Realms.
type Tenant struct {
	source   Source
	settings atomic.Pointer[settings]
}

type settings struct {
	domains  []Domain
	idps     []IdP
	rollouts []Rollout
}

// New makes a tenant of the configured domains and identity providers.
func New(s Source, domains []Domain, idps []IdP) *Tenant {
	t := &Tenant{source: s}
	t.Configure(domains, idps)
	return t
}

// Configure swaps the configured domains, identity providers and roll-outs; the next sign-in sees them.
func (t *Tenant) Configure(domains []Domain, idps []IdP, rollouts ...Rollout) {
	t.settings.Store(&settings{domains: slices.Clone(domains), idps: slices.Clone(idps), rollouts: slices.Clone(rollouts)})
}

// Find implements authn.Directory. A name that can't be anybody's is looked up all the same, so that it takes as long.
func (t *Tenant) Find(ctx context.Context, who authn.Identifier) (authn.Account, error) {
	u, err := t.source.UserByUPN(ctx, who.UPN())
	if errors.Is(err, ErrNotFound) || err == nil && u.UPN == "" {
		return authn.Account{}, nil
	}
	if err != nil {
		return authn.Account{}, err
	}
	return u.Account(), nil
}

// Account is what a sign-in needs to know of the user.
func (u User) Account() authn.Account {
	return authn.Account{
		ID: u.ID, UPN: u.UPN, DisplayName: u.DisplayName, OnpremUPN: u.Onprem.UPN, Anchor: u.Onprem.Anchor,
		Synced: u.Synced, Disabled: !u.MaySignIn(), MustChange: u.MustChange,
	}
}

// Of implements authn.Realms: the override, else the file; and where that is federation, the roll-out of a group that the
// account is in. Nobody is looked up as somebody is, so that it takes as long.
func (t *Tenant) Of(ctx context.Context, who authn.Identifier, account authn.Account) (authn.Realm, error) {
	name, conf := who.Domain(), t.settings.Load()
	now, err := t.source.Standing(ctx, name, account.ID, groupsOf(conf.rollouts))
	if err != nil {
		return authn.Realm{}, fmt.Errorf("read how the people of %s sign in: %w", name, err)
	}
	d, ok := merged(conf.domains, name, now.Domain)
	if !ok {
		return authn.Realm{Domain: name, Path: authn.PathNone}, nil
	}
	rule := "domain " + d.Name
	if o := now.Override; o != nil {
		d.Path, d.IdP, rule = o.Path, o.IdP, "override of "+d.Name+" by "+o.By
	}
	if d.Path == authn.PathFederated && account.Synced {
		if r, in := choose(conf.rollouts, now, d.PHS); in {
			d.Path, d.IdP, rule = r.Path, "", "rollout of group "+r.Name
		}
	}
	return t.realm(d, rule), nil
}

// realm fills in what an identity provider needs. One that is gone, or does not list the domain, has no issuer, and its
// provider refuses.
func (t *Tenant) realm(d Domain, rule string) authn.Realm {
	r := authn.Realm{Domain: d.Name, Path: d.Path, Rule: rule}
	if d.Path != authn.PathFederated {
		return r
	}
	r.IdP = d.IdP
	if idp, err := t.IdPFor(d.Name, d.IdP); err == nil {
		r.IdP, r.Protocol, r.Issuer, r.Match = idp.ID, idp.Protocol, idp.Issuer, idp.Match
	}
	return r
}

// Domain finds a domain that the tenant serves, as configured and as set at run time; ErrNotFound when it is none of them.
func (t *Tenant) Domain(ctx context.Context, name string) (Domain, error) {
	now, err := t.source.Standing(ctx, name, "", nil)
	if err != nil {
		return Domain{}, fmt.Errorf("read the domain %s: %w", name, err)
	}
	d, ok := merged(t.settings.Load().domains, name, now.Domain)
	if !ok {
		return Domain{}, fmt.Errorf("%s is no verified domain of this tenant (`fourways domain list`): %w", name, ErrNotFound)
	}
	return d, nil
}

// Domains lists the domains that the tenant serves: those of the file in its order, then those that were added by name.
func (t *Tenant) Domains(ctx context.Context) ([]Domain, error) {
	kept, err := t.source.Domains(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the domains: %w", err)
	}
	conf := t.settings.Load().domains
	all := slices.Clone(conf)
	for _, k := range kept {
		if i := slices.IndexFunc(conf, func(d Domain) bool { return d.Name == k.Name }); i >= 0 {
			all[i] = k.over(conf[i])
		} else if d, ok := merged(nil, k.Name, &k); ok {
			all = append(all, d)
		}
	}
	return all, nil
}

// Configured lists the domains of the file, as it has them.
func (t *Tenant) Configured() []Domain { return slices.Clone(t.settings.Load().domains) }

// Rollouts lists the roll-outs of the file; Group is what stands there, a name or an id.
func (t *Tenant) Rollouts() []Rollout { return slices.Clone(t.settings.Load().rollouts) }

// PHS reports that password hashes of the domain's people are synchronised.
func (t *Tenant) PHS(ctx context.Context, domain string) (bool, error) {
	d, err := t.Domain(ctx, domain)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return d.PHS, err
}

// AnyPHS reports that the password hashes of some domain's people are synchronised.
func (t *Tenant) AnyPHS(ctx context.Context) (bool, error) {
	all, err := t.Domains(ctx)
	return slices.ContainsFunc(all, func(d Domain) bool { return d.PHS }), err
}

// IdPFor finds the identity provider that may speak for the domain. want is its id, its protocol, or "" for the domain's
// own and, failing that, the first that lists the domain.
func (t *Tenant) IdPFor(domain, want string) (IdP, error) {
	if want == "" {
		d, _ := merged(t.settings.Load().domains, domain, nil)
		want = d.IdP
	}
	speaking := slices.DeleteFunc(slices.Clone(t.settings.Load().idps), func(p IdP) bool { return !slices.Contains(p.Domains, domain) })
	for _, is := range []func(IdP) bool{
		func(p IdP) bool { return p.ID == want }, // first: an id may be spelled like a protocol
		func(p IdP) bool { return want == "" || p.Protocol == want },
	} {
		if i := slices.IndexFunc(speaking, is); i >= 0 {
			return speaking[i], nil
		}
	}
	speak := make([]string, len(speaking))
	for i, p := range speaking {
		speak[i] = p.ID
	}
	if len(speak) == 0 {
		return IdP{}, fmt.Errorf("no identity provider speaks for %s: add the domain to the domains of an [[idp]] in the configuration: %w", domain, ErrNotFound)
	}
	return IdP{}, fmt.Errorf("no identity provider %q speaks for %s (%s does): name that one, or add the domain to the domains of the [[idp]]: %w", want, domain, strings.Join(speak, ", "), ErrNotFound)
}

// Discover answers realm discovery, by domain alone.
func (t *Tenant) Discover(ctx context.Context, domain string) (Discovery, error) {
	who := authn.ParseIdentifier("x@" + domain)
	r, err := t.Of(ctx, who, authn.Account{})
	if err != nil {
		return Discovery{}, err
	}
	out := Discovery{Domain: who.Domain(), NamespaceType: "Unknown"}
	switch {
	case r.Path.Managed():
		out.NamespaceType = "Managed"
	case r.Path == authn.PathFederated:
		out.NamespaceType, out.Protocol, out.IdP = "Federated", r.Protocol, r.IdP
	}
	return out, nil
}
