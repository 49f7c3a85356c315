package console

import (
	"context"
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

// Doctor looks at the running gateway, and changes nothing.
type Doctor interface {
	Examine(ctx context.Context) ([]api.Finding, error)
}

func (c *console) examine(r *http.Request) (any, error) {
	findings, err := c.Settings.Examine(r.Context())
	return api.PageOf(findings), err
}
