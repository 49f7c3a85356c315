package cloud_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/passhash"
	"github.com/fourways-id/fourways/providers/cloud"
)

// next is a new password that the policy of these tests takes; it refuses shorter ones, and "down" is nobody there to judge.
const next = "A-better-one-77"

const tooShort = "The new password is too short."

type policy struct{ asked *int }

func (p policy) Judge(_ context.Context, pw authn.Secret, _ authn.Account) (string, error) {
	if p.asked != nil {
		*p.asked++
	}
	switch {
	case string(pw.Reveal()) == "down":
		return "", authntest.ErrDown
	case pw.Len() < 8:
		return tooShort, nil
	}
	return "", nil
}

var expires = map[authn.AccountID]time.Time{"old": time.Unix(1e9, 0).Add(-time.Second), "new": time.Unix(1e9, 0).Add(time.Second)}

func change(p *cloud.Provider, a authn.Account, old, fresh string) authn.Outcome {
	return p.Step(context.Background(), authn.Attempt{Account: a, Answer: authn.NewPassword{Old: authn.NewSecret([]byte(old)), New: authn.NewSecret([]byte(fresh))}})
}

func TestAPasswordThatMustBeChangedOpensNothing(t *testing.T) {
	r := record(t, cheap)
	p := provider(t, hashes{"must": r, "old": r, "new": r, "both": r})
	must := authn.Account{ID: "must", MustChange: true}
	for who, want := range map[authn.Account]authn.Reason{must: authn.CloudMustChange, {ID: "old"}: authn.CloudPasswordExpired} {
		out := step(p, who, password)
		if out.Verdict != authn.Challenged || out.Challenge.Kind != authn.ChangePassword || out.Reason != want || out.Subject.Account != who.ID {
			t.Errorf("%s: %v %v %v", who.ID, out.Verdict, out.Reason, out.Challenge)
		}
		if out := step(p, who, "wrong"); out.Verdict != authn.Denied || out.Reason != authn.BadPassword {
			t.Errorf("%s, wrong password: %v %v: a stranger learns of it", who.ID, out.Verdict, out.Reason)
		}
		out = change(p, who, password, next)
		rec, err := passhash.Parse(string(out.Record))
		if out.Verdict != authn.Allowed || err != nil || !rec.Match([]byte(next)) || rec.Match([]byte(password)) || string(out.Checked) != r {
			t.Errorf("%s, changed: %v %v: %v %v", who.ID, out.Verdict, out.Reason, out.Err, err)
		}
	}
	if out := step(p, authn.Account{ID: "new"}, password); out.Verdict != authn.Allowed {
		t.Errorf("control: a second before it expires: %v %v", out.Verdict, out.Reason)
	}
}

func TestAPasswordMayBeChangedUnasked(t *testing.T) {
	p := provider(t, hashes{"a-1": record(t, cheap)})
	if out := change(p, alice, password, next); out.Verdict != authn.Allowed || out.Record == nil {
		t.Errorf("%v %v", out.Verdict, out.Reason)
	}
	out := change(p, alice, password, "short")
	if out.Verdict != authn.Challenged || out.Reason != authn.None || out.Challenge.Message != tooShort || out.Record != nil {
		t.Errorf("a new one that is not good enough: %+v", out)
	}
}

func TestANewPasswordIsJudgedOnlyAfterTheOldOneWasRight(t *testing.T) {
	asked := 0
	p, err := cloud.New(hashes{"a-1": record(t, cheap), "off": record(t, cheap)}, policy{&asked}, passhash.NewPool(0, 0), cheap, authntest.NewClock(time.Unix(1e9, 0)))
	if err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string]authn.Outcome{"wrong": change(p, alice, "wrong", "short"), "nobody": change(p, authn.Account{}, password, next), "no hash": change(p, authn.Account{ID: "x"}, password, next)} {
		if out.Verdict != authn.Denied || !out.Reason.Counts() || len(out.Steps) != 3 {
			t.Errorf("%s: %v %v with %d steps", name, out.Verdict, out.Reason, len(out.Steps))
		}
	}
	if out := change(p, authn.Account{ID: "off", Disabled: true}, password, next); out.Verdict == authn.Allowed || out.Record != nil {
		t.Errorf("disabled: %v", out.Verdict)
	}
	if asked != 0 {
		t.Errorf("the policy was asked %d times", asked)
	}
	if change(p, alice, password, next); asked != 1 {
		t.Errorf("control: the policy was asked %d times", asked)
	}
}

func TestWhatANewPasswordMayNotBe(t *testing.T) {
	p := provider(t, hashes{"a-1": record(t, cheap)})
	must := alice
	must.MustChange = true
	for fresh, want := range map[string]string{"short": tooShort, "": tooShort, password: "The new password is the same as the one before: choose another one."} {
		out := change(p, must, password, fresh)
		if out.Verdict != authn.Challenged || out.Reason != authn.CloudMustChange || out.Challenge.Message != want {
			t.Errorf("%q: %v %v %q", fresh, out.Verdict, out.Reason, out.Challenge.Message)
		}
	}
	if out := change(p, must, password, "down"); out.Verdict != authn.Unavailable || out.Reason != authn.Internal {
		t.Errorf("nobody to judge: %v %v", out.Verdict, out.Reason)
	}
}

func TestTheTraceOfAChangeSaysWhatBecameOfTheNewPassword(t *testing.T) {
	p := provider(t, hashes{"a-1": record(t, cheap)})
	for fresh, want := range map[string]authn.StepResult{next: authn.StepOK, "short": authn.StepRefused} {
		out := change(p, alice, password, fresh)
		ids := make([]authn.StepID, len(out.Steps))
		for i, s := range out.Steps {
			ids[i] = s.ID
		}
		last := out.Steps[len(out.Steps)-1]
		if !slices.Equal(ids, []authn.StepID{authn.K1, authn.K2, authn.K3, authn.K3}) || last.To != authn.Store || last.Result != want {
			t.Errorf("%q: %v, the last to %s %s", fresh, ids, last.To, last.Result)
		}
		if stored := strings.HasSuffix(string(last.Held[authn.Store]), string(authn.Stored)); stored != (want == authn.StepOK) {
			t.Errorf("%q: the store holds %q", fresh, last.Held[authn.Store])
		}
	}
}
