package phs_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/passhash"
	"github.com/fourways-id/fourways/providers/phs"
)

const password = "Spring-2025!"

type hashes map[authn.AccountID]string

func (h hashes) SyncedHash(_ context.Context, id authn.AccountID) (phs.Hash, error) {
	if h[id] == "down" {
		return phs.Hash{}, authntest.ErrDown
	}
	return phs.Hash{Record: h[id], Synced: time.Unix(1e9, 0), Source: "run-1"}, nil
}

var alice = authn.Account{ID: "a-1", UPN: "alice@phs.example.test", Synced: true}

func provider(h hashes) *phs.Provider {
	return phs.New(h, passhash.NewPool(0, 0), authntest.NewClock(time.Unix(1e9, 0)))
}

func synced(pw string) string { return passhash.NewOrgID(passhash.NTHash([]byte(pw))).String() }

func step(p *phs.Provider, a authn.Account, pw string) authn.Outcome {
	return p.Step(context.Background(), authn.Attempt{Account: a, Answer: authn.Password{Secret: authn.NewSecret([]byte(pw))}})
}

func TestProviderKeepsItsPromises(t *testing.T) {
	authntest.TestProvider(t, authntest.Harness{
		Provider: provider(hashes{"a-1": synced(password)}), Account: alice,
		Realm: authn.Realm{Domain: "phs.example.test", Path: authn.PathPHS}, Password: password,
	})
}

func TestAPublishedRecordOpensTheDoorForItsPassword(t *testing.T) {
	p := provider(hashes{"a-1": "v1;PPH1_MD4,181a3024085fcee2f70e,1000,b39525c3bc72a1136fcf7c8a338e0c14313d0450d1a4c98ef0a6ddada3bc5b0a;"})
	if out := step(p, alice, "Pa$$w0rd"); out.Verdict != authn.Allowed {
		t.Errorf("%v %v: %v", out.Verdict, out.Reason, out.Err)
	}
	if out := step(p, alice, "Pa$$w0rD"); out.Reason != authn.BadPassword {
		t.Errorf("another password: %v", out.Reason)
	}
}

func TestWhatTheStoreCanDo(t *testing.T) {
	bad := strings.Replace(synced(password), ",1000,", ",0,", 1)
	p := provider(hashes{"broken": bad, "down": "down"})
	for id, want := range map[authn.AccountID]authn.Reason{"broken": authn.Internal, "down": authn.Internal, "none": authn.NoPasswordHash} {
		out := step(p, authn.Account{ID: id}, password)
		if out.Verdict == authn.Allowed || out.Reason != want || out.Err == nil {
			t.Errorf("%s: %v %v %v, want %v with a cause", id, out.Verdict, out.Reason, out.Err, want)
		}
	}
	if out := step(p, authn.Account{ID: "broken"}, password); strings.Contains(out.Err.Error(), "PPH1_MD4,") && strings.Contains(out.Err.Error(), bad[20:40]) {
		t.Error("the error shows the record")
	}
}

func TestNobodyTakesTheSameSteps(t *testing.T) {
	p := provider(hashes{"a-1": synced(password)})
	known, nobody := step(p, alice, "wrong"), step(p, authn.Account{}, "wrong")
	if len(known.Steps) != len(nobody.Steps) {
		t.Fatalf("%d steps for a person, %d for nobody", len(known.Steps), len(nobody.Steps))
	}
	for i := range known.Steps {
		if known.Steps[i].ID != nobody.Steps[i].ID {
			t.Errorf("step %d: %s and %s", i, known.Steps[i].ID, nobody.Steps[i].ID)
		}
	}
}

// kept is what the store holds of one person.
type kept phs.Hash

func (k kept) SyncedHash(context.Context, authn.AccountID) (phs.Hash, error) { return phs.Hash(k), nil }

// try signs alice in at noon.
func try(k kept, pw string) authn.Outcome {
	return step(phs.New(k, passhash.NewPool(0, 0), authntest.NewClock(noon())), alice, pw)
}

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func TestTheHintBesideAWrongPasswordSaysWhatThePremisesKnow(t *testing.T) {
	here := kept{Record: synced(password), Source: "run-1", Synced: noon().Add(-time.Hour), ChangedOnprem: noon().Add(-2 * time.Hour)}
	with := func(change func(*kept)) kept {
		k := here
		change(&k)
		return k
	}
	pending := func(k *kept) { k.PendingSince = noon().Add(-21 * time.Second) }
	for what, c := range map[string]struct {
		kept   kept
		reason authn.Reason
		says   string
		facts  map[authn.Fact]string
	}{
		"nothing": {here, authn.BadPassword, "", map[authn.Fact]string{authn.FactRun: "run-1", authn.FactChanged: "", authn.FactSource: ""}},
		"changed, not here": {
			with(pending), authn.BadPassword, "the password was changed on-premises 21 s ago and has not been synchronised yet: `fourways sync run --kind hash`",
			map[authn.Fact]string{authn.FactChanged: "2026-03-01T11:59:39Z"},
		},
		"the change that is here": {with(func(k *kept) { k.PendingSince = k.ChangedOnprem }), authn.BadPassword, "", map[authn.Fact]string{authn.FactChanged: ""}},
		"a temporary one": {
			with(func(k *kept) { pending(k); k.Withheld = phs.WithheldTemporary }), authn.BadPassword, "changed on-premises 21 s ago and is withheld until it is changed",
			map[authn.Fact]string{authn.FactWithheld: "temporary"},
		},
		"filtered":         {with(func(k *kept) { pending(k); k.Withheld = phs.WithheldFiltered }), authn.BadPassword, "adminDescription", nil},
		"set in the cloud": {with(func(k *kept) { k.Source, k.ChangedOnprem = phs.SourceCloud, time.Time{} }), authn.BadPassword, "set in the cloud", map[authn.Fact]string{authn.FactSource: "cloud", authn.FactRun: ""}},
		"no hash":          {kept{}, authn.NoPasswordHash, "fourways sync run", map[authn.Fact]string{authn.FactSynced: ""}},
		"no hash, changed": {kept{PendingSince: noon().Add(-3 * time.Minute)}, authn.NoPasswordHash, "changed on-premises 3 min ago and has not been synchronised yet", map[authn.Fact]string{authn.FactChanged: "2026-03-01T11:57:00Z"}},
		"none, temporary":  {kept{Withheld: phs.WithheldTemporary}, authn.NoPasswordHash, "no password hash of this account is here: the password is withheld until it is changed", nil},
		"none, unreadable": {kept{Withheld: phs.WithheldMissing, PendingSince: noon().Add(-5 * time.Hour)}, authn.NoPasswordHash, "changed on-premises 5 h ago and could not be synchronised, since its hash is missing", nil},
	} {
		out := try(c.kept, "wrong")
		if out.Verdict != authn.Denied || out.Reason != c.reason || (out.Err == nil) != (c.says == "") || out.Err != nil && !strings.Contains(out.Err.Error(), c.says) {
			t.Errorf("%s: %v, %v, hint %v; want %q", what, out.Verdict, out.Reason, out.Err, c.says)
		}
		for fact, want := range c.facts {
			if got := out.Steps[0].Facts[fact]; out.Steps[0].ID != authn.H0 || got != want {
				t.Errorf("%s: %s of %s is %q, want %q", what, fact, out.Steps[0].ID, got, want)
			}
		}
		if public := out.Reason.Public(); public != authn.BadPassword.Public() {
			t.Errorf("%s: the person at the door learns %v", what, public)
		}
		if right := try(c.kept, password); (right.Verdict == authn.Allowed) != (c.kept.Record != "") {
			t.Errorf("%s, with the password that is here: %v", what, right.Verdict)
		}
	}
}

func TestATemporaryPasswordLetsNobodyInAndIsToldOnlyToWhoeverHasIt(t *testing.T) {
	temporary := kept{Record: synced(password), Source: "run-1", MustChange: true}
	out := try(temporary, password)
	if out.Verdict != authn.Denied || out.Reason != authn.CloudMustChange || out.Check != authn.H6 || out.Subject != (authn.Subject{}) {
		t.Errorf("the right one: %v, %v at %s, names %v", out.Verdict, out.Reason, out.Check, out.Subject)
	}
	if out.Reason.Counts() || out.Reason.VerdictOn(authn.PathPHS) != authn.Denied || out.Reason.Code() != 50055 {
		t.Errorf("%v counts %v, is %v, %d", out.Reason, out.Reason.Counts(), out.Reason.VerdictOn(authn.PathPHS), out.Reason.Code())
	}
	if wrong := try(temporary, "wrong"); wrong.Reason != authn.BadPassword {
		t.Errorf("a wrong one: %v", wrong.Reason)
	}
	reset := temporary
	reset.Source = phs.SourceCloud
	if out := try(reset, password); out.Verdict != authn.Allowed {
		t.Errorf("one that an administrator set in its place: %v %v", out.Verdict, out.Reason)
	}
	temporary.MustChange = false
	if out := try(temporary, password); out.Verdict != authn.Allowed {
		t.Errorf("control, a lasting one: %v %v", out.Verdict, out.Reason)
	}
}

func TestNothingIsToldOfNobody(t *testing.T) {
	k := kept{Record: synced(password), PendingSince: noon(), Withheld: phs.WithheldTemporary, MustChange: true}
	out := step(phs.New(k, passhash.NewPool(0, 0), authntest.NewClock(noon())), authn.Account{}, password)
	if out.Reason != authn.BadPassword || out.Err != nil || len(out.Steps[0].Facts) != 0 {
		t.Errorf("%v, %v, %v", out.Reason, out.Err, out.Steps[0].Facts)
	}
}
