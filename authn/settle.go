package authn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// settle is the only code that turns a provider's word into a person who is in. Whatever it doesn't recognise is refused.
func (t *turn) settle(out Outcome) Outcome {
	t.steps = append(t.steps, out.Steps...)
	out.Steps = nil
	t.giveUp()
	switch out.Verdict {
	case Allowed:
		out = t.admit(out)
	case Denied:
		out = t.denied(out)
	case Challenged:
		out = t.challenged(out)
	case Unavailable:
		if out.Reason.Verdict() != Unavailable {
			out = Fail(Internal, out.Check, fmt.Errorf("provider %s was unavailable with reason %s: %w", t.attempt.Realm.Path, out.Reason, causeOf(out)))
		}
	case Undecided:
		out = Fail(Internal, out.Check, fmt.Errorf("provider %s did not decide: %w", t.attempt.Realm.Path, causeOf(out)))
	default:
		out = Fail(Internal, out.Check, fmt.Errorf("provider %s gave an unknown verdict", t.attempt.Realm.Path))
	}
	return out
}

// admit checks that the provider named the very account that was asked for, then the account's state.
func (t *turn) admit(out Outcome) Outcome {
	a := t.attempt
	start := StartStep(t.Clock, C7, Gateway, Gateway)
	_, changes := a.Answer.(NewPassword)
	refused := t.refuseAccount(out.Subject)
	switch {
	case refused != nil:
	case changes && len(out.Record) == 0:
		refuse := Fail(Internal, C7, fmt.Errorf("provider %s took a new password and gave no record of it", a.Realm.Path))
		refused = &refuse
	case a.Account.MustChange && !changes && a.Realm.Path == PathCloud:
		return t.changeFirst(Outcome{Verdict: Challenged, Reason: CloudMustChange, Subject: out.Subject, Challenge: Challenge{Kind: ChangePassword}})
	case a.Account.MustChange && a.Realm.Path == PathPHS:
		refused = &Outcome{Verdict: Denied, Reason: CloudMustChange, Check: C7}
	}
	if refused != nil {
		refused.Proof, refused.Once = out.Proof, out.Once // used up all the same
		t.steps = append(t.steps, start.End(t.Clock, StepRefused).With(FactReason, refused.Reason.String()))
		return *refused
	}
	out.Reason, out.Subject.Account = None, a.Account.ID
	t.steps = append(t.steps, start.End(t.Clock, StepOK))
	return out
}

// changeFirst asks a person whose password was right for a new one. Nobody is let in by it. An account that is disabled is
// told first: a new password would be of no use.
func (t *turn) changeFirst(out Outcome) Outcome {
	path, start := t.attempt.Realm.Path, StartStep(t.Clock, C7, Gateway, Gateway)
	refused := t.refuseAccount(out.Subject)
	if refused == nil && (path != PathCloud || out.Reason != None && out.Reason.VerdictOn(path) != Challenged) {
		refuse := Fail(Internal, C7, fmt.Errorf("provider %s asked for a new password with reason %s", path, out.Reason))
		refused = &refuse
	}
	if refused != nil {
		t.steps = append(t.steps, start.End(t.Clock, StepRefused).With(FactReason, refused.Reason.String()))
		return *refused
	}
	if out.Reason != None { // else the person wants to change it, and only the new one was not good enough
		out.Check = C7
		t.steps = append(t.steps, start.End(t.Clock, StepRefused).With(FactReason, out.Reason.String()))
	}
	if out.Challenge.Message == "" {
		out.Challenge.Message = tellChange
		if out.Reason == CloudPasswordExpired {
			out.Challenge.Message = tellRenew
		}
	}
	out.Record, out.Checked = nil, nil
	return out
}

// refuseAccount is why the provider's word is worth nothing: it names another account, or one that may not sign in.
func (t *turn) refuseAccount(s Subject) *Outcome {
	refused := t.refuseSubject(s)
	if refused == nil && t.attempt.Account.Disabled {
		refused = &Outcome{Verdict: Denied, Reason: AccountDisabled, Check: C7}
	}
	return refused
}

func (t *turn) refuseSubject(s Subject) *Outcome {
	a, refuse := t.attempt, func(o Outcome) *Outcome { return &o }
	if a.Realm.Path.Managed() {
		if s.Account == "" || s.Account != a.Account.ID || s.Issuer != "" {
			return refuse(Fail(Internal, C7, fmt.Errorf("provider %s allowed somebody else than was asked for: named %q", a.Realm.Path, s.Account)))
		}
		return nil
	}
	switch {
	case s.Issuer == "" || s.Issuer != a.Realm.Issuer:
		// An identity provider speaks for the people of its own domain only, or any one of them could impersonate all.
		return refuse(Deny(IssuerMismatch, F4Realm, fmt.Errorf("issuer %q does not speak for %s", s.Issuer, a.Realm.Domain)))
	case !a.Account.Exists():
		return refuse(Deny(SubjectUnknown, F4Subject, errors.New("the identity provider signed in a person who has no account here: synchronise it first")))
	case !matches(a.Realm.Match, a.Account, s):
		return refuse(Deny(ImmutableIDMismatch, F4Subject, fmt.Errorf("the identity provider named another person than %s (match by %s)", a.Account.UPN, a.Realm.Match)))
	}
	return nil
}

// matches compares whole values; an empty one on either side matches nobody.
func matches(by Match, a Account, s Subject) bool {
	switch by {
	case MatchAnchor:
		return s.Anchor != "" && s.Anchor == a.Anchor
	case MatchUPN:
		upn := ParseIdentifier(s.UPN).UPN()
		return upn != "" && upn == a.UPN
	}
	return false
}

func (t *turn) denied(out Outcome) Outcome {
	switch {
	case out.Reason.VerdictOn(t.attempt.Realm.Path) != Denied || !out.Reason.On(t.attempt.Realm.Path):
		return Fail(Internal, out.Check, fmt.Errorf("provider %s denied with reason %s: %w", t.attempt.Realm.Path, out.Reason, causeOf(out)))
	case !t.attempt.Account.Exists() && t.attempt.Realm.Path.Managed():
		out.Reason = UnknownUser // whatever the decoy work came to
	}
	out.Challenge, out.Keep, out.Record, out.Checked = Challenge{}, nil, nil, nil
	return out
}

func (t *turn) challenged(out Outcome) Outcome {
	kinds := []ChallengeKind{AskPassword, ChangePassword, AskCode, Redirect, Post}
	if !slices.Contains(kinds, out.Challenge.Kind) || len(out.Keep) > MaxKeep {
		return Fail(Internal, out.Check, fmt.Errorf("provider %s asked for %q and to keep %d bytes (at most %d)", t.attempt.Realm.Path, out.Challenge.Kind, len(out.Keep), MaxKeep))
	}
	if out.Challenge.Kind == ChangePassword {
		return t.changeFirst(out)
	}
	if t.elsewhere {
		out.Challenge.Message = tellAtHome
		if t.attempt.Realm.Path == PathFederated {
			out.Challenge.Message = tellAtIdP
		}
	}
	out.Reason = None
	return out
}

func causeOf(o Outcome) error {
	if o.Err == nil {
		return errors.New("no cause given")
	}
	return o.Err
}

// finish writes the step down and makes the Result. What could not be written lets nobody in.
func (t *turn) finish(ctx context.Context, at time.Time, out Outcome) Result {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWithin)
	defer cancel()
	final, token, err := t.final(at, out)
	if err != nil {
		out = Fail(Internal, C9, err)
		final, _, _ = t.final(at, out)
	}
	receipt, err := t.Committer.Commit(ctx, final)
	if err == nil && (receipt.Replayed || receipt.Overtaken) {
		out = t.tooLate(receipt)
		final, token, _ = t.final(at, out)
		_, err = t.Committer.Commit(ctx, final)
	}
	if err != nil {
		out, token = Fail(Internal, C9, fmt.Errorf("the sign-in could not be written down: %w", err)), ""
	}
	return t.result(out, token)
}

// tooLate is the outcome of a step that the store found to come second, and corrects its evidence: only the store could know.
func (t *turn) tooLate(r Receipt) Outcome {
	out, check := Deny(Replay, F4Replay, errors.New("an assertion, code or state that is good once was used before")), F4Replay
	if r.Overtaken {
		out, check = Deny(BadPassword, K3, errors.New("the password was changed by somebody else meanwhile: it is no longer the right one")), K3
	}
	for i, s := range t.steps {
		if s.ID == check {
			t.steps[i].Result, t.steps[i].Held = StepRefused, nil
		}
	}
	return out
}

func (t *turn) final(at time.Time, out Outcome) (Final, string, error) {
	f := Final{Effect: effect(out), Once: out.Once, Credential: out.Record}
	if out.Verdict == Allowed {
		_, f.Changed = t.attempt.Answer.(NewPassword)
		f.Checked = out.Checked
	}
	if t.ticket != nil {
		f.TallyKey, f.Ticket = t.tallyKey, t.ticket
	}
	token := ""
	steps := t.steps
	if out.Verdict == Allowed {
		s, tok, err := t.Sessions.New(out.Subject, out.Proof)
		if err != nil {
			return Final{}, "", fmt.Errorf("make a session: %w", err)
		}
		s.Attempt, s.Path = t.attempt.ID, t.attempt.Realm.Path
		f.Session, token = &s, tok
		steps = append(slices.Clone(steps), Step{ID: C9, From: Gateway, To: Browser, Result: StepOK, At: t.Clock.Now()})
	}
	f.Record = t.record(at, out, steps)
	return f, token, nil
}

func (t *turn) record(at time.Time, out Outcome, steps []Step) Record {
	a := t.attempt
	r := Record{
		ID: a.ID, Seq: t.seq, Began: t.began, At: at, Took: t.Clock.Now().Sub(at),
		Who: a.Who.Key(), Account: a.Account.ID, Name: a.Account.DisplayName, Realm: a.Realm, Place: t.from,
		Verdict: out.Verdict, Reason: out.Reason, Check: out.Check, Challenge: out.Challenge.Kind,
		Final: out.Verdict != Challenged, Proof: out.Proof, Steps: steps,
	}
	if out.Err != nil {
		r.Cause = clip(out.Err.Error())
	}
	return r
}

func (t *turn) result(out Outcome, token string) Result {
	a := t.attempt
	res := Result{Outcome: out, ID: a.ID, Realm: a.Realm, Token: token}
	switch out.Verdict {
	case Allowed:
		res.Account = a.Account
	case Challenged:
		res.Pending = &Pending{ID: a.ID, Seq: t.seq + 1, Typed: a.Who.Key(), Realm: a.Realm, Want: a.Want, Kept: out.Keep, Began: t.began}
	case Undecided, Denied, Unavailable:
	}
	return res
}

func effect(out Outcome) Effect {
	switch {
	case out.Verdict == Allowed:
		return ClearTally
	case out.Verdict == Denied && out.Reason.Counts():
		return CountFailure
	default:
		return LeaveTally
	}
}
