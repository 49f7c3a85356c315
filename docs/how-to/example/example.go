// Package example is a whole sign-in path: one break-glass account, whose code lies on paper in a safe.
//
// In come an attempt and the SHA-256 of the code; out comes an outcome. It keeps no clear code, dials nothing, stores
// nothing, and does the same work for a stranger as for the account.
package example

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/fourways-id/fourways/authn"
)

// Provider implements authn.Provider.
type Provider struct {
	account authn.AccountID
	hash    [sha256.Size]byte
	clock   authn.Clock
}

// New makes the path. The code MUST be random with 128 bits or more: a plain SHA-256 does not slow down guessing, so it
// is no way to keep a password that a person chose.
func New(account authn.AccountID, hash [sha256.Size]byte, c authn.Clock) (*Provider, error) {
	if account == "" {
		return nil, errors.New("a break-glass code needs the one account that it is for")
	}
	return &Provider{account: account, hash: hash, clock: c}, nil
}

// Step implements authn.Provider.
func (p *Provider) Step(ctx context.Context, a authn.Attempt) authn.Outcome {
	switch answer := a.Answer.(type) {
	case authn.Nothing: // the first page, where only the name was typed
		return authn.Ask(authn.Challenge{Kind: authn.AskPassword}, nil)
	case authn.Password:
		return p.check(ctx, a.Account, answer.Secret)
	default:
		return authn.Deny(authn.BadPassword, authn.K1, fmt.Errorf("the break-glass path takes a code, not %T", a.Answer))
	}
}

func (p *Provider) check(ctx context.Context, who authn.Account, code authn.Secret) authn.Outcome {
	posted := authn.StartStep(p.clock, authn.K1, authn.Browser, authn.Gateway).
		Hold(authn.Browser, authn.FormClear).Hold(authn.Gateway, authn.FormClear)
	if err := ctx.Err(); err != nil { // not looked at: an outage, which counts against nobody
		return authn.Fail(authn.Internal, authn.K3, err, posted)
	}
	checked := authn.StartStep(p.clock, authn.K3, authn.Gateway, authn.Gateway).With(authn.FactScheme, "sha256")
	typed := sha256.Sum256(code.Reveal())
	right := subtle.ConstantTimeCompare(typed[:], p.hash[:]) == 1
	if !right || code.Empty() || who.ID != p.account {
		return authn.Deny(authn.BadPassword, authn.K3, nil, posted, checked.End(p.clock, authn.StepRefused))
	}
	proof := authn.Proof{Methods: []string{"otp"}, At: p.clock.Now()} // RFC 8176
	return authn.Allow(authn.Subject{Account: who.ID}, proof, posted, checked.End(p.clock, authn.StepOK))
}
