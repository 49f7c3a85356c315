package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Domains manages the tenant's domains. Those of the configuration file are verified: whoever writes it vouches for them.
type Domains struct {
	Base
	Tenant *directory.Tenant
	Ensure func(ctx context.Context) error // opens the agent link where a domain needs it now
}

// Domains implements console.Domains: those of the file in its order, then those that were added, by name.
func (a *Domains) Domains(ctx context.Context) ([]directory.DomainDetail, error) {
	kept, err := a.Store.Domains(ctx)
	if err != nil {
		return nil, err
	}
	var all []directory.DomainDetail
	for _, d := range a.Tenant.Configured() {
		k := directory.KeptDomain{Name: d.Name}
		if i := slices.IndexFunc(kept, func(k directory.KeptDomain) bool { return k.Name == d.Name }); i >= 0 {
			k = kept[i]
		}
		detail, err := a.detail(ctx, k)
		if err != nil {
			return nil, err
		}
		all = append(all, detail)
	}
	for _, k := range kept {
		if _, file := a.configured(k.Name); file || k.Added.IsZero() {
			continue
		}
		detail, err := a.detail(ctx, k)
		if err != nil {
			return nil, err
		}
		all = append(all, detail)
	}
	return all, nil
}

// Domain implements console.Domains.
func (a *Domains) Domain(ctx context.Context, name string) (directory.DomainDetail, error) {
	k, err := a.kept(ctx, name)
	if err != nil {
		return directory.DomainDetail{}, err
	}
	return a.detail(ctx, k)
}

// kept is what is kept of a domain that there is.
func (a *Domains) kept(ctx context.Context, name string) (directory.KeptDomain, error) {
	_, file := a.configured(name)
	k, err := a.Store.KeptDomain(ctx, name)
	if file && errors.Is(err, directory.ErrNotFound) {
		return directory.KeptDomain{Name: name}, nil
	}
	if err == nil && !file && k.Added.IsZero() { // it was taken out of the file, and only settings are left of it
		err = directory.ErrNotFound
	}
	return k, noDomain(err, name)
}

func noDomain(err error, name string) error {
	return unknown(err, "%s is no domain of this tenant: `fourways domain list` shows those that are", name)
}

func (a *Domains) configured(name string) (directory.Domain, bool) {
	for _, d := range a.Tenant.Configured() {
		if d.Name == name {
			return d, true
		}
	}
	return directory.Domain{Name: name, Path: authn.PathCloud}, false
}

// detail tells of each setting where it comes from.
func (a *Domains) detail(ctx context.Context, k directory.KeptDomain) (directory.DomainDetail, error) {
	d, file := a.configured(k.Name)
	out := directory.DomainDetail{Name: k.Name, Source: "tenant", PHSFrom: "default", ExpiryFrom: "default", Initial: k.Name == a.Config().Tenant.InitialDomain, Version: k.Tag()}
	switch {
	case file:
		out.Source, out.Verified, out.VerifiedBy, out.PHSFrom, out.ExpiryFrom = "file", true, "file", "file", "file"
	case k.Verified.IsZero():
		out.Record = directory.VerificationRecord(k.Token)
	case k.Vouched != "":
		out.Verified, out.VerifiedBy = true, k.Vouched
	default:
		out.Verified, out.VerifiedBy = true, "dns"
	}
	out.PHS, out.Expiry = d.PHS, d.Expiry
	if k.PHS != nil {
		out.PHS, out.PHSFrom = *k.PHS, "run time"
	}
	if k.Expiry != nil {
		out.Expiry, out.ExpiryFrom = *k.Expiry, "run time"
	}
	realm, err := a.Tenant.Of(ctx, authn.ParseIdentifier("x@"+k.Name), authn.Account{})
	out.Path = realm.Path
	return out, err
}

// AddDomain implements console.Domains: the domain is unverified, so nobody signs in there and no account is made in it.
func (a *Domains) AddDomain(ctx context.Context, ask api.NewDomain, by string) (directory.DomainDetail, error) {
	name := strings.ToLower(ask.Name)
	if name == "" || authn.ParseIdentifier("x@"+name).Domain() != name {
		return directory.DomainDetail{}, BadRequest("%.60q is not a domain name: write letters, digits, \"-\" and at least one dot, 48 characters at most", ask.Name)
	}
	if _, file := a.configured(name); file {
		return directory.DomainDetail{}, conflict("%s stands in the configuration file already", name)
	}
	_, k, err := a.Store.ChangeDomain(ctx, name, func(k *directory.KeptDomain, _ *directory.Override) error {
		if !k.Added.IsZero() {
			return conflict("%s was added already: `fourways domain show %s`", name, name)
		}
		now := a.Clock.Now()
		*k = directory.KeptDomain{Name: name, Added: now, Token: strings.ToLower(rand.Text()), By: by, At: now}
		return nil
	})
	if err != nil {
		return directory.DomainDetail{}, err
	}
	return a.detail(ctx, k)
}

// RemoveDomain implements console.Domains: one that has accounts stays, also accounts that were deleted and can come back.
func (a *Domains) RemoveDomain(ctx context.Context, name, version string) error {
	if _, file := a.configured(name); file {
		return fmt.Errorf("%s is declared in the configuration file: remove its [[domain]] there, then `fourways config reload`: %w", name, directory.ErrMastered)
	}
	if name == a.Config().Tenant.InitialDomain {
		return guarded(name + " is the initial domain: new accounts get it. Name another as tenant.initial_domain first")
	}
	err := a.Store.RemoveDomain(ctx, name, func(k directory.KeptDomain, accounts, deleted int) error {
		if err := sameDomain(k, version); err != nil {
			return err
		}
		if accounts > 0 || deleted > 0 {
			return guarded(fmt.Sprintf("%s has %s and %s: rename or delete them first, and wait until the deleted ones are gone for good (30 days)", name, several(accounts, "account"), several(deleted, "deleted account")))
		}
		return nil
	})
	return noDomain(err, name)
}

// several counts what a read counts to a thousand.
func several(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case n >= 1000:
		return "1000 or more " + what + "s"
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// sameDomain refuses a change of what was changed since the caller read it.
func sameDomain(k directory.KeptDomain, version string) error {
	first, _, _ := strings.Cut(version, ".")
	return unchanged(first, k.Tag(), "the domain "+k.Name)
}

// ChangeDomain implements console.Domains: settings at run time, which win over the file until they are given back to it.
// With the switch of hash synchronisation off, the hashes that are stored go at once.
func (a *Domains) ChangeDomain(ctx context.Context, name string, ask api.DomainChange, by, version string) (before directory.DomainDetail, after api.DomainChanged, err error) {
	phs, err1 := parseSwitch(ask.HashSync)
	expiry, err2 := parseExpiry(ask.Expiry)
	if err := errors.Join(err1, err2); err != nil {
		return before, after, err
	}
	if before, err = a.Domain(ctx, name); err != nil {
		return before, after, err
	}
	conf, file := a.configured(name)
	_, k, err := a.Store.ChangeDomain(ctx, name, func(k *directory.KeptDomain, swap *directory.Override) error {
		if !file && k.Added.IsZero() {
			return noDomain(directory.ErrNotFound, name)
		}
		if err := sameDomain(*k, version); err != nil {
			return err
		}
		if ask.HashSync != nil {
			k.PHS = phs
			if err := mayStop(conf, *k, swap); err != nil {
				return err
			}
		}
		if ask.Expiry != nil {
			k.Expiry = expiry
		}
		k.By, k.At = by, a.Clock.Now()
		return nil
	})
	if err != nil {
		return before, after, err
	}
	if after.DomainDetail, err = a.detail(ctx, k); err != nil {
		return before, after, err
	}
	if ask.HashSync != nil && !after.PHS {
		if after.Dropped, err = a.Store.DropCredentials(ctx, directory.SchemePHS, name); err != nil {
			return before, after, fmt.Errorf("the switch is off, but %w", err)
		}
	}
	return before, after, a.Ensure(ctx)
}

// mayStop refuses to take the hashes away from a domain whose people sign in by them.
func mayStop(d directory.Domain, k directory.KeptDomain, swap *directory.Override) error {
	if k.PHS != nil {
		d.PHS = *k.PHS
	}
	if swap != nil {
		d.Path = swap.Path
	}
	if d.PHS || d.Path != authn.PathPHS {
		return nil
	}
	return guarded(fmt.Sprintf("the people of %s sign in by those hashes, which would go at once: move them to another path first (`fourways mode set pta --domain %s`)", d.Name, d.Name))
}

// parseSwitch reads on, off or file; nil is file, and nothing.
func parseSwitch(s *string) (*bool, error) {
	if s == nil || *s == "file" {
		return nil, nil
	}
	on := *s == "on"
	if !on && *s != "off" {
		return nil, BadRequest("%.20q is no switch: give on, off or file", *s)
	}
	return &on, nil
}

// The bounds of a password's age, as the configuration has them.
const (
	shortestExpiry = time.Hour
	longestExpiry  = 730 * 24 * time.Hour
)

// parseExpiry reads an age in days ("90d") or as Go writes a duration, none, or file; nil is file, and nothing.
func parseExpiry(s *string) (*time.Duration, error) {
	if s == nil || *s == "file" {
		return nil, nil
	}
	var d time.Duration
	if *s == "none" {
		return &d, nil
	}
	days, isDays := strings.CutSuffix(*s, "d")
	n, err := strconv.Atoi(days)
	switch {
	case isDays && err == nil && n > 0 && n <= 730:
		d = time.Duration(n) * 24 * time.Hour
	default:
		d, err = time.ParseDuration(*s)
	}
	if err != nil || d < shortestExpiry || d > longestExpiry {
		return nil, BadRequest("%.20q is no age of a password: give 1 hour to 730 days, as in 90d or 36h; or none, or file", *s)
	}
	return &d, nil
}
