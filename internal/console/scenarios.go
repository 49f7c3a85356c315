package console

import (
	"fmt"
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) scenarioRoutes() map[string]http.Handler {
	port := func(l *LabPorts) Scenarios { return l.Scenarios }
	return map[string]http.Handler{
		"GET /api/v1/scenarios":         c.get(Reader, lab(c, port, scenarios)),
		"POST /api/v1/scenarios/{name}": long(c.change(Operator, labChange(c, port, runScenario))),
	}
}

func scenarios(s Scenarios, r *http.Request) (any, error) {
	all, err := s.Scenarios(r.Context())
	return api.PageOf(all), err
}

func runScenario(s Scenarios, r *http.Request, _ api.Token) (changed, error) {
	did := changed{Action: "Run scenario", Target: r.PathValue("name")}
	report, err := s.RunScenario(r.Context(), did.Target)
	did.Answer, did.After = report, fmt.Sprintf("%d acts, as told: %t", len(report.Acts), report.OK)
	return did, err
}
