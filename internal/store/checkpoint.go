package store

import (
	"context"
	"database/sql"
	"sync"
)

// checkpointEvery is after how many transactions of the writer what stands in the log is copied into the file. Left to
// SQLite, a commit does it while whoever signs in waits (sqlite.org/wal.html#avoiding_excessively_large_wal_files).
const checkpointEvery = 16

// checkpointer copies SQLite's log into the file beside the writer, whom it never holds up.
type checkpointer struct {
	db     *sql.DB
	nudges chan struct{}
	over   sync.WaitGroup
	stop   context.CancelFunc
	groups int // the writer's
}

func startCheckpointer(db *sql.DB) *checkpointer {
	ctx, cancel := context.WithCancel(context.Background())
	c := &checkpointer{db: db, nudges: make(chan struct{}, 1), stop: cancel}
	c.over.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-c.nudges:
				// What fails here is done by a later one, or by SQLite itself when the log is long.
				_, _ = db.ExecContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`)
			}
		}
	})
	return c
}

// committed counts a transaction.
func (c *checkpointer) committed() {
	if c.groups++; c.groups%checkpointEvery != 0 {
		return
	}
	select {
	case c.nudges <- struct{}{}:
	default: // one is under way
	}
}

func (c *checkpointer) close() error {
	c.stop()
	c.over.Wait()
	return c.db.Close()
}
