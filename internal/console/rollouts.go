package console

import (
	"context"
	"net/http"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Rollouts moves groups from federation to a managed path.
type Rollouts interface {
	Rollouts(ctx context.Context) ([]directory.NamedRollout, error)
	AddRollout(ctx context.Context, group string, path authn.Path, by string) (before *directory.Rollout, after directory.NamedRollout, err error)
	RemoveRollout(ctx context.Context, group string) (directory.NamedRollout, error)
}

func (c *console) rolloutOperations() []operation {
	return []operation{
		look(c, "GET /rollouts", Reader, "List the groups in a staged roll-out", c.rollouts),
		act(c, "PUT /rollouts/{group}", Operator, "Add group to feature rollout", "Move a group's direct members to phs or pta where their domain is federated", c.addRollout),
		act(c, "DELETE /rollouts/{group}", Operator, "Remove group from feature rollout", "Give a group's members back to their identity provider", c.removeRollout),
	}
}

func (c *console) rollouts(r *http.Request) (api.Page[directory.NamedRollout], error) {
	all, err := c.Tenant.Rollouts.Rollouts(r.Context())
	return api.PageOf(all), err
}

func (c *console) addRollout(r *http.Request, ask api.NewRollout, by api.Token) (did[directory.NamedRollout], error) {
	before, after, err := c.Tenant.Rollouts.AddRollout(r.Context(), r.PathValue("group"), ask.Path, by.Name)
	d := did[directory.NamedRollout]{Target: after.Name, After: string(ask.Path), Answer: after}
	if before != nil {
		d.Before = string(before.Path)
	}
	return d, err
}

func (c *console) removeRollout(r *http.Request, _ none, _ api.Token) (did[directory.NamedRollout], error) {
	gone, err := c.Tenant.Rollouts.RemoveRollout(r.Context(), r.PathValue("group"))
	return did[directory.NamedRollout]{Target: gone.Name, Before: string(gone.Path), Answer: gone}, err
}
