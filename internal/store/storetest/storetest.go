// Package storetest holds what every engine of the store promises, as one suite.
//
// In comes an engine; out come test results. It never looks behind the store's exported API, except for the bytes that
// the engine holds, in which no unsealed credential may stand.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/keyring"
	"github.com/fourways-id/fourways/internal/store"
)

// Engine is one engine of the store.
type Engine struct {
	New   func(t *testing.T) store.Options           // where a store of its own is: Path or URL
	Bytes func(t *testing.T, o store.Options) []byte // all that the engine holds of it
	Open  func(context.Context, store.Options) (*store.DB, error)
}

// SQLite is the engine that needs nothing but a folder.
func SQLite() Engine {
	return Engine{
		New: func(t *testing.T) store.Options { return store.Options{Path: filepath.Join(t.TempDir(), "store.db")} },
		Bytes: func(t *testing.T, o store.Options) []byte {
			t.Helper()
			files, err := filepath.Glob(o.Path + "*")
			must(t, err)
			var all []byte
			for _, f := range files {
				data, err := os.ReadFile(f) //nolint:gosec // the test's own
				must(t, err)
				all = append(all, data...)
			}
			return all
		},
		Open: store.Open,
	}
}

// Test runs the suite. Every part opens stores of its own.
func Test(t *testing.T, e Engine) {
	for name, part := range map[string]func(*testing.T, *bench){
		"open":              testOpen,
		"close":             testClose,
		"commit":            testCommit,
		"commit/once":       testOnce,
		"commit/rehash":     testRehash,
		"commit/many":       testParallel,
		"commit/change":     testChange,
		"records/unchanged": testSweepChange,
		"commit/late":       testLate,
		"records":           testRecords,
		"sweep":             testSweep,
		"purge":             testPurge,
		"purge/shorten":     testShorten,
		"users":             testUsers,
		"users/sessions":    testUserSessions,
		"users/changed":     testUserChanges,
		"users/deleted":     testDeleted,
		"users/mastery":     testMastery,
		"users/import":      testImport,
		"users/import/mode": testImportModes,
		"users/import/last": testImportLastAdmin,
		"users/leaked":      testLeakFlag,
		"credentials":       testCredentials,
		"modes":             testModes,
		"modes/census":      testModeCensus,
		"domains":           testDomains,
		"rollouts":          testRollouts,
		"standing":          testStanding,
		"groups":            testGroups,
		"groups/members":    testMembers,
		"groups/cycles":     testCycles,
		"groups/licences":   testMembersLicences,
		"groups/pages":      testGroupPages,
		"groups/change":     testGroupChange,
		"groups/delete":     testGroupDeletion,
		"groups/model":      testNestingModel,
		"sync":              testSynchronisation,
		"operators":         testOperators,
		"small":             testSmall,
		"answers":           testAnswers,
		"inspect":           testInspect,
		"worlds":            testWorlds,
		"worlds/foreign":    testForeignWorlds,
		"worlds/beside":     testWorldsBeside,
		"load":              testLoad,
		"gateways":          testGateways,
		"licences":          testLicences,
		"licences/revoke":   testRevokeGroup,
		"licences/races":    testRaces,
		"licences/resume":   testGrantsResume,
		"licences/seats":    testSeats,
		"licences/purge":    testLicencePurge,
		"licences/large":    testLargeGroup,
		"licences/model":    testLicenceModel,
		"apps":              testApps,
		"model":             testModel,
	} {
		t.Run(name, func(t *testing.T) { part(t, newBench(t, e)) })
	}
}

// testSynchronisation runs what is promised of synchronised objects.
func testSynchronisation(t *testing.T, b *bench) {
	for name, part := range map[string]func(*testing.T, *bench){
		"all":         testSync,
		"nestings":    testSyncedNestings,
		"names":       testSyncNames,
		"returners":   testReturners,
		"interleaved": testInterleaved,
		"lease":       testLease,
		"imports":     testImports,
		"groups":      testImportedGroups,
		"hashes":      testImportedHashes,
		"concerned":   testConcerned,
	} {
		t.Run(name, func(t *testing.T) { part(t, newBench(t, b.Engine)) })
	}
}

// bench is one store under test with its surroundings.
type bench struct {
	*store.DB
	Engine
	opts  store.Options
	clock *authntest.Clock
}

// began is when every test's clock begins.
func began() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }

func newBench(t *testing.T, e Engine) *bench {
	t.Helper()
	b := &bench{Engine: e, clock: authntest.NewClock(began())}
	b.opts = b.another(t)
	b.reopen(t)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// another is what a store beside it is opened with: it has a root key of its own.
func (b *bench) another(t *testing.T) store.Options {
	t.Helper()
	o := b.New(t)
	o.Ring, o.Clock = ring(t, t.TempDir()), b.clock
	return o
}

// ring makes a root key of its own.
func ring(t *testing.T, dir string) *keyring.Ring {
	t.Helper()
	r, err := keyring.Create(filepath.Join(dir, "root.key"))
	must(t, err)
	return r
}

// reopen closes the store, if it is open, and opens it again.
func (b *bench) reopen(t *testing.T) {
	t.Helper()
	if b.DB != nil {
		must(t, b.Close())
	}
	db, err := b.Open(t.Context(), b.opts)
	must(t, err)
	b.DB = db
}

// user makes a user who isn't stored yet.
func user(id, upn string) directory.User {
	return directory.User{ID: authn.AccountID(id), UPN: upn, DisplayName: id, Enabled: true, Created: began(), Changed: began()}
}

// synced makes a synchronised user, with an anchor made of the id.
func synced(id, upn string) directory.User {
	u := user(id, upn)
	u.Synced, u.Onprem = true, directory.Onprem{Anchor: "anchor-" + id, SyncedAt: began()}
	return u
}

func (b *bench) create(t *testing.T, users ...directory.User) {
	t.Helper()
	for _, u := range users {
		must(t, b.CreateUser(t.Context(), u))
	}
}

// update makes an account what u is.
func (b *bench) update(ctx context.Context, u directory.User) error {
	_, _, err := b.ChangeUser(ctx, u.ID, func(now *directory.User) error { *now = u; return nil })
	return err
}

// erase deletes an account for good.
func (b *bench) erase(ctx context.Context, id authn.AccountID) error {
	if _, err := b.RemoveUser(ctx, id, allowed); err != nil {
		return err
	}
	return b.ForgetUser(ctx, id)
}

// final makes what one finished sign-in on the cloud path leaves behind.
func (b *bench) final(id string, u directory.User, r authn.Reason) authn.Final {
	rec := authn.Record{
		ID: authn.AttemptID(id), Began: b.clock.Now(), At: b.clock.Now(), Who: u.UPN, Account: u.ID, Name: u.DisplayName,
		Realm:   authn.Realm{Domain: authn.ParseIdentifier(u.UPN).Domain(), Path: authn.PathCloud, Rule: "test"},
		Verdict: r.Verdict(), Reason: r, Final: true, Steps: []authn.Step{{ID: authn.C1, Result: authn.StepOK}},
	}
	f := authn.Final{Record: rec, TallyKey: "account:" + string(u.ID), Ticket: ticket{3, b.clock}, Effect: authn.CountFailure}
	if r == authn.None {
		f.Effect, f.Session = authn.ClearTally, b.session(id, u.ID)
	}
	return f
}

func (b *bench) session(hash string, id authn.AccountID) *authn.Session {
	return &authn.Session{
		Hash: []byte(hash), Account: id, Attempt: authn.AttemptID(hash), Path: authn.PathCloud,
		Proof: authn.Proof{Methods: []string{"pwd"}, At: began()},
		Began: b.clock.Now(), Until: b.clock.Now().Add(24 * time.Hour), IdleFor: 8 * time.Hour, LastSeen: b.clock.Now(),
	}
}

func (b *bench) commit(t *testing.T, f authn.Final) authn.Receipt {
	t.Helper()
	got, err := b.Commit(t.Context(), f)
	must(t, err)
	return got
}

// ticket locks for a minute after so many failures.
type ticket struct {
	threshold int
	clock     authn.Clock
}

func (ticket) Refused() (authn.Reason, error) { return authn.None, nil }
func (ticket) Release()                       {}

func (k ticket) Settle(now authn.Tally, e authn.Effect) authn.Tally {
	switch e {
	case authn.ClearTally:
		return authn.Tally{}
	case authn.CountFailure:
		now.Failures++
		now.LastFailure = k.clock.Now()
		if now.Failures >= k.threshold {
			now.Lockouts, now.LockedUntil = now.Lockouts+1, k.clock.Now().Add(time.Minute)
		}
	case authn.LeaveTally:
	}
	return now
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantErr checks that an error says what it must; nil stands for success.
func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// names makes one comparable text of a list.
func names[T any](all []T, name func(T) string) string {
	s := ""
	for _, v := range all {
		s += fmt.Sprintf("%s ", name(v))
	}
	return s
}

func upn(u directory.User) string { return u.UPN }
