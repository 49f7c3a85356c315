package client

import (
	"context"
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

// CheckLeaked compares some pairs of a leak with the stored records; api.LeakedPairs bounds how many.
func (c *Console) CheckLeaked(ctx context.Context, ask api.LeakedCheck) (api.LeakedReport, error) {
	return call[api.LeakedReport](ctx, c, http.MethodPost, "leaked", ask)
}
