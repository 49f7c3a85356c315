package console

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) faultRoutes() map[string]http.Handler {
	port := func(l *LabPorts) Faults { return l.Faults }
	return map[string]http.Handler{
		"GET /api/v1/faults":           c.get(Reader, lab(c, port, faults)),
		"PUT /api/v1/faults/{name}":    c.change(Operator, labChange(c, port, setFault)),
		"DELETE /api/v1/faults/{name}": c.change(Operator, labChange(c, port, clearFaults)),
		"DELETE /api/v1/faults":        c.change(Operator, labChange(c, port, clearFaults)),
	}
}

func faults(f Faults, r *http.Request) (any, error) {
	all, err := f.Faults(r.Context())
	return api.PageOf(all), err
}

func setFault(f Faults, r *http.Request, by api.Token) (changed, error) {
	did := changed{Action: "Add fault", Target: r.PathValue("name")}
	ask, err := read[api.FaultSetting](r)
	if err != nil {
		return did, err
	}
	fault, err := f.SetFault(r.Context(), did.Target, ask, by.Name)
	did.Answer = fault
	if b := fault.Active; b != nil {
		did.After = told(b)
	}
	return did, err
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

func clearFaults(f Faults, r *http.Request, _ api.Token) (changed, error) {
	did := changed{Action: "Clear fault", Target: r.PathValue("name")}
	cleared, err := f.ClearFaults(r.Context(), did.Target)
	did.Before, did.Answer = strings.Join(cleared, ", "), api.PageOf(cleared)
	return did, err
}
