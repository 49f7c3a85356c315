package store

import (
	"context"

	"github.com/fourways-id/fourways/internal/directory"
)

// SyncCursor is where the last read of a kind ended; its Place is nil when the next one reads all.
func (d *DB) SyncCursor(ctx context.Context, kind string) (directory.Cursor, error) {
	return one(ctx, d, "the cursor of the "+kind+" synchronisation", func(r row) (directory.Cursor, error) {
		c := directory.Cursor{Kind: kind}
		var at, fullAt int64
		err := r.Scan(&c.Place, &c.About, &at, &fullAt)
		c.At, c.FullAt = moment(at), moment(fullAt)
		return c, err
	}, `SELECT place, about, at, full_at FROM sync_cursors WHERE kind = $1`, kind)
}

// putCursor moves a cursor. One that is told when all was read last keeps it with it.
func putCursor(t *tx, c directory.Cursor) error {
	_, err := t.exec(`UPDATE sync_cursors SET place = $2, about = $3, at = $4, full_at = CASE WHEN CAST($5 AS BIGINT) > 0 THEN $5 ELSE full_at END WHERE kind = $1`,
		c.Kind, c.Place, c.About, stamp(t.clock.Now()), stamp(c.FullAt))
	return err
}
