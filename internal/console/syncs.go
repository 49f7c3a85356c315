package console

import (
	"net/http"
	"strconv"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) syncOperations() []operation {
	return []operation{
		look(c, "GET /sync", Reader, "The state of the synchronisation, and its last runs", c.syncStatus),
		act(c, "POST /sync", Operator, "Run sync", "Synchronise now, and wait for the end", c.syncRun),
	}
}

func (c *console) syncStatus(r *http.Request) (api.SyncStatus, error) {
	return c.Premises.Syncs.SyncStatus(r.Context())
}

func (c *console) syncRun(r *http.Request, ask api.SyncRequest, _ api.Token) (did[api.SyncStatus], error) {
	runs, err := c.Premises.Syncs.SyncRun(r.Context(), ask.Kinds)
	return did[api.SyncStatus]{After: strconv.Itoa(len(runs)) + " runs", Answer: api.SyncStatus{Runs: runs}}, err
}
