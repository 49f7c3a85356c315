// Package cloud is the path of accounts that live only here: the gateway checks the password against its own Argon2id hash.
//
// In come an attempt and the account's stored record; out comes an outcome, with a new record when the stored one is
// cheaper than today's cost, or when the person changed the password. It dials nothing, stores nothing, and does the same work for nobody as for somebody.
package cloud

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/passhash"
)

// Hash is what is stored of a password. The zero Hash is that of an account without one.
type Hash struct {
	Record  []byte    // PHC string
	Expires time.Time // from then on the password is good only for changing it; zero: never
}

// Hashes finds stored records.
type Hashes interface {
	// CloudHash is the zero Hash without an error when the account has none.
	CloudHash(ctx context.Context, who authn.Account) (Hash, error)
}

// Policy judges new passwords.
type Policy interface {
	// Judge says why the password is not good enough, in a sentence for its owner; "" when it is. An error means that
	// nobody could judge.
	Judge(ctx context.Context, pw authn.Secret, who authn.Account) (string, error)
}

// Provider implements authn.Provider.
type Provider struct {
	hashes Hashes
	policy Policy
	pool   *passhash.Pool
	cost   passhash.Argon2id
	decoy  passhash.Record // what a stranger's password is checked against, so that it takes as long
	clock  authn.Clock
}

// New makes the path. The cost is that of new records; one that is out of bounds is an error.
func New(h Hashes, judge Policy, p *passhash.Pool, cost passhash.Argon2id, c authn.Clock) (*Provider, error) {
	if err := cost.Check(); err != nil {
		return nil, err
	}
	record, err := cost.Hash([]byte("nobody has this password"))
	if err != nil {
		return nil, err
	}
	decoy, err := passhash.Parse(record)
	if err != nil {
		return nil, err
	}
	return &Provider{hashes: h, policy: judge, pool: p, cost: cost, decoy: decoy, clock: c}, nil
}

// Step implements authn.Provider.
func (p *Provider) Step(ctx context.Context, a authn.Attempt) authn.Outcome {
	switch answer := a.Answer.(type) {
	case authn.Nothing:
		return authn.Ask(authn.Challenge{Kind: authn.AskPassword}, nil)
	case authn.Password:
		return p.check(ctx, a.Account, answer.Secret, func(c checked) authn.Outcome {
			if c.due != authn.None {
				return c.ask("")
			}
			return p.allow(c.who, c.steps)
		})
	case authn.NewPassword:
		return p.check(ctx, a.Account, answer.Old, func(c checked) authn.Outcome { return p.change(ctx, c, answer.Old, answer.New) })
	default:
		return authn.Deny(authn.BadPassword, authn.K1, fmt.Errorf("the cloud path takes a password or a change of it, not %T", a.Answer))
	}
}

// check checks a password; then goes on with one that was right.
func (p *Provider) check(ctx context.Context, who authn.Account, pw authn.Secret, then func(checked) authn.Outcome) authn.Outcome {
	steps := []authn.Step{authn.StartStep(p.clock, authn.K1, authn.Browser, authn.Gateway).
		Hold(authn.Browser, authn.FormClear).Hold(authn.Gateway, authn.FormClear)}
	if pw.Empty() {
		return authn.Deny(authn.BadPassword, authn.K1, errors.New("the password is empty"), steps...)
	}
	load := authn.StartStep(p.clock, authn.K2, authn.Store, authn.Gateway)
	stored, err := p.hashes.CloudHash(ctx, who)
	if err != nil {
		return authn.Fail(authn.Internal, authn.K2, fmt.Errorf("load the password hash: %w", err), append(steps, load.End(p.clock, authn.StepRefused))...)
	}
	rec, known, err := p.record(who, stored.Record)
	if err != nil {
		return authn.Fail(authn.Internal, authn.K2, fmt.Errorf("account %s: %w: set a new password", who.ID, err), append(steps, load.End(p.clock, authn.StepRefused))...)
	}
	if load = load.End(p.clock, authn.StepSkipped); known {
		load.Result = authn.StepOK
		load = load.With(authn.FactScheme, rec.Scheme()).With(authn.FactParams, rec.Params()).Hold(authn.Store, form(rec)+authn.Stored)
	}
	fresh, out := p.verify(ctx, who, pw, rec, known, append(steps, load))
	if out.Verdict != authn.Undecided {
		return out
	}
	good := then(checked{who, stored, p.due(who, stored), out.Steps})
	if good.Verdict == authn.Allowed {
		good.Checked = stored.Record
		if len(good.Record) == 0 {
			good.Record = fresh
		}
	}
	return good
}

// due is why the password must be changed before it lets anybody in.
func (p *Provider) due(who authn.Account, h Hash) authn.Reason {
	switch {
	case who.MustChange:
		return authn.CloudMustChange
	case !h.Expires.IsZero() && h.Expires.Before(p.clock.Now()):
		return authn.CloudPasswordExpired
	}
	return authn.None
}

func (p *Provider) allow(who authn.Account, steps []authn.Step) authn.Outcome {
	return authn.Allow(authn.Subject{Account: who.ID}, authn.Proof{Methods: []string{"pwd"}, At: p.clock.Now()}, steps...)
}

// busy is the reason of a hash that was not computed.
func busy(err error) authn.Reason {
	if errors.Is(err, passhash.ErrFull) {
		return authn.Overloaded
	}
	return authn.Internal
}

// record is the account's own, or the decoy for nobody and for an account without one.
func (p *Provider) record(who authn.Account, stored []byte) (passhash.Record, bool, error) {
	if !who.Exists() || stored == nil {
		return p.decoy, false, nil
	}
	rec, err := passhash.Parse(string(stored))
	return rec, err == nil, err
}

// form is what the store holds; a record that was brought along stays what it is until the person signs in.
func form(r passhash.Record) authn.Form {
	if r.Scheme() == "argon2id" {
		return authn.FormArgon2id
	}
	return authn.FormForeign
}

// verify leaves the outcome Undecided when the password is right: it has the evidence, and fresh is the record to be stored
// when today's cost is another.
func (p *Provider) verify(ctx context.Context, who authn.Account, pw authn.Secret, rec passhash.Record, known bool, steps []authn.Step) (fresh []byte, out authn.Outcome) {
	var ok bool
	step := authn.StartStep(p.clock, authn.K3, authn.Gateway, authn.Gateway)
	wait, err := p.pool.Do(ctx, func() {
		ok = rec.Match(pw.Reveal()) && known
		if ok && !rec.Current(p.cost) {
			if record, err := p.cost.Hash(pw.Reveal()); err == nil { // else the old record stays: the person is in all the same
				fresh = []byte(record)
			}
		}
	})
	if err != nil {
		return nil, authn.Fail(busy(err), authn.K3, err, append(steps, step.End(p.clock, authn.StepSkipped))...)
	}
	step = step.With(authn.FactWait, wait.String()).With(authn.FactScheme, rec.Scheme()).With(authn.FactParams, rec.Params())
	if !ok {
		steps = append(steps, step.End(p.clock, authn.StepRefused))
		if who.Exists() && !known {
			return nil, authn.Deny(authn.NoPasswordHash, authn.K2, errors.New("the account has no cloud password: set one"), steps...)
		}
		return nil, authn.Deny(authn.BadPassword, authn.K3, nil, steps...)
	}
	return fresh, authn.Outcome{Steps: append(steps, step.End(p.clock, authn.StepOK))}
}
