package cloud_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/passhash"
	"github.com/fourways-id/fourways/providers/cloud"
)

const password = "Spring-2025!"

var cheap = passhash.Argon2id{MemoryKiB: 64, Time: 1, Parallelism: 1}

type hashes map[authn.AccountID]string

func (h hashes) CloudHash(_ context.Context, who authn.Account) (cloud.Hash, error) {
	switch record, ok := h[who.ID]; {
	case record == "down":
		return cloud.Hash{}, authntest.ErrDown
	case ok:
		return cloud.Hash{Record: []byte(record), Expires: expires[who.ID]}, nil
	}
	return cloud.Hash{}, nil
}

var alice = authn.Account{ID: "a-1", UPN: "alice@cloud.example.test"}

func provider(t *testing.T, h hashes) *cloud.Provider {
	t.Helper()
	p, err := cloud.New(h, policy{}, passhash.NewPool(0, 0), cheap, authntest.NewClock(time.Unix(1e9, 0)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func record(t *testing.T, cost passhash.Argon2id) string {
	t.Helper()
	r, err := cost.Hash([]byte(password))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func step(p *cloud.Provider, a authn.Account, pw string) authn.Outcome {
	return p.Step(context.Background(), authn.Attempt{Account: a, Answer: authn.Password{Secret: authn.NewSecret([]byte(pw))}})
}

func TestProviderKeepsItsPromises(t *testing.T) {
	authntest.TestProvider(t, authntest.Harness{
		Provider: provider(t, hashes{"a-1": record(t, cheap)}), Account: alice,
		Realm: authn.Realm{Domain: "cloud.example.test", Path: authn.PathCloud}, Password: password,
	})
}

func TestACheaperRecordIsRehashedAtSignIn(t *testing.T) {
	old := passhash.Argon2id{MemoryKiB: 32, Time: 1, Parallelism: 1}
	p := provider(t, hashes{"a-1": record(t, old), "a-2": record(t, cheap)})
	if out := step(p, alice, "wrong"); out.Record != nil {
		t.Error("a wrong password was stored")
	}
	out := step(p, alice, password)
	rec, err := passhash.Parse(string(out.Record))
	if err != nil || !rec.Current(cheap) || !rec.Match([]byte(password)) {
		t.Errorf("the new record: %v", err)
	}
	if out := step(p, authn.Account{ID: "a-2"}, password); out.Verdict != authn.Allowed || out.Record != nil {
		t.Error("a record of today's cost was rehashed")
	}
}

func TestARecordFromElsewhereIsRehashedAtSignIn(t *testing.T) {
	const brought = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
	p := provider(t, hashes{"a-1": brought})
	out := step(p, alice, "U*U")
	rec, err := passhash.Parse(string(out.Record))
	if out.Verdict != authn.Allowed || err != nil || !rec.Current(cheap) || !rec.Match([]byte("U*U")) {
		t.Errorf("%v %v: %v", out.Verdict, out.Reason, err)
	}
	if held := out.Steps[1].Held[authn.Store]; held != authn.FormForeign+authn.Stored || out.Steps[1].Facts[authn.FactScheme] != "bcrypt" {
		t.Errorf("the evidence says %q, %v", held, out.Steps[1].Facts)
	}
	if out := step(p, alice, "wrong"); out.Reason != authn.BadPassword || out.Record != nil {
		t.Errorf("another password: %v", out.Reason)
	}
}

func TestWhatTheStoreCanDo(t *testing.T) {
	p := provider(t, hashes{"broken": "$argon2id$nonsense", "down": "down"})
	for id, want := range map[authn.AccountID]authn.Reason{"broken": authn.Internal, "down": authn.Internal, "none": authn.NoPasswordHash} {
		out := step(p, authn.Account{ID: id}, password)
		if out.Verdict == authn.Allowed || out.Reason != want || out.Err == nil {
			t.Errorf("%s: %v %v %v, want %v with a cause", id, out.Verdict, out.Reason, out.Err, want)
		}
	}
	if out := step(p, authn.Account{ID: "broken"}, password); strings.Contains(out.Err.Error(), "nonsense") {
		t.Error("the error shows the record")
	}
}

func TestNoHashIsSaidToBeLoadedForNobody(t *testing.T) {
	p := provider(t, hashes{"a-1": record(t, cheap)})
	for id, want := range map[authn.AccountID]authn.StepResult{"": authn.StepSkipped, "none": authn.StepSkipped, "a-1": authn.StepOK} {
		out := step(p, authn.Account{ID: id}, "wrong")
		if k2 := out.Steps[1]; k2.ID != authn.K2 || k2.Result != want || (len(k2.Held) > 0) != (want == authn.StepOK) {
			t.Errorf("%q: %+v, want %s", id, k2, want)
		}
	}
}

func TestAFullQueueSheds(t *testing.T) {
	pool := passhash.NewPool(1, 1)
	hold, held := make(chan struct{}), make(chan struct{})
	go func() { _, _ = pool.Do(context.Background(), func() { close(held); <-hold }) }()
	<-held
	ctx, cancel := context.WithCancel(context.Background())
	waits := make(chan error)
	go func() { _, err := pool.Do(ctx, func() {}); waits <- err }()
	for pool.Waiting() == 0 {
		time.Sleep(time.Millisecond)
	}
	p, err := cloud.New(hashes{}, policy{}, pool, cheap, authntest.NewClock(time.Unix(1e9, 0)))
	if err != nil {
		t.Fatal(err)
	}
	if out := step(p, alice, password); out.Verdict != authn.Unavailable || out.Reason != authn.Overloaded {
		t.Errorf("got %v %v, want unavailable overloaded", out.Verdict, out.Reason)
	}
	cancel()
	if err := <-waits; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(hold)
}

func TestACostThatCannotWorkIsRefused(t *testing.T) {
	if _, err := cloud.New(hashes{}, policy{}, passhash.NewPool(0, 0), passhash.Argon2id{}, authntest.NewClock(time.Time{})); err == nil {
		t.Error("a zero cost was accepted")
	}
}
