// Package phs is the path of password hash synchronisation: the gateway verifies, on its own, the hash of the hash that
// an on-premises agent sent earlier.
//
// In come an attempt and the account's synchronised record; out comes an outcome. It dials nothing and never sees an NT
// hash but the one it computes from the typed password, and wipes. How the hash is made is in
// "Implement password hash synchronization with Microsoft Entra Connect Sync" (Microsoft); the record format is OrgId's.
package phs

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/passhash"
)

// Hashes finds synchronised records.
type Hashes interface {
	// SyncedHash is the account's, with what is known of its password on-premises; without an error when it has none.
	SyncedHash(ctx context.Context, id authn.AccountID) (Hash, error)
}

// Provider implements authn.Provider.
type Provider struct {
	hashes Hashes
	pool   *passhash.Pool
	decoy  passhash.OrgID
	clock  authn.Clock
}

// New makes the path.
func New(h Hashes, p *passhash.Pool, c authn.Clock) *Provider {
	return &Provider{hashes: h, pool: p, decoy: passhash.NewOrgID(passhash.NTHash([]byte("nobody has this password"))), clock: c}
}

// Step implements authn.Provider.
func (p *Provider) Step(ctx context.Context, a authn.Attempt) authn.Outcome {
	switch answer := a.Answer.(type) {
	case authn.Nothing:
		return authn.Ask(authn.Challenge{Kind: authn.AskPassword}, nil)
	case authn.Password:
		return p.check(ctx, a.Account, answer.Secret)
	default:
		return authn.Deny(authn.BadPassword, authn.H1, fmt.Errorf("password hash synchronisation takes a password, not %T", a.Answer))
	}
}

func (p *Provider) check(ctx context.Context, who authn.Account, pw authn.Secret) authn.Outcome {
	posted := authn.StartStep(p.clock, authn.H1, authn.Browser, authn.Gateway).
		Hold(authn.Browser, authn.FormClear).Hold(authn.Gateway, authn.FormClear)
	if pw.Empty() {
		return authn.Deny(authn.BadPassword, authn.H1, errors.New("the password is empty"), posted)
	}
	load := authn.StartStep(p.clock, authn.H0, authn.Sync, authn.Store)
	hash, err := p.hashes.SyncedHash(ctx, who.ID)
	if err != nil {
		return authn.Fail(authn.Internal, authn.H0, fmt.Errorf("load the synchronised hash: %w", err), posted, load.End(p.clock, authn.StepRefused))
	}
	if !who.Exists() {
		hash = Hash{}
	}
	stored, known, err := p.record(hash)
	if err != nil {
		return authn.Fail(authn.Internal, authn.H0, fmt.Errorf("account %s: %w: synchronise its password again", who.ID, err), posted, load.End(p.clock, authn.StepRefused))
	}
	steps := []authn.Step{hash.tell(load.End(p.clock, authn.StepSkipped)), posted}
	var match bool
	wait, err := p.pool.Do(ctx, func() {
		var work []authn.Step
		match, work = p.compute(stored, pw)
		steps = append(steps, work...)
	})
	switch {
	case errors.Is(err, passhash.ErrFull):
		return authn.Fail(authn.Overloaded, authn.H5, err, steps...)
	case err != nil:
		return authn.Fail(authn.Internal, authn.H5, err, steps...)
	}
	last := len(steps) - 1
	steps[last-1] = steps[last-1].With(authn.FactWait, wait.String())
	if !known {
		steps[last-2].Result = authn.StepSkipped // the salt is the decoy's
	}
	return p.verdict(who, hash, known && match, steps)
}

// record is the account's own, or the decoy for nobody and for an account whose hash has not come yet.
func (p *Provider) record(h Hash) (passhash.OrgID, bool, error) {
	if h.Record == "" {
		return p.decoy, false, nil
	}
	stored, err := passhash.ParseOrgID(h.Record)
	return stored, err == nil, err
}

// compute does the documented work step by step: MD4, hex in UTF-16LE, salt, PBKDF2, compare.
func (p *Provider) compute(stored passhash.OrgID, pw authn.Secret) (bool, []authn.Step) {
	h2 := authn.StartStep(p.clock, authn.H2, authn.Gateway, authn.Gateway)
	nt := passhash.NTHash(pw.Reveal())
	h2 = h2.End(p.clock, authn.StepOK).Hold(authn.Gateway, authn.FormNTHash)
	h3 := authn.StartStep(p.clock, authn.H3, authn.Gateway, authn.Gateway)
	expanded := passhash.Expand(nt)
	clear(nt[:])
	h3 = h3.End(p.clock, authn.StepOK).With(authn.FactLength, strconv.Itoa(len(expanded)))
	h4 := authn.StartStep(p.clock, authn.H4, authn.Store, authn.Gateway).End(p.clock, authn.StepOK).With(authn.FactLength, strconv.Itoa(len(stored.Salt)))
	h5 := authn.StartStep(p.clock, authn.H5, authn.Gateway, authn.Gateway)
	typed := passhash.HashOrgID(expanded, stored.Salt, stored.Rounds)
	clear(expanded[:])
	h5 = h5.End(p.clock, authn.StepOK).With(authn.FactRounds, strconv.Itoa(stored.Rounds)).Hold(authn.Gateway, authn.FormHashOfHash)
	h6 := authn.StartStep(p.clock, authn.H6, authn.Gateway, authn.Gateway)
	match := typed.Match(stored)
	return match, []authn.Step{h2, h3, h4, h5, h6.End(p.clock, authn.StepOK)}
}

// verdict judges what the comparison came to. Only whoever had the right password is told more than that it was wrong.
func (p *Provider) verdict(who authn.Account, h Hash, match bool, steps []authn.Step) authn.Outcome {
	last := len(steps) - 1
	if match && !h.temporary() {
		return authn.Allow(authn.Subject{Account: who.ID}, authn.Proof{Methods: []string{"pwd"}, At: p.clock.Now()}, steps...)
	}
	steps[last].Result = authn.StepRefused
	switch {
	case match:
		steps[last] = steps[last].With(authn.FactReason, authn.CloudMustChange.String())
		return authn.Deny(authn.CloudMustChange, authn.H6, errTemporary, steps...)
	case who.Exists() && h.Record == "":
		return authn.Deny(authn.NoPasswordHash, authn.H0, h.whyNone(p.clock.Now()), steps...)
	default:
		return authn.Deny(authn.BadPassword, authn.H6, h.whyWrong(p.clock.Now()), steps...)
	}
}
