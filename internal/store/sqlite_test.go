package store

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/keyring"
	"github.com/fourways-id/fourways/internal/realtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(servers{m}) }

// servers are those that the tests share; they are ended before leaks are looked for.
type servers struct{ tests *testing.M }

func (s servers) Run() int { return realtest.Main(s.tests) }

func newSQLite(t testing.TB) (*DB, string) {
	t.Helper()
	dir := t.TempDir()
	ring, err := keyring.Create(filepath.Join(dir, "root.key"))
	must(t, err)
	path := filepath.Join(dir, "a dir with spaces, ? and %41", "store.db")
	must(t, os.Mkdir(filepath.Dir(path), 0o700))
	db, err := Open(t.Context(), Options{Path: path, Ring: ring, Clock: authntest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db, path
}

// raw opens the file behind the store's back.
func raw(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, nil))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreTheOwnersOnly(t *testing.T) {
	db, path := newSQLite(t)
	must(t, db.SetMeta(t.Context(), "k", "v"))
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	must(t, err)
	if len(files) < 2 {
		t.Fatalf("found %v, not the file and its log", files)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", f, info.Mode())
		}
	}
}

func TestPragmasHoldForTheWriterAndTheReaders(t *testing.T) {
	db, _ := newSQLite(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "2000"} {
		var got string
		must(t, db.write(t.Context(), func(x *tx) error { return x.row("PRAGMA " + pragma).Scan(&got) }))
		if got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
	if _, err := db.reading.ExecContext(t.Context(), `DELETE FROM meta`); err == nil {
		t.Error("a reader could write")
	}
}

func TestAuditLogCannotBeChanged(t *testing.T) {
	db, path := newSQLite(t)
	must(t, db.Audit(t.Context(), AuditEntry{Who: "root", Action: "swap"}))
	behind := raw(t, path)
	for _, query := range []string{`UPDATE audit SET body = '{}'`, `DELETE FROM audit`} {
		if _, err := behind.ExecContext(t.Context(), query); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", query, err)
		}
	}
	if _, err := behind.ExecContext(t.Context(), `UPDATE meta SET value = value`); err != nil {
		t.Errorf("another table: %v", err)
	}
}

func TestACredentialOpensInItsOwnRowOnly(t *testing.T) {
	db, path := newSQLite(t)
	ctx := t.Context()
	for _, id := range []authn.AccountID{"ann", "ben"} {
		must(t, db.CreateUser(ctx, directory.User{ID: id, UPN: string(id) + "@one.test", Enabled: true}))
		must(t, db.SetCredentials(ctx, []directory.Credential{
			{Account: id, Scheme: directory.SchemeCloud, Record: []byte("of " + id)}, {Account: id, Scheme: directory.SchemePHS, Record: []byte("of " + id)},
		}))
	}
	behind := raw(t, path)
	_, err := behind.ExecContext(ctx, `UPDATE credentials SET sealed = (SELECT sealed FROM credentials WHERE account = 'ann' AND scheme = 'cloud') WHERE account = 'ben' OR scheme = 'phs'`)
	must(t, err)
	for _, at := range []struct {
		id     authn.AccountID
		scheme string
		opens  bool
	}{{"ann", directory.SchemeCloud, true}, {"ann", directory.SchemePHS, false}, {"ben", directory.SchemeCloud, false}} {
		if _, err := db.Credential(ctx, at.id, at.scheme); (err == nil) != at.opens {
			t.Errorf("%s of %s: %v", at.scheme, at.id, err)
		}
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	db, path := newSQLite(t)
	must(t, db.Close())
	_, err := raw(t, path).ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`)
	must(t, err)
	_, err = Open(t.Context(), Options{Path: path, Ring: db.ring, Clock: db.clock})
	if err == nil || !strings.Contains(err.Error(), "use the newer program") {
		t.Errorf("got %v", err)
	}
}

func TestATransactionThatFailsAsAWholeStoresNothingOfAnybody(t *testing.T) {
	db, _ := newSQLite(t)
	held, release := make(chan struct{}), make(chan struct{})
	outcomes := map[string]chan error{"first": make(chan error, 1), "second": make(chan error, 1), "third": make(chan error, 1)}
	put := func(name string, then func(*tx)) {
		outcomes[name] <- db.write(t.Context(), func(x *tx) error {
			_, err := x.exec(`INSERT INTO meta (name, value) VALUES ($1, '')`, name)
			then(x)
			return err
		})
	}
	waiting := func(n int) {
		for len(db.writer.queue) < n {
			runtime.Gosched()
		}
	}
	go put("first", func(*tx) { close(held); <-release })
	<-held
	go put("second", (*tx).rollback) // ends the transaction under everybody's feet, as a full disk does
	waiting(1)
	go put("third", func(*tx) {})
	waiting(2)
	close(release)
	for name, fails := range map[string]bool{"first": true, "second": true, "third": false} {
		if err := <-outcomes[name]; (err != nil) != fails {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := db.Meta(t.Context(), name); errors.Is(err, directory.ErrNotFound) != fails {
			t.Errorf("%s is stored: %v", name, err == nil)
		}
	}
}

func TestALockedFileFailsWithoutStoringAndRecovers(t *testing.T) {
	db, path := newSQLite(t)
	conn, err := raw(t, path).Conn(t.Context())
	must(t, err)
	_, err = conn.ExecContext(t.Context(), `BEGIN IMMEDIATE`)
	must(t, err)
	if err := db.SetMeta(t.Context(), "k", "v"); err == nil {
		t.Error("a write went through another program's lock")
	}
	_, err = conn.ExecContext(t.Context(), `ROLLBACK`)
	must(t, err)
	must(t, conn.Close())
	must(t, db.SetMeta(t.Context(), "k", "v"))
}

func TestTimesBeyondTheColumnAreClipped(t *testing.T) {
	far, old := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)
	now := time.Date(2026, 3, 2, 9, 0, 0, 5, time.UTC)
	if !(stamp(old) < stamp(now) && stamp(now) < stamp(far)) {
		t.Errorf("order is lost: %d %d %d", stamp(old), stamp(now), stamp(far))
	}
	if !moment(stamp(now)).Equal(now) || !moment(stamp(time.Time{})).IsZero() {
		t.Error("a time does not come back")
	}
}

// BenchmarkCommit measures right passwords of many people at once: tally, session and record, durable.
func BenchmarkCommit(b *testing.B) {
	db, _ := newSQLite(b)
	must(b, db.CreateUser(b.Context(), directory.User{ID: "ann", UPN: "ann@one.test", Enabled: true}))
	var n atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := fmt.Sprint("attempt-", n.Add(1))
			f := authn.Final{
				Record:  authn.Record{ID: authn.AttemptID(id), At: db.clock.Now(), Who: "ann@one.test", Account: "ann", Verdict: authn.Allowed, Final: true, Steps: make([]authn.Step, 8)},
				Session: &authn.Session{Hash: []byte(id), Account: "ann", Began: db.clock.Now(), Until: db.clock.Now().Add(time.Hour)},
			}
			if _, err := db.Commit(b.Context(), f); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// A closed store is one file: whoever copies or inspects it needs no log beside it.
func TestAClosedStoreLeavesNoLog(t *testing.T) {
	for range 5 { // the log is copied in the background: closing must not interrupt it half-way
		db, path := newSQLite(t)
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				if err := db.SetMeta(t.Context(), fmt.Sprint(i), "x"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		must(t, db.Close())
		if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the log stands beside the closed store: %v", err)
		}
	}
}
