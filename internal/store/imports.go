package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// Import is one account that is made or changed among many.
type Import struct {
	UPN string // normalised
	// Judge makes the account from the one of that name, nil when there is none. Its error refuses the row. It may be called
	// several times, or never.
	Judge  func(now *directory.User) (directory.User, error)
	Record []byte // of the cloud password; nil leaves what there is
}

// ImportMode says what is kept of an import.
type ImportMode uint8

// The modes: each row for itself, all rows or none, none.
const (
	ImportEach ImportMode = iota
	ImportAll
	ImportNone
)

// ImportResult is what became of a row. Err is why it was refused; Made and Changed are both false when it was equal.
type ImportResult struct {
	Made, Changed bool
	Before, After directory.User
	Err           error
}

// importChunk is how many rows share a write, so that sign-ins go on beside a large import.
const importChunk = 50

// errNotKept ends a write of which nothing is to be kept.
var errNotKept = errors.New("not kept")

// ImportUsers makes and changes accounts. A row that is refused keeps no other from being stored, save in ImportAll, whose
// rows are one write. The error is of the store itself; with ImportEach rows may have been stored beside it.
func (d *DB) ImportUsers(ctx context.Context, rows []Import, mode ImportMode) ([]ImportResult, error) {
	results := make([]ImportResult, 0, len(rows))
	size := importChunk
	if mode == ImportAll {
		size = max(1, len(rows))
	}
	for some := range slices.Chunk(rows, size) {
		var part []ImportResult
		err := d.writeBulk(ctx, func(t *tx) error {
			var err error
			if part, err = d.importRows(t, some); err != nil {
				return err
			}
			if mode == ImportNone || mode == ImportAll && slices.ContainsFunc(part, func(r ImportResult) bool { return r.Err != nil }) {
				return errNotKept
			}
			return nil
		})
		if err != nil && !errors.Is(err, errNotKept) {
			return results, fmt.Errorf("import users: %w", err)
		}
		results = append(results, part...)
	}
	return results, nil
}

func (d *DB) importRows(t *tx, rows []Import) ([]ImportResult, error) {
	results := make([]ImportResult, len(rows))
	for i, r := range rows {
		failed, broken := t.savepoint(func(t *tx) (err error) {
			results[i], err = d.importRow(t, r)
			return err
		})
		if broken != nil {
			return nil, broken
		}
		if failed != nil {
			results[i] = ImportResult{Err: failed}
		}
	}
	return results, nil
}

func (d *DB) importRow(t *tx, r Import) (ImportResult, error) {
	now, err := userNamed(t, r.UPN)
	if err != nil {
		return ImportResult{}, err
	}
	var before directory.User
	if now != nil {
		before = *now
	}
	after, err := r.Judge(now)
	if err != nil {
		return ImportResult{}, err
	}
	done := ImportResult{Made: now == nil, Changed: now != nil && (r.Record != nil || after.Tag() != before.Tag()), Before: before, After: after}
	if !done.Made && !done.Changed {
		return done, nil
	}
	if done.Made {
		if err := unusedID(t, after); err != nil {
			return done, err
		}
	}
	if err := freeAnchor(t, before, after); err != nil {
		return done, err
	}
	if err := putUser(t, after); err != nil {
		return done, err
	}
	if r.Record != nil {
		if err := d.putPassword(t, after.ID, r.Record, after.Changed); err != nil {
			return done, err
		}
	}
	if done.Made {
		return done, nil
	}
	return done, errors.Join(keepAdmin(t, before, after), keepLocation(t, before, after), relicense(t, []authn.AccountID{after.ID}))
}

// userNamed is nil when nobody has that name.
func userNamed(t *tx, upn string) (*directory.User, error) {
	rows, err := t.rows(`SELECT body FROM users WHERE upn = $1`, upn)
	if err != nil {
		return nil, err
	}
	found, err := collect(rows, body[directory.User])
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}
