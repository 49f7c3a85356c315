package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

// Invitations and tokens are a few dozen.
func TestWhatRunsBesideSignInsReadsNoTableWhole(t *testing.T) {
	db, _ := newSQLite(t)
	ids := make([]any, chunk)
	for i := range ids {
		ids[i] = ""
	}
	queries := map[string][]any{
		accountsOf: {"one.test", "", chunk}, deletedOf: {"one.test", "", chunk}, holdersOf: {directory.SchemePHS, "", chunk},
	}
	queries[`SELECT id, upn FROM users WHERE id IN `+places(1, chunk)] = ids
	queries[`SELECT attempt FROM signins ORDER BY at LIMIT $1`] = []any{chunk}
	for _, o := range db.outdated(db.clock.Now()) {
		queries[o.query] = []any{o.at, chunk}
	}
	for query, args := range queries {
		rows, err := db.reading.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+query, args...)
		must(t, err)
		plan, err := collect(rows, func(r row) (detail string, err error) {
			var skip int
			err = r.Scan(&skip, &skip, &skip, &detail)
			return detail, err
		})
		must(t, err)
		for _, step := range plan {
			small := strings.Contains(step, "invitations") || strings.Contains(step, "tokens")
			if strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "USING") && !small {
				t.Errorf("%s\n%s", query, strings.Join(plan, "\n"))
			}
		}
		if len(plan) == 0 {
			t.Errorf("%s: no plan", query)
		}
	}
}

// BenchmarkLoadUsers measures a bulk load: accounts with a hash each.
func BenchmarkLoadUsers(b *testing.B) {
	db, _ := newSQLite(b)
	for n := 0; b.Loop(); n++ {
		users := make([]directory.User, 10*bulkChunk)
		hashes := make([]directory.Credential, len(users))
		for i := range users {
			id := fmt.Sprintf("%d-%d", n, i)
			users[i] = directory.User{ID: authn.AccountID(id), UPN: id + "@phs.test", Enabled: true, Synced: true, Onprem: directory.Onprem{Anchor: id}}
			hashes[i] = directory.Credential{Account: users[i].ID, Scheme: directory.SchemePHS, Record: []byte("a record")}
		}
		must(b, db.LoadUsers(b.Context(), users, hashes))
	}
	b.ReportMetric(float64(b.N*10*bulkChunk)/b.Elapsed().Seconds(), "accounts/s")
}
