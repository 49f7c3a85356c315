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

// Apps manages applications and who may use them.
type Apps struct{ Base }

// Apps implements console.Apps.
func (a *Apps) Apps(ctx context.Context) ([]directory.App, error) { return a.Store.Apps(ctx) }

// App implements console.Apps.
func (a *Apps) App(ctx context.Context, id string) (api.AppDetail, error) {
	app, err := a.Store.App(ctx, id)
	if err != nil {
		return api.AppDetail{}, noApp(err, id)
	}
	all, err := a.Store.Assignments(ctx, id)
	return api.AppDetail{App: app, Assignments: append([]directory.AssignmentRow{}, all...)}, err
}

func noApp(err error, id string) error {
	return unknown(err, "there is no application %q: `fourways app list` shows them", id)
}

// CreateApp implements console.Apps.
func (a *Apps) CreateApp(ctx context.Context, ask api.NewApp) (directory.App, error) {
	app := directory.App{ID: ask.ID, Name: cmp.Or(ask.Name, ask.ID), Service: ask.Service, Assigned: ask.Assigned, Roles: append([]string{}, ask.Roles...)}
	if err := errors.Join(sentence(app.Check()), Text("an application's name", app.Name, 256)); err != nil {
		return app, err
	}
	return app, a.Store.CreateApp(ctx, app)
}

// ChangeApp implements console.Apps. A role that somebody has stays.
func (a *Apps) ChangeApp(ctx context.Context, id string, ask api.AppChange, version string) (before, after directory.App, err error) {
	before, after, err = a.Store.ChangeApp(ctx, id, func(app *directory.App, assigned []string) error {
		if err := free(app.File, version, app.Tag(), "the application "+id, "[[app]]"); err != nil {
			return err
		}
		set(&app.Name, ask.Name)
		set(&app.Service, ask.Service)
		set(&app.Assigned, ask.Assigned)
		set(&app.Roles, ask.Roles)
		if err := errors.Join(sentence(app.Check()), Text("an application's name", app.Name, 256)); err != nil {
			return err
		}
		return rolesStay(*app, assigned)
	})
	return before, after, noApp(err, id)
}

func rolesStay(app directory.App, assigned []string) error {
	for _, role := range assigned {
		if !slices.Contains(app.Roles, role) {
			return guarded(fmt.Sprintf("the role %s of %s is assigned: end its assignments first (`fourways app show %s`)", role, app.ID, app.ID))
		}
	}
	return nil
}

// DeleteApp implements console.Apps: its assignments go with it.
func (a *Apps) DeleteApp(ctx context.Context, id string) (gone directory.App, err error) {
	err = a.Store.DeleteApp(ctx, id, func(app directory.App) error {
		gone = app
		return free(app.File, "", "", "the application "+id, "[[app]]")
	})
	return gone, noApp(err, id)
}

// AssignApp implements console.Apps.
func (a *Apps) AssignApp(ctx context.Context, id string, ask api.NewAssignment) (directory.AssignmentRow, error) {
	if _, err := a.Store.App(ctx, id); err != nil {
		return directory.AssignmentRow{}, noApp(err, id)
	}
	row, err := a.subject(ctx, id, ask)
	if err != nil {
		return row, err
	}
	row.Assignment, err = a.Store.AssignApp(ctx, row.Assignment, func(app directory.App) (string, error) {
		role, err := app.Role(ask.Role)
		return role, sentence(err)
	})
	return row, err
}

// UnassignApp implements console.Apps; without a role, all of them are ended.
func (a *Apps) UnassignApp(ctx context.Context, id string, ask api.NewAssignment) (directory.AssignmentRow, error) {
	if _, err := a.Store.App(ctx, id); err != nil {
		return directory.AssignmentRow{}, noApp(err, id)
	}
	row, gone := a.subject(ctx, id, ask)
	if errors.Is(gone, directory.ErrNotFound) && ask.User != "" { // an account that is deleted keeps its assignments; its id names it
		row.Account, row.Name = authn.AccountID(ask.User), ask.User
	} else if gone != nil {
		return row, gone
	}
	err := a.Store.UnassignApp(ctx, row.Assignment)
	if gone != nil && err != nil {
		return row, gone
	}
	return row, unknown(err, "%s has no such assignment to %s: `fourways app show %s` lists them; who is in a group that is assigned leaves the group", row.Name, id, id)
}

// subject finds whom an assignment is of.
func (a *Apps) subject(ctx context.Context, app string, ask api.NewAssignment) (directory.AssignmentRow, error) {
	row := directory.AssignmentRow{Assignment: directory.Assignment{App: app, Role: ask.Role}}
	switch {
	case (ask.User == "") == (ask.Group == ""):
		return row, BadRequest("name a user or a group: one of the two")
	case ask.User != "":
		u, err := a.person(ctx, ask.User)
		row.Account, row.Name = u.ID, u.UPN
		return row, err
	}
	g, err := a.group(ctx, ask.Group)
	row.Group, row.Name = g.ID, g.Name
	return row, err
}
