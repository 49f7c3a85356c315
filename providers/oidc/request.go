package oidc

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/fourways-id/fourways/authn"
)

// kept is what binds the answer to the browser and to the request; session seals it.
type kept struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"` // RFC 7636; good for this one code only
	Asked    time.Time `json:"t"` // real time, to compare the token's with
	Sent     time.Time `json:"a"` // time of the trace
}

// ask sends the browser to the issuer.
func (p *Provider) ask(ctx context.Context, a authn.Attempt) authn.Outcome {
	step := authn.StartStep(p.clock, authn.F1, authn.Gateway, authn.Browser).
		With(authn.FactIdP, p.config.ID).With(authn.FactProtocol, "oidc").
		With(authn.FactIssuer, p.config.Issuer).With(authn.FactBinding, "redirect")
	meta, err := p.discovery.get(ctx)
	if err != nil {
		return authn.Fail(authn.IdPUnreachable, authn.F1, err, step.End(p.clock, authn.StepRefused))
	}
	k := kept{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Asked: realNow(), Sent: p.clock.Now()}
	keep, err := json.Marshal(k)
	if err != nil {
		return authn.Fail(authn.Internal, authn.F1, fmt.Errorf("encode what is kept of the request: %w", err), step.End(p.clock, authn.StepRefused))
	}
	step = step.With(authn.FactRequest, requestID(k.State))
	return authn.Ask(authn.Challenge{Kind: authn.Redirect, URL: p.authURL(meta, a, k)}, keep, step.End(p.clock, authn.StepOK))
}

func (p *Provider) authURL(meta *metadata, a authn.Attempt, k kept) string {
	options := []oauth2.AuthCodeOption{goidc.Nonce(k.Nonce), oauth2.S256ChallengeOption(k.Verifier)}
	set := func(name, value string) {
		if value != "" {
			options = append(options, oauth2.SetAuthURLParam(name, value))
		}
	}
	hint := a.Want.LoginHint
	if hint == "" {
		hint = a.Who.UPN()
	}
	set("login_hint", hint)
	set("acr_values", strings.Join(a.Want.Context, " "))
	switch {
	case a.Want.MaxAge > 0:
		set("max_age", strconv.FormatInt(int64(a.Want.MaxAge/time.Second), 10))
	case a.Want.Fresh: // makes auth_time mandatory (OpenID Connect Core 2), without which freshness can't be checked
		set("max_age", "0")
	}
	if a.Want.Fresh {
		set("prompt", "login")
	}
	return p.oauth(meta).AuthCodeURL(k.State, options...)
}

// oauth is the client of one exchange.
func (p *Provider) oauth(meta *metadata) *oauth2.Config {
	endpoint := meta.endpoint
	endpoint.AuthStyle = oauth2.AuthStyleInParams
	if p.config.Client.AuthMethod == Basic && !p.config.Client.Secret.Empty() {
		endpoint.AuthStyle = oauth2.AuthStyleInHeader
	}
	return &oauth2.Config{
		ClientID: p.config.Client.ID, ClientSecret: string(p.config.Client.Secret.Reveal()),
		Endpoint: endpoint, RedirectURL: p.config.RedirectURL, Scopes: p.config.Scopes,
	}
}

// requestID names a request in the trace without telling its state, which is a secret between browser and gateway: the
// first eight bytes of its SHA-256. An issuer that logs the same can be joined to our trace.
func requestID(state string) string {
	sum := sha256.Sum256([]byte(state))
	return hex.EncodeToString(sum[:8])
}
