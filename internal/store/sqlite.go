package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the engine, in pure Go
)

//go:embed migrations/*.sql
var migrations embed.FS

// readerConns bounds the concurrent readers.
const readerConns = 8

// writerDSN opens the file for the one writer. FULL makes every commit durable, also against loss of power
// (sqlite.org/pragma.html#pragma_synchronous); an immediate transaction never fails half-way for want of the write lock.
func writerDSN(path string) string {
	return dsn(path, url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(2000)", "journal_mode(WAL)", "synchronous(FULL)",
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

// migrate brings the schema up to date. Each migration is a transaction; a newer schema than ours is refused.
func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	now, newest, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if now > newest {
		return fmt.Errorf("its schema has version %d and this program knows up to %d: use the newer program that it was last opened with", now, newest)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate the schema: %w", err)
	}
	return nil
}
