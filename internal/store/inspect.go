package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const schemaVersion = `SELECT max(version_id) FROM goose_db_version WHERE is_applied`

// Errors of Inspect and Look.
var (
	// ErrDamaged says that pages of the store contradict each other.
	ErrDamaged = errors.New("the store is damaged")
	// ErrNewer says that a newer program than this one has migrated the store.
	ErrNewer = errors.New("the store was last opened by a newer program")
	// ErrUnsettled says that what was looked for stands in the log beside the file, which only opening the store reads.
	ErrUnsettled = errors.New("the store is open, or was not closed")
)

// Inspect tells the version of the schema and whether what is stored can be read: of SQLite every page, of PostgreSQL,
// which guards its own pages, each table. It changes nothing and holds up nobody. A large SQLite store takes long: bound
// ctx, whose error it then returns.
func (d *DB) Inspect(ctx context.Context) (schema int64, err error) {
	return inspect(ctx, d.engine, d.reading)
}

// InspectFile is Inspect for a store that is not open; ErrUnsettled when it is, or was not closed. It makes no file.
func InspectFile(ctx context.Context, path string) (schema int64, err error) {
	db, settled, err := untouched(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if !settled {
		return 0, ErrUnsettled
	}
	return inspect(ctx, sqlite(), db)
}

func inspect(ctx context.Context, e *engine, db *sql.DB) (schema int64, err error) {
	if err := db.QueryRowContext(ctx, schemaVersion).Scan(&schema); err != nil {
		return 0, inspected(ctx, err)
	}
	return schema, e.sound(ctx, db)
}

// inspected prefers the reason of an interruption to what the driver makes of it.
func inspected(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return fmt.Errorf("inspect the store: %w", err)
}

// Look tells whether Open would take the store at o.Path or o.URL, without opening it: no lock is taken, and nothing is
// written, made or migrated. One of both and Ring must be set. It gives the schema's version, and the errors of Open: ErrOtherKey,
// ErrOtherMark, ErrNewer; or ErrUnsettled when the file alone can't tell.
func Look(ctx context.Context, o Options) (schema int64, err error) {
	if o.URL != "" {
		err = glance(ctx, o.URL, func(db *sql.DB) (err error) {
			schema, err = look(ctx, db, o)
			return err
		})
		return schema, err
	}
	db, settled, err := untouched(o.Path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	schema, err = look(ctx, db, o)
	if err != nil && !settled && !errors.Is(err, ErrOtherKey) {
		return 0, ErrUnsettled // the rest of it is in the log
	}
	return schema, err
}

// untouched opens the file alone, and says whether it holds all that the store does: what was written last stands in the
// log beside it until the store is closed.
func untouched(path string) (db *sql.DB, settled bool, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return nil, false, err
	}
	log, err := os.Stat(path + "-wal")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, err
	}
	// Without immutable, SQLite would make the files that readers and writers share (sqlite.org/uri.html#uriimmutable).
	db, err = sql.Open("sqlite", dsn(path, url.Values{"mode": {"ro"}, "immutable": {"1"}}))
	return db, log == nil || log.Size() == 0, err
}

func look(ctx context.Context, db *sql.DB, o Options) (schema int64, err error) {
	if err := db.QueryRowContext(ctx, schemaVersion).Scan(&schema); err != nil {
		return 0, fmt.Errorf("read the schema's version: %w", err)
	}
	newest, err := newestSchema()
	if err != nil {
		return 0, err
	}
	if schema > newest {
		return schema, fmt.Errorf("%w: its schema has version %d and this program knows up to %d", ErrNewer, schema, newest)
	}
	const get = `SELECT value FROM meta WHERE name = $1`
	var probe, mark []byte
	if err := errors.Join(db.QueryRowContext(ctx, get, markProbe).Scan(&probe), db.QueryRowContext(ctx, get, markLab).Scan(&mark)); err != nil {
		return schema, fmt.Errorf("read the store's marks: %w", err)
	}
	if _, err := o.Ring.Unseal(probeLabel, nil, probe); err != nil {
		return schema, fmt.Errorf("%w: %w", ErrOtherKey, err)
	}
	if lab := string(mark) == "lab"; lab != o.Lab {
		return schema, fmt.Errorf("%w: it is marked %s", ErrOtherMark, mark)
	}
	return schema, nil
}

// newestSchema is the number of the last migration that this program knows.
func newestSchema() (newest int64, err error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		number, _, _ := strings.Cut(filepath.Base(f), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("the migration %s has no number: %w", f, err)
		}
		newest = max(newest, n)
	}
	return newest, nil
}
