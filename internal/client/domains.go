package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Domains lists the domains, verified or not.
func (c *Console) Domains(ctx context.Context) ([]directory.DomainDetail, error) {
	page, err := call[api.Page[directory.DomainDetail]](ctx, c, http.MethodGet, "domains", nil)
	return page.Items, err
}

// Domain shows a domain, with the version that a change names.
func (c *Console) Domain(ctx context.Context, name string) (Version[directory.DomainDetail], error) {
	return callVersion[directory.DomainDetail](ctx, c, http.MethodGet, domainOf(name), "", nil)
}

// AddDomain adds an unverified domain.
func (c *Console) AddDomain(ctx context.Context, name string) (directory.DomainDetail, error) {
	return call[directory.DomainDetail](ctx, c, http.MethodPost, "domains", api.NewDomain{Name: name})
}

// VerifyDomain verifies a domain by DNS, or vouches for it.
func (c *Console) VerifyDomain(ctx context.Context, name string, vouch bool) (directory.DomainDetail, error) {
	return call[directory.DomainDetail](ctx, c, http.MethodPost, domainOf(name)+"/verify", api.VerifyDomain{Vouch: vouch})
}

// ChangeDomain changes settings of a domain that has that version still; "" is any.
func (c *Console) ChangeDomain(ctx context.Context, name, version string, ask api.DomainChange) (api.DomainChanged, error) {
	v, err := callVersion[api.DomainChanged](ctx, c, http.MethodPatch, domainOf(name), version, ask)
	return v.Object, err
}

// RemoveDomain removes a domain that has no accounts, and has that version still; "" is any.
func (c *Console) RemoveDomain(ctx context.Context, name, version string) error {
	_, err := callVersion[struct{}](ctx, c, http.MethodDelete, domainOf(name), version, nil)
	return err
}

func domainOf(name string) string { return "domains/" + url.PathEscape(name) }
