package oidc_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/providers/oidc"
)

const (
	clientID     = "fourways"
	clientSecret = "The-Client-Secret"
	anchor       = "MyIRAFVEd2aImaq7zN3u/w=="
	upn          = "alice@oidc.example.test"
)

// issuer is an OpenID Connect provider made by hand, so that each of its parts can be made to lie.
type issuer struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	key      *rsa.PrivateKey
	kid      string
	codes    map[string]url.Values // authorization request of each code
	fetches  int                   // of the key set
	asked    []url.Values          // token requests
	metadata func(map[string]any)
	claims   func(map[string]any)
	header   map[jose.HeaderKey]any
	sign     func(claims []byte) string // instead of the issuer's own
	answer   func(map[string]any)       // the token endpoint's
	token    http.HandlerFunc           // instead of the token endpoint
	keys     func() []any               // instead of the key set
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{t: t, codes: map[string]url.Values{}, key: newKey(t), kid: "one"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.serveMetadata)
	mux.HandleFunc("GET /keys", i.serveKeys)
	mux.HandleFunc("POST /token", i.serveToken)
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// set changes the issuer while it may be serving.
func (i *issuer) set(change func(*issuer)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change(i)
}

func (i *issuer) keyFetches() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetches
}

func (i *issuer) serveMetadata(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	m := map[string]any{
		"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"}, // it may say what it likes
	}
	if i.metadata != nil {
		i.metadata(m)
	}
	writeJSON(w, http.StatusOK, m)
}

func (i *issuer) serveKeys(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fetches++
	keys := []any{jose.JSONWebKey{Key: &i.key.PublicKey, KeyID: i.kid, Use: "sig", Algorithm: "RS256"}}
	if i.keys != nil {
		keys = i.keys()
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": keys})
}

func (i *issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_request"})
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked = append(i.asked, r.PostForm)
	if i.token != nil {
		i.token(w, r)
		return
	}
	asked, known := i.codes[r.PostForm.Get("code")]
	delete(i.codes, r.PostForm.Get("code"))
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	switch {
	case r.PostForm.Get("client_id") != clientID || r.PostForm.Get("client_secret") != clientSecret:
		writeJSON(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
	case !known, asked.Get("code_challenge_method") != "S256", base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge"):
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "repeats " + r.PostForm.Get("code_verifier")})
	default:
		i.grant(w, asked)
	}
}

// grant answers with tokens; the caller holds the lock.
func (i *issuer) grant(w http.ResponseWriter, asked url.Values) {
	access := rand.Text()
	digest := sha256.Sum256([]byte(access))
	now := time.Now()
	c := map[string]any{
		"iss": i.URL, "sub": "subject-of-alice", "aud": clientID, "azp": clientID, "nonce": asked.Get("nonce"),
		"exp": now.Add(5 * time.Minute).Unix(), "iat": now.Unix(), "nbf": now.Unix(), "auth_time": now.Unix(),
		"at_hash": base64.RawURLEncoding.EncodeToString(digest[:16]), "amr": []string{"pwd"}, "acr": "urn:example:password", "sid": "session-1",
		"immutable_id": anchor, "preferred_username": upn, "email": upn, "email_verified": true,
	}
	if i.claims != nil {
		i.claims(c)
	}
	payload, err := json.Marshal(c)
	if err != nil {
		i.t.Error(err)
	}
	answer := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": i.sealed(payload)}
	if i.answer != nil {
		i.answer(answer)
	}
	writeJSON(w, http.StatusOK, answer)
}

func (i *issuer) sealed(payload []byte) string {
	if i.sign != nil {
		return i.sign(payload)
	}
	return signRS256(i.t, i.key, i.kid, i.header, payload)
}

// signRS256 signs by go-jose.
func signRS256(t *testing.T, key *rsa.PrivateKey, kid string, header map[jose.HeaderKey]any, payload []byte) string {
	options := (&jose.SignerOptions{}).WithType("JWT")
	for name, value := range header {
		options = options.WithHeader(name, value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, options)
	if err != nil {
		t.Error(err)
		return ""
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Error(err)
		return ""
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Error(err)
	}
	return token
}

// signRaw signs any header and payload by RSA-SHA256, what go-jose would not write included.
func signRaw(t *testing.T, key *rsa.PrivateKey, header, payload string) string {
	head := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	digest := sha256.Sum256([]byte(head))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Error(err)
	}
	return head + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// authorize plays browser and person: it takes the redirect to the issuer and comes back with the callback's parameters.
func (i *issuer) authorize(t *testing.T, out authn.Outcome) map[string][]string {
	t.Helper()
	if out.Verdict != authn.Challenged || out.Challenge.Kind != authn.Redirect {
		t.Fatalf("the first step is %v %v (%v), want a redirect", out.Verdict, out.Reason, out.Err)
	}
	u, err := url.Parse(out.Challenge.URL)
	if err != nil {
		t.Fatal(err)
	}
	code := rand.Text()
	i.set(func(i *issuer) { i.codes[code] = u.Query() })
	return map[string][]string{"code": {code}, "state": {u.Query().Get("state")}}
}

// clock is real time, which a test may move.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

func (i *issuer) config() oidc.Config {
	return oidc.Config{
		ID: "harbour", Issuer: i.URL, Client: oidc.Client{ID: clientID, Secret: authn.NewSecret([]byte(clientSecret))},
		RedirectURL: "http://localhost:8400/federation/oidc/harbour/callback",
	}
}

func open(t *testing.T, c oidc.Config, clock authn.Clock) *oidc.Provider {
	t.Helper()
	p, err := oidc.New(c, clock)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func attempt(want authn.Want) authn.Attempt {
	return authn.Attempt{
		ID: "00000000-0000-4000-8000-000000000001", Who: authn.ParseIdentifier(upn), Account: account(), Realm: realm(""), Want: want, Answer: authn.Nothing{},
	}
}

func account() authn.Account {
	return authn.Account{ID: "00000000-0000-4000-8000-00000000000a", UPN: upn, Anchor: anchor, Synced: true}
}

func realm(issuer string) authn.Realm {
	return authn.Realm{Domain: "oidc.example.test", Path: authn.PathFederated, IdP: "harbour", Protocol: "oidc", Issuer: issuer, Match: authn.MatchAnchor}
}

// back is the second step: the same attempt with what the browser brought.
func back(a authn.Attempt, first authn.Outcome, values map[string][]string) authn.Attempt {
	a.Kept, a.Answer = first.Keep, authn.Callback{IdP: "harbour", Binding: "redirect", Values: values}
	return a
}

// signIn is a whole sign-in.
func signIn(t *testing.T, p *oidc.Provider, i *issuer, want authn.Want) authn.Outcome {
	t.Helper()
	a := attempt(want)
	first := p.Step(t.Context(), a)
	return p.Step(t.Context(), back(a, first, i.authorize(t, first)))
}

// mustAllow is the positive control beside a denial.
func mustAllow(t *testing.T, out authn.Outcome) {
	t.Helper()
	if out.Verdict != authn.Allowed {
		t.Fatalf("control: %v %v at %s: %v", out.Verdict, out.Reason, out.Check, out.Err)
	}
}

func mustRefuse(t *testing.T, out authn.Outcome, reason authn.Reason, check authn.StepID) {
	t.Helper()
	if out.Verdict != reason.Verdict() || out.Reason != reason || out.Check != check {
		t.Fatalf("%v %v at %s (%v), want %v at %s", out.Verdict, out.Reason, out.Check, out.Err, reason, check)
	}
	last := out.Steps[len(out.Steps)-1]
	if last.ID != check || last.Result != authn.StepRefused {
		t.Errorf("the last step is %s %s, want %s refused", last.ID, last.Result, check)
	}
	if !reason.On(authn.PathFederated) {
		t.Errorf("reason %v does not occur on the federated path", reason)
	}
}
