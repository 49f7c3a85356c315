package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/providers/oidc"
	"github.com/fourways-id/fourways/providers/saml"
)

// idp is one configured identity provider, open or refusing.
type idp struct {
	directory.IdP
	provider authn.Provider
	origin   string // where the browser is sent
	why      error  // why it can't work; nil when it can
}

// answerWithin bounds how long an identity provider may take to show that it is there.
const answerWithin = time.Second

// ready says why nobody can sign in there now; nil when somebody can.
func (p *idp) ready(ctx context.Context, now time.Time) error {
	if p.why != nil {
		return p.why
	}
	if c, ok := p.provider.(interface{ CertificateExpiry() time.Time }); ok && !now.Before(c.CertificateExpiry()) {
		return fmt.Errorf("[[idp]] %s: its last signing certificate ran out on %s: put its new metadata in place and reload", p.ID, c.CertificateExpiry().UTC().Format(time.DateOnly))
	}
	if r, ok := p.provider.(interface{ Ready(context.Context) error }); ok {
		ctx, cancel := context.WithTimeout(ctx, answerWithin)
		defer cancel()
		if err := r.Ready(ctx); err != nil {
			return fmt.Errorf("[[idp]] %s: %w", p.ID, err)
		}
	}
	return nil
}

// opener makes the provider of one [[idp]] table, and says who its issuer is and where it sends the browser.
type opener func(g *Gateway, c config.IdP, public string) (p authn.Provider, origin string, err error)

// openers is the table of federated provider types. A type name here is a `protocol` in the configuration.
func openers() map[string]opener {
	return map[string]opener{"saml": openSAML, "oidc": openOIDC}
}

// openIdPs opens every configured identity provider. One that can't be opened refuses with the reason.
func (g *Gateway) openIdPs(c *config.Config) map[string]*idp {
	all := make(map[string]*idp, len(c.IdP))
	open := openers()
	for i, conf := range c.IdPs() {
		one := &idp{IdP: conf}
		if o := open[conf.Protocol]; o == nil {
			one.why = fmt.Errorf("[[idp]] %s: no protocol %q", conf.ID, conf.Protocol)
		} else {
			one.provider, one.origin, one.why = o(g, c.IdP[i], strings.TrimSuffix(c.Server.PublicURL, "/"))
		}
		if one.why != nil {
			one.provider = refusing{authn.RealmUnknown, one.why}
			g.core.log.Warn("identity provider is not ready; the other paths go on", "idp", conf.ID, "error", one.why)
		} else if named, ok := one.provider.(interface{ Issuer() string }); ok {
			one.Issuer = named.Issuer()
		}
		all[conf.ID] = one
	}
	return all
}

// exposed reports a lab that others reach over plain http, and whose identity provider they reach so too.
func (g *Gateway) exposed() bool {
	c := g.conf.Load()
	return g.lab != nil && c.Lab != nil && c.Lab.Expose
}

func openSAML(g *Gateway, c config.IdP, public string) (authn.Provider, string, error) {
	metadata := []byte(c.Metadata)
	if c.MetadataFile != "" {
		var err error
		if metadata, err = os.ReadFile(c.MetadataFile); err != nil {
			return nil, "", fmt.Errorf("[[idp]] %s: read metadata_file: %w", c.ID, err)
		}
	}
	parse := saml.ParseMetadata
	if g.exposed() {
		parse = saml.ParsePlainMetadata
	}
	known, err := parse(metadata)
	if err != nil {
		return nil, "", fmt.Errorf("[[idp]] %s: its metadata: %w", c.ID, err)
	}
	base := public + "/federation/saml/" + c.ID
	p, err := saml.New(saml.Config{
		ID: c.ID, EntityID: base + "/metadata", ACSURL: base + "/acs", IdP: saml.IdP{Metadata: metadata},
		Requests: saml.Requests{Binding: saml.Binding(c.Binding)}, Policy: saml.Policy{Skew: time.Duration(c.ClockSkew), PlainHTTP: g.exposed()},
	}, g.core.clock)
	if err != nil {
		return nil, "", fmt.Errorf("[[idp]] %s: %w", c.ID, err)
	}
	return p, origin(known.SSO[saml.Binding(c.Binding)]), nil
}

func openOIDC(g *Gateway, c config.IdP, public string) (authn.Provider, string, error) {
	secret, err := readSecret(c.ClientSecretFile)
	if err != nil {
		return nil, "", fmt.Errorf("[[idp]] %s: read client_secret_file: %w", c.ID, err)
	}
	p, err := oidc.New(oidc.Config{
		ID: c.ID, Issuer: c.Issuer, Client: oidc.Client{ID: c.ClientID, Secret: secret},
		RedirectURL: public + "/federation/oidc/" + c.ID + "/callback", Skew: time.Duration(c.ClockSkew), PlainHTTP: g.exposed(),
	}, g.core.clock)
	if err != nil {
		return nil, "", fmt.Errorf("[[idp]] %s: %w", c.ID, err)
	}
	return p, origin(c.Issuer), nil
}

// readSecret reads a secret file; its last line end is not part of the secret.
func readSecret(path string) (authn.Secret, error) {
	if path == "" {
		return authn.Secret{}, nil
	}
	raw, err := os.ReadFile(path) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return authn.Secret{}, err
	}
	for len(raw) > 0 && (raw[len(raw)-1] == '\n' || raw[len(raw)-1] == '\r') {
		raw = raw[:len(raw)-1]
	}
	return authn.NewSecret(raw), nil
}

func origin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// federation is what the public listener must know of the identity providers; it implements web.Federation.
type federation struct{ paths *paths }

// Metadata is our SAML metadata for that identity provider.
func (f federation) Metadata(id string) ([]byte, bool) {
	one, ok := (*f.paths.federated.Load())[id]
	if !ok {
		return nil, false
	}
	p, ok := one.provider.(interface{ Metadata() []byte })
	if !ok {
		return nil, false
	}
	return p.Metadata(), true
}

// Origins lists where a sign-in may send the browser.
func (f federation) Origins() []string {
	var all []string
	for _, one := range *f.paths.federated.Load() {
		if one.origin != "" && !slices.Contains(all, one.origin) {
			all = append(all, one.origin)
		}
	}
	return all
}

// found turns "there is none" into a zero value: to the hash paths that is an ordinary answer.
func found[T any](v T, err error) (T, error) {
	if errors.Is(err, directory.ErrNotFound) {
		var zero T
		return zero, nil
	}
	return v, err
}
