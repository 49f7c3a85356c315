package harbour_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/harbour"
	"github.com/fourways-id/fourways/providers/saml"
)

func serviceProvider(t *testing.T, s *harbour.Server, domain string, change func(*saml.Config)) *saml.Provider {
	t.Helper()
	c := saml.Config{ID: "harbour", EntityID: entityID, ACSURL: acsURL, IdP: saml.IdP{Metadata: s.SAMLMetadata(domain)}}
	if change != nil {
		change(&c)
	}
	p, err := saml.New(c, realClock{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ask begins a sign-in and shows the form.
func ask(t *testing.T, b *browser, p *saml.Provider, user string) (authn.Attempt, page) {
	t.Helper()
	a := authn.Attempt{ID: "a", Who: authn.ParseIdentifier(user), Answer: authn.Nothing{}, Want: authn.Want{Fresh: true}}
	first := p.Step(t.Context(), a)
	if first.Verdict != authn.Challenged {
		t.Fatalf("%v %v: %v", first.Verdict, first.Reason, first.Err)
	}
	a.Kept = first.Keep
	if first.Challenge.Kind == authn.Redirect {
		return a, b.open(first.Challenge.URL)
	}
	form := page{at: &url.URL{}, action: first.Challenge.URL, fields: url.Values{}}
	for name, value := range first.Challenge.Form {
		form.fields.Set(name, value)
	}
	return a, b.submit(form)
}

func TestSignInBySAML(t *testing.T) {
	s := start(t, &directory{}, t.TempDir())
	for _, binding := range []saml.Binding{saml.Redirect, saml.Post} {
		p := serviceProvider(t, s, samlDomain, func(c *saml.Config) { c.Requests.Binding = binding })
		b := newBrowser(t, s)
		a, form := ask(t, b, p, "alice@"+samlDomain)
		done := b.signIn(form, "alice@"+samlDomain, password)
		if done.status != http.StatusOK || done.action != acsURL || !strings.Contains(done.text, `<button type="submit">`) {
			t.Fatalf("by %s: %d %s", binding, done.status, done.text)
		}
		csp := done.header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "script-src 'self'") || !strings.Contains(csp, "form-action 'self' http://localhost:8400") || strings.Count(done.text, "<script") != 1 {
			t.Errorf("the answer's page can't submit itself, or runs more than that: %q", csp)
		}
		a.Answer = authn.Callback{IdP: "harbour", Binding: "post", Values: done.fields}
		out := p.Step(t.Context(), a)
		if out.Verdict != authn.Allowed {
			t.Fatalf("by %s: %v %v at %s: %v", binding, out.Verdict, out.Reason, out.Check, out.Err)
		}
		if want := (authn.Subject{Issuer: s.SAMLIssuer(samlDomain), Anchor: anchor, UPN: "alice@" + samlDomain}); out.Subject != want {
			t.Errorf("subject %+v, want %+v", out.Subject, want)
		}
		if out.Proof.Context != "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport" || out.Proof.At.IsZero() {
			t.Errorf("proof %+v", out.Proof)
		}
		if e := last(t, s); e.Result != harbour.SignedIn || e.Protocol != "saml" || e.Request == "" || e.Who != "alice@"+samlDomain {
			t.Errorf("logged %+v", e)
		}
	}
}

// TestIssuersOfTwoDomainsAreTwo: what one domain's issuer signs, the other domain's partner refuses.
func TestIssuersOfTwoDomainsAreTwo(t *testing.T) {
	s := start(t, &directory{}, t.TempDir())
	b := newBrowser(t, s)
	p, other := serviceProvider(t, s, samlDomain, nil), serviceProvider(t, s, oidcDomain, nil)
	a, form := ask(t, b, p, "alice@"+samlDomain)
	done := b.signIn(form, "alice@"+samlDomain, password)
	a.Answer = authn.Callback{IdP: "harbour", Binding: "post", Values: done.fields}
	if out := other.Step(t.Context(), a); out.Verdict != authn.Denied {
		t.Errorf("the other domain: %v %v", out.Verdict, out.Reason)
	}
	if out := p.Step(t.Context(), a); out.Verdict != authn.Allowed {
		t.Errorf("control: %v %v at %s: %v", out.Verdict, out.Reason, out.Check, out.Err)
	}
}

func TestSAMLRequestsThatAreRefused(t *testing.T) {
	s := start(t, &directory{}, t.TempDir())
	b := newBrowser(t, s)
	sso := s.URL() + "/saml/" + samlDomain + "/sso"
	for name, change := range map[string]func(*saml.Config){
		"an unknown partner": func(c *saml.Config) { c.EntityID = "urn:other" },
		"an unknown ACS":     func(c *saml.Config) { c.ACSURL = "http://localhost:8400/elsewhere" },
	} {
		if _, p := ask(t, b, serviceProvider(t, s, samlDomain, change), "alice@"+samlDomain); p.fields.Has("password") {
			t.Errorf("%s: %d", name, p.status)
		}
	}
	a := authn.Attempt{ID: "a", Who: authn.ParseIdentifier("alice@" + samlDomain), Answer: authn.Nothing{}}
	misled := serviceProvider(t, s, samlDomain, nil).Step(t.Context(), a).Challenge.URL
	if p := b.open(strings.Replace(misled, samlDomain, oidcDomain, 1)); p.status != http.StatusBadRequest {
		t.Errorf("a request that is for another issuer: %d", p.status)
	}
	for _, query := range []string{"", "?SAMLRequest=x", "?SAMLRequest=PHg+", "?SAMLRequest=" + strings.Repeat("A", 16<<10)} {
		if p := b.open(sso + query); p.status != http.StatusBadRequest {
			t.Errorf("%.40s: %d", query, p.status)
		}
	}
	if _, p := ask(t, b, serviceProvider(t, s, samlDomain, nil), "alice@"+samlDomain); !p.fields.Has("password") {
		t.Errorf("control: %d %s", p.status, p.text)
	}
}

func TestPartnerWithACertificateMustSign(t *testing.T) {
	ours, others := partnerKey(t), partnerKey(t)
	s := startWith(t, &directory{}, t.TempDir(), harbour.SP{EntityID: entityID, ACSURL: acsURL, Certificate: ours.Certificate.Raw})
	b := newBrowser(t, s)
	for _, binding := range []saml.Binding{saml.Redirect, saml.Post} {
		try := func(key *saml.Key) page {
			_, p := ask(t, b, serviceProvider(t, s, samlDomain, func(c *saml.Config) {
				c.Requests = saml.Requests{Binding: binding, Sign: key != nil}
				c.Key = key
			}), "alice@"+samlDomain)
			return p
		}
		if p := try(nil); p.status != http.StatusBadRequest {
			t.Errorf("unsigned by %s: %d", binding, p.status)
		}
		if p := try(others); p.status != http.StatusBadRequest {
			t.Errorf("signed by a stranger, by %s: %d", binding, p.status)
		}
		if p := try(ours); !p.fields.Has("password") {
			t.Errorf("control, by %s: %d %s", binding, p.status, p.text)
		}
	}
}

func partnerKey(t *testing.T) *saml.Key {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &saml.Key{Private: key, Certificate: cert}
}
