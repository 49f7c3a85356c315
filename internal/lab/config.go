package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/lab/harbour"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// federatedDomains can be signed in to at Harbour ID; the domain to switch has both protocols.
func federatedDomains() []string {
	return []string{world.SAMLDomain, world.OIDCDomain, world.LabDomain}
}

// idpID is the id of a [[idp]] table of the lab: harbour-saml for saml.example.test, harbour-lab-oidc for the other of
// the domain to switch.
func idpID(domain, protocol string) string {
	if domain == world.LabDomain {
		return "harbour-lab-" + protocol
	}
	return "harbour-" + protocol
}

// protocols are those that a federated domain's people can use.
func protocols(domain string) []string {
	switch domain {
	case world.SAMLDomain:
		return []string{"saml"}
	case world.OIDCDomain:
		return []string{"oidc"}
	default:
		return []string{"saml", "oidc"}
	}
}

// issuers tells Harbour ID who asks for which domain's people.
func (l *Lab) issuers() []harbour.Issuer {
	var all []harbour.Issuer
	for _, d := range federatedDomains() {
		one := harbour.Issuer{Domain: d}
		for _, protocol := range protocols(d) {
			base := l.public + "/federation/" + protocol + "/" + idpID(d, protocol)
			if protocol == "saml" {
				one.SAML = harbour.SP{EntityID: base + "/metadata", ACSURL: base + "/acs"}
			} else {
				one.OIDC = harbour.Client{ID: idpID(d, protocol), Secret: l.secrets.oidc, RedirectURI: base + "/callback"}
			}
		}
		all = append(all, one)
	}
	return all
}

// Configure writes into c what the demo world needs of a gateway: domains and identity providers. Domains that c has
// already keep their path, and what is not of the demo world stays, so that an edit of the file survives a restart.
func (l *Lab) Configure(c *config.Config) error {
	edited := map[string]config.Domain{}
	for _, d := range c.Domain {
		edited[d.Name] = d
	}
	c.Domain = slices.DeleteFunc(c.Domain, func(d config.Domain) bool { return slices.Contains(world.Domains(), d.Name) })
	c.IdP = slices.DeleteFunc(c.IdP, func(p config.IdP) bool { return strings.HasPrefix(p.ID, "harbour-") })
	others := c.Domain
	c.Domain = nil
	for _, name := range world.Domains() {
		d, ok := edited[name]
		if !ok {
			d = domain(name)
		}
		c.Domain = append(c.Domain, d)
	}
	c.Domain = append(c.Domain, others...)
	secret := filepath.Join(l.dir, "oidc-client-secret")
	if err := os.WriteFile(secret, []byte(l.secrets.oidc+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the OpenID Connect client's secret: %w", err)
	}
	for _, d := range federatedDomains() {
		for _, protocol := range protocols(d) {
			idp := config.IdP{
				ID: idpID(d, protocol), Protocol: protocol, Domains: []string{d}, Match: authn.MatchAnchor, ClockSkew: config.Duration(2 * time.Minute),
			}
			if protocol == "oidc" {
				idp.Issuer, idp.ClientID, idp.ClientSecretFile = l.harbour.OIDCIssuer(d), idp.ID, secret
			} else {
				idp.Binding, idp.MetadataFile = "redirect", filepath.Join(l.dir, idp.ID+".xml")
				if err := os.WriteFile(idp.MetadataFile, l.harbour.SAMLMetadata(d), 0o600); err != nil {
					return fmt.Errorf("write Harbour ID's metadata: %w", err)
				}
			}
			c.IdP = append(c.IdP, idp)
		}
	}
	return nil
}

func domain(name string) config.Domain {
	d := config.Domain{Name: name, Path: world.PathOf(name)}
	if name == world.PHSDomain || name == world.LabDomain {
		on := true // stays on when the path is switched, so that it can be switched back
		d.PasswordHashSync = &on
	}
	if d.Path == authn.PathFederated {
		d.IdP = idpID(name, protocols(name)[0])
	}
	return d
}
