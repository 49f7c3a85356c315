// Package authntest holds what every provider promises, as a test suite, and fakes of authn's ports for tests.
//
// In comes a provider with one person who can sign in; out come test failures. It never talks to anything itself.
package authntest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Harness is a provider under test, with one person whom it lets in.
type Harness struct {
	Provider authn.Provider
	Account  authn.Account
	Realm    authn.Realm
	Password string // the person's; "" for a federated provider
}

// hang is a guard against a provider that never answers, not a measure of speed.
const hang = 20 * time.Second

// canary is the password that must be found nowhere in an Outcome.
const canary = "Canary-Pw-7f3a91!"

// TestProvider holds a provider to its promises: nobody, an empty password, a stray callback and a cancelled context
// never end Allowed; it answers before its deadline; refusals carry reasons of its path; no Outcome shows a password.
func TestProvider(t *testing.T, h Harness) {
	t.Helper()
	managed := h.Realm.Path.Managed()
	t.Run("asks first", func(t *testing.T) {
		out := h.step(t, t.Context(), h.Account, authn.Nothing{})
		if out.Verdict != authn.Challenged {
			t.Fatalf("nothing brought: verdict %v, want challenged", out.Verdict)
		}
		if ask := out.Challenge.Kind == authn.AskPassword; ask != managed {
			t.Errorf("nothing brought: asks for %q", out.Challenge.Kind)
		}
	})
	t.Run("asks nobody the same", func(t *testing.T) {
		known := h.step(t, t.Context(), h.Account, authn.Nothing{})
		nobody := h.step(t, t.Context(), authn.Account{}, authn.Nothing{})
		if known.Verdict != nobody.Verdict || known.Challenge.Kind != nobody.Challenge.Kind {
			t.Errorf("a stranger is asked for %v %q, a known person for %v %q", nobody.Verdict, nobody.Challenge.Kind, known.Verdict, known.Challenge.Kind)
		}
	})
	if managed {
		t.Run("right password", h.testRightPassword)
		t.Run("wrong password", h.testWrongPassword)
		t.Run("nobody", h.testNobody)
		t.Run("new password", h.testNewPassword)
	}
	t.Run("empty password", func(t *testing.T) {
		h.notAllowed(t, t.Context(), h.Account, authn.Password{Secret: authn.NewSecret(nil)})
		h.notAllowed(t, t.Context(), h.Account, authn.Password{})
	})
	t.Run("stray callback", func(t *testing.T) {
		for _, values := range []map[string][]string{nil, {"SAMLResponse": {"PHg+"}}, {"code": {"c"}, "state": {"s"}}} {
			h.notAllowed(t, t.Context(), h.Account, authn.Callback{IdP: h.Realm.IdP, Binding: "post", Values: values})
		}
	})
	t.Run("stray code", func(t *testing.T) {
		h.notAllowed(t, t.Context(), h.Account, authn.Code{Secret: authn.NewSecret([]byte(canary))})
	})
	t.Run("no answer at all", func(t *testing.T) { h.notAllowed(t, t.Context(), h.Account, nil) })
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		h.notAllowed(t, ctx, h.Account, h.good())
	})
}

func (h Harness) testRightPassword(t *testing.T) {
	out := h.step(t, t.Context(), h.Account, h.good())
	if out.Verdict != authn.Allowed {
		t.Fatalf("right password: %v %v: %v", out.Verdict, out.Reason, out.Err)
	}
	if out.Subject.Account != h.Account.ID {
		t.Errorf("right password names %q, want %q", out.Subject.Account, h.Account.ID)
	}
}

func (h Harness) testWrongPassword(t *testing.T) {
	for _, wrong := range []string{canary, h.Password + "x", h.Password + "\x00", "\x00", string(slices.Repeat([]byte("a"), 1024))} {
		out := h.step(t, t.Context(), h.Account, authn.Password{Secret: authn.NewSecret([]byte(wrong))})
		if out.Verdict != authn.Denied || out.Reason != authn.BadPassword {
			t.Errorf("wrong password of %d bytes: %v %v: %v", len(wrong), out.Verdict, out.Reason, out.Err)
		}
	}
}

func (h Harness) testNobody(t *testing.T) {
	for _, pw := range []string{canary, h.Password} {
		out := h.step(t, t.Context(), authn.Account{}, authn.Password{Secret: authn.NewSecret([]byte(pw))})
		if out.Verdict != authn.Denied || !out.Reason.Counts() {
			t.Errorf("nobody: %v %v, want a denial that counts: %v", out.Verdict, out.Reason, out.Err)
		}
	}
}

// testNewPassword brings a password and a new one. A right one lets in only with the record of the new one, on the one path
// that may write it; there a wrong one, and nobody's, are a wrong guess like any other. The other paths take none.
func (h Harness) testNewPassword(t *testing.T) {
	change := func(a authn.Account, old, fresh string) authn.Outcome {
		return h.step(t, t.Context(), a, authn.NewPassword{Old: authn.NewSecret([]byte(old)), New: authn.NewSecret([]byte(fresh))})
	}
	out := change(h.Account, h.Password, canary)
	if out.Verdict == authn.Allowed && (len(out.Record) == 0 || h.Realm.Path != authn.PathCloud) {
		t.Errorf("the password was changed on %s, with a record of %d bytes", h.Realm.Path, len(out.Record))
	}
	for name, wrong := range map[string]authn.Outcome{
		"wrong old one": change(h.Account, h.Password+"x", canary), "empty old one": change(h.Account, "", canary), "nobody": change(authn.Account{}, h.Password, canary),
	} {
		guess := wrong.Verdict == authn.Denied && wrong.Reason.Counts()
		if wrong.Verdict == authn.Allowed || wrong.Record != nil || h.Realm.Path == authn.PathCloud && !guess {
			t.Errorf("%s: %v %v, want a denial that counts: %v", name, wrong.Verdict, wrong.Reason, wrong.Err)
		}
	}
	if out := change(h.Account, h.Password, ""); out.Verdict == authn.Allowed {
		t.Error("an empty new password was taken")
	}
}

func (h Harness) good() authn.Answer {
	return authn.Password{Secret: authn.NewSecret([]byte(h.Password))}
}

func (h Harness) notAllowed(t *testing.T, ctx context.Context, a authn.Account, answer authn.Answer) {
	t.Helper()
	if out := h.step(t, ctx, a, answer); out.Verdict == authn.Allowed {
		t.Errorf("%T was allowed", answer)
	}
}

// step takes one step under a hang guard and checks what holds of every Outcome.
func (h Harness) step(t *testing.T, ctx context.Context, a authn.Account, answer authn.Answer) authn.Outcome {
	t.Helper()
	who := authn.ParseIdentifier("nobody@" + h.Realm.Domain)
	if a.Exists() {
		who = authn.ParseIdentifier(a.UPN)
	}
	ctx, cancel := context.WithTimeout(ctx, hang/2)
	defer cancel()
	done := make(chan authn.Outcome, 1)
	go func() {
		done <- h.Provider.Step(ctx, authn.Attempt{ID: "00000000-0000-4000-8000-000000000001", Who: who, Account: a, Realm: h.Realm, Answer: answer})
	}()
	select {
	case out := <-done:
		h.check(t, out)
		return out
	case <-time.After(hang):
		t.Fatalf("%T: no answer after its deadline", answer)
		return authn.Outcome{}
	}
}

func (h Harness) check(t *testing.T, out authn.Outcome) {
	t.Helper()
	switch out.Verdict {
	case authn.Challenged:
		if out.Reason != authn.None && (out.Challenge.Kind != authn.ChangePassword || out.Reason.VerdictOn(h.Realm.Path) != authn.Challenged) {
			t.Errorf("asks for %q with reason %v, which the table does not allow on %s", out.Challenge.Kind, out.Reason, h.Realm.Path)
		}
	case authn.Allowed:
		if out.Reason != authn.None {
			t.Errorf("%v with reason %v", out.Verdict, out.Reason)
		}
	case authn.Denied, authn.Unavailable:
		if out.Reason.VerdictOn(h.Realm.Path) != out.Verdict || !out.Reason.On(h.Realm.Path) {
			t.Errorf("%v with reason %v, which the table does not allow on %s", out.Verdict, out.Reason, h.Realm.Path)
		}
	case authn.Undecided:
		t.Error("undecided")
	}
	if len(out.Keep) > authn.MaxKeep {
		t.Errorf("wants to keep %d bytes, more than %d", len(out.Keep), authn.MaxKeep)
	}
	ids := authn.StepIDs()
	for _, s := range out.Steps {
		if !slices.Contains(ids, s.ID) {
			t.Errorf("step %q is not in the closed list", s.ID)
		}
	}
	printed := fmt.Sprintf("%v %+v %#v %x", out, out, out, fmt.Sprint(out))
	if out.Err != nil {
		printed += out.Err.Error()
	}
	for _, secret := range []string{canary, h.Password} {
		for _, form := range Leaks([]byte(printed), secret) {
			t.Errorf("the printed outcome shows a password (%s)", form)
		}
	}
}
