package admin

import (
	"context"
	"errors"
	"slices"

	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/directory"
)

// Declare brings the store's plans and applications in line with a configuration: those of the file are as the file says, and
// one that was taken out of it stays, to be changed and removed at run time. A plan whose seats would not do for those who
// have it keeps its own; the error says so, and the rest is done.
func (b Base) Declare(ctx context.Context, c *config.Config) error {
	return errors.Join(b.Store.SetUsageLocation(ctx, c.Tenant.UsageLocation), b.declarePlans(ctx, c.Plans()), b.declareApps(ctx, c.Apps()))
}

// Declarable complains of a configuration that Declare could not put in force whole, and changes nothing.
func (b Base) Declarable(ctx context.Context, c *config.Config) error {
	var wrong []error
	for _, p := range c.Plans() {
		now, err := b.Store.Plan(ctx, p.ID)
		if err == nil {
			err = enough(p, now.Used)
		}
		wrong = append(wrong, none(err))
	}
	for _, app := range c.Apps() {
		rows, err := b.Store.Assignments(ctx, app.ID)
		var roles []string
		for _, r := range rows {
			if r.Role != "" {
				roles = append(roles, r.Role)
			}
		}
		wrong = append(wrong, err, rolesStay(app, roles))
	}
	return errors.Join(wrong...)
}

// none takes what is not there for no mistake.
func none(err error) error {
	if errors.Is(err, directory.ErrNotFound) {
		return nil
	}
	return err
}

func (b Base) declarePlans(ctx context.Context, declared []directory.Plan) error {
	have, err := b.Store.Plans(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, p := range declared {
		err := b.Store.CreatePlan(ctx, p)
		if errors.Is(err, directory.ErrConflict) { // it is there, or another gateway was first
			_, _, err = b.Store.ChangePlan(ctx, p.ID, func(now *directory.Plan, used int) error {
				*now = p
				return enough(p, used)
			})
		}
		failed = append(failed, err)
	}
	for _, h := range have {
		if h.File && !slices.ContainsFunc(declared, func(p directory.Plan) bool { return p.ID == h.ID }) {
			_, _, err := b.Store.ChangePlan(ctx, h.ID, func(now *directory.Plan, _ int) error {
				now.File = false
				return nil
			})
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func (b Base) declareApps(ctx context.Context, declared []directory.App) error {
	have, err := b.Store.Apps(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, app := range declared {
		err := b.Store.CreateApp(ctx, app)
		if errors.Is(err, directory.ErrConflict) {
			_, _, err = b.Store.ChangeApp(ctx, app.ID, func(now *directory.App, assigned []string) error {
				*now = app
				return rolesStay(app, assigned)
			})
		}
		failed = append(failed, err)
	}
	for _, h := range have {
		if h.File && !slices.ContainsFunc(declared, func(app directory.App) bool { return app.ID == h.ID }) {
			_, _, err := b.Store.ChangeApp(ctx, h.ID, func(now *directory.App, _ []string) error {
				now.File = false
				return nil
			})
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}
