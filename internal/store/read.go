package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fourways-id/fourways/internal/directory"
)

// longestPage bounds a list whose caller names no bound, and one whose caller names a greater.
const longestPage = 1000

// row is what one result row can be scanned from.
type row interface{ Scan(into ...any) error }

// one reads a single row; directory.ErrNotFound, with what was looked for, when there is none.
func one[T any](ctx context.Context, d *DB, what string, scan func(row) (T, error), query string, args ...any) (T, error) {
	v, err := scan(d.reading.QueryRowContext(ctx, query, portable(args)...))
	if errors.Is(err, sql.ErrNoRows) {
		return v, fmt.Errorf("%s: %w", what, directory.ErrNotFound)
	}
	if err != nil {
		return v, fmt.Errorf("read %s: %w", what, err)
	}
	return v, nil
}

// list reads all rows.
func list[T any](ctx context.Context, d *DB, what string, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := d.reading.QueryContext(ctx, query, portable(args)...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	all, err := collect(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return all, nil
}

// collect scans what remains of rows and closes it.
func collect[T any](rows *sql.Rows, scan func(row) (T, error)) (_ []T, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// portable puts U+FFFD for what is no text to every engine: bytes that are no UTF-8, and NUL, which PostgreSQL can't hold.
// So it is for a name that a stranger types, and so encoding/json has it for the bodies.
func portable(args []any) []any {
	for i, a := range args {
		if s, is := a.(string); is && (!utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0) {
			args[i] = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
		}
	}
	return args
}

// body scans a JSON column.
func body[T any](r row) (v T, err error) {
	var text []byte
	if err := r.Scan(&text); err != nil {
		return v, err
	}
	err = json.Unmarshal(text, &v)
	return v, err
}

// column scans a row of one column.
func column[T any](r row) (v T, err error) {
	err = r.Scan(&v)
	return v, err
}

// encode writes v as a JSON column holds it.
func encode(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func page(limit int) int {
	if limit <= 0 || limit > longestPage {
		return longestPage
	}
	return limit
}

// stamp is a time as a column holds it: nanoseconds since 1970, 0 for none. What lies outside 1678 to 2262 becomes the
// nearest that can be held: an identity provider may name any year.
func stamp(t time.Time) int64 {
	switch {
	case t.IsZero():
		return 0
	case t.Unix() > math.MaxInt64/int64(time.Second)-1:
		return math.MaxInt64
	case t.Unix() < math.MinInt64/int64(time.Second)+1:
		return math.MinInt64
	}
	return t.UnixNano()
}

func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
