package console

import (
	"context"
	"net/http"

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
	return did[api.Imported]{Target: ask.Target(), After: done.InWords(ask), Answer: done}, err
}
