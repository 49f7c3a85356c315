package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/store"
)

// registry is the store as the link sees it.
type registry struct{ store *store.DB }

// Agents implements agentlink.Registry.
func (r registry) Agents(ctx context.Context) ([]agentlink.Member, error) {
	rows, err := r.store.Agents(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]agentlink.Member, len(rows))
	for i, a := range rows {
		all[i] = agentlink.Member{
			ID: a.ID, Name: a.Name, Roles: a.Roles, Version: a.Version, Revoked: a.Revoked,
			Keys: agentlink.PublicKeys{NKey: a.NKey, Sign: a.SignKey, Box: a.BoxKey},
		}
	}
	return all, nil
}

// Enrol implements agentlink.Registry.
func (r registry) Enrol(ctx context.Context, tokenHash []byte, m agentlink.Member) error {
	err := r.store.UseInvitation(ctx, tokenHash, store.Agent{
		ID: m.ID, Name: m.Name, Roles: m.Roles, NKey: m.Keys.NKey, SignKey: m.Keys.Sign, BoxKey: m.Keys.Box, Version: m.Version,
		Created: realClock{}.Now(), // an enrolment is protocol, not policy
	})
	if errors.Is(err, directory.ErrNotFound) {
		return agentlink.ErrToken
	}
	return err
}

// Seen implements agentlink.Registry.
func (r registry) Seen(ctx context.Context, id string, at time.Time) error {
	return r.store.SeenAgent(ctx, id, at)
}
