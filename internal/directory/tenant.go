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

// Source is where accounts and overrides are kept. Both answer ErrNotFound when there is none.
type Source interface {
	UserByUPN(ctx context.Context, upn string) (User, error)
	Override(ctx context.Context, domain string) (Override, error)
}

// Tenant implements authn.Directory and authn.Realms.
type Tenant struct {
	source   Source
	settings atomic.Pointer[settings]
}

type settings struct {
	domains []Domain
	idps    []IdP
}

// New makes a tenant of the configured domains and identity providers.
func New(s Source, domains []Domain, idps []IdP) *Tenant {
	t := &Tenant{source: s}
	t.Configure(domains, idps)
	return t
}

// Configure swaps the configured domains and identity providers; the next sign-in sees them.
func (t *Tenant) Configure(domains []Domain, idps []IdP) {
	t.settings.Store(&settings{domains: slices.Clone(domains), idps: slices.Clone(idps)})
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

// Of implements authn.Realms: the override, else the file.
func (t *Tenant) Of(ctx context.Context, who authn.Identifier, _ authn.Account) (authn.Realm, error) {
	d, ok := t.Domain(who.Domain())
	if !ok {
		return authn.Realm{Domain: who.Domain(), Path: authn.PathNone}, nil
	}
	rule := "domain " + d.Name
	switch o, err := t.source.Override(ctx, d.Name); {
	case err == nil:
		d.Path, d.IdP, rule = o.Path, o.IdP, "override of "+d.Name+" by "+o.By
	case !errors.Is(err, ErrNotFound):
		return authn.Realm{}, fmt.Errorf("read the override of %s: %w", d.Name, err)
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

// Domain finds a configured domain.
func (t *Tenant) Domain(name string) (Domain, bool) {
	for _, d := range t.settings.Load().domains {
		if d.Name == name {
			return d, true
		}
	}
	return Domain{}, false
}

// Domains lists the configured domains in the file's order.
func (t *Tenant) Domains() []Domain { return slices.Clone(t.settings.Load().domains) }

// PHS reports that password hashes of the domain's people are synchronised.
func (t *Tenant) PHS(domain string) bool {
	d, ok := t.Domain(domain)
	return ok && d.PHS
}

// AnyPHS reports that the password hashes of some domain's people are synchronised.
func (t *Tenant) AnyPHS() bool {
	return slices.ContainsFunc(t.settings.Load().domains, func(d Domain) bool { return d.PHS })
}

// IdPFor finds the identity provider that may speak for the domain. want is its id, its protocol, or "" for the domain's
// own and, failing that, the first that lists the domain.
func (t *Tenant) IdPFor(domain, want string) (IdP, error) {
	if want == "" {
		d, _ := t.Domain(domain)
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
