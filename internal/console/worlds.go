package console

import (
	"fmt"
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) worldRoutes() map[string]http.Handler {
	port := func(l *LabPorts) Worlds { return l.Worlds }
	return map[string]http.Handler{
		"POST /api/v1/reset":            c.change(Operator, labChange(c, port, restoreWorld)),
		"GET /api/v1/snapshots":         c.get(Reader, lab(c, port, snapshots)),
		"PUT /api/v1/snapshots/{name}":  c.change(Operator, labChange(c, port, saveSnapshot)),
		"POST /api/v1/snapshots/{name}": c.change(Operator, labChange(c, port, restoreWorld)),
	}
}

func snapshots(w Worlds, r *http.Request) (any, error) {
	all, err := w.Snapshots(r.Context())
	return api.PageOf(all), err
}

func saveSnapshot(w Worlds, r *http.Request, _ api.Token) (changed, error) {
	did := changed{Action: "Save snapshot", Target: r.PathValue("name"), Status: http.StatusCreated}
	kept, err := w.SaveSnapshot(r.Context(), did.Target)
	did.Answer, did.After = kept, fmt.Sprintf("%d users", kept.Users)
	return did, err
}

// restoreWorld serves reset as well: there the name is empty.
func restoreWorld(w Worlds, r *http.Request, _ api.Token) (changed, error) {
	did := changed{Action: "Reset lab", Target: r.PathValue("name")}
	if did.Target != "" {
		did.Action = "Restore snapshot"
	}
	done, err := w.RestoreWorld(r.Context(), did.Target)
	did.Answer, did.After = done, fmt.Sprintf("%d users", done.Users)
	return did, err
}
