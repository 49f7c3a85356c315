// Package cloud is the path of accounts that live only here: the gateway checks the password against its own Argon2id hash.
//
// In come an attempt and the account's stored record; out comes an outcome, with a new record when the stored one is
// cheaper than today's cost. It dials nothing, stores nothing, and does the same work for nobody as for somebody.
package cloud

import (
	"context"
	"errors"
	"fmt"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/passhash"
)

// Hashes finds stored records.
type Hashes interface {
	// CloudHash is the PHC string of the account; nil without an error when it has none.
	CloudHash(ctx context.Context, id authn.AccountID) ([]byte, error)
}

// Provider implements authn.Provider.
type Provider struct {
	hashes Hashes
	pool   *passhash.Pool
	cost   passhash.Argon2id
	decoy  passhash.PHC // what a stranger's password is checked against, so that it takes as long
	clock  authn.Clock
}

// New makes the path. The cost is that of new records; one that is out of bounds is an error.
func New(h Hashes, p *passhash.Pool, cost passhash.Argon2id, c authn.Clock) (*Provider, error) {
	if err := cost.Check(); err != nil {
		return nil, err
	}
	record, err := cost.Hash([]byte("nobody has this password"))
	if err != nil {
		return nil, err
	}
	decoy, err := passhash.ParsePHC(record)
	if err != nil {
		return nil, err
	}
	return &Provider{hashes: h, pool: p, cost: cost, decoy: decoy, clock: c}, nil
}

// Step implements authn.Provider.
func (p *Provider) Step(ctx context.Context, a authn.Attempt) authn.Outcome {
	switch answer := a.Answer.(type) {
	case authn.Nothing:
		return authn.Ask(authn.Challenge{Kind: authn.AskPassword}, nil)
	case authn.Password:
		return p.check(ctx, a.Account, answer.Secret)
	default:
		return authn.Deny(authn.BadPassword, authn.K1, fmt.Errorf("the cloud path takes a password, not %T", a.Answer))
	}
}

func (p *Provider) check(ctx context.Context, who authn.Account, pw authn.Secret) authn.Outcome {
	steps := []authn.Step{authn.StartStep(p.clock, authn.K1, authn.Browser, authn.Gateway).
		Hold(authn.Browser, authn.FormClear).Hold(authn.Gateway, authn.FormClear)}
	if pw.Empty() {
		return authn.Deny(authn.BadPassword, authn.K1, errors.New("the password is empty"), steps...)
	}
	load := authn.StartStep(p.clock, authn.K2, authn.Store, authn.Gateway)
	stored, err := p.hashes.CloudHash(ctx, who.ID)
	if err != nil {
		return authn.Fail(authn.Internal, authn.K2, fmt.Errorf("load the password hash: %w", err), append(steps, load.End(p.clock, authn.StepRefused))...)
	}
	phc, known, err := p.record(who, stored)
	if err != nil {
		return authn.Fail(authn.Internal, authn.K2, fmt.Errorf("account %s: %w: set a new password", who.ID, err), append(steps, load.End(p.clock, authn.StepRefused))...)
	}
	if load = load.End(p.clock, authn.StepSkipped); known {
		load.Result = authn.StepOK
		load = load.With(authn.FactScheme, "argon2id").With(authn.FactParams, phc.Cost.String()).Hold(authn.Store, authn.FormArgon2id+authn.Stored)
	}
	return p.verify(ctx, who, pw, phc, known, append(steps, load))
}

// record is the account's own, or the decoy for nobody and for an account without one.
func (p *Provider) record(who authn.Account, stored []byte) (passhash.PHC, bool, error) {
	if !who.Exists() || stored == nil {
		return p.decoy, false, nil
	}
	phc, err := passhash.ParsePHC(string(stored))
	return phc, err == nil, err
}

func (p *Provider) verify(ctx context.Context, who authn.Account, pw authn.Secret, phc passhash.PHC, known bool, steps []authn.Step) authn.Outcome {
	var ok bool
	var fresh string
	step := authn.StartStep(p.clock, authn.K3, authn.Gateway, authn.Gateway)
	wait, err := p.pool.Do(ctx, func() {
		ok = phc.Match(pw.Reveal()) && known
		if ok && phc.Cost != p.cost {
			fresh, _ = p.cost.Hash(pw.Reveal()) // a rehash that fails leaves the old record: the person is in all the same
		}
	})
	if err != nil {
		reason := authn.Internal
		if errors.Is(err, passhash.ErrFull) {
			reason = authn.Overloaded
		}
		return authn.Fail(reason, authn.K3, err, append(steps, step.End(p.clock, authn.StepSkipped))...)
	}
	step = step.With(authn.FactWait, wait.String()).With(authn.FactScheme, "argon2id").With(authn.FactParams, phc.Cost.String())
	if !ok {
		steps = append(steps, step.End(p.clock, authn.StepRefused))
		if who.Exists() && !known {
			return authn.Deny(authn.NoPasswordHash, authn.K2, errors.New("the account has no cloud password: set one"), steps...)
		}
		return authn.Deny(authn.BadPassword, authn.K3, nil, steps...)
	}
	out := authn.Allow(authn.Subject{Account: who.ID}, authn.Proof{Methods: []string{"pwd"}, At: p.clock.Now()}, append(steps, step.End(p.clock, authn.StepOK))...)
	if fresh != "" {
		out.Record = []byte(fresh)
	}
	return out
}
