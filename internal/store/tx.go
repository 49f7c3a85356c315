package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// tx is the writer's transaction. Its connection is held for as long as it is good, so its statements are compiled once.
// No context reaches a statement: a write that was begun is finished, so one waiter's deadline can't spoil the others'
// transaction.
type tx struct {
	engine *engine
	db     *sql.DB
	conn   *sql.Conn // nil: another is to be had from db
	stmts  map[string]*sql.Stmt
	name   string // of what is under way, for the engine that can tell its outcome later
	clock  authn.Clock
}

// begin opens the transaction. A connection that was lost since the last one is replaced.
func (t *tx) begin() error {
	held := t.conn != nil
	err := t.start()
	if err != nil && held && t.engine.lost(t.conn) {
		_ = t.drop()
		err = t.start()
	}
	return err
}

func (t *tx) start() error {
	if _, err := t.exec(t.engine.begin); err != nil || t.engine.claim == "" {
		return err
	}
	var none string
	return t.row(t.engine.claim).Scan(&t.name, &none)
}

// commit makes all of it durable. When the connection is lost on the way, the engine is asked what became of it.
func (t *tx) commit() error {
	_, err := t.exec(`COMMIT`)
	if err == nil || t.engine.outcome == "" || !t.engine.lost(t.conn) {
		return err
	}
	name := t.name
	for began := time.Now(); time.Since(began) < inquireFor; time.Sleep(inquireEvery) { //nolint:forbidigo // waits for a server, decides nothing
		_ = t.drop()
		status, asked := t.inquire(name)
		switch {
		case asked == nil && status == "committed":
			return nil
		case asked == nil:
			return err
		}
	}
	return fmt.Errorf("%w (the connection was lost while it was stored, and the server could not be asked since: it may be there after all)", err)
}

// How long, and how often, a server is asked what became of a transaction.
const (
	inquireFor   = 5 * time.Second
	inquireEvery = 100 * time.Millisecond
)

// inquire asks what became of a transaction. It claims the store first, which waits until that transaction is over.
func (t *tx) inquire(name string) (status string, err error) {
	defer t.rollback()
	if err := t.start(); err != nil {
		return "", err
	}
	err = t.row(t.engine.outcome, name).Scan(&status)
	return status, err
}

// rollback may find nothing to do: some failures (disk full, I/O) end the transaction themselves.
func (t *tx) rollback() { _, _ = t.exec(`ROLLBACK`) }

// savepoint runs do; when do fails, nothing of it remains and the transaction goes on. The second error is of the
// transaction itself, which then can't be committed.
func (t *tx) savepoint(do func(*tx) error) (failed, broken error) {
	if _, err := t.exec(`SAVEPOINT one`); err != nil {
		return err, err
	}
	if failed = guarded(do, t); failed != nil {
		if _, err := t.exec(`ROLLBACK TO one`); err != nil {
			return failed, errors.Join(failed, err)
		}
	}
	if _, err := t.exec(`RELEASE one`); err != nil {
		return errors.Join(failed, err), err
	}
	return failed, nil
}

// guarded turns a panic into an error: one write must not end the writer that all wait for.
func guarded(do func(*tx) error, t *tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic while storing: %v", p)
		}
	}()
	return do(t)
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	s, err := t.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(context.Background(), portable(args)...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// row reads one row; its Scan gives sql.ErrNoRows when there is none.
func (t *tx) row(query string, args ...any) row {
	s, err := t.stmt(query)
	if err != nil {
		return noRow{err}
	}
	return s.QueryRowContext(context.Background(), portable(args)...)
}

// noRow is the row of a statement that could not be made.
type noRow struct{ err error }

func (r noRow) Scan(...any) error { return r.err }

func (t *tx) rows(query string, args ...any) (*sql.Rows, error) {
	s, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(context.Background(), portable(args)...)
}

func (t *tx) exists(query string, args ...any) (bool, error) {
	var one int
	err := t.row(query, args...).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func (t *tx) stmt(query string) (*sql.Stmt, error) {
	if s := t.stmts[query]; s != nil {
		return s, nil
	}
	if t.conn == nil {
		conn, err := t.db.Conn(context.Background())
		if err != nil {
			return nil, err
		}
		t.conn, t.stmts = conn, map[string]*sql.Stmt{}
	}
	s, err := t.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	t.stmts[query] = s
	return s, nil
}

// drop gives the connection up.
func (t *tx) drop() error {
	if t.conn == nil {
		return nil
	}
	var err error
	for _, s := range t.stmts {
		err = errors.Join(err, s.Close())
	}
	err = errors.Join(err, t.conn.Close())
	t.conn, t.stmts = nil, nil
	return err
}
