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
	once   sync.Once
	groups int // the writer's
}

func startCheckpointer(db *sql.DB) *checkpointer {
	c := &checkpointer{db: db, nudges: make(chan struct{}, 1)}
	c.over.Go(func() {
		for range c.nudges {
			// What fails here is done by a later one, or by SQLite itself when the log is long.
			_, _ = db.ExecContext(context.Background(), `PRAGMA wal_checkpoint(PASSIVE)`)
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

// close comes after the writer's end. One that is under way is finished: a connection that was interrupted in it would keep
// the last one from copying the rest.
func (c *checkpointer) close() error {
	c.once.Do(func() { close(c.nudges) })
	c.over.Wait()
	return c.db.Close()
}
