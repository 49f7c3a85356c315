package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// tx is the writer's transaction. Its connection is held for good, so its statements are compiled once. No context
// reaches a statement: a write that was begun is finished, so one waiter's deadline can't spoil the others' transaction.
type tx struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func (t *tx) begin() error {
	_, err := t.exec(`BEGIN IMMEDIATE`)
	return err
}

func (t *tx) commit() error {
	_, err := t.exec(`COMMIT`)
	return err
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
	res, err := s.ExecContext(context.Background(), args...)
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
	return s.QueryRowContext(context.Background(), args...)
}

// noRow is the row of a statement that could not be made.
type noRow struct{ err error }

func (r noRow) Scan(...any) error { return r.err }

func (t *tx) rows(query string, args ...any) (*sql.Rows, error) {
	s, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(context.Background(), args...)
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
	s, err := t.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	t.stmts[query] = s
	return s, nil
}

func (t *tx) close() error {
	var err error
	for _, s := range t.stmts {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, t.conn.Close())
}
