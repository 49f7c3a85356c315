// Package store keeps everything that must survive: accounts, sealed credentials, lockout, sessions, used ids, the records
// of sign-ins, overrides, agents, tokens and the audit log.
//
// In come finished sign-ins (authn.Final) and changes to the tenant; out comes what was stored. Every write goes through
// one queue and is durable before it returns; many share one transaction, each in a savepoint of its own. The package
// never decides who is let in, holds no credential unsealed at rest, and lets no engine's SQL out: the statements run on
// SQLite and on PostgreSQL alike, and what differs is in sqlite.go and postgres.go.
package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/keyring"
)

// Options are the parts of a store. Ring, Clock and one of Path and URL must be set.
type Options struct {
	Path  string        // of the SQLite file; made with mode 0600 when it is missing
	URL   string        // of the PostgreSQL database (15 or newer), postgres://...; it holds a password and is never shown
	Ring  *keyring.Ring // the root key that the store's credentials are sealed with
	Clock authn.Clock   // policy time
	Lab   bool          // a lab's store and a production store are never opened as the other
}

// where names the store in an error.
func (o Options) where() string {
	if o.URL != "" {
		return "the store in PostgreSQL"
	}
	return "the store " + o.Path
}

// DB is an open store. It is safe for concurrent use.
type DB struct {
	pools
	engine *engine
	writer *writer
	ring   *keyring.Ring
	clock  authn.Clock
}

// ErrClosed says that the store was closed: nothing was stored.
var ErrClosed = errors.New("the store is closed")

// Open opens the store at o.Path or o.URL, making or migrating it as needed. It refuses a store that was sealed with
// another root key, and one that carries the other mark of lab and production. Several programs may have one PostgreSQL
// store open, a SQLite file belongs to one.
func Open(ctx context.Context, o Options) (*DB, error) {
	if (o.Path == "") == (o.URL == "") || o.Ring == nil || o.Clock == nil {
		return nil, errors.New("open the store: a path or a connection URL, a root key and a clock are needed")
	}
	db, err := open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", o.where(), err)
	}
	return db, nil
}

func open(ctx context.Context, o Options) (*DB, error) {
	d := &DB{engine: sqlite(), ring: o.Ring, clock: o.Clock}
	var err error
	if o.URL == "" {
		d.pools, err = openSQLite(ctx, d.engine, o.Path)
	} else if d.engine, err = postgres(); err == nil {
		d.pools, err = openPostgres(ctx, d.engine, o.URL)
	}
	if err != nil {
		return nil, err
	}
	d.writer = startWriter(d.engine, d.pools, d.clock)
	err = d.checkMarks(ctx, o.Lab)
	if err == nil && o.URL == "" {
		err = d.write(ctx, releaseSync)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Close waits for the writes that were accepted, then closes the store. Later calls return ErrClosed or an error of the driver.
func (d *DB) Close() error { return errors.Join(d.writer.close(), d.pools.close()) }

// Ping reports whether the store can be read.
func (d *DB) Ping(ctx context.Context) error {
	var one int
	if err := d.reading.QueryRowContext(ctx, `SELECT 1 FROM meta WHERE name = $1`, markProbe).Scan(&one); err != nil {
		return fmt.Errorf("ping the store: %w", err)
	}
	return nil
}
