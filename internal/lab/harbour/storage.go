package harbour

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/fourways-id/fourways/authn"
)

// claimAnchor is the claim that carries the ImmutableID.
const claimAnchor = "immutable_id"

// How long things of the OpenID Connect provider are good.
const (
	requestGood = 10 * time.Minute // RFC 6749, 4.1.2, as for a code
	tokenGood   = 5 * time.Minute
)

// storage is what zitadel's provider asks for, in memory. What the lab doesn't offer (refresh, revocation, introspection,
// JWT profile) answers with an error; its endpoints are not served either.
type storage struct {
	client client
	keys   *keys
	secret []byte // makes subjects
	clock  authn.Clock

	mu       sync.Mutex
	requests map[string]*authRequest // by id
	codes    map[string]*authRequest
	tokens   map[string]*authRequest // by access token id
}

var (
	errOffered = errors.New("harbour does not offer this")
	errGone    = errors.New("there is no such sign-in, or it is over")
)

func newStorage(c Client, loginURL string, keys *keys, clock authn.Clock) *storage {
	secret := sha256.Sum256(append([]byte("subject\x00"), x509.MarshalPKCS1PrivateKey(keys.now.key)...))
	return &storage{
		client: client{c, loginURL}, keys: keys, secret: secret[:], clock: clock,
		requests: map[string]*authRequest{}, codes: map[string]*authRequest{}, tokens: map[string]*authRequest{},
	}
}

// subject is a pseudonym that stays the same as long as the issuer's key does.
func (s *storage) subject(p Person) string {
	h := hmac.New(sha256.New, s.secret)
	h.Write([]byte(p.Anchor))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// take finds a request for the login, once.
func (s *storage) take(id string) *authRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests[id]
	if r == nil || r.taken || s.clock.Now().After(r.until) {
		return nil
	}
	r.taken = true
	return r
}

func (s *storage) signedIn(r *authRequest, a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.answer, r.subject, r.authTime, r.tokenID = a, s.subject(a.names), realClock{}.Now(), rand.Text()
}

// waiting finds the request that a code was given to. It doesn't spend the code.
func (s *storage) waiting(code string) *authRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.codes[code]
}

// tidy drops what is over; the caller holds the lock.
func (s *storage) tidy() {
	now := s.clock.Now()
	for _, m := range []map[string]*authRequest{s.requests, s.codes, s.tokens} {
		for id, r := range m {
			if now.After(r.until) {
				delete(m, id)
			}
		}
	}
}

// CreateAuthRequest takes requests with PKCE only (RFC 9700, 2.1.1).
func (s *storage) CreateAuthRequest(_ context.Context, asked *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	for _, prompt := range asked.Prompt {
		if prompt == oidc.PromptNone {
			return nil, oidc.ErrLoginRequired().WithDescription("Harbour ID always asks for the password")
		}
	}
	if asked.CodeChallenge == "" || asked.CodeChallengeMethod != oidc.CodeChallengeMethodS256 {
		return nil, oidc.ErrInvalidRequest().WithDescription("PKCE with S256 is required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tidy()
	if len(s.requests) >= mostLogins {
		return nil, oidc.ErrServerError().WithDescription("too many people are signing in at this moment")
	}
	r := &authRequest{id: rand.Text(), asked: *asked, until: s.clock.Now().Add(requestGood)}
	s.requests[r.id] = r
	return r, nil
}

// AuthRequestByID is asked when the code is made.
func (s *storage) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.requests[id]; r != nil {
		return r, nil
	}
	return nil, errGone
}

// AuthRequestByCode spends the code, whatever comes of it (RFC 6749, 4.1.2).
func (s *storage) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.codes[code]
	delete(s.codes, code)
	if r == nil || s.clock.Now().After(r.until) {
		return nil, errGone
	}
	return r, nil
}

// SaveAuthCode makes the request one that is known by its code alone.
func (s *storage) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests[id]
	if r == nil || !r.Done() {
		return errGone
	}
	delete(s.requests, id)
	s.codes[code] = r
	return nil
}

// DeleteAuthRequest has nothing left to do: a code is gone once it was asked for.
func (s *storage) DeleteAuthRequest(context.Context, string) error { return nil }

// CreateAccessToken makes a token for the userinfo endpoint.
func (s *storage) CreateAccessToken(_ context.Context, req op.TokenRequest) (string, time.Time, error) {
	r, ok := req.(*authRequest)
	if !ok {
		return "", time.Time{}, errOffered
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tidy()
	id := rand.Text()
	s.tokens[id] = r
	return id, realClock{}.Now().Add(tokenGood), nil
}

// SigningKey is the issuer's own; oidcIssuer.token may sign anew with another.
func (s *storage) SigningKey(context.Context) (op.SigningKey, error) {
	return signingKey{s.keys.now}, nil
}

// SignatureAlgorithms are those of SigningKey.
func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

// KeySet is the public half.
func (s *storage) KeySet(context.Context) ([]op.Key, error) {
	var set []op.Key
	for _, k := range s.keys.published() {
		set = append(set, publicKey{k})
	}
	return set, nil
}

// GetClientByClientID knows the one client.
func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id == "" || id != s.client.ID {
		return nil, errors.New("there is no such client")
	}
	return s.client, nil
}

// AuthorizeClientIDSecret compares in constant time.
func (s *storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if s.client.ID == "" || s.client.Secret == "" || !same(id, s.client.ID) || !same(secret, s.client.Secret) {
		return errors.New("the client's secret is wrong")
	}
	return nil
}

// SetUserinfoFromScopes leaves it to SetUserinfoFromRequest, which knows the person.
func (s *storage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// SetUserinfoFromRequest says who the person is; the claims go into the ID token.
func (s *storage) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, req op.IDTokenRequest, _ []string) error {
	r, ok := req.(*authRequest)
	if !ok {
		return errOffered
	}
	describe(info, r)
	info.AppendClaims("jti", r.tokenID)
	return nil
}

// SetUserinfoFromToken answers the userinfo endpoint.
func (s *storage) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, id, _, _ string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.tokens[id]
	if r == nil || s.clock.Now().After(r.until) {
		return errGone
	}
	describe(info, r)
	return nil
}

func describe(info *oidc.UserInfo, r *authRequest) {
	info.Subject, info.Name, info.PreferredUsername = r.subject, r.answer.names.DisplayName, r.answer.names.UPN
	info.Email, info.EmailVerified = r.answer.names.UPN, true
	info.AppendClaims(claimAnchor, r.answer.names.Anchor)
	info.AppendClaims("upn", r.answer.names.UPN)
}

// Health is always well: everything is in memory.
func (s *storage) Health(context.Context) error { return nil }

// requestID names a request in the log without telling its state.
func requestID(state string) string {
	sum := sha256.Sum256([]byte(state))
	return hex.EncodeToString(sum[:8])
}
