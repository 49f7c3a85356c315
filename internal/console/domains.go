package console

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Domains is the administration of the tenant's domains.
type Domains interface {
	DomainReader
	DomainMaker
	DomainSettings
}

// DomainReader lists domains, those that are not verified too.
type DomainReader interface {
	Domains(ctx context.Context) ([]directory.DomainDetail, error)
	Domain(ctx context.Context, name string) (directory.DomainDetail, error)
}

// DomainMaker adds domains and takes them away.
type DomainMaker interface {
	AddDomain(ctx context.Context, ask api.NewDomain, by string) (directory.DomainDetail, error)
	VerifyDomain(ctx context.Context, name string, ask api.VerifyDomain, by string) (directory.DomainDetail, error)
	RemoveDomain(ctx context.Context, name, version string) error
}

// DomainSettings changes what is set for a domain at run time.
type DomainSettings interface {
	ChangeDomain(ctx context.Context, name string, ask api.DomainChange, by, version string) (before directory.DomainDetail, after api.DomainChanged, err error)
}

func (c *console) domainOperations() []operation {
	return []operation{
		look(c, "GET /domains", Reader, "List the domains, verified or not", c.domains),
		look(c, "GET /domains/{domain}", Reader, "Show a domain, and where its settings come from", c.domain),
		act(c, "POST /domains", Admin, "Add unverified domain", "Add a domain; nobody signs in there before it is verified", c.addDomain).created(),
		act(c, "POST /domains/{domain}/verify", Admin, "Verify domain", "Verify a domain by its TXT record, or vouch for it", c.verifyDomain),
		act(c, "PATCH /domains/{domain}", Admin, "Update domain", "Change settings of a domain at run time; \"file\" gives one back to the configuration file", c.changeDomain).long(),
		act(c, "DELETE /domains/{domain}", Admin, "Remove domain", "Remove a domain that has no accounts", c.removeDomain),
	}
}

func (c *console) domains(r *http.Request) (api.Page[directory.DomainDetail], error) {
	all, err := c.Tenant.Domains.Domains(r.Context())
	return api.PageOf(all), err
}

func (c *console) domain(r *http.Request) (directory.DomainDetail, error) {
	return c.Tenant.Domains.Domain(r.Context(), r.PathValue("domain"))
}

func (c *console) addDomain(r *http.Request, ask api.NewDomain, by api.Token) (did[directory.DomainDetail], error) {
	made, err := c.Tenant.Domains.AddDomain(r.Context(), ask, by.Name)
	return did[directory.DomainDetail]{Target: ask.Name, After: domainInShort(made), Answer: made}, err
}

func (c *console) verifyDomain(r *http.Request, ask api.VerifyDomain, by api.Token) (did[directory.DomainDetail], error) {
	d := did[directory.DomainDetail]{Target: r.PathValue("domain")}
	if ask.Vouch {
		d.After = "vouched by " + by.Name // also when it is refused
	}
	verified, err := c.Tenant.Domains.VerifyDomain(r.Context(), d.Target, ask, by.Name)
	if d.Answer = verified; err == nil {
		d.After = domainInShort(verified)
	}
	return d, err
}

func (c *console) changeDomain(r *http.Request, ask api.DomainChange, by api.Token) (did[api.DomainChanged], error) {
	before, after, err := c.Tenant.Domains.ChangeDomain(r.Context(), r.PathValue("domain"), ask, by.Name, ifMatch(r))
	d := did[api.DomainChanged]{Before: domainInShort(before), After: domainInShort(after.DomainDetail), Answer: after}
	if after.Dropped > 0 {
		d.After += fmt.Sprintf(", %d hashes dropped", after.Dropped)
	}
	return d, err
}

func (c *console) removeDomain(r *http.Request, _ none, _ api.Token) (did[none], error) {
	return did[none]{}, c.Tenant.Domains.RemoveDomain(r.Context(), r.PathValue("domain"), ifMatch(r))
}

// domainInShort is a domain as the audit log has it.
func domainInShort(d directory.DomainDetail) string {
	if d.Name == "" {
		return ""
	}
	verified, expiry := "unverified", "no expiry"
	if d.Verified {
		verified = "verified by " + d.VerifiedBy
	}
	if d.Expiry > 0 {
		expiry = "passwords expire after " + time.Duration(d.Expiry).String()
	}
	hashes := "off"
	if d.PHS {
		hashes = "on"
	}
	return fmt.Sprintf("%s, hash synchronisation %s, %s", verified, hashes, expiry)
}
