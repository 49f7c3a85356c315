package console

import (
	"net/http"
	"strings"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) modeOperations() []operation {
	return []operation{
		look(c, "GET /mode", Reader, "List the domains and how their people sign in", c.modes),
		act(c, "PUT /mode/{domain}", Operator, "Set domain authentication", "Swap a domain's path at run time", c.setMode),
		act(c, "DELETE /mode/{domain}", Operator, "Reset domain authentication", "Drop a domain's override: the configuration file counts again", c.resetMode),
	}
}

func (c *console) modes(r *http.Request) (api.Page[api.Mode], error) {
	modes, err := c.Modes.Modes(r.Context())
	return api.PageOf(modes), err
}

func (c *console) setMode(r *http.Request, ask api.ModeChange, by api.Token) (did[api.Mode], error) {
	domain := r.PathValue("domain")
	d := did[api.Mode]{Before: c.pathOf(r, domain), After: string(ask.Path)}
	mode, err := c.Modes.SetMode(r.Context(), domain, ask, by.Name)
	if err == nil {
		d.Answer, d.After = mode, inShort(mode)
	}
	return d, err
}

func (c *console) resetMode(r *http.Request, _ none, _ api.Token) (did[api.Mode], error) {
	domain := r.PathValue("domain")
	d := did[api.Mode]{Before: c.pathOf(r, domain)}
	mode, err := c.Modes.ResetMode(r.Context(), domain)
	d.Answer, d.After = mode, inShort(mode)
	return d, err
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
