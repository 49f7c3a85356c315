package harbour_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/harbour"
	"github.com/fourways-id/fourways/providers/oidc"
)

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

// authorizeURL is a good authorization request made by hand.
func authorizeURL(s *harbour.Server, domain string, set ...string) string {
	q := url.Values{
		"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {callback}, "scope": {"openid profile"}, "state": {"st"}, "nonce": {"no"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}, "login_hint": {"alice@" + domain},
	}
	for n := 0; n < len(set); n += 2 {
		q.Set(set[n], set[n+1])
	}
	return s.OIDCIssuer(domain) + "/authorize?" + q.Encode()
}

func relyingParty(t *testing.T, s *harbour.Server, domain string, method oidc.AuthMethod) *oidc.Provider {
	t.Helper()
	p, err := oidc.New(oidc.Config{
		ID: "harbour", Issuer: s.OIDCIssuer(domain), RedirectURL: callback,
		Client: oidc.Client{ID: clientID, Secret: authn.NewSecret([]byte(secret)), AuthMethod: method},
	}, realClock{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSignInByOpenIDConnect(t *testing.T) {
	s := start(t, &directory{}, t.TempDir())
	for _, method := range []oidc.AuthMethod{oidc.Post, oidc.Basic} {
		p := relyingParty(t, s, oidcDomain, method)
		a := authn.Attempt{ID: "a", Who: authn.ParseIdentifier("alice@" + oidcDomain), Answer: authn.Nothing{}, Want: authn.Want{Fresh: true}}
		first := p.Step(t.Context(), a)
		if first.Verdict != authn.Challenged {
			t.Fatalf("%v %v: %v", first.Verdict, first.Reason, first.Err)
		}
		b := newBrowser(t, s)
		done := b.signIn(b.open(first.Challenge.URL), "alice@"+oidcDomain, password)
		came, err := url.Parse(done.location)
		if err != nil || !strings.HasPrefix(done.location, callback+"?") {
			t.Fatalf("%d %q %s", done.status, done.location, done.text)
		}
		a.Kept, a.Answer = first.Keep, authn.Callback{IdP: "harbour", Binding: "redirect", Values: came.Query()}
		out := p.Step(t.Context(), a)
		if out.Verdict != authn.Allowed {
			t.Fatalf("%v %v at %s: %v", out.Verdict, out.Reason, out.Check, out.Err)
		}
		if want := (authn.Subject{Issuer: s.OIDCIssuer(oidcDomain), Anchor: anchor, UPN: "alice@" + oidcDomain}); out.Subject != want {
			t.Errorf("subject %+v, want %+v", out.Subject, want)
		}
		if len(out.Proof.Methods) != 1 || out.Proof.Methods[0] != "pwd" || out.Proof.Context == "" || out.Proof.At.IsZero() {
			t.Errorf("proof %+v", out.Proof)
		}
		if again := p.Step(t.Context(), a); again.Verdict != authn.Denied {
			t.Errorf("the code is good twice: %v %v", again.Verdict, again.Reason)
		}
		state := sha256.Sum256([]byte(came.Query().Get("state")))
		e := last(t, s)
		if e.Result != harbour.SignedIn || e.Request != hex.EncodeToString(state[:8]) || e.Request != first.Steps[0].Facts[authn.FactRequest] {
			t.Errorf("logged %+v, the trace has %q", e, first.Steps[0].Facts[authn.FactRequest])
		}
	}
}

func TestAuthorizationRequestsThatAreRefused(t *testing.T) {
	s := start(t, &directory{}, t.TempDir())
	b := newBrowser(t, s)
	for name, c := range map[string]struct {
		set  []string
		says string // in the redirect back, or "" when there must be none
	}{
		"no PKCE":            {[]string{"code_challenge", "", "code_challenge_method", ""}, "invalid_request"},
		"plain PKCE":         {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"implicit flow":      {[]string{"response_type", "id_token"}, ""},
		"without a person":   {[]string{"prompt", "none"}, "login_required"},
		"a foreign redirect": {[]string{"redirect_uri", "http://localhost:8400/elsewhere"}, ""},
		"an unknown client":  {[]string{"client_id", "other"}, ""},
	} {
		p := b.open(authorizeURL(s, oidcDomain, c.set...))
		if p.fields.Has("password") || c.says == "" && p.location != "" || c.says != "" && !strings.Contains(p.location, "error="+c.says) {
			t.Errorf("%s: %d %q", name, p.status, p.location)
		}
	}
	if p := b.open(authorizeURL(s, oidcDomain)); !p.fields.Has("password") {
		t.Errorf("control: %d %s", p.status, p.text)
	}
}

func TestClientMustProveItself(t *testing.T) {
	s := start(t, &directory{}, t.TempDir())
	b := newBrowser(t, s)
	redeem := func(set ...string) page {
		done := b.signIn(b.open(authorizeURL(s, oidcDomain)), "alice@"+oidcDomain, password)
		came, err := url.Parse(done.location)
		if err != nil {
			t.Fatal(err)
		}
		form := page{at: came, action: s.OIDCIssuer(oidcDomain) + "/oauth/token", fields: url.Values{
			"grant_type": {"authorization_code"}, "code": {came.Query().Get("code")}, "redirect_uri": {callback}, "client_id": {clientID},
			"client_secret": {secret}, "code_verifier": {"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
		}}
		return b.submit(form, set...)
	}
	for _, wrong := range [][]string{{"client_secret", "other"}, {"client_secret", ""}, {"code_verifier", "other"}, {"code_verifier", ""}, {"redirect_uri", acsURL}, {"client_id", "other"}} {
		if p := redeem(wrong...); p.status == http.StatusOK || strings.Contains(p.text, "id_token") {
			t.Errorf("%q: %d %s", wrong, p.status, p.text)
		}
	}
	if p := redeem(); p.status != http.StatusOK || !strings.Contains(p.text, "id_token") {
		t.Errorf("control: %d %s", p.status, p.text)
	}
}

func TestKeyFilesAreTheirOwnersAlone(t *testing.T) {
	keys := t.TempDir()
	start(t, &directory{}, keys)
	files, err := filepath.Glob(filepath.Join(keys, "*"))
	if err != nil || len(files) != 4 {
		t.Fatalf("%q: %v", files, err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", f, info.Mode(), err)
		}
	}
	if err := os.WriteFile(files[0], []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &directory{}
	_, err = harbour.Start(t.Context(), harbour.Options{Directory: d, People: d, KeyDir: keys, Issuers: []harbour.Issuer{{Domain: oidcDomain}, {Domain: samlDomain}}})
	if err == nil || !strings.Contains(err.Error(), files[0]) {
		t.Errorf("a damaged key file: %v", err)
	}
}
