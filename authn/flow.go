package authn

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"
)

// Flow is the one flow. Every field but Licences must be set.
type Flow struct {
	Directory Directory
	Realms    Realms
	Guard     Guard
	Providers Providers
	Sessions  Sessions
	Licences  Licences // nil: not asked, and the trace has no C8
	Committer Committer
	Clock     Clock
}

// Request begins a sign-in.
type Request struct {
	Typed  string // the user name as it was typed
	Answer Answer // Nothing, Password or NewPassword
	Want   Want
	From   Place
}

// Pending is a sign-in that waits for its next step. It travels in the browser, sealed by session.
type Pending struct {
	ID    AttemptID `json:"id"`
	Seq   int       `json:"seq"`
	Typed string    `json:"typed"`
	Realm Realm     `json:"realm"`
	Want  Want      `json:"want"`
	Kept  []byte    `json:"kept,omitempty"`
	Began time.Time `json:"began"`
}

// Result is what came of one step, already durable.
type Result struct {
	Outcome Outcome
	ID      AttemptID
	Account Account // of an Allowed; zero otherwise
	Realm   Realm
	Token   string   // session token of an Allowed, for the browser alone
	Pending *Pending // of a Challenged
}

// commitWithin bounds the wait for the store. The person's own deadline doesn't count here: what was decided is written.
const commitWithin = 5 * time.Second

// longestSecret bounds what a hash function or a directory is ever given, in bytes. Microsoft's longest password has 256 characters.
const longestSecret = 1024

// SignIn carries out the first step of a new sign-in.
func (f *Flow) SignIn(ctx context.Context, r Request) Result {
	return f.run(ctx, &turn{Flow: f, from: r.From, began: f.Clock.Now(), attempt: Attempt{
		ID: newAttemptID(), Who: ParseIdentifier(r.Typed), Want: r.Want, Answer: r.Answer,
	}})
}

// Continue carries out a later step. The person is the one of the Pending, never the one of the answer; a zero Pending
// (the browser that comes back is not the one that went away) is denied as state_mismatch.
func (f *Flow) Continue(ctx context.Context, p Pending, answer Answer, from Place) Result {
	if p.ID == "" || strayCallback(p, answer) {
		return f.run(ctx, &turn{Flow: f, from: from, began: f.Clock.Now(), stray: true, attempt: Attempt{
			ID: newAttemptID(), Realm: Realm{Path: PathFederated, IdP: p.Realm.IdP}, Answer: answer,
		}})
	}
	return f.run(ctx, &turn{Flow: f, from: from, began: p.Began, seq: p.Seq, resumed: true, attempt: Attempt{
		ID: p.ID, Who: ParseIdentifier(p.Typed), Realm: p.Realm, Want: p.Want, Kept: p.Kept, Answer: answer,
	}})
}

// strayCallback reports an answer of one IdP to a sign-in that waits for another, or for none (mix-up, login CSRF).
func strayCallback(p Pending, answer Answer) bool {
	cb, ok := answer.(Callback)
	return ok && (p.Realm.Path != PathFederated || cb.IdP != p.Realm.IdP)
}

// turn is one step of one sign-in on its way through the flow.
type turn struct {
	*Flow
	attempt   Attempt
	from      Place
	began     time.Time
	seq       int
	resumed   bool // the realm was decided by an earlier step
	stray     bool
	ticket    Ticket
	tallyKey  string
	elsewhere bool // a new password was brought to a path that can't change it
	steps     []Step
}

func (f *Flow) run(ctx context.Context, t *turn) Result {
	ctx, cancel := seeThrough(ctx)
	defer cancel()
	at := f.Clock.Now()
	out := t.decide(ctx)
	t.wipe()
	res := t.finish(ctx, at, out)
	if t.ticket != nil {
		t.ticket.Release()
	}
	return res
}

// seeThrough keeps the deadline of ctx and drops its cancellation: a step that was begun is finished and counted though
// its asker hangs up. Otherwise hanging up in time would take guesses to a directory past every threshold.
func seeThrough(ctx context.Context) (context.Context, context.CancelFunc) {
	free := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(free, deadline)
	}
	return context.WithCancel(free)
}

// decide reads as the flow's line in the package comment does. It writes nothing down and lets nobody in.
func (t *turn) decide(ctx context.Context) (out Outcome) {
	defer func() {
		if p := recover(); p != nil { // one person's malformed input must not take the others' gateway down
			out = Fail(Internal, "", fmt.Errorf("panic during sign-in: %v", p))
		}
	}()
	a := &t.attempt
	if t.stray {
		return Deny(StateMismatch, F4InResponse, errors.New("a callback came without the sign-in that it belongs to: no pending cookie, or another IdP's"))
	}
	if !t.resumed {
		t.note(C1, Browser, Gateway, t.typed())
	}
	if err := t.whoAndHow(ctx); err != nil {
		t.giveUp()
		return Fail(Internal, C2, err)
	}
	if a.Realm.Path == "" || a.Realm.Path == PathNone {
		t.giveUp()
		return Deny(DomainUnknown, C2, nil)
	}
	t.dropForeignPassword()
	if reason, err := t.reserve(ctx); reason != None {
		t.giveUp()
		return Outcome{Verdict: reason.Verdict(), Reason: reason, Check: C3, Err: err}
	}
	if unusable(a.Answer) {
		out = Deny(BadPassword, C1, nil)
	} else {
		out = t.Providers.For(a.Realm).Step(ctx, *a)
	}
	if out = t.settle(out); out.Verdict == Allowed {
		out.Err = t.readLicences(ctx)
	}
	return out
}

// readLicences notes what the person may use. It is for the trace alone: applications ask for themselves, and nobody is kept
// out because it could not be read.
func (t *turn) readLicences(ctx context.Context) error {
	if t.Licences == nil {
		return nil
	}
	start := StartStep(t.Clock, C8, Store, Gateway)
	may, err := t.Licences.Of(ctx, t.attempt.Account.ID)
	if err != nil {
		t.steps = append(t.steps, start.End(t.Clock, StepSkipped))
		return fmt.Errorf("the licences could not be read, which keeps nobody out: %w", err)
	}
	t.steps = append(t.steps, start.End(t.Clock, StepOK).With(FactLicences, may))
	return nil
}

// whoAndHow finds the account and, in the first step, the realm.
func (t *turn) whoAndHow(ctx context.Context) (err error) {
	a := &t.attempt
	start := StartStep(t.Clock, C2, Gateway, Store)
	if a.Account, err = t.Directory.Find(ctx, a.Who); err != nil {
		return fmt.Errorf("find the account: %w", err)
	}
	if t.resumed { // the realm was decided by the first step, and its evidence stands there
		return nil
	}
	if a.Realm, err = t.Realms.Of(ctx, a.Who, a.Account); err != nil {
		return fmt.Errorf("decide the realm: %w", err)
	}
	found := StepOK
	if a.Realm.Path == "" || a.Realm.Path == PathNone {
		found = StepRefused
	}
	t.steps = append(t.steps, start.End(t.Clock, found).With(FactDomain, a.Realm.Domain).
		With(FactPath, string(a.Realm.Path)).With(FactRule, a.Realm.Rule).With(FactIdP, a.Realm.IdP))
	return nil
}

// dropForeignPassword wipes, unread, what is not ours: a password that was typed here but belongs to another identity
// provider, and a change of a password that lives elsewhere. The sign-in goes on as if nothing had been brought.
func (t *turn) dropForeignPassword() {
	path := t.attempt.Realm.Path
	_, typed := t.attempt.Answer.(Password)
	_, changes := t.attempt.Answer.(NewPassword)
	t.elsewhere = changes && path != PathCloud
	if typed && path == PathFederated || t.elsewhere {
		t.giveUp()
		t.attempt.Answer = Nothing{}
	}
}

// reserve takes a ticket for a guess. Only a step that carries a secret is one.
func (t *turn) reserve(ctx context.Context) (Reason, error) {
	if len(secrets(t.attempt.Answer)) == 0 {
		return None, nil
	}
	t.tallyKey = "name:" + t.attempt.Who.Key()
	if t.attempt.Account.Exists() {
		t.tallyKey = "account:" + string(t.attempt.Account.ID)
	}
	start := StartStep(t.Clock, C3, Gateway, Store)
	start.Held = t.typed()
	t.ticket = t.Guard.Reserve(ctx, t.tallyKey, t.from)
	reason, err := t.ticket.Refused()
	result := StepOK
	if reason != None {
		result = StepRefused
	}
	t.steps = append(t.steps, start.End(t.Clock, result).With(FactReason, factReason(reason)))
	return reason, err
}

func (t *turn) wipe() {
	for _, s := range secrets(t.attempt.Answer) {
		s.Wipe()
	}
}

// typed is who holds the secret that came with this step: from its first moment on, whatever is looked up before it is used.
func (t *turn) typed() map[Lane]Form {
	if len(secrets(t.attempt.Answer)) == 0 {
		return nil
	}
	return map[Lane]Form{Browser: FormClear, Gateway: FormClear}
}

// giveUp wipes the secret that came with this step, and says so.
func (t *turn) giveUp() {
	if len(secrets(t.attempt.Answer)) > 0 {
		t.wipe()
		t.note(C10, Gateway, Gateway, map[Lane]Form{Gateway: FormNone})
	}
}

// note adds a step that takes no time of its own.
func (t *turn) note(id StepID, from, to Lane, held map[Lane]Form) {
	t.steps = append(t.steps, Step{ID: id, From: from, To: to, Result: StepOK, At: t.Clock.Now(), Held: held})
}

// unusable reports a guess that needs no check. A new password is no guess: the policy judges it.
func unusable(a Answer) bool {
	guess := secrets(a)
	if len(guess) > 1 {
		guess = guess[:1]
	}
	for _, s := range guess {
		if s.Empty() || s.Len() > longestSecret {
			return true
		}
	}
	return false
}

func factReason(r Reason) string {
	if r == None {
		return ""
	}
	return r.String()
}

// newAttemptID makes a random UUID (RFC 9562, version 4).
func newAttemptID() AttemptID {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return AttemptID(fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:]))
}
