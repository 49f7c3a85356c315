package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// What bounds one gateway's hold on the others. The server ends the session of a gateway that froze within a transaction
// before the others have given up waiting for it.
const (
	oldestPostgres = 150000       // as server_version_num has it
	writerKey      = 0x4c1f6e1d2b // of the advisory lock; any number, the same for every gateway
	connectWithin  = 5 * time.Second
	connLife       = 30 * time.Minute

	writeSilence   = 10 * time.Second // how long a server may keep silent: longer than a statement may take
	readSilence    = 70 * time.Second
	migrateSilence = time.Hour
)

// errURL never shows the URL: it holds a password.
var errURL = errors.New("the connection URL can't be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with what is special in the password as %XX")

func postgres() (*engine, error) {
	// Of gateways that start at once one migrates; the others wait for it.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, err
	}
	return &engine{
		name: "postgres", dialect: goose.DialectPostgres, options: []goose.ProviderOption{goose.WithSessionLocker(locker)},
		// Texts are compared by their bytes on both engines, whatever the database's locale.
		reword: strings.NewReplacer(
			"INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
			" BLOB", " BYTEA", " TEXT", ` TEXT COLLATE "C"`),
		begin:   `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`,
		claim:   `SELECT CAST(pg_current_xact_id() AS TEXT), CAST(pg_advisory_xact_lock(` + strconv.Itoa(writerKey) + `) AS TEXT)`,
		outcome: `SELECT COALESCE(pg_xact_status(CAST(CAST($1 AS TEXT) AS xid8)), '')`,
		lost:    lostPostgres,
		sound:   readableTables,
	}, nil
}

func openPostgres(ctx context.Context, e *engine, at string) (_ pools, err error) {
	conf, err := parsePostgres(at)
	if err != nil {
		return pools{}, err
	}
	migrating := postgresPool(conf, migrateSilence, nil)
	if err = fit(ctx, migrating); err == nil {
		err = e.migrate(ctx, migrating)
	}
	if err := errors.Join(err, migrating.Close()); err != nil {
		return pools{}, err
	}
	p := pools{
		writing: postgresPool(conf, writeSilence, map[string]string{
			"lock_timeout": "5000", "statement_timeout": "5000", "idle_in_transaction_session_timeout": "4000",
		}),
		reading: postgresPool(conf, readSilence, map[string]string{"default_transaction_read_only": "on", "statement_timeout": "60000"}),
	}
	p.writing.SetMaxOpenConns(1)
	p.reading.SetMaxOpenConns(readerConns)
	p.reading.SetMaxIdleConns(readerConns)
	p.reading.SetConnMaxLifetime(connLife)
	return p, nil
}

// parsePostgres reads a connection URL (postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING-URIS). A server beyond
// this machine must prove itself by its certificate, unless the URL's sslmode says otherwise.
func parsePostgres(at string) (*pgx.ConnConfig, error) {
	u, err := url.Parse(strings.TrimSpace(at))
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errURL
	}
	q := u.Query()
	if q.Get("sslmode") == "" && !local(u.Hostname()) && !local(q.Get("host")) {
		q.Set("sslmode", "verify-full")
		u.RawQuery = q.Encode()
	}
	conf, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, errURL
	}
	conf.ConnectTimeout = connectWithin
	conf.RuntimeParams["application_name"] = "fourways"
	return conf, nil
}

// local reports a host that is this machine: a loopback address, or a socket's folder.
func local(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasPrefix(host, "/") || err == nil && ip.IsLoopback()
}

// fit refuses a server that is too old and a database that doesn't hold every text.
func fit(ctx context.Context, db *sql.DB) error {
	var number int
	var version, encoding string
	err := db.QueryRowContext(ctx, `SELECT CAST(current_setting('server_version_num') AS INTEGER), current_setting('server_version'), current_setting('server_encoding')`).
		Scan(&number, &version, &encoding)
	switch {
	case err != nil:
		return fmt.Errorf("reach PostgreSQL: %w", err)
	case number < oldestPostgres:
		return fmt.Errorf("the server is PostgreSQL %s, and 15 or newer is needed: upgrade it", version)
	case encoding != "UTF8":
		return fmt.Errorf("the database's encoding is %s: make it with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0", encoding)
	}
	return nil
}

// readableTables reads from each table of the schema.
func readableTables(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename`)
	if err != nil {
		return inspected(ctx, err)
	}
	tables, err := collect(rows, column[string])
	if err != nil {
		return inspected(ctx, err)
	}
	for _, table := range tables {
		if _, err := db.ExecContext(ctx, `SELECT 1 FROM `+table+` LIMIT 1`); err != nil { //nolint:gosec // G202: a quoted name of the catalogue's
			return inspected(ctx, fmt.Errorf("table %s: %w", table, err))
		}
	}
	return nil
}

// URLFile reads a connection URL from a file of its own.
func URLFile(path string) (string, error) {
	text, err := os.ReadFile(path) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return "", fmt.Errorf("read the store's connection URL: %w", err)
	}
	at := strings.TrimSpace(string(text))
	if _, err := parsePostgres(at); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return at, nil
}

// Made tells whether there is a store at o.Path or o.URL already. It makes none, and opens no SQLite file.
func Made(ctx context.Context, o Options) (made bool, err error) {
	if o.URL == "" {
		_, err := os.Stat(o.Path)
		return err == nil, nil
	}
	err = glance(ctx, o.URL, func(db *sql.DB) error {
		return db.QueryRowContext(ctx, `SELECT to_regclass('meta') IS NOT NULL`).Scan(&made)
	})
	return made, err
}

// glance opens the database for reading and closes it again.
func glance(ctx context.Context, at string, look func(*sql.DB) error) error {
	conf, err := parsePostgres(at)
	if err != nil {
		return err
	}
	db := postgresPool(conf, readSilence, map[string]string{"default_transaction_read_only": "on"})
	if err = fit(ctx, db); err == nil {
		err = look(db)
	}
	return errors.Join(err, db.Close())
}
