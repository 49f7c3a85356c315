package console

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) faultOperations() []operation {
	port := func(l *LabPorts) Faults { return l.Faults }
	return []operation{
		labLook(c, port, "GET /faults", Reader, "List what can be broken, and what is", faults),
		labAct(c, port, "PUT /faults/{name}", Operator, "Add fault", "Break something", setFault),
		labAct(c, port, "DELETE /faults/{name}", Operator, "Clear fault", "Mend something", clearFaults),
		labAct(c, port, "DELETE /faults", Operator, "Clear fault", "Mend everything", clearFaults),
	}
}

func faults(f Faults, r *http.Request) (api.Page[api.Fault], error) {
	all, err := f.Faults(r.Context())
	return api.PageOf(all), err
}

func setFault(f Faults, r *http.Request, ask api.FaultSetting, by api.Token) (did[api.Fault], error) {
	fault, err := f.SetFault(r.Context(), r.PathValue("name"), ask, by.Name)
	d := did[api.Fault]{Answer: fault}
	if b := fault.Active; b != nil {
		d.After = told(b)
	}
	return d, err
}

// told is a fault as the audit log has it.
func told(b *api.Breach) string {
	next, reason := "", ""
	if b.Next > 0 {
		next = fmt.Sprintf("next %d", b.Next)
	}
	if b.Reason != "" {
		reason = fmt.Sprintf("reason %q", b.Reason)
	}
	all := fmt.Sprintf("%s %s rate %g %s until %s %s", b.Scope, b.Param, b.Rate, next, b.Until.UTC().Format(time.RFC3339), reason)
	return strings.Join(strings.Fields(all), " ")
}

func clearFaults(f Faults, r *http.Request, _ none, _ api.Token) (did[api.Page[string]], error) {
	cleared, err := f.ClearFaults(r.Context(), r.PathValue("name"))
	return did[api.Page[string]]{Before: strings.Join(cleared, ", "), Answer: api.PageOf(cleared)}, err
}
