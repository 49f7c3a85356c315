package authn_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
)

const newPassword = "A-better-one-77"

// changing lets in as honest does, and takes new passwords of eight characters.
func changing(a authn.Attempt) authn.Outcome {
	c, ok := a.Answer.(authn.NewPassword)
	who := authn.Subject{Account: a.Account.ID}
	switch {
	case !ok:
		return honest(a)
	case string(c.Old.Reveal()) != password || !a.Account.Exists():
		return authn.Deny(authn.BadPassword, authn.K3, nil)
	case c.New.Len() < 8:
		out := authn.Ask(authn.Challenge{Kind: authn.ChangePassword, Message: "Too short."}, nil)
		out.Subject, out.Reason = who, authn.None
		if a.Account.MustChange {
			out.Reason = authn.CloudMustChange
		}
		return out
	}
	stored := authn.StartStep(authntest.NewClock(time.Time{}), authn.K3, authn.Gateway, authn.Store).Hold(authn.Store, authn.FormArgon2id+authn.Stored)
	out := authn.Allow(who, authn.Proof{Methods: []string{"pwd"}}, stored)
	out.Record, out.Checked = []byte("new"), []byte("old")
	return out
}

func change(user, old, fresh string) authn.Request {
	return authn.Request{Typed: user, Answer: authn.NewPassword{Old: authn.NewSecret([]byte(old)), New: authn.NewSecret([]byte(fresh))}}
}

func worldOfChanges(p scripted) *authntest.World {
	w := world(p)
	w.People["grace@cloud.example.test"] = authn.Account{ID: "grace", UPN: "grace@cloud.example.test", MustChange: true}
	w.People["dora@cloud.example.test"] = authn.Account{ID: "dora", UPN: "dora@cloud.example.test", MustChange: true, Disabled: true}
	w.People["grace@phs.example.test"] = authn.Account{ID: "grace-phs", UPN: "grace@phs.example.test", MustChange: true}
	w.RealmOf["phs.example.test"] = authn.Realm{Domain: "phs.example.test", Path: authn.PathPHS}
	w.RealmOf["pta.example.test"] = authn.Realm{Domain: "pta.example.test", Path: authn.PathPTA}
	return w
}

func TestAPasswordThatMustBeChangedIsNoSession(t *testing.T) {
	w := worldOfChanges(changing)
	f := w.Flow()
	res := f.SignIn(t.Context(), request("grace@cloud.example.test", password))
	if out := res.Outcome; out.Verdict != authn.Challenged || out.Reason != authn.CloudMustChange || out.Challenge.Kind != authn.ChangePassword || out.Challenge.Message == "" || res.Token != "" || res.Pending == nil {
		t.Fatalf("%+v", res)
	}
	asked := w.Finals()[0]
	if asked.Session != nil || asked.Credential != nil || asked.Record.Final || asked.Record.Reason != authn.CloudMustChange || asked.Effect != authn.LeaveTally {
		t.Errorf("committed: %+v", asked)
	}
	i := slices.IndexFunc(asked.Record.Steps, func(s authn.Step) bool { return s.ID == authn.C7 })
	if i < 0 || asked.Record.Steps[i].Result != authn.StepRefused || asked.Record.Steps[i].Facts[authn.FactReason] != "cloud_must_change" {
		t.Errorf("the trace does not say why: %+v", asked.Record.Steps)
	}
	res = f.Continue(t.Context(), *res.Pending, change("", password, newPassword).Answer, authn.Place{})
	done := w.Finals()[1]
	if res.Outcome.Verdict != authn.Allowed || res.Token == "" || !done.Changed || string(done.Credential) != "new" || string(done.Checked) != "old" || done.Record.ID != asked.Record.ID {
		t.Errorf("changed: %+v", done)
	}
}

func TestWhoMayChangeAPasswordAndWhoNot(t *testing.T) {
	for _, c := range []struct {
		story, user, old, fresh string
		verdict                 authn.Verdict
		reason                  authn.Reason
		guesses                 int
	}{
		{"must", "grace@cloud.example.test", password, newPassword, authn.Allowed, authn.None, 0},
		{"wants to", "alice@cloud.example.test", password, newPassword, authn.Allowed, authn.None, 0},
		{"must, and it is too short", "grace@cloud.example.test", password, "short", authn.Challenged, authn.CloudMustChange, 0},
		{"wants to, and it is too short", "alice@cloud.example.test", password, "short", authn.Challenged, authn.None, 0},
		{"an empty new one", "alice@cloud.example.test", password, "", authn.Challenged, authn.None, 0},
		{"a wrong old one", "grace@cloud.example.test", "wrong", newPassword, authn.Denied, authn.BadPassword, 1},
		{"an empty old one", "grace@cloud.example.test", "", newPassword, authn.Denied, authn.BadPassword, 1},
		{"nobody", "eve@cloud.example.test", password, newPassword, authn.Denied, authn.UnknownUser, 1},
		{"disabled", "bob@cloud.example.test", password, newPassword, authn.Denied, authn.AccountDisabled, 0},
		{"disabled is told before must change", "dora@cloud.example.test", password, "short", authn.Denied, authn.AccountDisabled, 0},
		{"phs", "grace@phs.example.test", password, newPassword, authn.Challenged, authn.None, 0},
		{"pta", "alice@pta.example.test", password, newPassword, authn.Challenged, authn.None, 0},
		{"federated", "alice@saml.example.test", password, newPassword, authn.Challenged, authn.None, 0},
		{"an unknown domain", "alice@nowhere.test", password, newPassword, authn.Denied, authn.DomainUnknown, 0},
	} {
		w := worldOfChanges(changing)
		ask := change(c.user, c.old, c.fresh)
		res := w.Flow().SignIn(t.Context(), ask)
		if res.Outcome.Verdict != c.verdict || res.Outcome.Reason != c.reason {
			t.Errorf("%s: %v %v (%v)", c.story, res.Outcome.Verdict, res.Outcome.Reason, res.Outcome.Err)
		}
		f := w.Finals()[0]
		if in := c.verdict == authn.Allowed; f.Changed != in || (f.Session != nil) != in || (f.Credential != nil) != in {
			t.Errorf("%s: changed %v, session %v, credential %q", c.story, f.Changed, f.Session != nil, f.Credential)
		}
		if got := w.Tally(f.TallyKey); got != c.guesses {
			t.Errorf("%s: %d guesses, want %d", c.story, got, c.guesses)
		}
		if a := ask.Answer.(authn.NewPassword); a.Old.Len()+a.New.Len() != 0 {
			t.Errorf("%s: a secret was not wiped", c.story)
		}
	}
}

// A path that can't change a password doesn't even learn that somebody tried.
func TestANewPasswordReachesNoOtherPath(t *testing.T) {
	w := worldOfChanges(func(a authn.Attempt) authn.Outcome {
		if _, nothing := a.Answer.(authn.Nothing); !nothing {
			t.Errorf("%s was given %T", a.Realm.Path, a.Answer)
		}
		return authn.Ask(authn.Challenge{Kind: authn.AskPassword}, nil)
	})
	said := map[string]bool{}
	for _, user := range []string{"grace@phs.example.test", "alice@pta.example.test", "alice@saml.example.test"} {
		message := w.Flow().SignIn(t.Context(), change(user, password, newPassword)).Outcome.Challenge.Message
		if !strings.Contains(message, "can't be changed here") {
			t.Errorf("%s: %q", user, message)
		}
		said[message] = true
	}
	if len(said) != 2 {
		t.Errorf("the premises and an identity provider are told apart: %v", said)
	}
	if res := w.Flow().SignIn(t.Context(), authn.Request{Typed: "grace@phs.example.test", Answer: authn.Nothing{}}); res.Outcome.Challenge.Message != "" {
		t.Errorf("control: %q", res.Outcome.Challenge.Message)
	}
}

func TestAChangeThatAProviderGetsWrongLetsNobodyIn(t *testing.T) {
	ask := func(o authn.Outcome, r authn.Reason, who authn.AccountID) authn.Outcome {
		o.Reason, o.Subject = r, authn.Subject{Account: who}
		return o
	}
	must := authn.Ask(authn.Challenge{Kind: authn.ChangePassword}, nil)
	for name, c := range map[string]struct {
		user string
		out  authn.Outcome
	}{
		"no record":               {"alice@cloud.example.test", authn.Allow(authn.Subject{Account: "alice"}, authn.Proof{})},
		"somebody else":           {"alice@cloud.example.test", ask(must, authn.CloudMustChange, "bob")},
		"nobody named":            {"alice@cloud.example.test", ask(must, authn.CloudMustChange, "")},
		"another reason":          {"alice@cloud.example.test", ask(must, authn.BadPassword, "alice")},
		"a denial instead":        {"alice@cloud.example.test", authn.Deny(authn.CloudMustChange, authn.C7, nil)},
		"asked on another path":   {"grace@phs.example.test", ask(must, authn.CloudMustChange, "grace-phs")},
		"a record for a question": {"alice@cloud.example.test", authn.Outcome{Verdict: authn.Challenged, Record: []byte("x"), Challenge: authn.Challenge{Kind: authn.ChangePassword}}},
	} {
		w := worldOfChanges(func(authn.Attempt) authn.Outcome { return c.out })
		res := w.Flow().SignIn(t.Context(), change(c.user, password, newPassword))
		if f := w.Finals()[0]; res.Outcome.Verdict != authn.Unavailable || res.Outcome.Reason != authn.Internal || f.Changed || f.Credential != nil {
			t.Errorf("%s: %v %v", name, res.Outcome.Verdict, res.Outcome.Reason)
		}
	}
}

// overtaken is a store in which the password was changed a moment ago.
type overtaken struct{ *authntest.World }

func (o overtaken) Commit(ctx context.Context, f authn.Final) (authn.Receipt, error) {
	if f.Changed {
		return authn.Receipt{Overtaken: true}, nil
	}
	return o.World.Commit(ctx, f)
}

func TestOfTwoChangesOneIsMade(t *testing.T) {
	w := worldOfChanges(changing)
	f := w.Flow()
	f.Committer = overtaken{w}
	res := f.SignIn(t.Context(), change("grace@cloud.example.test", password, newPassword))
	if res.Outcome.Verdict != authn.Denied || res.Outcome.Reason != authn.BadPassword || res.Token != "" {
		t.Fatalf("%+v", res)
	}
	r := w.Finals()[0]
	if r.Session != nil || r.Credential != nil || r.Changed || !strings.Contains(r.Record.Cause, "meanwhile") {
		t.Errorf("committed: %+v", r)
	}
	for _, s := range r.Record.Steps {
		if s.ID == authn.K3 && (s.Result != authn.StepRefused || len(s.Held) > 0) {
			t.Errorf("the trace says that it was stored: %+v", s)
		}
	}
}

// seats is authn.Licences.
type seats struct{ err error }

func (s seats) Of(_ context.Context, id authn.AccountID) (string, error) {
	return "E3 of " + string(id), s.err
}

func TestLicencesAreReadForTheTraceAndKeepNobodyOut(t *testing.T) {
	for name, c := range map[string]struct {
		licences authn.Licences
		want     []authn.Step
	}{
		"read":     {seats{}, []authn.Step{{ID: authn.C8, Result: authn.StepOK, Facts: map[authn.Fact]string{authn.FactLicences: "E3 of alice"}}}},
		"down":     {seats{errors.New("no store")}, []authn.Step{{ID: authn.C8, Result: authn.StepSkipped}}},
		"not here": {nil, nil},
	} {
		w := world(honest)
		f := w.Flow()
		f.Licences = c.licences
		res := f.SignIn(t.Context(), request("alice@cloud.example.test", password))
		record := w.Finals()[0].Record
		var got []authn.Step
		for _, s := range record.Steps {
			if s.ID == authn.C8 {
				got = append(got, authn.Step{ID: s.ID, Result: s.Result, Facts: s.Facts})
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" || res.Outcome.Verdict != authn.Allowed || res.Token == "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, res.Outcome.Verdict, diff)
		}
		if told := strings.Contains(record.Cause, "no store"); told != (name == "down") {
			t.Errorf("%s: the cause is %q", name, record.Cause)
		}
		f.SignIn(t.Context(), request("alice@cloud.example.test", "wrong"))
		if slices.ContainsFunc(w.Finals()[1].Record.Steps, func(s authn.Step) bool { return s.ID == authn.C8 }) {
			t.Errorf("%s: read for a wrong password", name)
		}
	}
}

func TestACloudPasswordToBeChangedIsInterruptedAndASynchronisedOneRefused(t *testing.T) {
	for _, r := range []authn.Reason{authn.CloudMustChange, authn.CloudPasswordExpired} {
		got := map[authn.Path][]string{}
		for _, p := range authn.Paths() {
			if outcomes := r.Outcomes(p); outcomes != nil {
				got[p] = outcomes
			}
		}
		if diff := cmp.Diff(map[authn.Path][]string{authn.PathCloud: {"interrupted"}, authn.PathPHS: {"failure"}}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", r, diff)
		}
	}
	w := worldOfChanges(honest)
	if out := w.Flow().SignIn(t.Context(), request("grace@phs.example.test", password)).Outcome; out.Verdict != authn.Denied || out.Reason != authn.CloudMustChange {
		t.Errorf("phs: %v %v", out.Verdict, out.Reason)
	}
}
