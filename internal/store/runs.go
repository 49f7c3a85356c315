package store

import (
	"context"
	"errors"

	"github.com/fourways-id/fourways/internal/directory"
)

// SaveRun adds or replaces a synchronisation run by its id.
func (d *DB) SaveRun(ctx context.Context, r directory.Run) error {
	if r.ID == "" {
		return errors.New("save a synchronisation run: it has no id")
	}
	text, err := encode(r)
	if err != nil {
		return err
	}
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO runs (id, began, body) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET began = excluded.began, body = excluded.body`, r.ID, stamp(r.Began), text)
		return err
	})
}

// Runs lists the last synchronisation runs, the newest first. 0, or above 1000, means 1000.
func (d *DB) Runs(ctx context.Context, last int) ([]directory.Run, error) {
	return list(ctx, d, "synchronisation runs", body[directory.Run], `SELECT body FROM runs ORDER BY began DESC, id LIMIT $1`, page(last))
}
