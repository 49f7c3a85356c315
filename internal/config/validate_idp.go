package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
)

func (v *validator) idps(c *Config) {
	seen := map[string]string{}
	for i := range c.IdP {
		p, key := &c.IdP[i], fmt.Sprintf("idp[%d]", i)
		if !ValidName(p.ID) {
			v.bad(key+".id", "is not an id", "write 1 to 40 lower-case letters, digits and dashes: it stands in addresses")
		}
		if first, again := seen[p.ID]; again && p.ID != "" {
			v.bad(key+".id", fmt.Sprintf("%s is configured twice (%s)", p.ID, first), "give each identity provider an id of its own")
		}
		seen[p.ID] = key
		v.idpDomains(c, p, key)
		v.oneOf(key+".match", string(p.Match), string(authn.MatchAnchor), string(authn.MatchUPN))
		within(v, key+".clock_skew", p.ClockSkew, 0, Duration(5*time.Minute))
		switch p.Protocol {
		case "saml":
			v.saml(p, key)
		case "oidc":
			v.oidc(p, key)
		default:
			v.oneOf(key+".protocol", p.Protocol, "saml", "oidc")
		}
	}
}

func (v *validator) idpDomains(c *Config, p *IdP, key string) {
	if len(p.Domains) == 0 {
		v.bad(key+".domains", "is empty: the provider speaks for nobody", "list the domains whose people it signs in")
	}
	for i, name := range p.Domains {
		p.Domains[i] = strings.ToLower(name)
		if !slices.ContainsFunc(c.Domain, func(d Domain) bool { return strings.EqualFold(d.Name, name) }) {
			v.bad(key+".domains", fmt.Sprintf("%.60q is not one of the domains", name), "add a [[domain]] of that name, or remove it here")
		}
	}
}

func (v *validator) saml(p *IdP, key string) {
	if (p.MetadataFile == "") == (p.Metadata == "") {
		v.bad(key+".metadata_file", "a SAML provider needs its metadata, once", "set metadata_file (a file), or metadata (the XML itself)")
	}
	v.oneOf(key+".binding", p.Binding, "redirect", "post")
	v.foreign(key, p.Protocol, "issuer", "client_id", "client_secret_file")
}

func (v *validator) oidc(p *IdP, key string) {
	u, err := url.Parse(p.Issuer)
	switch {
	case p.Issuer == "":
		v.bad(key+".issuer", "is missing", "write the provider's issuer, as its discovery document says it")
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		v.bad(key+".issuer", "is not an issuer", "write an https address without query, as the discovery document says it")
	case u.Scheme == "http" && !loopback(u.Hostname()) && !v.exposed:
		v.bad(key+".issuer", "is plain http: anybody on the way could sign tokens", "write https://")
	}
	v.need(key+".client_id", p.ClientID, "write the client id that the provider gave for this gateway")
	v.foreign(key, p.Protocol, "metadata_file", "metadata", "binding")
}

// foreign complains of keys that belong to the other protocol.
func (v *validator) foreign(key, protocol string, names ...string) {
	for _, name := range names {
		if v.written(key + "." + name) {
			v.bad(key+"."+name, "means nothing to protocol "+protocol, "remove it")
		}
	}
}

// ValidName reports a name for an agent or an identity provider: 1 to 40 lower-case letters, digits and inner dashes.
func ValidName(s string) bool {
	if s == "" || len(s) > 40 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
