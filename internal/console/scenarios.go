package console

import (
	"fmt"
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) scenarioOperations() []operation {
	port := func(l *LabPorts) Scenarios { return l.Scenarios }
	return []operation{
		labLook(c, port, "GET /scenarios", Reader, "List the stories that can be run", scenarios),
		labAct(c, port, "POST /scenarios/{name}", Operator, "Run scenario", "Play a story in a throw-away copy of the lab, and wait for its end", runScenario).long(),
	}
}

func scenarios(s Scenarios, r *http.Request) (api.Page[api.Scenario], error) {
	all, err := s.Scenarios(r.Context())
	return api.PageOf(all), err
}

func runScenario(s Scenarios, r *http.Request, _ none, _ api.Token) (did[api.ScenarioReport], error) {
	report, err := s.RunScenario(r.Context(), r.PathValue("name"))
	return did[api.ScenarioReport]{After: fmt.Sprintf("%d acts, as told: %t", len(report.Acts), report.OK), Answer: report}, err
}
