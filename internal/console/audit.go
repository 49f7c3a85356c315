package console

import (
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) auditOperations() []operation {
	return []operation{
		look(c, "GET /audit", Operator, "List what was changed or tried, the newest first", c.auditLog, paged()...),
	}
}

func (c *console) auditLog(r *http.Request) (api.Page[api.AuditEntry], error) {
	before, most, err := pageAsked(r)
	if err != nil {
		return api.Page[api.AuditEntry]{}, err
	}
	entries, err := c.Books.Log.AuditEntries(r.Context(), before, most)
	return pageOf(entries, most, func(e api.AuditEntry) string { return e.ID }), err
}
