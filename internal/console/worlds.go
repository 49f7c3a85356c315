package console

import (
	"fmt"
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) worldOperations() []operation {
	port := func(l *LabPorts) Worlds { return l.Worlds }
	return []operation{
		labAct(c, port, "POST /reset", Operator, "Reset lab", "Bring the world back as it was seeded", restoreWorld),
		labLook(c, port, "GET /snapshots", Reader, "List the kept states of the world", snapshots),
		labAct(c, port, "PUT /snapshots/{name}", Operator, "Save snapshot", "Keep the world as it is now", saveSnapshot).created(),
		labAct(c, port, "POST /snapshots/{name}", Operator, "Restore snapshot", "Bring a kept world back", restoreWorld),
	}
}

func snapshots(w Worlds, r *http.Request) (api.Page[api.Snapshot], error) {
	all, err := w.Snapshots(r.Context())
	return api.PageOf(all), err
}

func saveSnapshot(w Worlds, r *http.Request, _ none, _ api.Token) (did[api.Snapshot], error) {
	kept, err := w.SaveSnapshot(r.Context(), r.PathValue("name"))
	return did[api.Snapshot]{After: fmt.Sprintf("%d users", kept.Users), Answer: kept}, err
}

// restoreWorld serves reset as well: there the name is empty.
func restoreWorld(w Worlds, r *http.Request, _ none, _ api.Token) (did[api.Restored], error) {
	done, err := w.RestoreWorld(r.Context(), r.PathValue("name"))
	return did[api.Restored]{After: fmt.Sprintf("%d users", done.Users), Answer: done}, err
}
