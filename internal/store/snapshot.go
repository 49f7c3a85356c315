package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
)

// ErrOtherVersion says that a kept world has another schema than this program.
var ErrOtherVersion = errors.New("it was kept by another version of this program")

// errNoWorlds is what a store in PostgreSQL says to whoever wants its world kept.
var errNoWorlds = fmt.Errorf("worlds are a lab's, and a lab's store is SQLite; keep a PostgreSQL store with pg_dump and its root key file: %w", errors.ErrUnsupported)

// worldTables are what a kept world brings back: the tenant, and what people did in it. Not in it are the operators'
// things (agents, invitations, tokens, the audit log), the store's own marks, ids that were used once, since a stolen
// assertion must not become good again, and sessions: whoever was signed in to another world signs in anew.
func worldTables() []string {
	return []string{
		"users", "credentials", "user_groups", "memberships", "contacts", "overrides", "runs",
		"tallies", "records", "signins", "open_attempts",
		"deleted_users", "nestings", "plans", "group_plans", "licence_work", "licences", "apps", "assignments", "domains", "mode_changes", "rollouts",
		"connector_space", "connector_members", "sync_cursors",
	}
}

// KeepWorld copies the store, as it is at one moment, into a new file at path with mode 0600; fs.ErrExist when there is one. Sign-ins go on meanwhile.
func (d *DB) KeepWorld(ctx context.Context, path string) error {
	if d.keeper == nil {
		return fmt.Errorf("keep the store's world: %w", errNoWorlds)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // G304: a file of the lab's own
	if err != nil {
		return fmt.Errorf("keep the store's world: %w", err)
	}
	if err = f.Close(); err == nil {
		_, err = d.keeper.ExecContext(ctx, `VACUUM INTO $1`, path) // SQLite takes an empty file, and with it the mode
	}
	if err != nil {
		return fmt.Errorf("keep the store's world: %w", errors.Join(err, os.Remove(path)))
	}
	return nil
}

// RestoreWorld brings back what KeepWorld wrote, in one transaction: sign-ins wait for it, and a crash leaves the one world
// or the other. All sessions end. It refuses a file of another root key (ErrOtherKey), of another mark of lab and
// production (ErrOtherMark), or of another version (ErrOtherVersion).
func (d *DB) RestoreWorld(ctx context.Context, path string) error {
	if d.keeper == nil {
		return fmt.Errorf("bring a world back: %w", errNoWorlds)
	}
	if err := d.checkKept(ctx, path); err != nil {
		return fmt.Errorf("bring the store's world of %s back: %w", path, err)
	}
	err := d.submit(ctx, &write{beside: path, done: make(chan struct{}), do: func(t *tx) error {
		if _, err := t.exec(`DELETE FROM sessions`); err != nil {
			return err
		}
		for _, table := range worldTables() {
			if _, err := t.exec(`DELETE FROM main.` + table); err != nil {
				return err
			}
			if _, err := t.exec(`INSERT INTO main.` + table + ` SELECT * FROM kept.` + table); err != nil {
				return err
			}
		}
		return nil
	}})
	if err != nil {
		return fmt.Errorf("bring the store's world of %s back: %w", path, err)
	}
	return nil
}

// checkKept reads the marks of a kept world, which are those of the store that it was taken from.
func (d *DB) checkKept(ctx context.Context, path string) (err error) {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	kept, err := sql.Open("sqlite", readerDSN(path))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	const version, get = `SELECT max(version_id) FROM goose_db_version WHERE is_applied`, `SELECT value FROM meta WHERE name = $1`
	var ours, theirs int64
	if err := d.reading.QueryRowContext(ctx, version).Scan(&ours); err != nil {
		return err
	}
	if err := kept.QueryRowContext(ctx, version).Scan(&theirs); err != nil {
		return fmt.Errorf("it is no kept world: %w", err)
	}
	if ours != theirs {
		return fmt.Errorf("%w: its schema has version %d and the store's has %d", ErrOtherVersion, theirs, ours)
	}
	var probe, mark, ourMark []byte
	if err := errors.Join(
		kept.QueryRowContext(ctx, get, markProbe).Scan(&probe), kept.QueryRowContext(ctx, get, markLab).Scan(&mark),
		d.reading.QueryRowContext(ctx, get, markLab).Scan(&ourMark),
	); err != nil {
		return fmt.Errorf("it is no kept world: %w", err)
	}
	if string(mark) != string(ourMark) {
		return ErrOtherMark
	}
	if _, err := d.ring.Unseal(probeLabel, nil, probe); err != nil {
		return fmt.Errorf("%w: %w", ErrOtherKey, err)
	}
	return nil
}
