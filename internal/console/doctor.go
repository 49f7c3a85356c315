package console

import (
	"context"

	"github.com/fourways-id/fourways/internal/console/api"
)

// Doctor looks at the running gateway, and changes nothing.
type Doctor interface {
	Examine(ctx context.Context) ([]api.Finding, error)
}
