package saml

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"

	"github.com/fourways-id/fourways/authn"
)

// kept is what binds the answer to the request and to the browser; session seals it.
type kept struct {
	Request string    `json:"r"` // the AuthnRequest's ID
	Relay   string    `json:"s"` // RelayState: opaque, at most 80 bytes (SAML bindings 3.4.3)
	Sent    time.Time `json:"t"` // policy time, for the trace
	Real    time.Time `json:"p"` // protocol time, for freshness
}

// ask sends the browser to the identity provider with an AuthnRequest (SAML core 3.4.1).
func (p *Provider) ask(a authn.Attempt) authn.Outcome {
	binding := p.config.Requests.Binding
	step := authn.StartStep(p.clock, authn.F1, authn.Gateway, authn.Browser).
		With(authn.FactIdP, p.config.ID).With(authn.FactProtocol, "saml").
		With(authn.FactIssuer, p.idp.Issuer).With(authn.FactBinding, string(binding))
	k := kept{Relay: rand.Text(), Sent: p.clock.Now(), Real: realNow()}
	challenge, request, err := p.request(a.Want, k.Relay)
	hint(&challenge, a)
	if err == nil {
		k.Request = request.ID
		var keep []byte
		if keep, err = json.Marshal(k); err == nil {
			step = step.With(authn.FactRequest, request.ID).With(authn.FactLength, strconv.Itoa(challengeLen(challenge)))
			return authn.Ask(challenge, keep, step.End(p.clock, authn.StepOK))
		}
	}
	return authn.Fail(authn.Internal, authn.F1, fmt.Errorf("build the AuthnRequest: %w", err), step.End(p.clock, authn.StepRefused))
}

func (p *Provider) request(want authn.Want, relay string) (authn.Challenge, *crewjam.AuthnRequest, error) {
	sp := p.sp
	if want.Fresh || want.MaxAge > 0 { // SAML has no max_age: only a fresh one is sure to be young enough
		force := true
		sp.ForceAuthn = &force
	}
	if len(want.Context) > 0 { // the library writes one AuthnContextClassRef; the first is the best liked
		sp.RequestedAuthnContext = &crewjam.RequestedAuthnContext{Comparison: "exact", AuthnContextClassRef: want.Context[0]}
	}
	binding := p.config.Requests.Binding
	wire := crewjam.HTTPRedirectBinding
	if binding == Post {
		wire = crewjam.HTTPPostBinding
	}
	to := p.idp.SSO[binding]
	req, err := sp.MakeAuthenticationRequest(to, wire, crewjam.HTTPPostBinding)
	if err != nil {
		return authn.Challenge{}, nil, err
	}
	if binding == Redirect {
		u, err := req.Redirect(relay, &sp)
		if err != nil {
			return authn.Challenge{}, nil, err
		}
		return authn.Challenge{Kind: authn.Redirect, URL: u.String()}, req, nil
	}
	doc := etree.NewDocument()
	doc.SetRoot(req.Element())
	raw, err := doc.WriteToBytes()
	if err != nil {
		return authn.Challenge{}, nil, err
	}
	form := map[string]string{"SAMLRequest": base64.StdEncoding.EncodeToString(raw), "RelayState": relay}
	return authn.Challenge{Kind: authn.Post, URL: to, Form: form}, req, nil
}

// hint tells the identity provider which name was typed, beside SAML: AD FS and others read login_hint, the rest ignore it.
// A Subject in the request would be SAML's own way, but some refuse a request that has one.
func hint(c *authn.Challenge, a authn.Attempt) {
	name := a.Want.LoginHint
	if name == "" {
		name = a.Who.UPN()
	}
	switch {
	case name == "" || len(name) > longestValue:
	case c.Kind == authn.Redirect: // after the signature, which covers SAML's own parameters only
		c.URL += "&" + loginHint + "=" + url.QueryEscape(name)
	case c.Kind == authn.Post:
		c.Form[loginHint] = name
	}
}

const loginHint = "login_hint"

func challengeLen(c authn.Challenge) int {
	n := len(c.URL)
	for name, value := range c.Form {
		n += len(name) + len(value)
	}
	return n
}

// unpack reads what was kept. Without it nobody here asked, and the answer is a stray or a stranger's (login CSRF).
func unpack(data []byte) (kept, error) {
	if len(data) == 0 {
		return kept{}, errors.New("a response came that no sign-in of this browser asked for")
	}
	var k kept
	if err := json.Unmarshal(data, &k); err != nil {
		return kept{}, fmt.Errorf("what was kept of the request can't be read: %w", err)
	}
	if k.Request == "" || k.Relay == "" {
		return kept{}, errors.New("what was kept is not of a SAML request")
	}
	return k, nil
}
