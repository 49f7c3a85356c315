package doctor

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/providers/saml"
)

// oneIdP is less than a check may take, so that the finding names the provider that hangs.
const oneIdP = usual - time.Second

// IdPs looks at the configured identity providers from this machine; none without one.
func IdPs(c *config.Config, client *http.Client, now func() time.Time) []Check {
	if len(c.IdP) == 0 {
		return nil
	}
	each := func(do func(context.Context, config.IdP) Seen) func(context.Context) Seen {
		return func(ctx context.Context) Seen {
			ctx, cancel := context.WithTimeout(ctx, oneIdP)
			defer cancel()
			all := make([]Seen, len(c.IdP))
			var g errgroup.Group
			for i, p := range c.IdP {
				g.Go(func() error {
					all[i] = do(ctx, p)
					return nil
				})
			}
			_ = g.Wait() // none has an error
			return Worst(Seen{}, all...)
		}
	}
	return []Check{
		{ID: "idp.metadata", Title: "The identity providers' metadata", Run: each(func(ctx context.Context, p config.IdP) Seen { return idpMetadata(ctx, client, p) })},
		{ID: "idp.certificate", Title: "The identity providers' signing certificates", Run: each(func(ctx context.Context, p config.IdP) Seen { return idpCertificate(ctx, client, p, now()) })},
		{ID: "idp.clock", Title: "This machine's clock against the identity providers'", Run: each(func(ctx context.Context, p config.IdP) Seen { return idpClock(ctx, client, p, now) })},
	}
}

// metadataOf reads the SAML metadata of an identity provider, from its file or the configuration.
func metadataOf(p config.IdP) (saml.Metadata, error) {
	raw := []byte(p.Metadata)
	if p.MetadataFile != "" {
		var err error
		if raw, err = os.ReadFile(p.MetadataFile); err != nil {
			return saml.Metadata{}, err
		}
	}
	return saml.ParseMetadata(raw)
}

func idpMetadata(ctx context.Context, client *http.Client, p config.IdP) Seen {
	if p.Protocol == "oidc" {
		return discovery(ctx, client, p)
	}
	m, err := metadataOf(p)
	if err != nil {
		return Fail("put the provider's own metadata in place, then `fourways config reload`", "%s: its metadata can't be used: %v", p.ID, err)
	}
	if m.SSO[saml.Binding(p.Binding)] == "" {
		return Fail("choose a binding that the metadata has", "%s: its metadata has no sign-in address for the binding %s", p.ID, p.Binding)
	}
	return OK("%s is %s", p.ID, m.Issuer)
}

// discovery reads the issuer's own document (OpenID Connect Discovery 1.0, section 4): the issuer in it must be the one that
// is configured, letter by letter, and it must sign with a public key.
func discovery(ctx context.Context, client *http.Client, p config.IdP) Seen {
	const fix = "check issuer, and that this machine reaches it under the name that browsers use"
	res, err := get(ctx, client, strings.TrimSuffix(p.Issuer, "/")+"/.well-known/openid-configuration")
	if err != nil {
		return Fail(fix, "%s: %s does not answer: %v", p.ID, p.Issuer, err)
	}
	var doc struct {
		Issuer     string   `json:"issuer"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	switch err := json.Unmarshal(res.body, &doc); {
	case res.status != http.StatusOK || err != nil:
		return Fail(fix, "%s: %s answers %d without a discovery document", p.ID, p.Issuer, res.status)
	case doc.Issuer != p.Issuer:
		return Fail(fmt.Sprintf("write issuer = %q, if that is the one", doc.Issuer), "%s: it calls itself %q, the configuration %q", p.ID, doc.Issuer, p.Issuer)
	case !slices.ContainsFunc(doc.Algorithms, func(a string) bool { return slices.Contains(accepted(), a) }):
		return Fail("have it sign with one of "+strings.Join(accepted(), ", "), "%s: it signs with %s only", p.ID, strings.Join(doc.Algorithms, ", "))
	}
	return OK("%s is %s and signs with %s", p.ID, doc.Issuer, strings.Join(doc.Algorithms, ", "))
}

// accepted are the signature algorithms that providers/oidc takes when none are configured.
func accepted() []string { return []string{"RS256", "PS256", "ES256", "EdDSA"} }

// shortRSA is the key size below which a signature proves little (NIST SP 800-131A).
const shortRSA = 2048

func idpCertificate(ctx context.Context, client *http.Client, p config.IdP, now time.Time) Seen {
	if p.Protocol == "oidc" {
		return OK("%s publishes its keys, and rotates them itself", p.ID)
	}
	m, err := metadataOf(p)
	if err != nil {
		return Skip("", "%s: its metadata can't be used", p.ID)
	}
	if len(m.Certificates) == 0 {
		return Fail("ask for metadata with a signing certificate", "%s: its metadata has none", p.ID)
	}
	last := m.Certificates[0]
	for _, c := range m.Certificates {
		if key, ok := c.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < shortRSA {
			return Warn("ask the provider for a key of 2048 bits or more", "%s signs with an RSA key of %d bits", p.ID, key.N.BitLen())
		}
		if c.NotAfter.After(last.NotAfter) {
			last = c
		}
	}
	if changed := rotation(p.ID, m, published(ctx, client, m.Issuer)); changed.result != "" {
		return changed
	}
	return expiry("the last certificate of "+p.ID, last.NotAfter, now, "get the provider's new metadata, put it in place, then `fourways config reload`")
}

// rotation compares the certificates that are configured with those that the provider shows; zero when there is nothing to tell.
func rotation(id string, ours saml.Metadata, shown []*x509.Certificate) Seen {
	unknown := 0
	for _, c := range shown {
		if !slices.ContainsFunc(ours.Certificates, c.Equal) {
			unknown++
		}
	}
	fix := "ask the provider's owner whether its key was changed; if so, put what it publishes at " + ours.Issuer + " in place, then `fourways config reload`"
	switch {
	case unknown == 0:
		return Seen{}
	case unknown == len(shown):
		return Fail(fix, "%s publishes another signing certificate than its metadata here: its assertions are refused (signature_invalid)", id)
	}
	return Warn(fix, "%s publishes one more signing certificate than its metadata here: what it signs with that is refused (signature_invalid)", id)
}

// published are the signing certificates that a provider shows where its entity id points to, by the custom of SAML
// metadata 4.1; none when there is nothing of the kind. They are for comparing: what was fetched vouches for nothing.
func published(ctx context.Context, client *http.Client, issuer string) []*x509.Certificate {
	if u, err := url.Parse(issuer); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil
	}
	res, err := get(ctx, client, issuer)
	if err != nil || res.status != http.StatusOK {
		return nil
	}
	m, err := saml.ParseMetadata(res.body)
	if err != nil || m.Issuer != issuer {
		return nil
	}
	return m.Certificates
}

func idpClock(ctx context.Context, client *http.Client, p config.IdP, now func() time.Time) Seen {
	address := p.Issuer
	if p.Protocol != "oidc" {
		m, err := metadataOf(p)
		if err != nil {
			return Skip("", "%s: its metadata can't be used", p.ID)
		}
		address = m.SSO[saml.Binding(p.Binding)]
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return Skip("", "%s: it has no address", p.ID)
	}
	return clockOf(ctx, client, p.ID, u.Scheme+"://"+u.Host+"/", now)
}
