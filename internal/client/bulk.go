package client

import (
	"context"
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

// ImportUsers makes and changes many accounts; api.ImportRows bounds how many.
func (c *Console) ImportUsers(ctx context.Context, ask api.Import) (api.Imported, error) {
	return call[api.Imported](ctx, c, http.MethodPost, "users/import", ask)
}
