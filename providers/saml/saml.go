// Package saml signs people in at another identity provider by SAML 2.0: it is the service provider of the web browser
// SSO profile (SAML profiles 4.1).
//
// In comes an authn.Attempt. Without a Callback it is answered with an AuthnRequest for the browser to carry away. With
// one, the Response is put through these checks, each a step of the trace:
//
//	structure -> signature -> issuer -> audience -> recipient -> in_response_to -> time -> replay -> subject
//
// Out goes the name that the identity provider signed; whether it is the person who was asked for is settled in authn.
//
// Three readers see a Response, in this order. Ours counts tokens and holds the shape to what a sign-in needs, before
// any library builds a tree. goxmldsig then gives back the bytes that were signed, and meaning is read from these alone,
// parsed anew: what is signed is what is read. crewjam/saml has the last word, and must name the same person.
//
// The package never takes a password, never fetches anything, never accepts an answer that nobody asked for, and keeps
// no state of a sign-in outside Outcome.Keep. It is the one package that sets crewjam's package variables.
package saml

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	crewjam "github.com/crewjam/saml"
	"golang.org/x/sync/semaphore"

	"github.com/fourways-id/fourways/authn"
)

// Provider is the federated path to one identity provider. It is safe for concurrent use.
type Provider struct {
	config Config
	clock  authn.Clock
	idp    Metadata
	sp     crewjam.ServiceProvider // copied for each use
	work   *semaphore.Weighted
}

// New checks the configuration. It never dials. The clock is for the times in the trace and in what is stored; SAML's own
// times are compared with real time.
func New(c Config, clock authn.Clock) (*Provider, error) {
	c = c.withDefaults()
	idp, err := c.describe()
	if err == nil {
		err = c.validate(idp)
	}
	if err != nil {
		return nil, fmt.Errorf("SAML identity provider %q: %w", c.ID, err)
	}
	loosenLibrary()
	p := &Provider{config: c, clock: clock, idp: idp, work: semaphore.NewWeighted(int64(c.Policy.AtOnce))}
	p.sp = p.serviceProvider()
	return p, nil
}

// Step sends the person to the identity provider, or takes the answer that the browser brought back. Any other answer is
// as good as none: a password is never read here.
func (p *Provider) Step(ctx context.Context, a authn.Attempt) authn.Outcome {
	cb, ok := a.Answer.(authn.Callback)
	if !ok {
		return p.ask(a)
	}
	release, err := p.admit(ctx)
	if err != nil {
		step := authn.StartStep(p.clock, authn.F3, authn.Browser, authn.Gateway).With(authn.FactIdP, p.config.ID).
			With(authn.FactReason, authn.Overloaded.String())
		return authn.Fail(authn.Overloaded, authn.F3, err, step.End(p.clock, authn.StepRefused))
	}
	defer release()
	return p.callback(a, cb)
}

// Issuer is the one issuer that this provider speaks for.
func (p *Provider) Issuer() string { return p.idp.Issuer }

// CertificateExpiry is when the last of the identity provider's certificates runs out: from then on nobody gets in.
func (p *Provider) CertificateExpiry() time.Time {
	last := slices.MaxFunc(p.idp.Certificates, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
	return last.NotAfter
}

// longestWait is how long a Response waits for a free place. Canonicalising XML costs CPU that strangers can ask for, so
// federation has a bound of its own, and the other paths keep theirs.
const longestWait = 80 * time.Millisecond

func (p *Provider) admit(ctx context.Context) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("the sign-in was given up before its response was read: %w", err)
	}
	wait, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	if err := p.work.Acquire(wait, 1); err != nil {
		return nil, errors.New("too many SAML responses are being checked at once; the limit is policy.at_once of this identity provider")
	}
	return func() { p.work.Release(1) }, nil
}

// realNow is protocol time, which the lab's clock does not move.
func realNow() time.Time { return time.Now().UTC() } //nolint:forbidigo // SAML compares with real time

// policyTime is where a moment of protocol time stands on the policy clock, for what is stored and compared there.
func (p *Provider) policyTime(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return p.clock.Now().Add(at.Sub(realNow()))
}
