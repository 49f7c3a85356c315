package console

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) modes(r *http.Request) (any, error) {
	modes, err := c.Modes.Modes(r.Context())
	return api.PageOf(modes), err
}

func (c *console) setMode(r *http.Request, by api.Token) (changed, error) {
	did := changed{Action: "Set domain authentication", Target: r.PathValue("domain")}
	ask, err := read[api.ModeChange](r)
	if err != nil {
		return did, err
	}
	did.Before = c.pathOf(r, did.Target)
	mode, err := c.Modes.SetMode(r.Context(), did.Target, ask, by.Name)
	did.Answer, did.After = mode, inShort(mode)
	if err != nil {
		did.After = string(ask.Path)
	}
	return did, err
}

func (c *console) resetMode(r *http.Request, _ api.Token) (changed, error) {
	did := changed{Action: "Reset domain authentication", Target: r.PathValue("domain")}
	did.Before = c.pathOf(r, did.Target)
	mode, err := c.Modes.ResetMode(r.Context(), did.Target)
	did.Answer, did.After = mode, inShort(mode)
	return did, err
}

// pathOf is the domain's path before a change; "" when it can't be told, which the change itself will report.
func (c *console) pathOf(r *http.Request, domain string) string {
	modes, err := c.Modes.Modes(r.Context())
	if err != nil {
		return ""
	}
	for _, m := range modes {
		if m.Domain == domain {
			return inShort(m)
		}
	}
	return ""
}

// inShort is a mode as the audit log has it: the path, and the identity provider when there is one.
func inShort(m api.Mode) string { return strings.TrimSpace(string(m.Path) + " " + m.IdP) }

func (c *console) signIns(r *http.Request) (any, error) {
	rows, err := c.History.SignIns(r.Context(), limit(r, 1000))
	return api.PageOf(rows), err
}

func (c *console) trace(r *http.Request) (any, error) {
	ctx, id := r.Context(), authn.AttemptID(r.PathValue("id"))
	t, err := c.History.Trace(ctx, id)
	if err != nil {
		return c.traceOfCopy(ctx, id, err)
	}
	if c.Lab == nil || c.Lab.Evidence == nil {
		return t, nil
	}
	t.Away, err = c.Lab.Evidence.AwayOf(ctx, t.Records)
	return t, err
}

func (c *console) syncStatus(r *http.Request) (any, error) { return c.Syncs.SyncStatus(r.Context()) }

func (c *console) syncRun(r *http.Request, _ api.Token) (changed, error) {
	did := changed{Action: "Run sync"}
	ask, err := read[api.SyncRequest](r)
	if err != nil {
		return did, err
	}
	runs, err := c.Syncs.SyncRun(r.Context(), ask.Kinds)
	did.Answer, did.After = api.SyncStatus{Runs: runs}, strconv.Itoa(len(runs))+" runs"
	return did, err
}

func (c *console) agents(r *http.Request) (any, error) {
	agents, err := c.Agents.Agents(r.Context())
	return api.PageOf(agents), err
}

func (c *console) invite(r *http.Request, by api.Token) (changed, error) {
	did := changed{Action: "Invite agent", Status: http.StatusCreated}
	ask, err := read[api.Invite](r)
	if err != nil {
		return did, err
	}
	did.Target = ask.Name
	invitation, err := c.Agents.Invite(r.Context(), ask, by.Name)
	did.Answer = invitation
	return did, err
}

func (c *console) showConfig(r *http.Request) (any, error) {
	text, err := c.Settings.ShowConfig(r.Context())
	return map[string]string{"text": text}, err
}

func (c *console) reload(r *http.Request, _ api.Token) (changed, error) {
	did := changed{Action: "Reload configuration"}
	report, err := c.Settings.Reload(r.Context())
	did.Answer, did.After = report, strings.Join(report.Live, ", ")
	return did, err
}

func (c *console) newToken(r *http.Request, _ api.Token) (changed, error) {
	did := changed{Action: "Create token", Status: http.StatusCreated}
	ask, err := read[api.NewToken](r)
	if err != nil {
		return did, err
	}
	did.Target, did.After = ask.Name, ask.Role
	token, err := c.Access.NewToken(r.Context(), ask)
	did.Answer = token
	return did, err
}
