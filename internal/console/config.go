package console

import (
	"net/http"
	"strings"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) configOperations() []operation {
	return []operation{
		look(c, "GET /config", Operator, "The configuration in force, without its secrets", c.showConfig),
		act(c, "POST /config", Operator, "Reload configuration", "Read the configuration file again", c.reload),
		look(c, "GET /doctor", Operator, "What the gateway finds about itself", c.examine),
	}
}

func (c *console) showConfig(r *http.Request) (api.ConfigText, error) {
	text, err := c.Settings.ShowConfig(r.Context())
	return api.ConfigText{Text: text}, err
}

func (c *console) reload(r *http.Request, _ none, _ api.Token) (did[api.Reload], error) {
	report, err := c.Settings.Reload(r.Context())
	return did[api.Reload]{After: strings.Join(report.Live, ", "), Answer: report}, err
}

func (c *console) examine(r *http.Request) (api.Page[api.Finding], error) {
	findings, err := c.Settings.Examine(r.Context())
	return api.PageOf(findings), err
}
