package authn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
)

const password = "Spring-2025!"

// scripted is a provider that answers as a test says.
type scripted func(authn.Attempt) authn.Outcome

func (s scripted) Step(_ context.Context, a authn.Attempt) authn.Outcome { return s(a) }

func world(p scripted) *authntest.World {
	return &authntest.World{
		People: map[string]authn.Account{
			"alice@cloud.example.test": {ID: "alice", UPN: "alice@cloud.example.test"},
			"bob@cloud.example.test":   {ID: "bob", UPN: "bob@cloud.example.test", Disabled: true},
			"alice@saml.example.test":  {ID: "alice-saml", UPN: "alice@saml.example.test", Anchor: "anchor-alice"},
		},
		RealmOf: map[string]authn.Realm{
			"cloud.example.test": {Domain: "cloud.example.test", Path: authn.PathCloud},
			"saml.example.test":  {Domain: "saml.example.test", Path: authn.PathFederated, IdP: "harbour", Issuer: "https://idp", Match: authn.MatchAnchor},
		},
		Provider: p,
	}
}

// honest lets in whoever brings the password, and names the account that was asked for.
func honest(a authn.Attempt) authn.Outcome {
	pw, ok := a.Answer.(authn.Password)
	switch {
	case !ok:
		return authn.Ask(authn.Challenge{Kind: authn.AskPassword}, nil)
	case string(pw.Secret.Reveal()) != password || !a.Account.Exists():
		return authn.Deny(authn.BadPassword, authn.K3, nil)
	}
	return authn.Allow(authn.Subject{Account: a.Account.ID}, authn.Proof{Methods: []string{"pwd"}})
}

func request(user, pw string) authn.Request {
	return authn.Request{Typed: user, Answer: authn.Password{Secret: authn.NewSecret([]byte(pw))}}
}

func TestARightPasswordIsASessionThatWasWrittenDownFirst(t *testing.T) {
	w := world(honest)
	res := w.Flow().SignIn(t.Context(), request("Alice@Cloud.Example.TEST ", password))
	if res.Outcome.Verdict != authn.Allowed || res.Token == "" || res.Account.ID != "alice" {
		t.Fatalf("%+v", res)
	}
	finals := w.Finals()
	if len(finals) != 1 || finals[0].Session == nil || finals[0].Record.ID != res.ID || !finals[0].Record.Final {
		t.Fatalf("committed: %+v", finals)
	}
	var ids []authn.StepID
	for _, s := range finals[0].Record.Steps {
		ids = append(ids, s.ID)
	}
	if diff := cmp.Diff([]authn.StepID{authn.C1, authn.C2, authn.C3, authn.C10, authn.C7, authn.C9}, ids); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if w.Released() != 1 {
		t.Errorf("%d tickets came back, want 1", w.Released())
	}
}

func TestNobodyGetsInUnlessEverythingHolds(t *testing.T) {
	type row struct {
		name    string
		user    string
		out     authn.Outcome
		verdict authn.Verdict
		reason  authn.Reason
	}
	alice, fed := "alice@cloud.example.test", "alice@saml.example.test"
	allow := func(s authn.Subject) authn.Outcome { return authn.Allow(s, authn.Proof{}) }
	good := authn.Subject{Issuer: "https://idp", Anchor: "anchor-alice"}
	rows := []row{
		{"control: the account itself", alice, allow(authn.Subject{Account: "alice"}), authn.Allowed, authn.None},
		{"undecided", alice, authn.Outcome{}, authn.Unavailable, authn.Internal},
		{"an unknown verdict", alice, authn.Outcome{Verdict: 99}, authn.Unavailable, authn.Internal},
		{"no subject", alice, allow(authn.Subject{}), authn.Unavailable, authn.Internal},
		{"another account", alice, allow(authn.Subject{Account: "bob"}), authn.Unavailable, authn.Internal},
		{"an issuer on a managed path", alice, allow(authn.Subject{Account: "alice", Issuer: "x"}), authn.Unavailable, authn.Internal},
		{"a disabled account", "bob@cloud.example.test", allow(authn.Subject{Account: "bob"}), authn.Denied, authn.AccountDisabled},
		{"nobody, though the provider says yes", "eve@cloud.example.test", allow(authn.Subject{Account: ""}), authn.Unavailable, authn.Internal},
		{"denied for an outage's reason", alice, authn.Deny(authn.NoAgent, "", nil), authn.Unavailable, authn.Internal},
		{"denied for another path's reason", alice, authn.Deny(authn.SAMLInvalid, "", nil), authn.Unavailable, authn.Internal},
		{"unavailable for a denial's reason", alice, authn.Fail(authn.BadPassword, "", nil), authn.Unavailable, authn.Internal},
		{"keeps too much", alice, authn.Ask(authn.Challenge{Kind: authn.AskCode}, make([]byte, authn.MaxKeep+1)), authn.Unavailable, authn.Internal},
		{"asks for nothing known", alice, authn.Ask(authn.Challenge{}, nil), authn.Unavailable, authn.Internal},
		{"control: the right anchor", fed, allow(good), authn.Allowed, authn.None},
		{"another issuer", fed, allow(authn.Subject{Issuer: "https://evil", Anchor: "anchor-alice"}), authn.Denied, authn.IssuerMismatch},
		{"no issuer", fed, allow(authn.Subject{Anchor: "anchor-alice"}), authn.Denied, authn.IssuerMismatch},
		{"another person", fed, allow(authn.Subject{Issuer: "https://idp", Anchor: "anchor-bob"}), authn.Denied, authn.ImmutableIDMismatch},
		{"no anchor", fed, allow(authn.Subject{Issuer: "https://idp"}), authn.Denied, authn.ImmutableIDMismatch},
		{"our account id instead of a subject", fed, allow(authn.Subject{Account: "alice-saml"}), authn.Denied, authn.IssuerMismatch},
		{"a person without account", "new@saml.example.test", allow(good), authn.Denied, authn.SubjectUnknown},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			w := world(func(authn.Attempt) authn.Outcome { return r.out })
			req := request(r.user, "x")
			if r.user == fed || strings.HasPrefix(r.user, "new") {
				req.Answer = authn.Nothing{}
			}
			res := w.Flow().SignIn(t.Context(), req)
			if res.Outcome.Verdict != r.verdict || res.Outcome.Reason != r.reason {
				t.Errorf("%v %v (%v), want %v %v", res.Outcome.Verdict, res.Outcome.Reason, res.Outcome.Err, r.verdict, r.reason)
			}
			if (res.Token != "") != (r.verdict == authn.Allowed) {
				t.Errorf("token %q with %v", res.Token, res.Outcome.Verdict)
			}
			if got := w.Finals()[0].Record; got.Verdict != r.verdict || got.Reason != r.reason {
				t.Errorf("the record says %v %v", got.Verdict, got.Reason)
			}
		})
	}
}

func TestAnAccountWithoutAnchorMatchesNoAnchor(t *testing.T) {
	w := world(func(authn.Attempt) authn.Outcome {
		return authn.Allow(authn.Subject{Issuer: "https://idp"}, authn.Proof{})
	})
	w.People["alice@saml.example.test"] = authn.Account{ID: "alice-saml", UPN: "alice@saml.example.test"}
	if res := w.Flow().SignIn(t.Context(), authn.Request{Typed: "alice@saml.example.test", Answer: authn.Nothing{}}); res.Outcome.Reason != authn.ImmutableIDMismatch {
		t.Errorf("%v %v", res.Outcome.Verdict, res.Outcome.Reason)
	}
}

func TestWhatCouldNotBeWrittenLetsNobodyIn(t *testing.T) {
	w := world(honest)
	w.Down = true
	res := w.Flow().SignIn(t.Context(), request("alice@cloud.example.test", password))
	if res.Outcome.Verdict != authn.Unavailable || res.Token != "" || !errors.Is(res.Outcome.Err, authntest.ErrDown) {
		t.Errorf("%+v", res)
	}
}

func TestADirectoryThatCannotLookIsNoDenial(t *testing.T) {
	w := world(honest)
	w.LookDown = true
	if res := w.Flow().SignIn(t.Context(), request("alice@cloud.example.test", password)); res.Outcome.Verdict != authn.Unavailable {
		t.Errorf("%v %v", res.Outcome.Verdict, res.Outcome.Reason)
	}
}

func TestOnlyWrongGuessesCount(t *testing.T) {
	w := world(honest)
	f := w.Flow()
	for range 3 {
		f.SignIn(t.Context(), request("alice@cloud.example.test", "wrong"))
	}
	f.SignIn(t.Context(), request("ALICE@cloud.example.test", ""))
	f.SignIn(t.Context(), authn.Request{Typed: "alice@cloud.example.test", Answer: authn.Nothing{}})
	if n := w.Tally("account:alice"); n != 4 {
		t.Errorf("%d failures under one account, want 4", n)
	}
	f.SignIn(t.Context(), request("eve@cloud.example.test", "wrong"))
	if n := w.Tally("name:eve@cloud.example.test"); n != 1 {
		t.Errorf("%d failures under a stranger's name, want 1", n)
	}
	w.Provider = scripted(func(authn.Attempt) authn.Outcome { return authn.Fail(authn.Internal, "", nil) })
	f.SignIn(t.Context(), request("alice@cloud.example.test", "wrong"))
	if n := w.Tally("account:alice"); n != 4 {
		t.Errorf("an outage counted: %d", n)
	}
	w.Provider = scripted(honest)
	f.SignIn(t.Context(), request("alice@cloud.example.test", password))
	if n := w.Tally("account:alice"); n != 0 {
		t.Errorf("the right password left %d", n)
	}
}

// during is a provider that gives up when its context has ended, as one that asks somewhere else must.
type during func()

func (d during) Step(ctx context.Context, a authn.Attempt) authn.Outcome {
	d()
	if err := ctx.Err(); err != nil {
		return authn.Fail(authn.Internal, "", err)
	}
	return honest(a)
}

// An attacker who hangs up as soon as the guess is on its way to the directory must not guess for free.
func TestAGuessCountsThoughItsAskerHangsUp(t *testing.T) {
	for _, hangsUp := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		w := world(nil)
		w.Provider = during(func() {
			if hangsUp {
				cancel()
			}
		})
		res := w.Flow().SignIn(ctx, request("alice@cloud.example.test", "wrong"))
		cancel()
		if res.Outcome.Reason != authn.BadPassword || w.Tally("account:alice") != 1 {
			t.Errorf("hangs up %t: %s, %d counted, want bad_password and 1", hangsUp, res.Outcome.Reason, w.Tally("account:alice"))
		}
	}
}

func TestTheDeadlineOfAStepStillHolds(t *testing.T) {
	w := world(nil)
	w.Provider = during(func() {})
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if res := w.Flow().SignIn(ctx, request("alice@cloud.example.test", password)); res.Outcome.Verdict != authn.Unavailable {
		t.Errorf("after its deadline: %s, want unavailable", res.Outcome.Verdict)
	}
}

func TestALockedAccountIsRefusedBeforeAnybodyLooks(t *testing.T) {
	asked := false
	w := world(func(a authn.Attempt) authn.Outcome { asked = true; return honest(a) })
	w.Refuse = authn.CloudLocked
	if res := w.Flow().SignIn(t.Context(), request("alice@cloud.example.test", password)); res.Outcome.Reason != authn.CloudLocked || asked {
		t.Errorf("%v, provider asked: %v", res.Outcome.Reason, asked)
	}
}

func TestAPanicIsARecordAndNoSession(t *testing.T) {
	w := world(func(authn.Attempt) authn.Outcome { panic("malformed") })
	res := w.Flow().SignIn(t.Context(), request("alice@cloud.example.test", password))
	if res.Outcome.Reason != authn.Internal || len(w.Finals()) != 1 || w.Released() != 1 {
		t.Errorf("%+v, %d records, %d tickets back", res.Outcome, len(w.Finals()), w.Released())
	}
}

func TestAPasswordForAnotherIdentityProviderIsWipedUnread(t *testing.T) {
	var seen authn.Answer
	w := world(func(a authn.Attempt) authn.Outcome {
		seen = a.Answer
		return authn.Ask(authn.Challenge{Kind: authn.Redirect, URL: "https://idp/sso"}, []byte("kept"))
	})
	typed := authn.NewSecret([]byte(password))
	res := w.Flow().SignIn(t.Context(), authn.Request{Typed: "alice@saml.example.test", Answer: authn.Password{Secret: typed}})
	if _, ok := seen.(authn.Nothing); !ok || !typed.Empty() {
		t.Errorf("the provider saw %T, the secret has %d bytes", seen, typed.Len())
	}
	if res.Pending == nil || string(res.Pending.Kept) != "kept" || res.Pending.Seq != 1 {
		t.Errorf("%+v", res.Pending)
	}
	steps := w.Finals()[0].Record.Steps
	if steps[0].Held[authn.Gateway] != authn.FormClear || steps[len(steps)-1].Held[authn.Gateway] != authn.FormNone {
		t.Errorf("the evidence hides that the gateway held a password: %+v", steps)
	}
}

func TestACallbackBelongsToTheBrowserThatStarted(t *testing.T) {
	w := world(func(a authn.Attempt) authn.Outcome {
		if _, ok := a.Answer.(authn.Callback); ok {
			return authn.Allow(authn.Subject{Issuer: "https://idp", Anchor: "anchor-alice"}, authn.Proof{})
		}
		return authn.Ask(authn.Challenge{Kind: authn.Redirect, URL: "https://idp/sso"}, nil)
	})
	f := w.Flow()
	begun := f.SignIn(t.Context(), authn.Request{Typed: "alice@saml.example.test", Answer: authn.Nothing{}})
	if res := f.Continue(t.Context(), authn.Pending{}, authn.Callback{IdP: "harbour"}, authn.Place{}); res.Outcome.Reason != authn.StateMismatch || res.Realm.Path != authn.PathFederated {
		t.Errorf("without the cookie: %v on %s", res.Outcome.Reason, res.Realm.Path)
	}
	if res := f.Continue(t.Context(), *begun.Pending, authn.Callback{IdP: "other"}, authn.Place{}); res.Outcome.Reason != authn.StateMismatch {
		t.Errorf("another IdP's: %v", res.Outcome.Reason)
	}
	res := f.Continue(t.Context(), *begun.Pending, authn.Callback{IdP: "harbour"}, authn.Place{})
	if res.Outcome.Verdict != authn.Allowed || res.ID != begun.ID {
		t.Errorf("control: %v %v, id %s after %s", res.Outcome.Verdict, res.Outcome.Reason, res.ID, begun.ID)
	}
	finals := w.Finals()
	for _, s := range finals[len(finals)-1].Record.Steps {
		if s.ID == authn.C1 || s.ID == authn.C2 {
			t.Errorf("%s happened in the first step, and stands in the second as well", s.ID)
		}
	}
}

func TestAnAssertionIsGoodOnce(t *testing.T) {
	w := world(func(authn.Attempt) authn.Outcome {
		out := authn.Allow(authn.Subject{Issuer: "https://idp", Anchor: "anchor-alice"}, authn.Proof{})
		out.Once = []authn.Once{{Kind: "assertion", ID: "a-1", Until: time.Now()}}
		return out
	})
	f, req := w.Flow(), authn.Request{Typed: "alice@saml.example.test", Answer: authn.Nothing{}}
	if res := f.SignIn(t.Context(), req); res.Outcome.Verdict != authn.Allowed {
		t.Fatal(res.Outcome.Err)
	}
	res := f.SignIn(t.Context(), req)
	if res.Outcome.Reason != authn.Replay || res.Token != "" {
		t.Errorf("the second time: %v, token %q", res.Outcome.Reason, res.Token)
	}
	last := w.Finals()[1]
	if last.Record.Reason != authn.Replay || last.Session != nil {
		t.Errorf("written down: %+v", last)
	}
}

func TestAnUnknownDomainIsToldApart(t *testing.T) {
	res := world(honest).Flow().SignIn(t.Context(), request("alice@elsewhere.example", password))
	if res.Outcome.Reason != authn.DomainUnknown {
		t.Error(res.Outcome.Reason)
	}
}

func TestUnusablePasswordsReachNoProvider(t *testing.T) {
	for _, pw := range []string{"", strings.Repeat("a", 10_000)} {
		for _, user := range []string{"alice@cloud.example.test", "eve@cloud.example.test"} {
			w := world(func(authn.Attempt) authn.Outcome { t.Error("asked"); return authn.Outcome{} })
			res := w.Flow().SignIn(t.Context(), request(user, pw))
			if got := res.Outcome.Reason.Public(); got != authn.BadPassword.Public() || res.Outcome.Verdict != authn.Denied {
				t.Errorf("%s, %d bytes: %+v", user, len(pw), got)
			}
		}
	}
}

func TestASecretSaysNothing(t *testing.T) {
	s := authn.NewSecret([]byte(password))
	holder := struct{ Secret authn.Secret }{s}
	var text, js bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "s", s, "holder", holder)
	slog.New(slog.NewJSONHandler(&js, nil)).Info("m", "s", s, "holder", holder)
	raw, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%v %+v %#v %x %s %q %d %v", s, s, s, s, s, s, s, holder) + fmt.Sprintf("%#v %x", holder, &holder) + text.String() + js.String() + string(raw)
	if forms := authntest.Leaks([]byte(all), password); len(forms) > 0 {
		t.Errorf("leaks as %v in %s", forms, all)
	}
	if !strings.Contains(all, "[secret]") {
		t.Error("the control is gone")
	}
	s.Wipe()
	if holder.Secret.Len() != 0 {
		t.Error("a copy outlived Wipe")
	}
}

func TestTheReasonTableIsClosedAndConsistent(t *testing.T) {
	names := map[string]bool{}
	for _, r := range authn.Reasons() {
		if r.String() == "" || names[r.String()] {
			t.Errorf("reason %d has the name %q", r, r)
		}
		names[r.String()] = true
		if back, ok := authn.ParseReason(r.String()); !ok || back != r {
			t.Errorf("%s reads back as %s", r, back)
		}
		if r.Counts() && r.Verdict() != authn.Denied {
			t.Errorf("%s counts though nobody looked", r)
		}
		// Neither may stand alone: a stranger would see by the lock, or by its absence, which reason hides behind the one answer.
		if uniform := r.Public() == authn.BadPassword.Public(); r.Counts() != uniform {
			t.Errorf("%s counts: %t; it has the answer of a wrong password: %t", r, r.Counts(), uniform)
		}
	}
	if _, ok := authn.ParseReason("nonsense"); ok {
		t.Error("nonsense is a reason")
	}
}

func TestIdentifiersAreNormalisedInOnePlace(t *testing.T) {
	for typed, want := range map[string]string{
		"alice@phs.example.test": "alice@phs.example.test", " ALICE@PHS.example.TEST. ": "alice@phs.example.test",
		"alice": "", "@phs.example.test": "", "alice@": "", "alice@localhost": "", "a b@phs.example.test": "", ".a@phs.example.test": "",
		"a.@phs.example.test": "", "ａlice@phs.example.test": "", "alıce@phs.example.test": "", "alice@phs..test": "", "alice@-phs.test": "",
		"alice\x00@phs.example.test": "", strings.Repeat("a", 65) + "@phs.example.test": "", "o'brien@phs.example.test": "o'brien@phs.example.test",
	} {
		if got := authn.ParseIdentifier(typed).UPN(); got != want {
			t.Errorf("%q is %q, want %q", typed, got, want)
		}
	}
	if got := authn.ParseIdentifier("ａlice@phs.example.test").Domain(); got != "phs.example.test" {
		t.Errorf("a name that is nobody's keeps its domain, got %q", got)
	}
}

// A name is shown on operators' terminals: nothing in it may move the cursor, colour the line or turn its direction.
func TestANameIsShownAsPrintableTextOnly(t *testing.T) {
	for typed, want := range map[string]string{
		"zoë@x.test": "zoë@x.test", "a b@x.test": "a b@x.test", "a\x1b[31m@x.test": "a?[31m@x.test", "a\u009b31m@x.test": "a?31m@x.test",
		"a\u202eb@x.test": "a?b@x.test", "a\u2028b@x.test": "a?b@x.test", "a\u200bb@x.test": "a?b@x.test", "a\r\nb@x.test": "a??b@x.test", "a\xffb@x.test": "a?b@x.test",
	} {
		if got := authn.ParseIdentifier(typed).Key(); got != want {
			t.Errorf("%q is shown as %q, want %q", typed, got, want)
		}
	}
}

func TestParsingAnIdentifierTwiceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typed := rapid.String().Draw(t, "typed")
		once := authn.ParseIdentifier(typed)
		if upn := once.UPN(); upn != "" && authn.ParseIdentifier(upn).UPN() != upn {
			t.Fatalf("%q reads as %q, and that as %q", typed, upn, authn.ParseIdentifier(upn).UPN())
		}
		if len(once.Key()) > 260 || strings.ContainsAny(once.Key(), "\n\r\x00") {
			t.Fatalf("key %q", once.Key())
		}
	})
}

func FuzzParseIdentifier(f *testing.F) {
	f.Add("alice@phs.example.test")
	f.Fuzz(func(t *testing.T, typed string) {
		id := authn.ParseIdentifier(typed)
		if upn := id.UPN(); upn != "" && (len(upn) > 113 || !strings.HasSuffix(upn, "@"+id.Domain())) {
			t.Errorf("%q", upn)
		}
	})
}
