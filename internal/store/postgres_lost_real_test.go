package store

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/keyring"
	"github.com/fourways-id/fourways/internal/realtest"
)

func newPostgres(t *testing.T, url string) *DB {
	t.Helper()
	ring, err := keyring.Create(filepath.Join(t.TempDir(), "root.key"))
	must(t, err)
	db, err := Open(t.Context(), Options{URL: url, Ring: ring, Clock: authntest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func TestPostgresConnectionsAreSetForTheirUse(t *testing.T) {
	db := newPostgres(t, realtest.Postgres(t).URL)
	for setting, want := range map[string]string{
		"synchronous_commit": "on", "lock_timeout": "5s", "statement_timeout": "5s",
		"idle_in_transaction_session_timeout": "4s", "transaction_isolation": "read committed",
	} {
		var got string
		must(t, db.write(t.Context(), func(x *tx) error { return x.row("SHOW " + setting).Scan(&got) }))
		if got != want {
			t.Errorf("%s is %s, want %s", setting, got, want)
		}
	}
	if _, err := db.reading.ExecContext(t.Context(), `DELETE FROM meta`); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("a reader could write: %v", err)
	}
}

func TestPostgresAuditLogCannotBeChanged(t *testing.T) {
	db := newPostgres(t, realtest.Postgres(t).URL)
	must(t, db.Audit(t.Context(), AuditEntry{Who: "root", Action: "swap"}))
	for _, query := range []string{`UPDATE audit SET body = '{}'`, `DELETE FROM audit`, `TRUNCATE audit`} {
		err := db.write(t.Context(), func(x *tx) error {
			_, err := x.exec(query)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", query, err)
		}
	}
	entries, err := db.AuditEntries(t.Context(), 0)
	if must(t, err); len(entries) != 1 {
		t.Errorf("%d entries, want 1", len(entries))
	}
}

// A gateway that froze within its transaction holds the lock: the others' writes fail, store nothing, and go on after it.
func TestPostgresWriteBesideAFrozenGatewayFailsAndRecovers(t *testing.T) {
	db := newPostgres(t, realtest.Postgres(t).URL)
	frozen, err := db.reading.Conn(t.Context())
	must(t, err)
	for _, query := range []string{`BEGIN`, strings.Replace(db.engine.claim, "pg_current_xact_id()", "1", 1)} {
		_, err = frozen.ExecContext(t.Context(), query)
		must(t, err)
	}
	if err := db.SetMeta(t.Context(), "k", "v"); err == nil || !strings.Contains(err.Error(), "nothing was stored") {
		t.Errorf("a write went past the lock: %v", err)
	}
	if _, err := db.Meta(t.Context(), "k"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("read beside the lock: %v", err)
	}
	_, err = frozen.ExecContext(t.Context(), `ROLLBACK`)
	must(t, err)
	must(t, frozen.Close())
	must(t, db.SetMeta(t.Context(), "k", "v"))
}

func TestPostgresWriterGetsANewConnectionWhenTheServerEndedItsOwn(t *testing.T) {
	db := newPostgres(t, realtest.Postgres(t).URL)
	end := func() {
		_, err := db.reading.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		must(t, err)
	}
	end()
	must(t, db.SetMeta(t.Context(), "between", "v"))
	err := db.write(t.Context(), func(x *tx) error {
		_, err := x.exec(`INSERT INTO meta (name, value) VALUES ('during', '')`)
		end()
		return err
	})
	if err == nil {
		t.Error("a write was stored whose transaction was ended under it")
	}
	if _, err := db.Meta(t.Context(), "during"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("it is there: %v", err)
	}
	must(t, db.SetMeta(t.Context(), "after", "v"))
}

// What the server has committed is told as stored, though its answer never came.
func TestPostgresCommitWhoseAnswerIsLostIsAskedFor(t *testing.T) {
	p := realtest.Postgres(t)
	cut := newCutter(t, p)
	db := newPostgres(t, cut.url)
	cut.armed.Store(true)
	must(t, db.SetMeta(t.Context(), "k", "v"))
	if cut.armed.Load() {
		t.Fatal("no answer was lost")
	}
	v, err := db.Meta(t.Context(), "k")
	if must(t, err); v != "v" {
		t.Errorf("got %q", v)
	}
}

// cutter stands between store and server. Armed, it swallows the next answer to a COMMIT and hangs up.
type cutter struct {
	url   string
	armed atomic.Bool
}

func newCutter(t *testing.T, p *realtest.Database) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	u, err := url.Parse(p.URL)
	must(t, err)
	server := u.Host
	u.Host = l.Addr().String()
	c := &cutter{url: u.String()}
	var all sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { c.carry(client, server) })
		}
	})
	return c
}

func (c *cutter) carry(client net.Conn, server string) {
	defer client.Close()
	s, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", server)
	if err != nil {
		return
	}
	go func() { _, _ = io.Copy(s, client); _ = s.Close() }()
	for b := make([]byte, 1<<16); ; {
		n, err := s.Read(b)
		if strings.Contains(string(b[:n]), "COMMIT\x00") && c.armed.CompareAndSwap(true, false) {
			_ = s.Close()
			return
		}
		if _, werr := client.Write(b[:n]); err != nil || werr != nil {
			_ = s.Close()
			return
		}
	}
}

func TestPostgresPasswordIsInNoError(t *testing.T) {
	const canary = "c4nary-pa55word"
	p := realtest.Postgres(t)
	ring, err := keyring.Create(filepath.Join(t.TempDir(), "root.key"))
	must(t, err)
	for what, at := range map[string]string{
		"a wrong password":   strings.Replace(p.URL, p.Password, canary, 1),
		"no such database":   strings.Replace(p.URL, p.Name, "none", 1),
		"nobody listens":     "postgres://fourways:" + canary + "@127.0.0.1:1/none?sslmode=disable",
		"no such host":       "postgres://fourways:" + canary + "@none.invalid/none",
		"a wrong port":       "postgres://fourways:" + canary + "@127.0.0.1:port/none",
		"a raw percent sign": "postgres://fourways:%" + canary + "@127.0.0.1/none",
		"a wrong setting":    "postgres://fourways:" + canary + "@127.0.0.1/none?sslmode=" + canary,
		"another scheme":     "mysql://fourways:" + canary + "@127.0.0.1/none",
		"words":              "host=127.0.0.1 password=" + canary,
	} {
		_, err := Open(t.Context(), Options{URL: at, Ring: ring, Clock: authntest.NewClock(time.Now())})
		if err == nil {
			t.Errorf("%s: opened", what)
			continue
		}
		if found := append(authntest.Leaks([]byte(err.Error()), canary), authntest.Leaks([]byte(err.Error()), p.Password)...); len(found) > 0 {
			t.Errorf("%s: the error holds the password: %v", what, err)
		}
	}
}
