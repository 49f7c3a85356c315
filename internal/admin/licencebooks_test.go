package admin

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// What is taken away can't be looked up later: the audit log says what it was, and whom a refused request meant. An account
// that is deleted keeps its assignments, which are ended by its id.
func TestTheAuditLogSaysWhatIsGone(t *testing.T) {
	b, log := office(t), &ledger{}
	s := httptest.NewServer(console.New(console.Ports{Access: log, Tenant: console.TenantPorts{Licences: &Licences{b}, Apps: &Apps{b}}}, b.Clock))
	t.Cleanup(s.Close)
	c, err := client.New(s.URL, "token")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	end := func(who string) error {
		_, err := c.UnassignApp(ctx, "mail", api.NewAssignment{User: who})
		return err
	}
	for _, step := range []struct {
		action string
		do     func() error
		says   string // before and after
		fails  bool
	}{
		{"Create license plan", func() error {
			_, err := c.CreatePlan(ctx, api.NewPlan{ID: "E5", Seats: 3, Services: []string{"mail"}})
			return err
		}, " -> E5, 3 seats, services mail", false},
		{"Delete license plan", func() error { return c.DeletePlan(ctx, "E5") }, "E5, 3 seats, services mail -> ", false},
		{"Add application", func() error {
			_, err := c.CreateApp(ctx, api.NewApp{ID: "mail", Roles: []string{"user"}})
			return err
		}, ` -> mail, service "", assignment required false, roles user`, false},
		{"Add app role assignment", func() error {
			_, err := c.AssignApp(ctx, "mail", api.NewAssignment{User: "ann@cloud.example"})
			return err
		}, " -> ann@cloud.example user", false},
		{"Remove app role assignment", func() error {
			if _, err := b.Store.RemoveUser(ctx, "id-ann", func(directory.User) error { return nil }); err != nil {
				return err
			}
			return end("ann@cloud.example")
		}, "ann@cloud.example -> ", true},
		{"Remove app role assignment", func() error { return end("id-ann") }, "id-ann -> ", false},
		{"Remove app role assignment", func() error { return end("id-ann") }, "id-ann -> ", true},
		{"Delete application", func() error { return c.DeleteApp(ctx, "mail") }, `mail, service "", assignment required false, roles user -> `, false},
	} {
		if err := step.do(); (err != nil) != step.fails {
			t.Errorf("%s: %v", step.action, err)
		}
		last := log.entries[len(log.entries)-1]
		if last.Action != step.action || last.Before+" -> "+last.After != step.says || strings.HasPrefix(last.Result, "failure") != step.fails {
			t.Errorf("%s: the audit log says %+v, want %q", step.action, last, step.says)
		}
	}
}
