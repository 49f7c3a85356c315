package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Plans lists the plans and how they are used.
func (c *Console) Plans(ctx context.Context) ([]directory.Usage, error) {
	page, err := call[api.Page[directory.Usage]](ctx, c, http.MethodGet, "plans", nil)
	return page.Items, err
}

// Plan shows a plan.
func (c *Console) Plan(ctx context.Context, id string) (directory.Usage, error) {
	return call[directory.Usage](ctx, c, http.MethodGet, "plans/"+url.PathEscape(id), nil)
}

// CreatePlan makes a plan.
func (c *Console) CreatePlan(ctx context.Context, ask api.NewPlan) (directory.Usage, error) {
	return call[directory.Usage](ctx, c, http.MethodPost, "plans", ask)
}

// ChangePlan changes a plan.
func (c *Console) ChangePlan(ctx context.Context, id string, ask api.PlanChange) (directory.Plan, error) {
	return call[directory.Plan](ctx, c, http.MethodPatch, "plans/"+url.PathEscape(id), ask)
}

// DeletePlan removes a plan that nobody has.
func (c *Console) DeletePlan(ctx context.Context, id string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, "plans/"+url.PathEscape(id), nil)
	return err
}

// Licences gives one page of licences.
func (c *Console) Licences(ctx context.Context, q api.LicenceQuery) (api.Page[directory.LicenceRow], error) {
	v := url.Values{}
	setIf(v, "plan", q.Plan)
	setIf(v, "user", q.User)
	setIf(v, "state", string(q.State))
	setIf(v, "after", q.After)
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return call[api.Page[directory.LicenceRow]](ctx, c, http.MethodGet, "licenses?"+v.Encode(), nil)
}

// Assign gives a person a licence of their own.
func (c *Console) Assign(ctx context.Context, plan, user string) (directory.User, error) {
	return call[directory.User](ctx, c, http.MethodPut, planOf(plan, "users", user), nil)
}

// Revoke takes it away.
func (c *Console) Revoke(ctx context.Context, plan, user string) (directory.User, error) {
	return call[directory.User](ctx, c, http.MethodDelete, planOf(plan, "users", user), nil)
}

// AssignGroup lets a group give a plan.
func (c *Console) AssignGroup(ctx context.Context, plan, group string) (directory.Usage, error) {
	return call[directory.Usage](ctx, c, http.MethodPut, planOf(plan, "groups", group), nil)
}

// RevokeGroup ends that it does.
func (c *Console) RevokeGroup(ctx context.Context, plan, group string) (directory.Usage, error) {
	return call[directory.Usage](ctx, c, http.MethodDelete, planOf(plan, "groups", group), nil)
}

func planOf(plan, kind, who string) string {
	return "plans/" + url.PathEscape(plan) + "/" + kind + "/" + url.PathEscape(who)
}

// Apps lists the applications.
func (c *Console) Apps(ctx context.Context) ([]directory.App, error) {
	page, err := call[api.Page[directory.App]](ctx, c, http.MethodGet, "apps", nil)
	return page.Items, err
}

// App shows an application and who is assigned to it.
func (c *Console) App(ctx context.Context, id string) (api.AppDetail, error) {
	return call[api.AppDetail](ctx, c, http.MethodGet, "apps/"+url.PathEscape(id), nil)
}

// CreateApp makes an application.
func (c *Console) CreateApp(ctx context.Context, ask api.NewApp) (directory.App, error) {
	return call[directory.App](ctx, c, http.MethodPost, "apps", ask)
}

// ChangeApp changes an application.
func (c *Console) ChangeApp(ctx context.Context, id string, ask api.AppChange) (directory.App, error) {
	return call[directory.App](ctx, c, http.MethodPatch, "apps/"+url.PathEscape(id), ask)
}

// DeleteApp removes an application with its assignments.
func (c *Console) DeleteApp(ctx context.Context, id string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, "apps/"+url.PathEscape(id), nil)
	return err
}

// AssignApp assigns a person or a group to an application.
func (c *Console) AssignApp(ctx context.Context, id string, ask api.NewAssignment) (directory.AssignmentRow, error) {
	return call[directory.AssignmentRow](ctx, c, http.MethodPost, "apps/"+url.PathEscape(id)+"/assignments", ask)
}

// UnassignApp ends an assignment, or all of the subject's when no role is named.
func (c *Console) UnassignApp(ctx context.Context, id string, ask api.NewAssignment) (directory.AssignmentRow, error) {
	v := url.Values{}
	setIf(v, "user", ask.User)
	setIf(v, "group", ask.Group)
	setIf(v, "role", ask.Role)
	return call[directory.AssignmentRow](ctx, c, http.MethodDelete, "apps/"+url.PathEscape(id)+"/assignments?"+v.Encode(), nil)
}
