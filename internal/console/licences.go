package console

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Licences is who has which plan, and the plans.
type Licences interface {
	Plans
	Grants
	GroupGrants
}

// Plans are products with seats and services.
type Plans interface {
	PlanReader
	CreatePlan(ctx context.Context, ask api.NewPlan) (directory.Usage, error)
	ChangePlan(ctx context.Context, id string, ask api.PlanChange, version string) (before, after directory.Plan, err error)
	DeletePlan(ctx context.Context, id string) (directory.Plan, error)
}

// PlanReader lists plans.
type PlanReader interface {
	Plans(ctx context.Context) ([]directory.Usage, error)
	Plan(ctx context.Context, id string) (directory.Usage, error)
}

// Grants are licences, and those that are given to one person.
type Grants interface {
	Licences(ctx context.Context, q api.LicenceQuery) ([]directory.LicenceRow, error)
	Assign(ctx context.Context, plan, user string) (directory.User, error)
	Revoke(ctx context.Context, plan, user string) (directory.User, error)
}

// GroupGrants are plans that a group gives.
type GroupGrants interface {
	AssignGroup(ctx context.Context, plan, group string) (directory.Usage, error)
	RevokeGroup(ctx context.Context, plan, group string) (directory.Usage, error)
}

func (c *console) licenceOperations() []operation {
	return []operation{
		look(c, "GET /plans", Reader, "List the plans, with their seats and how many are used", c.plans),
		look(c, "GET /plans/{plan}", Reader, "Show a plan", c.plan),
		act(c, "POST /plans", Admin, "Create license plan", "Make a plan with seats and services", c.createPlan).created(),
		act(c, "PATCH /plans/{plan}", Admin, "Update license plan", "Change a plan; its seats can't go below those that are used", c.changePlan),
		act(c, "DELETE /plans/{plan}", Admin, "Delete license plan", "Remove a plan that nobody has", c.deletePlan),
		look(c, "GET /licenses", Reader, "List licences, by account", c.licences,
			paged(query("plan", "Only those of this plan."), query("user", "Only those of this account: its name or id."), query("state", "Only those that are active, suspended or refused."))...),
		act(c, "PUT /plans/{plan}/users/{user}", Admin, "Change user license", "Give a person a licence of their own; one that is there already stays", c.assignPlan),
		act(c, "DELETE /plans/{plan}/users/{user}", Admin, "Change user license", "Take a person's own licence away", c.revokePlan),
		act(c, "PUT /plans/{plan}/groups/{group}", Admin, "Set group license", "Let a group give a plan to its direct members", c.assignGroupPlan).long(),
		act(c, "DELETE /plans/{plan}/groups/{group}", Admin, "Set group license", "End that a group gives a plan", c.revokeGroupPlan).long(),
	}
}

func (c *console) plans(r *http.Request) (api.Page[directory.Usage], error) {
	all, err := c.Tenant.Licences.Plans(r.Context())
	return api.PageOf(all), err
}

func (c *console) plan(r *http.Request) (directory.Usage, error) {
	return c.Tenant.Licences.Plan(r.Context(), r.PathValue("plan"))
}

func (c *console) createPlan(r *http.Request, ask api.NewPlan, _ api.Token) (did[directory.Usage], error) {
	made, err := c.Tenant.Licences.CreatePlan(r.Context(), ask)
	return did[directory.Usage]{Target: ask.ID, After: planInShort(made.Plan), Answer: made}, err
}

func (c *console) changePlan(r *http.Request, ask api.PlanChange, _ api.Token) (did[directory.Plan], error) {
	before, after, err := c.Tenant.Licences.ChangePlan(r.Context(), r.PathValue("plan"), ask, ifMatch(r))
	return did[directory.Plan]{Before: planInShort(before), After: planInShort(after), Answer: after}, err
}

func (c *console) deletePlan(r *http.Request, _ none, _ api.Token) (did[none], error) {
	gone, err := c.Tenant.Licences.DeletePlan(r.Context(), r.PathValue("plan"))
	return did[none]{Before: planInShort(gone)}, err
}

// planInShort is a plan as the audit log has it.
func planInShort(p directory.Plan) string {
	if p.ID == "" {
		return ""
	}
	return fmt.Sprintf("%s, %d seats, services %s", p.Name, p.Seats, strings.Join(p.Services, " "))
}

func (c *console) licences(r *http.Request) (api.Page[directory.LicenceRow], error) {
	after, most, err := pageAsked(r)
	if err != nil {
		return api.Page[directory.LicenceRow]{}, err
	}
	q := r.URL.Query()
	all, err := c.Tenant.Licences.Licences(r.Context(), api.LicenceQuery{
		Plan: q.Get("plan"), User: q.Get("user"), State: directory.LicenceState(q.Get("state")), After: after, Limit: most,
	})
	return pageOf(all, most, directory.LicenceRow.Cursor), err
}

func (c *console) assignPlan(r *http.Request, _ none, _ api.Token) (did[directory.User], error) {
	u, err := c.Tenant.Licences.Assign(r.Context(), r.PathValue("plan"), r.PathValue("user"))
	return did[directory.User]{Target: u.UPN, After: r.PathValue("plan"), Answer: u}, err
}

func (c *console) revokePlan(r *http.Request, _ none, _ api.Token) (did[directory.User], error) {
	u, err := c.Tenant.Licences.Revoke(r.Context(), r.PathValue("plan"), r.PathValue("user"))
	return did[directory.User]{Target: u.UPN, Before: r.PathValue("plan"), Answer: u}, err
}

func (c *console) assignGroupPlan(r *http.Request, _ none, _ api.Token) (did[directory.Usage], error) {
	u, err := c.Tenant.Licences.AssignGroup(r.Context(), r.PathValue("plan"), r.PathValue("group"))
	return did[directory.Usage]{Target: r.PathValue("group"), After: r.PathValue("plan"), Answer: u}, err
}

func (c *console) revokeGroupPlan(r *http.Request, _ none, _ api.Token) (did[directory.Usage], error) {
	u, err := c.Tenant.Licences.RevokeGroup(r.Context(), r.PathValue("plan"), r.PathValue("group"))
	return did[directory.Usage]{Target: r.PathValue("group"), Before: r.PathValue("plan"), Answer: u}, err
}
