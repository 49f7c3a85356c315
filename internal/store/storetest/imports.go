package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/store"
)

// errRefused is what a row's own judge says.
var errRefused = errors.New("refused by its judge")

// row makes an account that is to be as u; Record is a password's.
func row(u directory.User, record string) store.Import {
	in := store.Import{UPN: u.UPN, Judge: func(now *directory.User) (directory.User, error) {
		if now != nil {
			u.ID = now.ID
		}
		return u, nil
	}}
	if record != "" {
		in.Record = []byte(record)
	}
	return in
}

func refusedRow(upn string) store.Import {
	return store.Import{UPN: upn, Judge: func(*directory.User) (directory.User, error) { return directory.User{}, errRefused }}
}

// testImport: a row that is refused keeps no other out, and leaves nothing of itself.
func testImport(t *testing.T, b *bench) {
	ctx := t.Context()
	ann, sue := user("ann", "ann@one.test"), synced("sue", "sue@one.test")
	b.create(t, ann, sue)
	b.commit(t, authn.Final{Record: authn.Record{ID: "1", At: b.clock.Now(), Final: true, Verdict: authn.Allowed, Account: "ann"}, Session: b.session("s1", "ann")})
	before, err := b.SessionsOf(ctx, "ann")
	must(t, err)
	equal(t, "control: sessions before the import", len(before), 1)
	changed := ann
	changed.Department = "Quay"
	taken := user("taken", "taken@one.test")
	taken.Onprem.Anchor = "by-hand"
	twin := user("twin", "twin@one.test")
	twin.Onprem.Anchor = "by-hand"
	thief := user("ann", "thief@one.test")
	results, err := b.ImportUsers(ctx, []store.Import{
		row(user("ben", "ben@one.test"), "ben's"), refusedRow("carl@one.test"), row(changed, "ann's"), row(sue, ""),
		row(taken, ""), row(twin, "twin's"), row(user("dora", "dora@one.test"), ""), row(thief, "thief's"),
	}, store.ImportEach)
	must(t, err)
	var got string
	for _, r := range results {
		got += fmt.Sprintf("%v/%v/%v ", r.Made, r.Changed, r.Err != nil)
	}
	equal(t, "outcomes", got, "true/false/false false/false/true false/true/false false/false/false true/false/false false/false/true true/false/false false/false/true ")
	wantErr(t, "the judge's refusal", results[1].Err, errRefused)
	wantErr(t, "a taken immutable ID", results[5].Err, directory.ErrConflict)
	wantErr(t, "another account's id", results[7].Err, directory.ErrConflict)
	equal(t, "before and after", results[2].Before.Department+">"+results[2].After.Department, ">Quay")
	for _, nobody := range []string{"carl@one.test", "twin@one.test", "thief@one.test"} {
		_, err := b.UserByUPN(ctx, nobody)
		wantErr(t, nobody, err, directory.ErrNotFound)
	}
	_, err = b.Credential(ctx, "twin", directory.SchemeCloud)
	wantErr(t, "the password of a refused row", err, directory.ErrNotFound)
	for id, want := range map[authn.AccountID]string{"ben": "ben's", "ann": "ann's"} {
		c, err := b.Credential(ctx, id, directory.SchemeCloud)
		must(t, err)
		equal(t, "password of "+string(id), string(c.Record), want)
	}
	sessions, err := b.SessionsOf(ctx, "ann")
	must(t, err)
	equal(t, "sessions from before the new password", len(sessions), 0)
}

// testImportModes: all rows or none, and none at all.
func testImportModes(t *testing.T, b *bench) {
	ctx := t.Context()
	many := func() (rows []store.Import) {
		for i := range 120 {
			id := fmt.Sprintf("p%03d", i)
			rows = append(rows, row(user(id, id+"@one.test"), "secret of "+id))
		}
		return rows
	}
	count := func(what string, want int) {
		t.Helper()
		users, err := b.CountUsers(ctx)
		must(t, err)
		equal(t, "accounts after "+what, users, want)
		credentials, err := b.CountCredentials(ctx, directory.SchemeCloud, "")
		must(t, err)
		equal(t, "passwords after "+what, credentials, want)
	}
	results, err := b.ImportUsers(ctx, many(), store.ImportNone)
	must(t, err)
	equal(t, "results of a dry run", len(results), 120)
	equal(t, "the last row of a dry run", results[119].Made, true)
	count("a dry run", 0)
	results, err = b.ImportUsers(ctx, append(many(), refusedRow("x@one.test")), store.ImportAll)
	must(t, err)
	wantErr(t, "the last row", results[120].Err, errRefused)
	count("all or none, with a refused row", 0)
	_, err = b.ImportUsers(ctx, many(), store.ImportAll)
	must(t, err)
	count("all or none", 120)
	results, err = b.ImportUsers(ctx, append(many(), refusedRow("x@one.test")), store.ImportEach)
	must(t, err)
	equal(t, "results of the same again", len(results), 121)
	count("the same again", 120)
}

// testImportLastAdmin: an import leaves somebody who can administer with the premises down.
func testImportLastAdmin(t *testing.T, b *bench) {
	peggy, ann := user("peggy", "peggy@one.test"), user("ann", "ann@one.test")
	peggy.Admin = true
	b.create(t, peggy, ann)
	peggy.Enabled, ann.Enabled = false, false
	results, err := b.ImportUsers(t.Context(), []store.Import{row(peggy, ""), row(ann, "")}, store.ImportEach)
	must(t, err)
	wantErr(t, "the last administrator", results[0].Err, directory.ErrLastAdmin)
	wantErr(t, "control: somebody else", results[1].Err, nil)
	now, err := b.UserByUPN(t.Context(), peggy.UPN)
	must(t, err)
	equal(t, "the last administrator is enabled", now.Enabled, true)
}

// testLeakFlag: a leak's flag goes when the premises have a newer password, and not before.
func testLeakFlag(t *testing.T, b *bench) {
	ctx := t.Context()
	sue := synced("sue", "sue@one.test")
	sue.Leaked = began()
	b.create(t, sue)
	for _, at := range []struct {
		changed time.Time
		flagged bool
	}{{began().Add(-time.Hour), true}, {began(), true}, {began().Add(time.Second), false}} {
		must(t, b.ApplySync(ctx, directory.Changes{Run: "r", Hashes: []directory.Credential{{Account: "sue", Scheme: directory.SchemePHS, Record: []byte("x"), Changed: at.changed}}}))
		u, err := b.UserByID(ctx, "sue")
		must(t, err)
		equal(t, fmt.Sprintf("flagged after a password of %s", at.changed), !u.Leaked.IsZero(), at.flagged)
	}
}
