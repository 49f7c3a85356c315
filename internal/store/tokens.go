package store

import (
	"context"
	"errors"
	"time"
)

// Token lets an operator use the console. The token itself is not in it.
type Token struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Role    string    `json:"role"` // admin, operator or reader
	Hash    []byte    `json:"-"`
	Created time.Time `json:"created"`
	Until   time.Time `json:"until"`
}

const selectTokens = `SELECT id, name, role, hash, created, ends FROM tokens`

// CreateToken keeps a token; directory.ErrConflict when its id or hash is taken. Until must be set: every token ends.
func (d *DB) CreateToken(ctx context.Context, n Token) error {
	if n.ID == "" || n.Role == "" || len(n.Hash) == 0 || n.Until.IsZero() {
		return errors.New("create a token: an id, a role, a hash and an end are needed")
	}
	return d.write(ctx, func(t *tx) error {
		done, err := t.exec(`INSERT INTO tokens (id, name, role, hash, created, ends) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			n.ID, n.Name, n.Role, n.Hash, stamp(n.Created), stamp(n.Until))
		return errors.Join(err, conflict(err == nil && done == 0, "create token %s", n.Name))
	})
}

// TokenByHash finds a token, also one that is over, which its Until says until it is purged; directory.ErrNotFound when it
// is unknown or revoked.
func (d *DB) TokenByHash(ctx context.Context, hash []byte) (Token, error) {
	return one(ctx, d, "token", scanToken, selectTokens+` WHERE hash = $1`, hash)
}

// Tokens lists all tokens by name, those past their end too until they are purged.
func (d *DB) Tokens(ctx context.Context) ([]Token, error) {
	return list(ctx, d, "tokens", scanToken, selectTokens+` ORDER BY name, id`)
}

// RevokeToken ends a token now; directory.ErrNotFound when there is none.
func (d *DB) RevokeToken(ctx context.Context, id string) error {
	return d.write(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM tokens WHERE id = $1`, id)
		return errors.Join(err, missing(n > 0 || err != nil, "revoke token %s", id))
	})
}

func scanToken(r row) (t Token, err error) {
	var created, ends int64
	err = r.Scan(&t.ID, &t.Name, &t.Role, &t.Hash, &created, &ends)
	t.Created, t.Until = moment(created), moment(ends)
	return t, err
}
