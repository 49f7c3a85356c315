package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// VerifyDomain implements console.Domains: by the domain's TXT record, or because an administrator vouches for the domain,
// which is for labs and for networks without DNS. One that is verified stays so.
func (a *Domains) VerifyDomain(ctx context.Context, name string, ask api.VerifyDomain, by string) (directory.DomainDetail, error) {
	k, err := a.kept(ctx, name)
	if err != nil {
		return directory.DomainDetail{}, err
	}
	if _, file := a.configured(name); file || !k.Verified.IsZero() {
		return a.detail(ctx, k)
	}
	if !ask.Vouch {
		if err := a.prove(ctx, k); err != nil {
			return directory.DomainDetail{}, err
		}
	}
	_, k, err = a.Store.ChangeDomain(ctx, name, func(now *directory.KeptDomain, _ *directory.Override) error {
		if now.Added.IsZero() || now.Token != k.Token {
			return fmt.Errorf("the domain %s: %w", name, directory.ErrChanged)
		}
		now.Verified, now.By, now.At = a.Clock.Now(), by, a.Clock.Now()
		if ask.Vouch {
			now.Vouched = by
		}
		return nil
	})
	if err != nil {
		return directory.DomainDetail{}, err
	}
	d, err := a.detail(ctx, k)
	return d, errors.Join(err, a.Ensure(ctx)) // its hashes may have been wanted before
}

// dnsWithin bounds the wait for DNS.
const dnsWithin = 10 * time.Second

// prove looks for the domain's TXT record.
func (a *Domains) prove(ctx context.Context, k directory.KeptDomain) error {
	ctx, cancel := context.WithTimeout(ctx, dnsWithin)
	defer cancel()
	want := directory.VerificationRecord(k.Token)
	texts, err := a.resolver().LookupTXT(ctx, k.Name+".") // the dot: no search list
	var failed *net.DNSError
	if err != nil && (!errors.As(err, &failed) || !failed.IsNotFound) {
		return api.Problem{Title: "Bad Gateway", Status: http.StatusBadGateway, Detail: fmt.Sprintf("the TXT records of %s could not be read: %v. Look at tenant.resolver, or vouch for the domain (`fourways domain verify %s --vouch`)", k.Name, err, k.Name)}
	}
	if slices.ContainsFunc(texts, func(s string) bool { return strings.TrimSpace(s) == want }) {
		return nil
	}
	return conflict("%s has no TXT record %q (TXT records there: %d). Make it at whoever serves the domain's DNS, and verify again when it has spread", k.Name, want, len(texts))
}

// resolver asks the configured DNS server, else the machine's own.
func (a *Domains) resolver() *net.Resolver {
	server := a.Config().Tenant.Resolver
	if server == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server)
	}}
}
