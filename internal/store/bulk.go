package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// bulkChunk is how many rows of a bulk load share a statement and a write: about as many as take two milliseconds, so that
// sign-ins go on.
const bulkChunk = 32

// LoadUsers adds or replaces many users and their credentials, a few to a transaction. It stops at the first that
// can't be stored; directory.ErrConflict when a name or an anchor is another account's. It can be repeated.
func (d *DB) LoadUsers(ctx context.Context, users []directory.User, credentials []directory.Credential) error {
	for some := range slices.Chunk(users, bulkChunk) {
		if err := d.writeBulk(ctx, func(t *tx) error { return loadUsers(t, some) }); err != nil {
			return fmt.Errorf("load users: %w", err)
		}
	}
	for some := range slices.Chunk(credentials, bulkChunk) {
		rows := make([]any, 0, len(some)*credentialColumns)
		for _, c := range some {
			rows = append(rows, string(c.Account), c.Scheme, d.sealCredential(c.Account, c.Scheme, c.Record), c.Source, stamp(c.Changed), stamp(d.clock.Now()))
		}
		if err := d.writeBulk(ctx, func(t *tx) error { return d.loadCredentials(t, some, rows) }); err != nil {
			return fmt.Errorf("load credentials: %w", err)
		}
	}
	return nil
}

// loadUsers stores a full chunk in one statement. When that is refused, or there are fewer, each user is put by itself:
// whose a name is that is taken is told only when one is.
func loadUsers(t *tx, users []directory.User) error {
	if rows := plain(users); len(users) == bulkChunk && rows != nil {
		failed, broken := t.savepoint(func(t *tx) error {
			_, err := t.exec(strings.Replace(insertUser, places(1, userColumns), places(len(users), userColumns), 1), rows...)
			return err
		})
		if failed == nil || broken != nil {
			return broken
		}
	}
	for _, u := range users {
		if err := putUser(t, u); err != nil {
			return err
		}
	}
	return nil
}

// plain is the rows of users of whom none is to be refused or signed out; nil when there is one.
func plain(users []directory.User) []any {
	rows := make([]any, 0, len(users)*userColumns)
	for _, u := range users {
		who := authn.ParseIdentifier(u.UPN)
		text, err := encode(u)
		if err != nil || u.ID == "" || u.UPN == "" || who.UPN() != u.UPN || !u.MaySignIn() {
			return nil
		}
		rows = append(rows, string(u.ID), u.UPN, who.Domain(), u.Onprem.Anchor, u.Synced, u.Admin, strings.ToLower(u.Mail), text)
	}
	return rows
}

// loadCredentials is loadUsers for credentials, each of another account; rows are theirs, sealed.
func (d *DB) loadCredentials(t *tx, all []directory.Credential, rows []any) error {
	if len(all) == bulkChunk && !slices.ContainsFunc(all, func(c directory.Credential) bool { return !knownScheme(c.Scheme) }) {
		failed, broken := t.savepoint(func(t *tx) error { return insertCredentials(t, all, rows) })
		if failed == nil || broken != nil {
			return broken
		}
	}
	for _, put := range d.putCredentials(all) {
		if err := put(t); err != nil {
			return err
		}
	}
	return nil
}

func insertCredentials(t *tx, all []directory.Credential, rows []any) error {
	ids := make([]any, len(all))
	for i, c := range all {
		ids[i] = string(c.Account)
	}
	var known int
	if err := t.row(`SELECT count(*) FROM users WHERE id IN `+places(1, len(ids)), ids...).Scan(&known); err != nil {
		return err
	}
	if known < len(ids) {
		return errors.New("not each is of an account of its own")
	}
	_, err := t.exec(strings.Replace(insertCredential, places(1, credentialColumns), places(len(all), credentialColumns), 1), rows...)
	return err
}

const (
	userColumns, credentialColumns = 8, 6

	insertCredential = `INSERT INTO credentials (account, scheme, sealed, source, changed, stored) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (account, scheme) DO UPDATE SET sealed = excluded.sealed, source = excluded.source, changed = excluded.changed, stored = excluded.stored`
)

// places are the placeholders of so many rows: ($1, $2), ($3, $4).
func places(rows, columns int) string {
	var b strings.Builder
	for n := range rows * columns {
		switch {
		case n == 0:
			b.WriteString("($")
		case n%columns == 0:
			b.WriteString("), ($")
		default:
			b.WriteString(", $")
		}
		b.WriteString(strconv.Itoa(n + 1))
	}
	return b.String() + ")"
}

// CountUsers counts all accounts.
func (d *DB) CountUsers(ctx context.Context) (int, error) {
	return one(ctx, d, "number of users", column[int], `SELECT count(*) FROM users`)
}
