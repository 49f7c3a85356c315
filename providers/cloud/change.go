package cloud

import (
	"bytes"
	"context"
	"fmt"

	"github.com/fourways-id/fourways/authn"
)

// sameAsBefore is told to whom the new password is the old one (Microsoft: "The last password can't be used again when the
// user changes a password").
const sameAsBefore = "The new password is the same as the one before: choose another one."

// checked is a password that was right: whose it is, the record it was checked against, and why it must be changed, if it must.
type checked struct {
	who   authn.Account
	hash  Hash
	due   authn.Reason // None, CloudMustChange or CloudPasswordExpired
	steps []authn.Step
}

// ask asks for a new password; message says why the one that was brought was not taken, "" when none was.
func (c checked) ask(message string, steps ...authn.Step) authn.Outcome {
	out := authn.Ask(authn.Challenge{Kind: authn.ChangePassword, Message: message}, nil, append(c.steps, steps...)...)
	out.Reason, out.Subject = c.due, authn.Subject{Account: c.who.ID}
	return out
}

// change takes a new password from somebody whose old one was right. Only here is it looked at: nothing about it, nor the
// time that it takes, tells a stranger anything.
func (p *Provider) change(ctx context.Context, c checked, old, fresh authn.Secret) authn.Outcome {
	step := authn.StartStep(p.clock, authn.K3, authn.Gateway, authn.Store)
	refused := func() authn.Step { return step.End(p.clock, authn.StepRefused) }
	if c.who.Disabled { // settle says so; a new password would be of no use
		return c.ask("")
	}
	message, err := p.policy.Judge(ctx, fresh, c.who)
	switch {
	case err != nil:
		return authn.Fail(authn.Internal, authn.K3, fmt.Errorf("judge the new password: %w", err), append(c.steps, refused())...)
	case message == "" && bytes.Equal(old.Reveal(), fresh.Reveal()):
		message = sameAsBefore
	}
	if message != "" {
		return c.ask(message, refused())
	}
	var record string
	var failed error
	wait, err := p.pool.Do(ctx, func() { record, failed = p.cost.Hash(fresh.Reveal()) })
	if err != nil {
		return authn.Fail(busy(err), authn.K3, err, append(c.steps, step.End(p.clock, authn.StepSkipped))...)
	}
	if failed != nil {
		return authn.Fail(authn.Internal, authn.K3, failed, append(c.steps, refused())...)
	}
	step = step.With(authn.FactWait, wait.String()).With(authn.FactScheme, "argon2id").With(authn.FactParams, p.cost.String()).
		Hold(authn.Store, authn.FormArgon2id+authn.Stored)
	out := p.allow(c.who, append(c.steps, step.End(p.clock, authn.StepOK)))
	out.Record = []byte(record)
	return out
}
