package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Rollouts moves groups from federation to a managed path (Microsoft: "Migrate to cloud authentication using Staged
// Rollout"), within the documented limits. A change counts at the next sign-in.
type Rollouts struct {
	Base
	Tenant *directory.Tenant
	Ensure func(ctx context.Context) error // opens the agent link where a roll-out needs it now
}

// Rollouts implements console.Rollouts: those of the file and those of run time, by path and name.
func (a *Rollouts) Rollouts(ctx context.Context) ([]directory.NamedRollout, error) {
	kept, err := a.Store.Rollouts(ctx)
	if err != nil {
		return nil, err
	}
	var all []directory.NamedRollout
	for _, r := range a.Tenant.Rollouts() {
		n, err := a.declared(ctx, r)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	for _, k := range kept {
		if !slices.ContainsFunc(all, func(n directory.NamedRollout) bool { return n.Group == k.Group }) {
			all = append(all, k)
		}
	}
	slices.SortStableFunc(all, func(x, y directory.NamedRollout) int {
		return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Group, y.Group))
	})
	return all, nil
}

// declared finds the group that the file names; a note says when there is none, or none alone.
func (a *Rollouts) declared(ctx context.Context, r directory.Rollout) (directory.NamedRollout, error) {
	n := directory.NamedRollout{Rollout: r, Name: r.Group}
	g, err := a.group(ctx, r.Group)
	var several api.Problem
	switch {
	case errors.Is(err, directory.ErrNotFound):
		n.Note = "there is no such group"
		return n, nil
	case errors.As(err, &several):
		n.Note = "several groups have this name: write the id of one"
		return n, nil
	case err != nil:
		return n, err
	}
	accounts, others, err := a.Store.RolloutSize(ctx, g.ID)
	n.Group, n.Name = g.ID, g.Name
	return n.Counted(accounts, others), err
}

// AddRollout implements console.Rollouts. A group that is in a roll-out already is moved to the other path.
func (a *Rollouts) AddRollout(ctx context.Context, named string, path authn.Path, by string) (before *directory.Rollout, after directory.NamedRollout, err error) {
	r := directory.Rollout{Path: path, By: by, At: a.Clock.Now()}
	if err := sentence(r.CheckPath()); err != nil {
		return nil, after, err
	}
	g, err := a.group(ctx, named)
	if err != nil {
		return nil, after, err
	}
	file := map[authn.Path]int{}
	for _, d := range a.Tenant.Rollouts() {
		if d.Group == g.ID || d.Group == g.Name {
			return nil, after, declaredRollout(g.Name)
		}
		file[d.Path]++
	}
	r.Group = g.ID
	var members int
	before, err = a.Store.AddRollout(ctx, r, func(f directory.RolloutFacts) error {
		f.Others[path] += file[path]
		members = f.Accounts
		if err := r.Check(f); err != nil {
			return guarded(err.Error())
		}
		return nil
	})
	if err != nil {
		return nil, after, noGroup(err, named)
	}
	return before, directory.NamedRollout{Rollout: r, Name: g.Name, Members: members}, a.Ensure(ctx)
}

func declaredRollout(group string) error {
	return fmt.Errorf("the roll-out of the group %s is declared in the configuration file: change its [[rollout]] there, then `fourways config reload`: %w", group, directory.ErrMastered)
}

// RemoveRollout implements console.Rollouts: its people sign in at their identity provider again.
func (a *Rollouts) RemoveRollout(ctx context.Context, named string) (directory.NamedRollout, error) {
	g, err := a.group(ctx, named)
	if err != nil {
		return directory.NamedRollout{}, err
	}
	before, err := a.Store.RemoveRollout(ctx, g.ID)
	if errors.Is(err, directory.ErrNotFound) && slices.ContainsFunc(a.Tenant.Rollouts(), func(r directory.Rollout) bool { return r.Group == g.ID || r.Group == g.Name }) {
		err = declaredRollout(g.Name)
	}
	return directory.NamedRollout{Rollout: before, Name: g.Name}, unknown(err, "the group %s is in no roll-out: `fourways rollout list` shows those that are", g.Name)
}
