package oidc

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/fourways-id/fourways/authn"
)

// codeRemembered is how long a used code is remembered: longer than the pending step that alone could bring it back,
// and than the ten minutes that RFC 6749 (4.1.2) gives a code at most.
const codeRemembered = 20 * time.Minute

// refusal is a check that did not pass. A reason whose verdict is Unavailable says that the check could not be made.
type refusal struct {
	reason        authn.Reason
	expected, got string
	err           error
}

func refuse(r authn.Reason, format string, args ...any) *refusal {
	return &refusal{reason: r, err: fmt.Errorf(format, args...)}
}

// compared adds both sides of a comparison to the evidence.
func (r *refusal) compared(expected, got string) *refusal {
	r.expected, r.got = expected, got
	return r
}

// exchange is one answer of the issuer on its way through the checks.
type exchange struct {
	*Provider
	attempt authn.Attempt
	answer  authn.Callback
	params  params
	kept    kept
	meta    *metadata
	raw     string // the ID token as it came
	access  string // the access token, for at_hash only
	token   claims
	steps   []authn.Step
	once    []authn.Once
}

// callback reads as the order of the checks: what binds the answer to this browser and this issuer comes before the
// code is spent, and nothing of the token is believed before its signature.
func (p *Provider) callback(ctx context.Context, a authn.Attempt, cb authn.Callback) authn.Outcome {
	e := &exchange{Provider: p, attempt: a, answer: cb}
	e.arrived()
	for _, check := range []struct {
		id   authn.StepID
		pass func(context.Context) *refusal
		late bool // its step is noted further down, once it is complete
	}{
		{authn.F4InResponse, e.belongs, true},
		{authn.F4Structure, e.readParams, true},
		{authn.F4InResponse, e.checkState, true},
		{authn.F5, e.readMetadata, true},
		{authn.F4Issuer, e.checkIssParam, true},
		{authn.F3, e.checkError, true},
		{authn.F5, e.redeem, false},
		{authn.F4Structure, e.checkStructure, false},
		{authn.F4Signature, e.checkSignature, false},
		{authn.F4Issuer, e.checkIssuer, false},
		{authn.F4Audience, e.checkAudience, false},
		{authn.F4InResponse, e.checkNonce, false},
		{authn.F4Time, e.checkTime, false},
		{authn.F4Subject, e.checkSubject, false},
	} {
		to := authn.Gateway
		if check.id == authn.F5 {
			to = authn.IdP
		}
		start := authn.StartStep(p.clock, check.id, authn.Gateway, to)
		refused := check.pass(ctx)
		if refused != nil {
			return e.refused(start, refused)
		}
		if !check.late {
			e.note(start)
		}
	}
	out := authn.Allow(e.token.subject(p.config), e.token.proof(), e.steps...)
	out.Once = e.once
	return out
}

// arrived notes the time away, which nobody here saw, and that the browser came back with a code.
func (e *exchange) arrived() {
	here := authn.StartStep(e.clock, authn.F3, authn.Browser, authn.Gateway).
		With(authn.FactIdP, e.config.ID).With(authn.FactProtocol, "oidc").With(authn.FactBinding, e.answer.Binding)
	if err := json.Unmarshal(e.attempt.Kept, &e.kept); err == nil && !e.kept.Sent.IsZero() {
		here = here.With(authn.FactRequest, requestID(e.kept.State))
		away := authn.Step{ID: authn.F2, From: authn.IdP, To: authn.Browser, Result: authn.StepOK, At: e.kept.Sent, Took: max(0, here.At.Sub(e.kept.Sent))}
		e.steps = append(e.steps, away.With(authn.FactIdP, e.config.ID).With(authn.FactGot, "not seen by us"))
	}
	e.steps = append(e.steps, here)
}

func (e *exchange) note(start authn.Step) {
	step := start.End(e.clock, authn.StepOK)
	switch step.ID {
	case authn.F5:
		step = step.Hold(authn.Gateway, authn.FormAssertion)
	case authn.F4Signature:
		step = step.With(authn.FactAlgorithm, e.token.algorithm)
	case authn.F4Issuer:
		step = step.With(authn.FactIssuer, e.token.issuer)
	case authn.F4InResponse:
		step = step.With(authn.FactRequest, requestID(e.kept.State))
	default: // the others have nothing to add
	}
	e.steps = append(e.steps, step)
}

func (e *exchange) refused(start authn.Step, r *refusal) authn.Outcome {
	if start.ID == authn.F3 { // the arrival itself is the refusal
		last := len(e.steps) - 1
		start, e.steps = e.steps[last], e.steps[:last]
	}
	step := start.End(e.clock, authn.StepRefused).With(authn.FactReason, r.reason.String()).
		With(authn.FactExpected, r.expected).With(authn.FactGot, r.got)
	e.steps = append(e.steps, step)
	if r.reason.Verdict() == authn.Unavailable {
		return authn.Fail(r.reason, start.ID, r.err, e.steps...) // the code may be brought again
	}
	out := authn.Deny(r.reason, start.ID, r.err, e.steps...)
	out.Once = e.once
	return out
}

// belongs checks that a sign-in of this browser waits for an answer of this issuer (RFC 9700, 4.4 and 4.7).
func (e *exchange) belongs(context.Context) *refusal {
	if len(e.attempt.Kept) == 0 {
		return refuse(authn.StateMismatch, "a callback came without the sign-in that it belongs to")
	}
	if e.answer.IdP != e.config.ID {
		return refuse(authn.StateMismatch, "the callback is that of another identity provider").compared(e.config.ID, e.answer.IdP)
	}
	if e.kept.State == "" || e.kept.Nonce == "" || e.kept.Verifier == "" || e.kept.Asked.IsZero() {
		return refuse(authn.StateMismatch, "what was kept of the request is not that of an OpenID Connect sign-in")
	}
	return nil
}

func (e *exchange) readParams(context.Context) *refusal {
	if e.answer.Binding != "redirect" {
		return refuse(authn.JWTInvalid, "the answer came by %q, but was asked for by redirect", e.answer.Binding)
	}
	var err error
	if e.params, err = parseParams(e.answer.Values); err != nil {
		return refuse(authn.JWTInvalid, "callback parameters: %w", err)
	}
	return nil
}

// checkState holds RFC 6749, 10.12. An error answer is believed no sooner than a code.
func (e *exchange) checkState(context.Context) *refusal {
	if subtle.ConstantTimeCompare([]byte(e.params.state), []byte(e.kept.State)) != 1 {
		return refuse(authn.StateMismatch, "the state of the answer is not that of the request")
	}
	return nil
}

func (e *exchange) readMetadata(ctx context.Context) *refusal {
	var err error
	if e.meta, err = e.discovery.get(ctx); err != nil {
		return refuse(authn.IdPUnreachable, "%w", err)
	}
	return nil
}

// checkIssParam holds RFC 9207, 2.4, against mix-up.
func (e *exchange) checkIssParam(context.Context) *refusal {
	switch {
	case e.params.hasIss && e.params.iss != e.config.Issuer:
		return refuse(authn.IssuerMismatch, "the callback names another issuer").compared(e.config.Issuer, e.params.iss)
	case !e.params.hasIss && e.meta.issParam:
		return refuse(authn.IssuerMismatch, "the callback has no iss although the issuer says that its callbacks do")
	}
	return nil
}

// checkError tells the issuer's no from its trouble (RFC 6749, 4.1.2.1).
func (e *exchange) checkError(context.Context) *refusal {
	switch e.params.failure {
	case "":
		return nil
	case "temporarily_unavailable", "server_error":
		return refuse(authn.IdPUnreachable, "the identity provider is in trouble: %q", e.params.failure)
	default:
		return refuse(authn.IdPError, "the identity provider did not sign the person in: %q", e.params.failure).compared("", e.params.failure)
	}
}

// redeem exchanges the code for tokens.
func (e *exchange) redeem(ctx context.Context) *refusal {
	if !e.exchanges.TryAcquire(1) {
		return refuse(authn.Overloaded, "%d sign-ins wait for the token endpoint of %s already", exchangesAtOnce, e.config.Issuer)
	}
	defer e.exchanges.Release(1)
	e.once = []authn.Once{{Kind: "code", ID: codeID(e.config.Issuer, e.params.code), Until: e.clock.Now().Add(codeRemembered)}}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, e.http)
	tokens, err := e.oauth(e.meta).Exchange(ctx, e.params.code, oauth2.VerifierOption(e.kept.Verifier))
	if err != nil {
		return tokenRefusal(err)
	}
	e.raw, _ = tokens.Extra("id_token").(string)
	e.access = tokens.AccessToken
	return nil
}

// tokenRefusal tells a code that the issuer does not take from an issuer that can't be asked. The texts of the answer
// are left out: it may repeat what it was sent.
func tokenRefusal(err error) *refusal {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return refuse(authn.IdPUnreachable, "token endpoint: %w", err)
	}
	switch {
	case answer.ErrorCode == "invalid_grant" && answer.Response.StatusCode < http.StatusInternalServerError:
		return refuse(authn.IdPError, "the token endpoint did not take the code: it was used, is over, or was given to another request").compared("", answer.ErrorCode)
	case answer.ErrorCode == "invalid_client", answer.ErrorCode == "unauthorized_client":
		return refuse(authn.IdPUnreachable, "the token endpoint does not know us (%q): check the client's id, secret and auth_method", answer.ErrorCode)
	default:
		return refuse(authn.IdPUnreachable, "the token endpoint answered %d %q", answer.Response.StatusCode, answer.ErrorCode)
	}
}

func codeID(issuer, code string) string {
	sum := sha256.Sum256([]byte("code\x00" + issuer + "\x00" + code))
	return hex.EncodeToString(sum[:])
}
