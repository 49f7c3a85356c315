package gateway

import (
	"context"
	"fmt"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/journal"
	"github.com/fourways-id/fourways/internal/store"
)

// SignIns implements console.History.
func (g *Gateway) SignIns(ctx context.Context, last int) ([]api.SignIn, error) {
	records, err := g.core.store.SignIns(ctx, store.SignInQuery{Last: last})
	if err != nil {
		return nil, err
	}
	rows := make([]api.SignIn, len(records))
	for i, r := range records {
		rows[i] = journal.Row(r)
	}
	return rows, nil
}

// Trace implements console.History.
func (g *Gateway) Trace(ctx context.Context, id authn.AttemptID) (api.Trace, error) {
	records, err := g.core.store.Records(ctx, id)
	if err == nil && len(records) == 0 {
		err = fmt.Errorf("no sign-in has the correlation id %s: %w", id, directory.ErrNotFound)
	}
	return api.Trace{ID: id, Records: records}, err
}
