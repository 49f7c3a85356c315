package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	goidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/fourways-id/fourways/authn"
)

// longestToken bounds an ID token, in bytes.
const longestToken = 32 << 10

// checkStructure reads the token strictly before any library does: its form, its encoding, its algorithm, its names.
func (e *exchange) checkStructure(context.Context) *refusal {
	parts := strings.Split(e.raw, ".")
	switch {
	case e.raw == "":
		return refuse(authn.JWTInvalid, "the token endpoint gave no id_token: is the scope openid allowed for this client?")
	case len(e.raw) > longestToken:
		return refuse(authn.JWTInvalid, "the ID token is longer than %d bytes", longestToken)
	case len(parts) != 3: // RFC 7515, 7.1; an encrypted token has five
		return refuse(authn.JWTInvalid, "the ID token has %d parts, not 3", len(parts))
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil || strings.ContainsAny(part, "\r\n") {
			return refuse(authn.JWTInvalid, "part %d of the ID token is not base64url without padding", i+1)
		}
	}
	if r := e.readHeader(decoded[0]); r != nil {
		return r
	}
	conf := e.config.Claims
	all, err := parseObject(decoded[1], claimIssuer, claimSubject, claimAudience, claimParty, claimNonce, claimExpiry, claimIssuedAt,
		claimNotBefore, claimAuthTime, claimAccessHash, claimMethods, claimContext, claimSession, claimEmail, claimEmailVerified, conf.Anchor, conf.UPN)
	if err != nil {
		return refuse(authn.JWTInvalid, "claims of the ID token: %w", err)
	}
	e.token.all = all
	return nil
}

// readHeader holds RFC 8725, 3.1 (algorithms) and 3.11 (explicit types: an access or logout token is no ID token).
func (e *exchange) readHeader(data []byte) *refusal {
	header, err := parseObject(data, "alg", "typ", "kid", "crit")
	if err != nil {
		return refuse(authn.JWTInvalid, "header of the ID token: %w", err)
	}
	h := claims{all: header}
	e.token.algorithm = h.text("alg")
	if !slices.Contains(e.config.Algorithms, e.token.algorithm) {
		return refuse(authn.JWTInvalid, "the ID token is signed by an algorithm that is not taken").
			compared(strings.Join(e.config.Algorithms, " "), e.token.algorithm)
	}
	if _, there := header["crit"]; there { // we understand no extension (RFC 7515, 4.1.11)
		return refuse(authn.JWTInvalid, "the ID token asks for extensions that are not understood")
	}
	if _, there := header["typ"]; there && !strings.EqualFold(h.text("typ"), "JWT") {
		return refuse(authn.JWTInvalid, "the token is of another type").compared("JWT", string(header["typ"]))
	}
	return nil
}

// checkSignature verifies by the issuer's published keys, whatever key or address the token itself brings along.
func (e *exchange) checkSignature(ctx context.Context) *refusal {
	keys := &watchedKeys{set: e.meta.keys}
	verifier := goidc.NewVerifier(e.config.Issuer, keys, &goidc.Config{
		ClientID: e.config.Client.ID, SupportedSigningAlgs: e.config.Algorithms,
		// Each of these is a check of its own below, with its own reason.
		SkipIssuerCheck: true, SkipClientIDCheck: true, SkipExpiryCheck: true,
	})
	token, err := verifier.Verify(ctx, e.raw)
	switch {
	case keys.unreachable(ctx):
		return refuse(authn.IdPUnreachable, "keys of %s: %w", e.config.Issuer, keys.err)
	case keys.err != nil:
		return refuse(authn.SignatureInvalid, "no key of the issuer made this signature: %w", keys.err)
	case err != nil:
		return refuse(authn.JWTInvalid, "the ID token can't be read: %w", err)
	}
	if _, there := e.token.all[claimAccessHash]; there { // OpenID Connect Core 3.1.3.8
		if err := token.VerifyAccessToken(e.access); err != nil {
			return refuse(authn.SignatureInvalid, "at_hash: the access token is not the one that the ID token was signed for: %w", err)
		}
	}
	var verified map[string]json.RawMessage
	if err := token.Claims(&verified); err != nil {
		return refuse(authn.JWTInvalid, "the verified claims can't be read: %w", err)
	}
	e.token.all = verified // from here on only what was signed is read
	return nil
}

// watchedKeys tells keys that could not be had from keys that don't fit, which go-oidc reports alike.
type watchedKeys struct {
	set goidc.KeySet
	err error
}

func (w *watchedKeys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := w.set.VerifySignature(ctx, jwt)
	w.err = err
	return payload, err
}

func (w *watchedKeys) unreachable(ctx context.Context) bool {
	var call *url.Error
	return errors.As(w.err, &call) || w.err != nil && ctx.Err() != nil
}

func (e *exchange) checkIssuer(context.Context) *refusal {
	e.token.issuer = e.token.text(claimIssuer)
	if e.token.issuer != e.config.Issuer {
		return refuse(authn.IssuerMismatch, "another issuer made the ID token").compared(e.config.Issuer, e.token.issuer)
	}
	return nil
}

// checkAudience holds OpenID Connect Core 3.1.3.7, 3 to 5. We trust no other audience, so none may be named beside us.
func (e *exchange) checkAudience(context.Context) *refusal {
	audience := e.token.texts(claimAudience)
	us := func(id string) bool { return id == e.config.Client.ID }
	if len(audience) == 0 || !slices.ContainsFunc(audience, us) || slices.ContainsFunc(audience, func(id string) bool { return !us(id) }) {
		return refuse(authn.AudienceMismatch, "the ID token is not for us alone").compared(e.config.Client.ID, strings.Join(audience, " "))
	}
	if _, there := e.token.all[claimParty]; there && !us(e.token.text(claimParty)) {
		return refuse(authn.AudienceMismatch, "azp: the ID token was given to another client").compared(e.config.Client.ID, e.token.text(claimParty))
	}
	return nil
}

// checkNonce ties the token to the request of this browser, against a code that was stolen or slipped in (RFC 9700, 4.5.3.2).
func (e *exchange) checkNonce(context.Context) *refusal {
	if subtle.ConstantTimeCompare([]byte(e.token.text(claimNonce)), []byte(e.kept.Nonce)) != 1 {
		return refuse(authn.StateMismatch, "the nonce of the ID token is not that of the request")
	}
	return nil
}

// checkTime holds OpenID Connect Core 3.1.3.7, 9 to 11, and what the application asked of freshness.
func (e *exchange) checkTime(context.Context) *refusal {
	exp, err1 := e.token.instant(claimExpiry)
	iat, err2 := e.token.instant(claimIssuedAt)
	nbf, err3 := e.token.instant(claimNotBefore)
	auth, err4 := e.token.instant(claimAuthTime)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return refuse(authn.AssertionTime, "%w", err)
	}
	now, skew, want := realNow(), e.config.Skew, e.attempt.Want
	switch {
	case exp.IsZero() || iat.IsZero():
		return refuse(authn.AssertionTime, "the ID token lacks exp or iat")
	case !now.Before(exp.Add(skew)):
		return refuse(authn.AssertionTime, "the ID token is over").compared(now.UTC().String(), exp.UTC().String())
	case iat.After(now.Add(skew)), nbf.After(now.Add(skew)), auth.After(now.Add(skew)):
		return refuse(authn.AssertionTime, "the ID token is of the future: do the clocks differ?").compared(now.UTC().String(), iat.UTC().String())
	case iat.Before(e.kept.Asked.Add(-skew)):
		return refuse(authn.AssertionTime, "the ID token is older than the request").compared(e.kept.Asked.UTC().String(), iat.UTC().String())
	case auth.IsZero() && (want.Fresh || want.MaxAge > 0):
		return refuse(authn.AssertionTime, "auth_time is missing although the age of the sign-in was asked for")
	case want.Fresh && auth.Before(e.kept.Asked.Add(-skew)):
		return refuse(authn.AssertionTime, "the person was to prove who they are anew, and did not").compared(e.kept.Asked.UTC().String(), auth.UTC().String())
	case want.MaxAge > 0 && auth.Before(now.Add(-want.MaxAge-skew)):
		return refuse(authn.AssertionTime, "the sign-in at the issuer is older than %s", want.MaxAge).compared(now.Add(-want.MaxAge).UTC().String(), auth.UTC().String())
	}
	e.token.authTime = auth
	return nil
}

// checkSubject asks for a sub (OpenID Connect Core 2) and for something to match by; an empty name is nobody's.
func (e *exchange) checkSubject(context.Context) *refusal {
	e.token.id = e.token.text(claimSubject)
	if e.token.id == "" || len(e.token.id) > longestSubject {
		return refuse(authn.SubjectUnknown, "the ID token has no usable sub")
	}
	if s := e.token.subject(e.config); s.Anchor == "" && s.UPN == "" {
		return refuse(authn.SubjectUnknown, "the ID token has neither %s nor %s: map them at the issuer", e.config.Claims.Anchor, e.config.Claims.UPN)
	}
	return nil
}
