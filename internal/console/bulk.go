package console

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/fourways-id/fourways/internal/console/api"
)

// Bulk makes and changes many accounts at once. Beside an error, what it gives was done.
type Bulk interface {
	ImportUsers(ctx context.Context, ask api.Import) (api.Imported, error)
}

func (c *console) bulkOperations() []operation {
	return []operation{
		act(c, "POST /users/import", Admin, "Import users", "Make many accounts, or change them; rows that can't be taken are told by their lines", c.importUsers).
			large(api.ImportLongestBytes).long(),
	}
}

func (c *console) importUsers(r *http.Request, ask api.Import, _ api.Token) (did[api.Imported], error) {
	done, err := c.Tenant.Bulk.ImportUsers(r.Context(), ask)
	return did[api.Imported]{Target: rowsOf(ask), After: importedInWords(ask, done), Answer: done}, err
}

// rowsOf names the rows for the audit log.
func rowsOf(ask api.Import) string {
	if len(ask.Rows) == 0 {
		return "no rows"
	}
	return fmt.Sprintf("%d rows, lines %d to %d", len(ask.Rows), ask.Rows[0].Line, ask.Rows[len(ask.Rows)-1].Line)
}

// importedInWords names each account that was made or changed.
func importedInWords(ask api.Import, done api.Imported) string {
	var parts []string
	if ask.DryRun {
		parts = append(parts, "dry run")
	}
	for _, some := range []struct {
		what string
		who  []string
	}{{"made", done.Made}, {"changed", done.Changed}} {
		if len(some.who) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s: %s", len(some.who), some.what, strings.Join(some.who, " ")))
		}
	}
	parts = append(parts, fmt.Sprintf("%d unchanged", done.Unchanged), fmt.Sprintf("%d refused", len(done.Refused)))
	return strings.Join(parts, "; ")
}
