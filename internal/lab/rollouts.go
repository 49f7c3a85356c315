package lab

import (
	"context"
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// Rollouts is the tenant's staged roll-outs as the demo world fills them.
type Rollouts interface {
	RollOut(ctx context.Context, group string, path authn.Path, since time.Time) error
}

// RollOut moves the group Pilot, and with it rita, to password hash synchronisation; the group must be there. It counts where
// the domain is federated and its hashes are synchronised: in the domain to switch. It can be repeated.
func (l *Lab) RollOut(ctx context.Context, t Rollouts) error {
	if err := t.RollOut(ctx, world.GroupPilot, authn.PathPHS, world.Licensed()); err != nil {
		return fmt.Errorf("begin the lab's staged roll-out: %w", err)
	}
	return nil
}
