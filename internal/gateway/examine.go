package gateway

import (
	"context"

	"github.com/fourways-id/fourways/internal/console/api"
)

// Examine implements console.Doctor.
func (g *Gateway) Examine(context.Context) ([]api.Finding, error) { return nil, nil }
