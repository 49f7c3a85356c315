package store_test

import (
	"database/sql"
	"testing"

	"github.com/fourways-id/fourways/internal/realtest"
	"github.com/fourways-id/fourways/internal/store"
	"github.com/fourways-id/fourways/internal/store/storetest"
)

func TestPostgres(t *testing.T) { storetest.Test(t, postgres(t)) }

func postgres(t *testing.T) storetest.Engine {
	realtest.Need(t, "postgres")
	return storetest.Engine{
		New:   func(t *testing.T) store.Options { return store.Options{URL: realtest.Postgres(t).URL} },
		Bytes: everyRow,
		Open:  store.Open,
	}
}

// everyRow is each row of each table, as text and as bytes.
func everyRow(t *testing.T, o store.Options) []byte {
	t.Helper()
	db := behind(t, o)
	var all []byte
	for _, table := range column(t, db, `SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()`) {
		for _, row := range column(t, db, `SELECT encode(convert_to(CAST(r AS TEXT), 'UTF8'), 'escape') FROM `+table+` AS r`) {
			all = append(all, row...)
		}
	}
	for _, sealed := range column(t, db, `SELECT sealed FROM credentials UNION ALL SELECT value FROM meta`) {
		all = append(all, sealed...)
	}
	return all
}

// behind opens the database behind the store's back.
func behind(t *testing.T, o store.Options) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", o.URL)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func column(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	must(t, err)
	defer func() { must(t, rows.Close()) }()
	var all []string
	for rows.Next() {
		var v string
		must(t, rows.Scan(&v))
		all = append(all, v)
	}
	must(t, rows.Err())
	return all
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
