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
	return phs.Hash{Record: h[id], Synced: time.Unix(1e9, 0), Run: "run-1"}, nil
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
