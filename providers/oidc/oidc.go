// Package oidc signs people in at another identity provider by OpenID Connect: code flow, PKCE S256, state and nonce.
//
// In comes an authn.Attempt. Without a Callback it is answered with a redirect to the issuer; with one, the code is
// exchanged at the token endpoint, and the ID token is put through the checks of OpenID Connect Core 3.1.3.7 one by one,
// each a step of the trace. Out goes the issuer's name for the person; whether that is the person who was asked for is
// settled in authn.
//
// The package never takes a password, never lets anybody in by itself, never uses the access token, never dials before
// the first sign-in, and keeps no state of a sign-in outside Outcome.Keep.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/sync/semaphore"

	"github.com/fourways-id/fourways/authn"
)

// AuthMethod says how the client proves itself at the token endpoint.
type AuthMethod string

// The ways to send a client secret. A client without a secret is public and sends its id in the body.
const (
	Post  AuthMethod = "post"  // client_secret_post, the default
	Basic AuthMethod = "basic" // client_secret_basic; Microsoft's own federation does not use it
)

// Client is what the issuer knows us as.
type Client struct {
	ID         string
	Secret     authn.Secret // zero: a public client, held by PKCE alone
	AuthMethod AuthMethod   // "" is Post
}

// Claims names the claims that say who the person is.
type Claims struct {
	Anchor string // "" is "immutable_id"
	UPN    string // "" is "preferred_username"; "email" counts only with email_verified
}

// Config describes one issuer.
type Config struct {
	ID          string // of the identity provider in the configuration
	Issuer      string // exactly as in discovery and in the ID token
	Client      Client
	RedirectURL string
	Scopes      []string // "openid" is added; none means openid, profile and email
	Claims      Claims
	HTTP        *http.Client  // nil: a client of our own without proxy. Bodies, time and redirects are bounded in either
	Algorithms  []string      // signature algorithms taken; none means RS256, PS256, ES256 and EdDSA
	PlainHTTP   bool          // takes http off loopback too: for a lab in one room, never for production
	Skew        time.Duration // how far the issuer's clock may be off; 0 is one minute, at most five
}

const (
	defaultSkew = time.Minute
	longestSkew = 5 * time.Minute
	// exchangesAtOnce bounds the sign-ins of one issuer that wait for its token endpoint, so that a slow issuer
	// costs its own people only.
	exchangesAtOnce = 64
)

// Provider is the federated path to one issuer. It is safe for concurrent use.
type Provider struct {
	config    Config
	clock     authn.Clock
	http      *http.Client
	discovery *discovery
	exchanges *semaphore.Weighted
}

// New checks the configuration. It never dials: the issuer may be down now and come back later. The clock is for the times
// in the trace and in what is stored or cached; the token's own times are compared with real time.
func New(c Config, clock authn.Clock) (*Provider, error) {
	c = withDefaults(c)
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("OpenID Connect provider %q: %w", c.ID, err)
	}
	client := boundedClient(c.HTTP)
	return &Provider{
		config:    c,
		clock:     clock,
		http:      client,
		discovery: &discovery{issuer: c.Issuer, plain: c.PlainHTTP, algorithms: c.Algorithms, client: client, clock: clock},
		exchanges: semaphore.NewWeighted(exchangesAtOnce),
	}, nil
}

// Step sends the person to the issuer, or takes the answer that the browser brought back. Any other answer is as good as
// none: a password is never read here.
func (p *Provider) Step(ctx context.Context, a authn.Attempt) authn.Outcome {
	if cb, ok := a.Answer.(authn.Callback); ok {
		return p.callback(ctx, a, cb)
	}
	return p.ask(ctx, a)
}

// Issuer is the one issuer that this provider speaks for.
func (p *Provider) Issuer() string { return p.config.Issuer }

// Ready reports whether the issuer's metadata can be had.
func (p *Provider) Ready(ctx context.Context) error {
	_, err := p.discovery.get(ctx)
	return err
}

// realNow is protocol time: the lab moves policy time, and an issuer's clock does not follow it.
func realNow() time.Time { return time.Now() } //nolint:forbidigo // protocol time stays real

func withDefaults(c Config) Config {
	if c.Client.AuthMethod == "" {
		c.Client.AuthMethod = Post
	}
	if c.Claims.Anchor == "" {
		c.Claims.Anchor = "immutable_id"
	}
	if c.Claims.UPN == "" {
		c.Claims.UPN = claimPreferredUsername
	}
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"profile", "email"}
	}
	if !slices.Contains(c.Scopes, goidc.ScopeOpenID) {
		c.Scopes = append([]string{goidc.ScopeOpenID}, c.Scopes...)
	}
	if len(c.Algorithms) == 0 {
		c.Algorithms = []string{goidc.RS256, goidc.PS256, goidc.ES256, goidc.EdDSA}
	}
	if c.Skew == 0 {
		c.Skew = defaultSkew
	}
	return c
}

func (c Config) validate() error {
	var all []error
	complain := func(bad bool, format string, args ...any) {
		if bad {
			all = append(all, fmt.Errorf(format, args...))
		}
	}
	complain(c.ID == "", "it has no id")
	complain(c.Client.ID == "", "it has no client id: register fourways at the issuer")
	complain(c.Client.AuthMethod != Post && c.Client.AuthMethod != Basic, "auth method %q is not known: use post or basic", c.Client.AuthMethod)
	complain(c.Skew < 0 || c.Skew > longestSkew, "skew %s is outside 0 to %s", c.Skew, longestSkew)
	all = append(all, checkURL("issuer", c.Issuer, c.PlainHTTP), checkURL("redirect URL", c.RedirectURL, c.PlainHTTP))
	for _, alg := range c.Algorithms {
		// "none" proves nothing, and with an HMAC the issuer's public key would be the secret (RFC 8725, 2.1).
		complain(!slices.Contains(asymmetric(), alg), "algorithm %q is not taken: use one of %s", alg, strings.Join(asymmetric(), ", "))
	}
	return errors.Join(all...)
}

func asymmetric() []string {
	return []string{
		goidc.RS256, goidc.RS384, goidc.RS512, goidc.PS256, goidc.PS384, goidc.PS512,
		goidc.ES256, goidc.ES384, goidc.ES512, goidc.EdDSA,
	}
}

// checkURL holds OpenID Connect Discovery 3 (https, no query, no fragment); http is taken on loopback only, or where
// plain says so.
func checkURL(what, raw string, plain bool) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%s %q is not an absolute URL without user, query and fragment", what, raw)
	case u.Scheme == "https", u.Scheme == "http" && (plain || loopback(u.Hostname())):
		return nil
	default:
		return fmt.Errorf("%s %q must begin with https:// (http:// is for loopback only)", what, raw)
	}
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
