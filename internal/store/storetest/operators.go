package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/store"
)

// testOperators: an invitation enrols one agent, tokens end, the audit log keeps its order.
func testOperators(t *testing.T, b *bench) {
	ctx := t.Context()
	hour := b.clock.Now().Add(time.Hour)
	invite := store.Invitation{Hash: []byte("h1"), Name: "dc1", Roles: []string{"pta", "sync"}, Until: hour, By: "root"}
	must(t, b.CreateInvitation(ctx, invite))
	wantErr(t, "the same invitation", b.CreateInvitation(ctx, invite), directory.ErrConflict)
	wantErr(t, "an unknown invitation", b.UseInvitation(ctx, []byte("hx"), agent("x", "UX")), directory.ErrNotFound)
	var enrolled atomic.Int64
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if b.UseInvitation(ctx, []byte("h1"), agent(fmt.Sprint("a", i), fmt.Sprint("U", i))) == nil {
				enrolled.Add(1)
			}
		})
	}
	all.Wait()
	agents, err := b.Agents(ctx)
	must(t, err)
	if enrolled.Load() != 1 || len(agents) != 1 {
		t.Fatalf("one invitation enrolled %d agents, %d are stored", enrolled.Load(), len(agents))
	}
	a := agents[0]
	equal(t, "agent", fmt.Sprint(a.Name, a.Roles, a.SignKey, a.BoxKey, a.Revoked), "dc1[pta sync] [1] [2] false")

	must(t, b.CreateInvitation(ctx, store.Invitation{Hash: []byte("h2"), Until: hour}))
	wantErr(t, "an agent that is enrolled", b.UseInvitation(ctx, []byte("h2"), agent("b", a.NKey)), directory.ErrConflict)
	left, err := b.Invitations(ctx)
	must(t, err)
	equal(t, "invitations left: a refused one isn't used up", len(left), 1)
	b.clock.Advance(time.Hour)
	wantErr(t, "an invitation that is over", b.UseInvitation(ctx, []byte("h2"), agent("b", "UB")), directory.ErrNotFound)

	must(t, b.SeenAgent(ctx, a.ID, hour))
	must(t, b.RevokeAgent(ctx, a.ID))
	a, err = b.Agent(ctx, a.ID)
	must(t, err)
	equal(t, "agent", fmt.Sprint(a.Revoked, a.LastSeen.Equal(hour)), "true true")
	wantErr(t, "revoke nobody", b.RevokeAgent(ctx, "nobody"), directory.ErrNotFound)
	testTokens(t, b)
}

// agent makes an agent that asks for a role it was not invited to.
func agent(id, nkey string) store.Agent {
	return store.Agent{ID: id, NKey: nkey, SignKey: []byte{1}, BoxKey: []byte{2}, Roles: []string{"admin"}, Created: began()}
}

func testTokens(t *testing.T, b *bench) {
	t.Helper()
	ctx := t.Context()
	token := store.Token{ID: "t1", Name: "ops", Role: "operator", Hash: []byte("th"), Created: b.clock.Now(), Until: b.clock.Now().Add(time.Hour)}
	must(t, b.CreateToken(ctx, token))
	wantErr(t, "the same token", b.CreateToken(ctx, token), directory.ErrConflict)
	if b.CreateToken(ctx, store.Token{ID: "t2", Role: "admin", Hash: []byte("x")}) == nil {
		t.Error("a token that never ends was stored")
	}
	got, err := b.TokenByHash(ctx, []byte("th"))
	must(t, err)
	equal(t, "token", fmt.Sprint(got), fmt.Sprint(token))
	b.clock.Advance(time.Hour)
	got, err = b.TokenByHash(ctx, []byte("th"))
	must(t, err)
	equal(t, "a token that is over says so", got.Until.After(b.clock.Now()), false)
	token.ID, token.Hash, token.Until = "t3", []byte("t3"), b.clock.Now().Add(time.Hour)
	must(t, b.CreateToken(ctx, token))
	all, err := b.Tokens(ctx)
	must(t, err)
	equal(t, "tokens", len(all), 2)
	must(t, b.RevokeToken(ctx, "t3"))
	_, err = b.TokenByHash(ctx, []byte("t3"))
	wantErr(t, "a revoked token", err, directory.ErrNotFound)
	wantErr(t, "revoke again", b.RevokeToken(ctx, "t3"), directory.ErrNotFound)
}

// testSmall: overrides, runs, values and the audit log come back as they were kept.
func testSmall(t *testing.T, b *bench) {
	ctx := t.Context()
	o := directory.Override{Domain: "one.test", Path: authn.PathPTA, By: "root", At: began()}
	swap(t, b.DB, "one.test", &directory.Override{Domain: "one.test", Path: authn.PathPHS})
	swap(t, b.DB, "one.test", &o)
	got, err := b.Override(ctx, "one.test")
	must(t, err)
	equal(t, "override", got, o)
	all, err := b.Overrides(ctx)
	must(t, err)
	equal(t, "overrides", len(all), 1)
	swap(t, b.DB, "one.test", nil)
	_, err = b.Override(ctx, "one.test")
	wantErr(t, "dropped override", err, directory.ErrNotFound)

	for i := range 3 {
		r := directory.Run{ID: fmt.Sprint("r", i), Kind: "hash", Began: began().Add(time.Duration(i) * time.Hour)}
		must(t, b.SaveRun(ctx, r))
		r.Result = "success"
		must(t, b.SaveRun(ctx, r))
		must(t, b.Audit(ctx, store.AuditEntry{At: began(), Who: "root", Action: fmt.Sprint("action", i), Result: "ok"}))
	}
	runs, err := b.Runs(ctx, 2)
	must(t, err)
	equal(t, "runs", names(runs, func(r directory.Run) string { return r.ID + "=" + r.Result }), "r2=success r1=success ")
	log, err := b.AuditEntries(ctx, 2)
	must(t, err)
	equal(t, "audit log", names(log, func(e store.AuditEntry) string { return e.Action }), "action2 action1 ")
	log, err = b.AuditEntriesBefore(ctx, log[1].ID, 5)
	must(t, err)
	equal(t, "the page before", names(log, func(e store.AuditEntry) string { return e.Action }), "action0 ")

	_, err = b.Meta(ctx, "cursor")
	wantErr(t, "a value that was never set", err, directory.ErrNotFound)
	must(t, b.SetMeta(ctx, "cursor", "1"))
	must(t, b.SetMeta(ctx, "cursor", "2"))
	v, err := b.Meta(ctx, "cursor")
	must(t, err)
	equal(t, "value", v, "2")
	wantErr(t, "one of the store's own", b.SetMeta(ctx, "store.lab", "lab"), directory.ErrConflict)
	b.reopen(t)
}
