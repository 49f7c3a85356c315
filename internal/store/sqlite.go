package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the engine, in pure Go
)

func sqlite() *engine {
	return &engine{
		name: "sqlite", dialect: goose.DialectSQLite3,
		begin: `BEGIN IMMEDIATE`,
		lost:  func(*sql.Conn) bool { return false },
		sound: soundPages,
	}
}

func openSQLite(ctx context.Context, e *engine, path string) (_ pools, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return pools{}, err
	}
	if err := makeFile(path); err != nil {
		return pools{}, err
	}
	var p pools
	for _, one := range []struct {
		db  **sql.DB
		dsn string
	}{{&p.writing, writerDSN(path)}, {&p.reading, readerDSN(path)}, {&p.keeper, keeperDSN(path)}} {
		if *one.db, err = sql.Open("sqlite", one.dsn); err != nil {
			return pools{}, errors.Join(err, p.close())
		}
	}
	p.writing.SetMaxOpenConns(1)
	p.reading.SetMaxOpenConns(readerConns)
	p.reading.SetMaxIdleConns(readerConns)
	p.keeper.SetMaxIdleConns(0) // it is rarely needed
	if err := e.migrate(ctx, p.writing); err != nil {
		return pools{}, errors.Join(err, p.close())
	}
	settling, err := sql.Open("sqlite", keeperDSN(path))
	if err != nil {
		return pools{}, errors.Join(err, p.close())
	}
	p.settler = startCheckpointer(settling)
	return p, nil
}

// makeFile makes a missing file, and takes an existing one out of others' reach: SQLite gives its side files the same mode.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the path is the operator's
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// writerDSN opens the file for the one writer. FULL makes every commit durable, also against loss of power
// (sqlite.org/pragma.html#pragma_synchronous); an immediate transaction never fails half-way for want of the write lock.
func writerDSN(path string) string {
	return dsn(path, url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(2000)", "journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(16000)",
	}})
}

func readerDSN(path string) string {
	return dsn(path, url.Values{"_pragma": {"busy_timeout(2000)", "query_only(ON)"}})
}

func keeperDSN(path string) string {
	return dsn(path, url.Values{"_pragma": {"busy_timeout(2000)"}})
}

func dsn(path string, q url.Values) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // a drive letter
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// soundPages reads every page (sqlite.org/pragma.html#pragma_quick_check).
func soundPages(ctx context.Context, db *sql.DB) error {
	var says string // the first complaint, or ok
	if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&says); err != nil {
		return inspected(ctx, err)
	}
	if says != "ok" {
		says = strings.TrimPrefix(says, "*** in database main ***\n")
		return fmt.Errorf("%w: %s", ErrDamaged, strings.Join(strings.Fields(says), " "))
	}
	return nil
}
