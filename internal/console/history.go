package console

import (
	"net/http"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) historyOperations() []operation {
	return []operation{
		look(c, "GET /signins", Reader, "List the newest rows of the sign-in log, the newest first", c.signIns, query("limit", "How many rows at most, from 1; above 1000 is 1000, the default.")),
		look(c, "GET /traces/{id}", Reader, "Every record of one sign-in", c.trace),
	}
}

func (c *console) signIns(r *http.Request) (api.Page[api.SignIn], error) {
	last, err := limit(r, longestPage)
	if err != nil {
		return api.Page[api.SignIn]{}, err
	}
	rows, err := c.History.SignIns(r.Context(), last)
	return api.PageOf(rows), err
}

func (c *console) trace(r *http.Request) (api.Trace, error) {
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
