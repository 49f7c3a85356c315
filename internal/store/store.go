// Package store keeps everything that must survive: accounts, sealed credentials, lockout, sessions, used ids, the records
// of sign-ins, overrides, agents, tokens and the audit log.
//
// In come finished sign-ins (authn.Final) and changes to the tenant; out comes what was stored. Every write goes through
// one queue and is durable before it returns; many share one transaction, each in a savepoint of its own. The package
// never decides who is let in, holds no credential unsealed at rest, and lets no engine's SQL out: the statements run on
// SQLite, and are kept to what PostgreSQL understands too.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/keyring"
)

// Options are the parts of a store. Path, Ring and Clock must be set.
type Options struct {
	Path  string        // of the SQLite file; made with mode 0600 when it is missing
	Ring  *keyring.Ring // the root key that the store's credentials are sealed with
	Clock authn.Clock   // policy time
	Lab   bool          // a lab's store and a production store are never opened as the other
}

// DB is an open store. It is safe for concurrent use.
type DB struct {
	readers *sql.DB
	keeper  *sql.DB // copies the store; its connection may write to other files than the store's
	writer  *writer
	ring    *keyring.Ring
	clock   authn.Clock
}

// ErrClosed says that the store was closed: nothing was stored.
var ErrClosed = errors.New("the store is closed")

// Open opens the store at o.Path, making or migrating it as needed. It refuses a store that was sealed with another root
// key, and one that carries the other mark of lab and production.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Path == "" || o.Ring == nil || o.Clock == nil {
		return nil, errors.New("open the store: a path, a root key and a clock are needed")
	}
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, fmt.Errorf("open the store %s: %w", o.Path, err)
	}
	if err := makeFile(path); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	db, err := open(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("open the store %s: %w", path, err)
	}
	return db, nil
}

func open(ctx context.Context, path string, o Options) (_ *DB, err error) {
	writing, err := sql.Open("sqlite", writerDSN(path))
	if err != nil {
		return nil, err
	}
	writing.SetMaxOpenConns(1)
	if err := migrate(ctx, writing); err != nil {
		return nil, errors.Join(err, writing.Close())
	}
	reading, err := sql.Open("sqlite", readerDSN(path))
	if err != nil {
		return nil, errors.Join(err, writing.Close())
	}
	reading.SetMaxOpenConns(readerConns)
	reading.SetMaxIdleConns(readerConns)
	keeper, err := sql.Open("sqlite", keeperDSN(path))
	if err != nil {
		return nil, errors.Join(err, reading.Close(), writing.Close())
	}
	keeper.SetMaxIdleConns(0) // it is rarely needed
	w, err := startWriter(ctx, writing)
	if err != nil {
		return nil, errors.Join(err, keeper.Close(), reading.Close(), writing.Close())
	}
	db := &DB{readers: reading, keeper: keeper, writer: w, ring: o.Ring, clock: o.Clock}
	if err := db.checkMarks(ctx, o.Lab); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Close waits for the writes that were accepted, then closes the store. Later calls return ErrClosed or an error of the driver.
func (d *DB) Close() error { return errors.Join(d.writer.close(), d.keeper.Close(), d.readers.Close()) }

// Ping reports whether the store can be read.
func (d *DB) Ping(ctx context.Context) error {
	var one int
	if err := d.readers.QueryRowContext(ctx, `SELECT 1 FROM meta WHERE name = $1`, markProbe).Scan(&one); err != nil {
		return fmt.Errorf("ping the store: %w", err)
	}
	return nil
}

// makeFile makes a missing file, and takes an existing one out of others' reach: SQLite gives its side files the same mode.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the path is the operator's
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}
