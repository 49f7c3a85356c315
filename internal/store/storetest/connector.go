package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// lease takes the right to synchronise for a minute.
func (b *bench) lease(t *testing.T, run string) directory.Lease {
	t.Helper()
	l, _, err := b.TakeSync(t.Context(), directory.Lease{Run: run, Kind: "directory", Holder: "gw-1", Began: b.clock.Now(), Until: b.clock.Now().Add(time.Minute)})
	must(t, err)
	return l
}

// testLease: one run at a time; who was silent for too long writes nothing more.
func testLease(t *testing.T, b *bench) {
	ctx := t.Context()
	first := b.lease(t, "run-1")
	_, _, err := b.TakeSync(ctx, directory.Lease{Run: "run-2", Until: b.clock.Now().Add(time.Minute)})
	wantErr(t, "a second run beside the first", err, directory.ErrLeased)
	b.clock.Advance(50 * time.Second)
	must(t, b.KeepSync(ctx, first.Epoch, b.clock.Now().Add(time.Minute)))
	b.clock.Advance(50 * time.Second)
	_, _, err = b.TakeSync(ctx, directory.Lease{Run: "run-2", Until: b.clock.Now().Add(time.Minute)})
	wantErr(t, "while it is kept", err, directory.ErrLeased)
	b.clock.Advance(time.Minute)
	second, before, err := b.TakeSync(ctx, directory.Lease{Run: "run-2", Holder: "gw-2", Until: b.clock.Now().Add(time.Minute)})
	must(t, err)
	equal(t, "the run that came to no end", before.Run+" "+before.Holder, "run-1 gw-1")
	wantErr(t, "the late first keeps it", b.KeepSync(ctx, first.Epoch, b.clock.Now()), directory.ErrLeaseLost)
	wantErr(t, "or imports", b.Import(ctx, directory.Import{Epoch: first.Epoch, Objects: []directory.Imported{{ID: "1", Kind: "user"}}}), directory.ErrLeaseLost)
	wantErr(t, "or applies", b.ApplySync(ctx, directory.Changes{Epoch: first.Epoch, Put: directory.Objects{Users: []directory.User{synced("u1", "u1@one.test")}}}), directory.ErrLeaseLost)
	wantErr(t, "or deletes groups", b.ApplySync(ctx, directory.Changes{Epoch: first.Epoch, Delete: directory.Objects{Groups: []directory.Group{{ID: "g"}}}}), directory.ErrLeaseLost)
	wantErr(t, "or settles", b.Settle(ctx, first.Epoch, []directory.Settled{{ID: "1"}}), directory.ErrLeaseLost)
	wantErr(t, "or stores hashes", b.ApplyHashes(ctx, first.Epoch, []directory.HashUpdate{{ID: "1"}}, nil), directory.ErrLeaseLost)
	must(t, b.EndSync(ctx, first.Epoch))
	must(t, b.KeepSync(ctx, second.Epoch, b.clock.Now().Add(time.Minute))) // the end of the first is nothing to the second
	must(t, b.EndSync(ctx, second.Epoch))
	_, before, err = b.TakeSync(ctx, directory.Lease{Run: "run-3", Until: b.clock.Now().Add(time.Minute)})
	must(t, err)
	equal(t, "the run before, which ended", before.Run, "")
}

func object(id, anchor, body string) directory.Imported {
	return directory.Imported{ID: id, Kind: "user", Anchor: anchor, UPN: anchor + "@one.test", Ref: "ref " + anchor, Object: []byte(body)}
}

func due(t *testing.T, b *bench, kind string) (ids string) {
	t.Helper()
	all, err := b.Due(t.Context(), kind, "", 100)
	must(t, err)
	for _, o := range all {
		ids += o.ID + " "
	}
	return ids
}

func gone(t *testing.T, b *bench) (ids string) {
	t.Helper()
	all, err := b.DueGone(t.Context(), "", 100)
	must(t, err)
	for _, o := range all {
		ids += o.ID + " "
	}
	return ids
}

// testImports: what changed is due, what a whole read doesn't have is gone, and half a read says nothing of the other half.
func testImports(t *testing.T, b *bench) {
	ctx := t.Context()
	l := b.lease(t, "run")
	full := func(last bool, objects ...directory.Imported) {
		t.Helper()
		generation, err := b.BeginImport(ctx, l.Epoch)
		must(t, err)
		part := directory.Import{Epoch: l.Epoch, Generation: generation, Objects: objects, Last: last}
		if last {
			part.Cursor = &directory.Cursor{Kind: "directory", Place: []byte("here"), FullAt: b.clock.Now()}
		}
		must(t, b.Import(ctx, part))
	}
	settled := func(ids ...string) {
		t.Helper()
		var all []directory.Settled
		for _, id := range ids {
			all = append(all, directory.Settled{ID: id})
		}
		must(t, b.Settle(ctx, l.Epoch, all))
	}
	full(true, object("1", "a", "{}"), object("2", "b", "{}"), object("3", "c", "{}"))
	equal(t, "new ones are due", due(t, b, "user"), "1 2 3 ")
	settled("1", "2", "3")
	equal(t, "settled ones are not", due(t, b, "user"), "")
	full(true, object("1", "a", "{}"), object("2", "b", `{"x":1}`))
	equal(t, "what changed is due", due(t, b, "user"), "2 ")
	equal(t, "what is missing is gone", gone(t, b), "3 ")
	full(false, object("1", "a", "{}"))
	equal(t, "half a read lets nothing go", gone(t, b), "3 ")
	must(t, b.Import(ctx, directory.Import{Epoch: l.Epoch, Objects: []directory.Imported{object("3", "c", "{}"), {ID: "1", Gone: true, Reason: "deleted"}, object("4", "d", "{}")}}))
	equal(t, "a change brings back, and takes away", gone(t, b), "1 ")
	equal(t, "who is back is due", due(t, b, "user"), "2 3 4 ")
	must(t, b.Settle(ctx, l.Epoch, []directory.Settled{{ID: "1", Gone: true}, {ID: "2", Error: "no name"}, {ID: "3"}, {ID: "4"}}))
	equal(t, "once settled it is forgotten", gone(t, b), "")
	equal(t, "what can't be taken stays due", due(t, b, "user"), "2 ")
	failed, err := b.Failed(ctx, "", 10)
	must(t, err)
	equal(t, "and is listed", len(failed) == 1 && failed[0].Error == "no name" && failed[0].Tries == 1 && !failed[0].Since.IsZero(), true)
	full(true, object("2", "b", `{"x":1}`), object("3", "c", "{}"))
	equal(t, "after the half one", gone(t, b), "4 ")
	generation, err := b.BeginImport(ctx, l.Epoch)
	must(t, err)
	must(t, b.Import(ctx, directory.Import{Epoch: l.Epoch, Generation: generation, Same: []string{"2", "4"}, Objects: []directory.Imported{object("9", "z", "{}")}, Last: true}))
	equal(t, "what is the same is there, unless it was gone", gone(t, b), "3 4 ")
	counts, err := b.CountSpace(ctx)
	must(t, err)
	equal(t, "counts", counts, directory.SpaceCounts{Objects: 2, Due: 2, Gone: 2, Failed: 1})
	cursor, err := b.SyncCursor(ctx, "directory")
	must(t, err)
	equal(t, "the cursor", string(cursor.Place), "here")
}

// testImportedGroups: a group is planned again when somebody whom it names comes into scope, and it is counted who would be
// deleted.
func testImportedGroups(t *testing.T, b *bench) {
	ctx := t.Context()
	l := b.lease(t, "run")
	team := directory.Imported{ID: "g", Kind: "group", Anchor: "team", Ref: "ref team", Object: []byte("{}"), Members: []string{"ref a", "ref stranger"}}
	must(t, b.Import(ctx, directory.Import{Epoch: l.Epoch, Objects: []directory.Imported{team, object("2", "b", "{}")}}))
	must(t, b.Settle(ctx, l.Epoch, []directory.Settled{{ID: "g"}, {ID: "2"}}))
	must(t, b.Import(ctx, directory.Import{Epoch: l.Epoch, Objects: []directory.Imported{team}}))
	equal(t, "an unchanged group", due(t, b, "group"), "")
	must(t, b.Import(ctx, directory.Import{Epoch: l.Epoch, Objects: []directory.Imported{object("1", "a", "{}")}}))
	equal(t, "a member came into scope", due(t, b, "group"), "g ")
	must(t, b.Settle(ctx, l.Epoch, []directory.Settled{{ID: "g"}, {ID: "1", Error: "its name is taken"}}))
	must(t, b.Settle(ctx, l.Epoch, []directory.Settled{{ID: "1"}}))
	equal(t, "a member could be taken at last", due(t, b, "group"), "g ")
	must(t, b.Settle(ctx, l.Epoch, []directory.Settled{{ID: "g"}}))
	team.Members = []string{"ref b", "ref a"}
	must(t, b.Import(ctx, directory.Import{Epoch: l.Epoch, Objects: []directory.Imported{team}}))
	equal(t, "other members", due(t, b, "group"), "g ")

	must(t, b.Settle(ctx, l.Epoch, []directory.Settled{{ID: "g"}}))
	moved := object("1", "a", "{}")
	moved.Ref = "ref of another place"
	must(t, b.Import(ctx, directory.Import{Epoch: l.Epoch, Objects: []directory.Imported{moved}}))
	stale, err := b.StaleGroups(ctx, 10)
	must(t, err)
	equal(t, "a member moved", fmt.Sprint(stale), "[g]")
	must(t, b.Import(ctx, directory.Import{Epoch: l.Epoch, Objects: []directory.Imported{team, object("1", "a", "{}")}}))
	must(t, b.Import(ctx, directory.Import{Epoch: l.Epoch, Objects: []directory.Imported{team}}))
	stale, err = b.StaleGroups(ctx, 10)
	must(t, err)
	equal(t, "once it was read again", len(stale), 0)

	for _, u := range []directory.User{synced("u1", "u1@one.test"), synced("u2", "u2@one.test")} {
		u.Onprem.Anchor = map[authn.AccountID]string{"u1": "a", "u2": "left over"}[u.ID]
		b.create(t, u)
	}
	members, err := b.ImportedMembers(ctx, "g")
	must(t, err)
	equal(t, "members", fmt.Sprint(members), "[{user a u1 false} {user b  false}]")
	must(t, b.AdoptOrphans(ctx, l.Epoch))
	must(t, b.AdoptOrphans(ctx, l.Epoch))
	must(t, b.Import(ctx, directory.Import{Epoch: l.Epoch, Objects: []directory.Imported{{ID: "1", Gone: true, Reason: "deleted"}}}))
	n, had, err := b.CountGone(ctx)
	must(t, err)
	equal(t, "would be deleted, of", [2]int{n, had}, [2]int{2, 2})
	must(t, b.Import(ctx, directory.Import{Epoch: l.Epoch, Objects: []directory.Imported{object("1 again", "a", "{}")}}))
	n, _, err = b.CountGone(ctx)
	must(t, err)
	equal(t, "when another object has the anchor now", n, 1)
	contact := object("1 again", "a", "{}")
	contact.Kind = "contact"
	must(t, b.Import(ctx, directory.Import{Epoch: l.Epoch, Objects: []directory.Imported{contact}}))
	n, _, err = b.CountGone(ctx)
	must(t, err)
	equal(t, "when that object is of another kind now", n, 2)
	must(t, b.Import(ctx, directory.Import{Epoch: l.Epoch, Objects: []directory.Imported{object("1 again", "a", "{}")}}))
	n, _, err = b.CountGone(ctx)
	must(t, err)
	equal(t, "when it is of its kind again", n, 1)
	must(t, b.Import(ctx, directory.Import{Epoch: l.Epoch, Objects: []directory.Imported{object("1 again", "another", "{}")}}))
	n, _, err = b.CountGone(ctx)
	must(t, err)
	equal(t, "when it has another anchor now", n, 2)
}

// testImportedHashes: a hash comes with the change that it belongs to, and the cursor with the last of them.
func testImportedHashes(t *testing.T, b *bench) {
	ctx := t.Context()
	l := b.lease(t, "run")
	u := synced("u1", "u1@one.test")
	u.Onprem.Anchor = "a"
	b.create(t, u)
	changed := time.Unix(1e9, 100).UTC()
	must(t, b.Import(ctx, directory.Import{Epoch: l.Epoch, Objects: []directory.Imported{object("1", "a", "{}"), object("2", "b", "{}")}}))
	ids, err := b.HashesDue(ctx, []string{"one.test", "other.test"}, 10)
	must(t, err)
	equal(t, "whose hash is due", fmt.Sprint(ids), "[1]")
	must(t, b.ApplyHashes(ctx, l.Epoch, []directory.HashUpdate{
		{ID: "1", Status: directory.HashSuccess, PasswordAt: changed, Account: directory.Credential{Account: "u1", Scheme: directory.SchemePHS, Record: []byte("h1"), Source: "run"}},
		{ID: "2", Status: directory.HashNotExported, PasswordAt: changed},
		{ID: "of nobody", Status: directory.HashSuccess, Account: directory.Credential{Account: "nobody", Scheme: directory.SchemePHS, Record: []byte("h")}},
	}, &directory.Cursor{Kind: "hash", Place: []byte("there"), About: "one.test"}))
	cursor, err := b.SyncCursor(ctx, "hash")
	must(t, err)
	equal(t, "the cursor", string(cursor.Place)+" "+cursor.About, "there one.test")
	have, err := b.Credentialed(ctx, directory.SchemePHS, []authn.AccountID{"u1", "nobody"})
	must(t, err)
	equal(t, "who has a hash", fmt.Sprint(have), "map[u1:run]")
	must(t, b.NotePasswords(ctx, map[string]time.Time{"1": changed.Add(time.Hour), "nobody": changed}))
	late, oldest, err := b.LatePasswords(ctx)
	must(t, err)
	equal(t, "late", late, 1)
	equal(t, "since", oldest, changed.Add(time.Hour))
	o, err := b.PasswordOf(ctx, "u1")
	must(t, err)
	equal(t, "of whom is known", [2]time.Time{o.HashAt, o.PasswordAt}, [2]time.Time{changed, changed.Add(time.Hour)})
	must(t, b.ApplyHashes(ctx, l.Epoch, []directory.HashUpdate{{ID: "1", Status: directory.HashFiltered, Withheld: "temporary", Account: directory.Credential{Account: "u1"}}}, nil))
	o, err = b.PasswordOf(ctx, "u1")
	must(t, err)
	equal(t, "withheld", o.Withheld+" "+string(o.HashStatus), "temporary FilteredByTarget")
	late, _, err = b.LatePasswords(ctx)
	must(t, err)
	equal(t, "what is withheld is not late", late, 0)
	must(t, b.ApplyHashes(ctx, l.Epoch, []directory.HashUpdate{{ID: "1", Status: directory.HashFiltered, Withheld: "filtered", Drop: true, Account: directory.Credential{Account: "u1", Scheme: directory.SchemePHS}}}, nil))
	_, err = b.Credential(ctx, "u1", directory.SchemePHS)
	wantErr(t, "a filtered one goes", err, directory.ErrNotFound)
	must(t, b.ApplyHashes(ctx, l.Epoch, []directory.HashUpdate{{
		ID: "1", Status: directory.HashSuccess, PasswordAt: changed, Account: directory.Credential{Account: "u1", Scheme: directory.SchemePHS, Record: []byte("h1"), Source: "run"},
	}}, nil))
	_, err = b.DropCredentials(ctx, directory.SchemePHS, "one.test")
	must(t, err)
	ids, err = b.HashesDue(ctx, []string{"one.test"}, 10)
	must(t, err)
	equal(t, "one that was dropped with its domain is due again", fmt.Sprint(ids), "[1]")
	_, err = b.PasswordOf(ctx, "nobody")
	wantErr(t, "of nobody", err, directory.ErrNotFound)
}

// testConcerned: whom a page of the plan is about, by anchor, name or address.
func testConcerned(t *testing.T, b *bench) {
	ctx := t.Context()
	soft, hard, bystander := user("soft", "soft@one.test"), synced("hard", "hard@one.test"), user("bystander", "by@one.test")
	soft.Mail, hard.Onprem.Anchor = "Soft@Else.Test", "a"
	b.create(t, soft, hard, bystander)
	must(t, b.ApplySync(ctx, directory.Changes{Put: directory.Objects{
		Groups:   []directory.Group{{ID: "g", Name: "g", Synced: true, Onprem: directory.Onprem{Anchor: "team"}, Members: []authn.AccountID{"hard"}}},
		Contacts: []directory.Contact{{ID: "c", Name: "c", Synced: true, Onprem: directory.Onprem{Anchor: "contact"}}},
	}}))
	gone := synced("gone", "gone@one.test")
	gone.Onprem.Anchor = "went"
	b.create(t, gone)
	_, err := b.RemoveUser(ctx, "gone", allowed)
	must(t, err)
	now, err := b.Concerned(ctx, []string{"a", "team", "contact", "went", ""}, []string{"hard@one.test", ""}, []string{"soft@else.test", ""})
	must(t, err)
	equal(t, "accounts", names(now.Users, upn), "hard@one.test soft@one.test ")
	equal(t, "deleted ones", names(now.Deleted, upn), "gone@one.test ")
	equal(t, "groups with members and contacts", len(now.Groups) == 1 && len(now.Groups[0].Members) == 1 && len(now.Contacts) == 1, true)
	taken := synced("other", "soft@one.test")
	taken.Onprem.Anchor = "other"
	err = b.ApplySync(ctx, directory.Changes{Put: directory.Objects{Users: []directory.User{taken}}})
	var refused directory.Refusal
	equal(t, "a refusal says whose it is", errors.As(err, &refused) && refused.Anchor == "other", true)
}
