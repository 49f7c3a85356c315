package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// SessionByHash finds a session by the hash of its token; directory.ErrNotFound when there is none. Whether it is over
// is the caller's to judge.
func (d *DB) SessionByHash(ctx context.Context, hash []byte) (authn.Session, error) {
	return one(ctx, d, "session", scanSession,
		`SELECT hash, account, attempt, path, proof, began, ends, idle_for, last_seen FROM sessions WHERE hash = $1`, hash)
}

// SessionsOf lists an account's sessions, the newest first.
func (d *DB) SessionsOf(ctx context.Context, id authn.AccountID) ([]authn.Session, error) {
	return list(ctx, d, "sessions", scanSession,
		`SELECT hash, account, attempt, path, proof, began, ends, idle_for, last_seen FROM sessions WHERE account = $1 ORDER BY began DESC, hash`, string(id))
}

// TouchSession notes a session's use; one that has ended stays ended.
func (d *DB) TouchSession(ctx context.Context, hash []byte, at time.Time) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE sessions SET last_seen = $2 WHERE hash = $1 AND last_seen < $2`, hash, stamp(at))
		return err
	})
}

// EndSession ends a session; one that doesn't exist is ended already.
func (d *DB) EndSession(ctx context.Context, hash []byte) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM sessions WHERE hash = $1`, hash)
		return err
	})
}

// EndSessionsOf ends all sessions of an account.
func (d *DB) EndSessionsOf(ctx context.Context, id authn.AccountID) error {
	return d.write(ctx, func(t *tx) error { return endSessionsOf(t, string(id)) })
}

func endSessionsOf(t *tx, id string) error {
	_, err := t.exec(`DELETE FROM sessions WHERE account = $1`, id)
	return err
}

// putSession refuses a person who was deleted or disabled since the sign-in looked: such a session would outlive the order.
func putSession(t *tx, s authn.Session) error {
	u, err := userIn(t, s.Account)
	if err != nil {
		return err
	}
	if !u.MaySignIn() {
		return fmt.Errorf("account %s was disabled during the sign-in", s.Account)
	}
	proof, err := encode(s.Proof)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO sessions (hash, account, attempt, path, proof, began, ends, idle_for, last_seen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		s.Hash, string(s.Account), string(s.Attempt), string(s.Path), proof, stamp(s.Began), stamp(s.Until), int64(s.IdleFor), stamp(s.LastSeen))
	return err
}

func userIn(t *tx, id authn.AccountID) (u directory.User, err error) {
	rows, err := t.rows(`SELECT body FROM users WHERE id = $1`, string(id))
	if err != nil {
		return u, err
	}
	found, err := collect(rows, body[directory.User])
	if err != nil || len(found) == 0 {
		return u, errors.Join(err, missing(len(found) > 0, "account %s", id))
	}
	return found[0], nil
}

func scanSession(r row) (s authn.Session, err error) {
	var proof []byte
	var began, ends, idle, seen int64
	if err := r.Scan(&s.Hash, &s.Account, &s.Attempt, &s.Path, &proof, &began, &ends, &idle, &seen); err != nil {
		return s, err
	}
	s.Began, s.Until, s.IdleFor, s.LastSeen = moment(began), moment(ends), time.Duration(idle), moment(seen)
	err = json.Unmarshal(proof, &s.Proof)
	return s, err
}
