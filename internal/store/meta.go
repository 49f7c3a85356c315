package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/keyring"
)

// The store's own marks, among the values of meta; others can't set these names.
const (
	markPrefix = "store."
	markProbe  = markPrefix + "probe" // sealed: opens with the right root key only
	markLab    = markPrefix + "lab"   // "lab" or "production"
)

const (
	probeLabel = "store probe"
	probeText  = "this root key opens this store"
)

// ErrOtherKey says that the store belongs to another root key. ErrOtherMark says that a lab's store was opened for
// production, or the reverse.
var (
	ErrOtherKey  = errors.New("the store was made with another root key")
	ErrOtherMark = errors.New("the store has the other mark of lab and production")
)

// checkMarks refuses a store that isn't ours. A new one gets its marks; of two that open it at once, both check the same.
func (d *DB) checkMarks(ctx context.Context, lab bool) error {
	mark := "production"
	if lab {
		mark = "lab"
	}
	probe := d.ring.Seal(probeLabel, nil, []byte(probeText))
	var gotProbe, gotMark []byte
	err := d.write(ctx, func(t *tx) error {
		const add, get = `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`, `SELECT value FROM meta WHERE name = $1`
		_, err1 := t.exec(add, markProbe, probe)
		_, err2 := t.exec(add, markLab, []byte(mark))
		err3 := t.row(get, markProbe).Scan(&gotProbe)
		err4 := t.row(get, markLab).Scan(&gotMark)
		return errors.Join(err1, err2, err3, err4)
	})
	if err != nil {
		return err
	}
	if _, err := d.ring.Unseal(probeLabel, nil, gotProbe); errors.Is(err, keyring.ErrOtherKey) {
		return fmt.Errorf("%w (%w): point to the key file that belongs to it, or restore store and key from the same backup", ErrOtherKey, err)
	} else if err != nil {
		return fmt.Errorf("check the root key: %w", err)
	}
	if string(gotMark) != mark {
		return fmt.Errorf("%w: it is marked %s and was opened for %s; a lab's accounts and passwords are known to all, so give each a data directory of its own", ErrOtherMark, gotMark, mark)
	}
	return nil
}

// Meta returns a small value that was kept by name; directory.ErrNotFound when there is none.
func (d *DB) Meta(ctx context.Context, name string) (string, error) {
	return one(ctx, d, "value "+name, column[string], `SELECT value FROM meta WHERE name = $1`, name)
}

// SetMeta keeps a small value by name. Names that begin with "store." are the store's own.
func (d *DB) SetMeta(ctx context.Context, name, value string) error {
	if strings.HasPrefix(name, markPrefix) {
		return fmt.Errorf("keep value %s: the name is the store's own: %w", name, directory.ErrConflict)
	}
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, []byte(value))
		return err
	})
}
