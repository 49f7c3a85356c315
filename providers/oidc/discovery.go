package oidc

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/fourways-id/fourways/authn"
)

// How long metadata and keys are good. go-oidc keeps a key for ever once it has seen it; with the metadata its key set
// is dropped as well, so a key that an issuer withdrew is good for an hour at most.
const (
	metadataGood  = time.Hour
	metadataRetry = time.Minute // of a renewal that failed; until it succeeds the old one stays
)

// metadata is what an issuer says about itself (OpenID Connect Discovery 3).
type metadata struct {
	renew    time.Time
	endpoint oauth2.Endpoint
	keys     goidc.KeySet
	issParam bool // RFC 9207: its callbacks always carry iss
}

// discovery reads the metadata of one issuer when it is first needed, once for all who wait for it.
type discovery struct {
	issuer     string
	plain      bool // http off loopback too
	algorithms []string
	client     *http.Client
	clock      authn.Clock

	flight singleflight.Group
	mu     sync.Mutex
	known  *metadata
}

// get returns the metadata, or why it can't be had; a failure is not remembered.
func (d *discovery) get(ctx context.Context) (*metadata, error) {
	known := d.current()
	if known != nil && d.clock.Now().Before(known.renew) {
		return known, nil
	}
	// One person who goes away must not end the reading for the others who wait for it.
	reading := d.flight.DoChan("", func() (any, error) {
		fresh, err := d.read(context.WithoutCancel(ctx))
		return d.keep(fresh, err)
	})
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("read the metadata of %s: %w", d.issuer, ctx.Err())
	case r := <-reading:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*metadata), nil
	}
}

func (d *discovery) current() *metadata {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known
}

// keep stores fresh metadata; when there is none, the old stays good a little longer.
func (d *discovery) keep(fresh *metadata, err error) (*metadata, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err == nil:
		d.known = fresh
	case d.known == nil:
		return nil, err
	default:
		old := *d.known
		old.renew = d.clock.Now().Add(metadataRetry)
		d.known = &old
	}
	return d.known, nil
}

func (d *discovery) read(ctx context.Context) (*metadata, error) {
	op, err := goidc.NewProvider(goidc.ClientContext(ctx, d.client), d.issuer)
	if err != nil {
		return nil, fmt.Errorf("read the metadata of %s: %w", d.issuer, err)
	}
	var more struct {
		Keys     string `json:"jwks_uri"`
		IssParam bool   `json:"authorization_response_iss_parameter_supported"`
	}
	if err := op.Claims(&more); err != nil {
		return nil, fmt.Errorf("read the metadata of %s: %w", d.issuer, err)
	}
	for what, raw := range map[string]string{
		"authorization_endpoint": op.Endpoint().AuthURL, "token_endpoint": op.Endpoint().TokenURL, "jwks_uri": more.Keys,
	} {
		if err := d.checkEndpoint(what, raw); err != nil {
			return nil, err
		}
	}
	return &metadata{
		renew:    d.clock.Now().Add(metadataGood),
		endpoint: op.Endpoint(),
		keys:     newKeySet(ctx, more.Keys, d.client, d.clock, d.algorithms),
		issParam: more.IssParam,
	}, nil
}

// checkEndpoint refuses an address that would leave https behind; an endpoint may carry a query (RFC 6749, 3.1).
func (d *discovery) checkEndpoint(what, raw string) error {
	bad := func(why string) error {
		return fmt.Errorf("the metadata of %s has an unusable %s %q: %s", d.issuer, what, raw, why)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return bad("not an absolute URL without user and fragment")
	}
	issuer, err := url.Parse(d.issuer)
	if err != nil {
		return bad(err.Error())
	}
	if u.Scheme != "https" && (u.Scheme != "http" || issuer.Scheme != "http" || !d.plain && !loopback(u.Hostname())) {
		return bad("not https")
	}
	return nil
}
