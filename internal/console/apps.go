package console

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Apps are the applications behind the door, and who may use them.
type Apps interface {
	AppReader
	AppWriter
	Assignments
}

// AppReader lists applications.
type AppReader interface {
	Apps(ctx context.Context) ([]directory.App, error)
	App(ctx context.Context, id string) (api.AppDetail, error)
}

// AppWriter makes and changes them.
type AppWriter interface {
	CreateApp(ctx context.Context, ask api.NewApp) (directory.App, error)
	ChangeApp(ctx context.Context, id string, ask api.AppChange, version string) (before, after directory.App, err error)
	DeleteApp(ctx context.Context, id string) (directory.App, error)
}

// Assignments are who may use them.
type Assignments interface {
	AssignApp(ctx context.Context, id string, ask api.NewAssignment) (directory.AssignmentRow, error)
	UnassignApp(ctx context.Context, id string, ask api.NewAssignment) (directory.AssignmentRow, error)
}

func (c *console) appOperations() []operation {
	subject := []param{query("user", "The account: its name or id."), query("group", "The group: its name or id."), query("role", "Only this role; all of them when it is left out.")}
	return []operation{
		look(c, "GET /apps", Reader, "List the applications", c.apps),
		look(c, "GET /apps/{app}", Reader, "Show an application and who is assigned to it", c.app),
		act(c, "POST /apps", Admin, "Add application", "Make an application", c.createApp).created(),
		act(c, "PATCH /apps/{app}", Admin, "Update application", "Change an application", c.changeApp),
		act(c, "DELETE /apps/{app}", Admin, "Delete application", "Remove an application and its assignments", c.deleteApp),
		act(c, "POST /apps/{app}/assignments", Admin, "Add app role assignment", "Assign a person, or the direct members of a group, to an application", c.assignApp).created(),
		act(c, "DELETE /apps/{app}/assignments", Admin, "Remove app role assignment", "End an assignment", c.unassignApp, subject...),
	}
}

func (c *console) apps(r *http.Request) (api.Page[directory.App], error) {
	all, err := c.Tenant.Apps.Apps(r.Context())
	return api.PageOf(all), err
}

func (c *console) app(r *http.Request) (api.AppDetail, error) {
	return c.Tenant.Apps.App(r.Context(), r.PathValue("app"))
}

func (c *console) createApp(r *http.Request, ask api.NewApp, _ api.Token) (did[directory.App], error) {
	made, err := c.Tenant.Apps.CreateApp(r.Context(), ask)
	return did[directory.App]{Target: ask.ID, After: appInShort(made), Answer: made}, err
}

func (c *console) changeApp(r *http.Request, ask api.AppChange, _ api.Token) (did[directory.App], error) {
	before, after, err := c.Tenant.Apps.ChangeApp(r.Context(), r.PathValue("app"), ask, ifMatch(r))
	return did[directory.App]{Before: appInShort(before), After: appInShort(after), Answer: after}, err
}

func (c *console) deleteApp(r *http.Request, _ none, _ api.Token) (did[none], error) {
	gone, err := c.Tenant.Apps.DeleteApp(r.Context(), r.PathValue("app"))
	return did[none]{Before: appInShort(gone)}, err
}

// appInShort is an application as the audit log has it.
func appInShort(a directory.App) string {
	if a.ID == "" {
		return ""
	}
	return fmt.Sprintf("%s, service %q, assignment required %t, roles %s", a.Name, a.Service, a.Assigned, strings.Join(a.Roles, " "))
}

func (c *console) assignApp(r *http.Request, ask api.NewAssignment, _ api.Token) (did[directory.AssignmentRow], error) {
	row, err := c.Tenant.Apps.AssignApp(r.Context(), r.PathValue("app"), ask)
	return did[directory.AssignmentRow]{After: assignmentInShort(row, ask), Answer: row}, err
}

func (c *console) unassignApp(r *http.Request, _ none, _ api.Token) (did[directory.AssignmentRow], error) {
	q := r.URL.Query()
	ask := api.NewAssignment{User: q.Get("user"), Group: q.Get("group"), Role: q.Get("role")}
	row, err := c.Tenant.Apps.UnassignApp(r.Context(), r.PathValue("app"), ask)
	return did[directory.AssignmentRow]{Before: assignmentInShort(row, ask), Answer: row}, err
}

// assignmentInShort is an assignment as the audit log has it; one that was refused, as it was asked for.
func assignmentInShort(row directory.AssignmentRow, ask api.NewAssignment) string {
	return strings.TrimSpace(cmp.Or(row.Name, ask.User, ask.Group) + " " + cmp.Or(row.Role, ask.Role))
}
