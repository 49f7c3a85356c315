package oidc_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/fourways-id/fourways/authn"
)

// hang guards a test against an issuer that never answers; it measures nothing.
const hang = 15 * time.Second

// step takes a step under the hang guard.
func step(t *testing.T, p authn.Provider, ctx context.Context, a authn.Attempt) authn.Outcome {
	t.Helper()
	done := make(chan authn.Outcome, 1)
	go func() { done <- p.Step(ctx, a) }()
	select {
	case out := <-done:
		return out
	case <-time.After(hang):
		t.Fatal("no answer after the deadline")
		return authn.Outcome{}
	}
}

func TestIssuerDownIsUnavailableAndComesBackAlone(t *testing.T) {
	i := newIssuer(t)
	i.set(func(i *issuer) { i.metadata = func(m map[string]any) { delete(m, "issuer") } })
	p := open(t, i.config(), &clock{})
	mustRefuse(t, p.Step(t.Context(), attempt(authn.Want{})), authn.IdPUnreachable, authn.F1)
	if err := p.Ready(t.Context()); err == nil {
		t.Error("ready although the metadata can't be had")
	}
	i.set(func(i *issuer) { i.metadata = nil })
	if err := p.Ready(t.Context()); err != nil {
		t.Errorf("not ready: %v", err)
	}
	mustAllow(t, signIn(t, p, i, authn.Want{}))
}

func TestIssuerThatIsNotThere(t *testing.T) {
	i := newIssuer(t)
	a := attempt(authn.Want{})
	p := open(t, i.config(), &clock{})
	first := p.Step(t.Context(), a)
	second := back(a, first, i.authorize(t, first))
	i.Close()
	mustRefuse(t, p.Step(t.Context(), second), authn.IdPUnreachable, authn.F5)
	mustRefuse(t, open(t, i.config(), &clock{}).Step(t.Context(), a), authn.IdPUnreachable, authn.F1)
}

func TestMetadataThatIsNotTheIssuersOwn(t *testing.T) {
	for name, lie := range map[string]func(map[string]any){
		"another issuer":              func(m map[string]any) { m["issuer"] = "http://other.example.test" },
		"the issuer with a slash":     func(m map[string]any) { m["issuer"] = m["issuer"].(string) + "/" },
		"a token endpoint off https":  func(m map[string]any) { m["token_endpoint"] = "http://192.0.2.1/token" },
		"a token endpoint with user":  func(m map[string]any) { m["token_endpoint"] = "https://u:p@127.0.0.1/token" },
		"no authorization endpoint":   func(m map[string]any) { delete(m, "authorization_endpoint") },
		"a script for an endpoint":    func(m map[string]any) { m["authorization_endpoint"] = "javascript:alert(1)" },
		"keys in a file":              func(m map[string]any) { m["jwks_uri"] = "file:///etc/passwd" },
		"more than will ever be read": func(m map[string]any) { m["filler"] = strings.Repeat("x", 2<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t)
			i.set(func(i *issuer) { i.metadata = lie })
			p := open(t, i.config(), &clock{})
			mustRefuse(t, p.Step(t.Context(), attempt(authn.Want{})), authn.IdPUnreachable, authn.F1)
			i.set(func(i *issuer) { i.metadata = nil })
			mustAllow(t, signIn(t, p, i, authn.Want{}))
		})
	}
}

func TestRedirectedTokenRequestIsNotFollowed(t *testing.T) {
	i := newIssuer(t)
	reached := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer elsewhere.Close()
	i.set(func(i *issuer) {
		i.token = func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}
	})
	p := open(t, i.config(), &clock{})
	mustRefuse(t, signIn(t, p, i, authn.Want{}), authn.IdPUnreachable, authn.F5)
	if reached {
		t.Error("the code and the client secret went elsewhere")
	}
	i.set(func(i *issuer) { i.token = nil })
	mustAllow(t, signIn(t, p, i, authn.Want{}))
}

func TestTokenEndpointInTrouble(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"broken": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"broken, by its own": func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, 500, map[string]any{"error": "invalid_grant"})
		},
		"not JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"busy":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"cut off":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t)
			i.set(func(i *issuer) { i.token = answer })
			p := open(t, i.config(), &clock{})
			out := signIn(t, p, i, authn.Want{})
			mustRefuse(t, out, authn.IdPUnreachable, authn.F5)
			if len(out.Once) != 0 {
				t.Error("a code that may not have been spent is used up")
			}
			i.set(func(i *issuer) { i.token = nil })
			mustAllow(t, signIn(t, p, i, authn.Want{}))
		})
	}
}

// TestSilentTokenEndpoint: an issuer that takes the request and never answers ends with the person's deadline, and no
// more than a bounded number of people wait for it.
func TestSilentTokenEndpoint(t *testing.T) {
	i := newIssuer(t)
	waiting, release := make(chan struct{}, 1000), make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		waiting <- struct{}{}
		<-release
	}))
	defer silent.Close()
	defer close(release)
	i.set(func(i *issuer) { i.metadata = func(m map[string]any) { m["token_endpoint"] = silent.URL } })
	p := open(t, i.config(), &clock{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const room = 64
	ended := make(chan authn.Outcome, room)
	begin := func() authn.Attempt {
		a := attempt(authn.Want{})
		first := p.Step(t.Context(), a)
		return back(a, first, i.authorize(t, first))
	}
	for range room {
		a := begin()
		go func() { ended <- p.Step(ctx, a) }()
	}
	for range room {
		select {
		case <-waiting:
		case <-time.After(hang):
			t.Fatal("the token endpoint was not called")
		}
	}
	mustRefuse(t, step(t, p, t.Context(), begin()), authn.Overloaded, authn.F5)
	cancel()
	for range room {
		select {
		case out := <-ended:
			mustRefuse(t, out, authn.IdPUnreachable, authn.F5)
		case <-time.After(hang):
			t.Fatal("a step did not end with its context")
		}
	}
}

func TestSilentIssuerEndsWithTheContext(t *testing.T) {
	i := newIssuer(t)
	release, asked := make(chan struct{}), make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(asked); <-release }))
	defer silent.Close()
	defer close(release)
	c := i.config()
	c.Issuer = silent.URL
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	mustRefuse(t, step(t, open(t, c, &clock{}), ctx, attempt(authn.Want{})), authn.IdPUnreachable, authn.F1)
}

func TestKeysRotate(t *testing.T) {
	i := newIssuer(t)
	p := open(t, i.config(), &clock{})
	mustAllow(t, signIn(t, p, i, authn.Want{}))
	old := i.key
	i.set(func(i *issuer) { i.key, i.kid = newKey(t), "two" })
	mustAllow(t, signIn(t, p, i, authn.Want{}))
	i.set(func(i *issuer) { // what the withdrawn key signs is refused
		i.sign = func(payload []byte) string { return signRS256(t, old, "one", nil, payload) }
	})
	mustRefuse(t, signIn(t, p, i, authn.Want{}), authn.SignatureInvalid, authn.F4Signature)
}

// TestWithdrawnKeyIsForgotten: go-oidc alone would trust a key for ever once it saw it.
func TestWithdrawnKeyIsForgotten(t *testing.T) {
	i := newIssuer(t)
	c := &clock{}
	p := open(t, i.config(), c)
	mustAllow(t, signIn(t, p, i, authn.Want{}))
	old := i.key
	i.set(func(i *issuer) {
		i.key, i.kid = newKey(t), "two"
		i.sign = func(payload []byte) string { return signRS256(t, old, "one", nil, payload) }
	})
	c.advance(2 * time.Hour)
	mustRefuse(t, signIn(t, p, i, authn.Want{}), authn.SignatureInvalid, authn.F4Signature)
	i.set(func(i *issuer) { i.sign = nil })
	mustAllow(t, signIn(t, p, i, authn.Want{}))
}

func TestMetadataOutlivesAnIssuerThatIsDownForAWhile(t *testing.T) {
	i := newIssuer(t)
	c := &clock{}
	p := open(t, i.config(), c)
	mustAllow(t, signIn(t, p, i, authn.Want{}))
	i.set(func(i *issuer) { i.metadata = func(m map[string]any) { clear(m) } })
	c.advance(2 * time.Hour)
	if out := p.Step(t.Context(), attempt(authn.Want{})); out.Verdict != authn.Challenged {
		t.Errorf("%v %v: %v", out.Verdict, out.Reason, out.Err)
	}
}

// TestUnknownKeysDoNotFloodTheIssuer: every token with an unknown kid makes go-oidc fetch the keys.
func TestUnknownKeysDoNotFloodTheIssuer(t *testing.T) {
	i := newIssuer(t)
	c := &clock{}
	p := open(t, i.config(), c)
	mustAllow(t, signIn(t, p, i, authn.Want{}))
	stranger := newKey(t)
	i.set(func(i *issuer) {
		i.sign = func(payload []byte) string { return signRS256(t, stranger, "unknown", nil, payload) }
	})
	for range 30 {
		mustRefuse(t, signIn(t, p, i, authn.Want{}), authn.SignatureInvalid, authn.F4Signature)
	}
	if n := i.keyFetches(); n > 8 { // the burst, and what the running time of the test gives
		t.Errorf("31 sign-ins fetched the keys %d times", n)
	}
	i.set(func(i *issuer) { i.sign, i.kid, i.key = nil, "two", stranger })
	c.advance(time.Minute)
	mustAllow(t, signIn(t, p, i, authn.Want{}))
}

func TestKeysThatMayNotVerify(t *testing.T) {
	i := newIssuer(t)
	p := func() authn.Provider { return open(t, i.config(), &clock{}) }
	public := func() map[string]any {
		return map[string]any{"kty": "RSA", "kid": "one", "e": "AQAB", "n": modulus(t, i)}
	}
	with := func(name string, value any) []any {
		k := public()
		k[name] = value
		return []any{k}
	}
	sign := func() authn.Outcome {
		prov := p()
		a := attempt(authn.Want{})
		first := prov.Step(t.Context(), a)
		return prov.Step(t.Context(), back(a, first, i.authorize(t, first)))
	}
	for name, keys := range map[string][]any{
		"for encryption":        with("use", "enc"),
		"to wrap keys":          with("key_ops", []string{"wrapKey"}),
		"of another algorithm":  with("alg", "RS512"),
		"with its private half": with("d", "AQAB"),
		"of another kind":       with("kty", "oct"),
		"unreadable":            {"key"},
		"too short":             with("n", "AQAB"),
		"none at all":           {},
	} {
		i.set(func(i *issuer) { i.keys = func() []any { return keys } })
		out := sign()
		if out.Verdict != authn.Denied || out.Reason != authn.SignatureInvalid {
			t.Errorf("a key %s: %v %v: %v", name, out.Verdict, out.Reason, out.Err)
		}
		i.set(func(i *issuer) { i.keys = func() []any { return with("key_ops", []string{"verify"}) } })
		mustAllow(t, sign())
	}
}

func modulus(t *testing.T, i *issuer) string {
	t.Helper()
	raw, err := jose.JSONWebKey{Key: &i.key.PublicKey}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	_, n, _ := strings.Cut(string(raw), `"n":"`)
	n, _, _ = strings.Cut(n, `"`)
	return n
}

func TestKeysThatCanNotBeHadAreNoForgery(t *testing.T) {
	i := newIssuer(t)
	lost := httptest.NewServer(http.NotFoundHandler())
	defer lost.Close()
	i.set(func(i *issuer) { i.metadata = func(m map[string]any) { m["jwks_uri"] = lost.URL } })
	mustRefuse(t, signIn(t, open(t, i.config(), &clock{}), i, authn.Want{}), authn.IdPUnreachable, authn.F4Signature)
	i.set(func(i *issuer) { i.metadata = nil })
	mustAllow(t, signIn(t, open(t, i.config(), &clock{}), i, authn.Want{}))
}
