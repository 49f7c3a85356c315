package saml

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/fourways-id/fourways/authn"
)

// sent asks and decodes what the browser would carry away.
func sent(t *testing.T, p *Provider, want authn.Want) (*etree.Element, authn.Outcome) {
	t.Helper()
	a := attempt(authn.Nothing{})
	a.Want = want
	out := p.Step(t.Context(), a)
	if out.Verdict != authn.Challenged || len(out.Keep) > authn.MaxKeep {
		t.Fatalf("%v, keeps %d bytes: %v", out.Verdict, len(out.Keep), out.Err)
	}
	encoded := out.Challenge.Form["SAMLRequest"]
	if out.Challenge.Kind == authn.Redirect {
		u, err := url.Parse(out.Challenge.URL)
		if err != nil {
			t.Fatal(err)
		}
		encoded = u.Query().Get("SAMLRequest")
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if out.Challenge.Kind == authn.Redirect {
		if raw, err = io.ReadAll(flate.NewReader(bytes.NewReader(raw))); err != nil {
			t.Fatal(err)
		}
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(raw); err != nil {
		t.Fatal(err)
	}
	return doc.Root(), out
}

func byPost(c *Config) { c.Requests.Binding = Post }

func TestRequest(t *testing.T) {
	for name, change := range map[string]func(*Config){"by redirect": nil, "by post": byPost} {
		t.Run(name, func(t *testing.T) {
			p := testProvider(t, change)
			req, out := sent(t, p, authn.Want{})
			for key, want := range map[string]string{
				"Version": "2.0", "Destination": idpSSO, "AssertionConsumerServiceURL": ourACS, "ForceAuthn": "",
				"ProtocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
			} {
				if got := attr(req, key); got != want {
					t.Errorf("%s is %q, want %q", key, got, want)
				}
			}
			if got := find(t, req, "Issuer").Text(); got != ourName {
				t.Errorf("issuer %q", got)
			}
			if got := attr(find(t, req, "NameIDPolicy"), "Format"); got != persistent {
				t.Errorf("asks for a NameID of format %q", got)
			}
			if req.SelectElement("RequestedAuthnContext") != nil {
				t.Error("asks for a context that nobody wants")
			}
			at, err := instant(req, "IssueInstant")
			if err != nil || time.Since(at).Abs() > time.Minute {
				t.Errorf("issued at %s, not in real time: %v", at, err)
			}
			var k kept
			if err := json.Unmarshal(out.Keep, &k); err != nil || k.Request != attr(req, "ID") {
				t.Errorf("keeps request %q of %q: %v", k.Request, attr(req, "ID"), err)
			}
			relay := out.Challenge.Form["RelayState"]
			if u, err := url.Parse(out.Challenge.URL); err == nil && relay == "" {
				relay = u.Query().Get("RelayState")
			}
			if relay != k.Relay || len(relay) < 20 || len(relay) > 80 {
				t.Errorf("RelayState %q, kept %q", relay, k.Relay)
			}
			if again, _ := sent(t, p, authn.Want{}); attr(again, "ID") == attr(req, "ID") {
				t.Error("two requests have one ID")
			}
		})
	}
}

func TestRequestCarriesWishes(t *testing.T) {
	p := testProvider(t, nil)
	const multi = "http://schemas.microsoft.com/claims/multipleauthn"
	req, _ := sent(t, p, authn.Want{Fresh: true, Context: []string{multi, "second"}})
	if attr(req, "ForceAuthn") != "true" || find(t, req, "RequestedAuthnContext/AuthnContextClassRef").Text() != multi {
		t.Errorf("wishes are not in %s", write(req))
	}
	if req, _ = sent(t, p, authn.Want{MaxAge: time.Minute}); attr(req, "ForceAuthn") != "true" {
		t.Error("a maximum age does not ask for a fresh sign-in")
	}
	if req, _ = sent(t, p, authn.Want{}); attr(req, "ForceAuthn") != "" {
		t.Error("one person's wish stays for the next")
	}
}

func TestSignedRequests(t *testing.T) {
	signed := func(c *Config) { c.Key, c.Requests.Sign = ourKey(), true }
	t.Run("by redirect, over the query", func(t *testing.T) {
		_, out := sent(t, testProvider(t, signed), authn.Want{})
		_, query, _ := strings.Cut(out.Challenge.URL, "?")
		over, sig, found := strings.Cut(query, "&Signature=")
		sig, _, _ = strings.Cut(sig, "&"+loginHint+"=")
		value, err := url.QueryUnescape(sig)
		if !found || err != nil || !strings.Contains(over, "SigAlg="+url.QueryEscape(dsig.RSASHA256SignatureMethod)) {
			t.Fatalf("not signed: %s", out.Challenge.URL)
		}
		raw, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(over))
		if err := rsa.VerifyPKCS1v15(&ourKey().Private.PublicKey, crypto.SHA256, sum[:], raw); err != nil {
			t.Error(err)
		}
	})
	t.Run("by post, enveloped", func(t *testing.T) {
		req, _ := sent(t, testProvider(t, func(c *Config) { signed(c); byPost(c) }), authn.Want{})
		store := &dsig.MemoryX509CertificateStore{Roots: nil}
		store.Roots = append(store.Roots, ourKey().Certificate)
		if _, err := dsig.NewDefaultValidationContext(store).Validate(req); err != nil {
			t.Error(err)
		}
	})
}

func TestRequestTellsWhoseNameWasTyped(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		want   authn.Want
		name   string
	}{{nil, authn.Want{}, upnOf}, {byPost, authn.Want{}, upnOf}, {nil, authn.Want{LoginHint: "a&b=c"}, "a&b=c"}, {byPost, authn.Want{LoginHint: "x"}, "x"}} {
		_, out := sent(t, testProvider(t, c.change), c.want)
		got := out.Challenge.Form[loginHint]
		if u, err := url.Parse(out.Challenge.URL); err == nil && out.Challenge.Kind == authn.Redirect {
			got = u.Query().Get(loginHint)
		}
		if got != c.name {
			t.Errorf("%s hints at %q, want %q", out.Challenge.Kind, got, c.name)
		}
	}
}

// TestPasswordIsNotRead: whatever is typed, the answer is the identity provider's address.
func TestPasswordIsNotRead(t *testing.T) {
	p := testProvider(t, nil)
	for _, answer := range []authn.Answer{authn.Password{Secret: authn.NewSecret([]byte("Spring-2025!"))}, authn.Code{}, authn.NewPassword{}, nil} {
		if out := p.Step(t.Context(), attempt(answer)); out.Verdict != authn.Challenged || out.Challenge.Kind != authn.Redirect {
			t.Errorf("%T: %v %v", answer, out.Verdict, out.Challenge.Kind)
		}
	}
}
