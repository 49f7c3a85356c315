package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

func (c *console) matrixOperations() []operation {
	port := func(l *LabPorts) Matrix { return l.Matrix }
	return []operation{
		labLook(c, port, "GET /matrix", Reader, "The last run of the account states by the paths", lastMatrix),
		labAct(c, port, "POST /matrix", Operator, "Run matrix", "Run every account state on every path in a throw-away copy of the lab", runMatrix).long(),
	}
}

// long lifts the listener's deadlines for a request that takes its time, and bounds it by its context instead.
func long(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		deadlines := http.NewResponseController(w)
		// A writer that can't move them, as in a test, has none.
		_ = errors.Join(deadlines.SetReadDeadline(time.Time{}), deadlines.SetWriteDeadline(time.Time{}))
		ctx, cancel := context.WithTimeout(r.Context(), runWithin)
		defer cancel()
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

func lastMatrix(m Matrix, r *http.Request) (api.Matrix, error) { return m.LastMatrix(r.Context()) }

func runMatrix(m Matrix, r *http.Request, ask api.MatrixRequest, _ api.Token) (did[api.Matrix], error) {
	if ask.IdP == "" {
		ask.IdP = "saml"
	}
	if ask.IdP != "saml" && ask.IdP != "oidc" {
		return did[api.Matrix]{}, bad("%q is no federation of the matrix: give saml or oidc", ask.IdP)
	}
	report, err := m.RunMatrix(r.Context(), ask)
	return did[api.Matrix]{After: fmt.Sprintf("%d of %d cells as expected", report.AsExpected, report.Live), Answer: report}, err
}

// traceOfCopy finds a trace of the last matrix or the last scenario, whose copy of the lab is gone; missing is what the
// lab's own history says.
func (c *console) traceOfCopy(ctx context.Context, id authn.AttemptID, missing error) (api.Trace, error) {
	if c.Lab == nil || !errors.Is(missing, directory.ErrNotFound) {
		return api.Trace{}, missing
	}
	var traces []api.Trace
	if c.Lab.Matrix != nil {
		last, err := c.Lab.Matrix.LastMatrix(ctx)
		if err != nil && !errors.Is(err, directory.ErrNotFound) {
			return api.Trace{}, err
		}
		traces = append(traces, last.Traces...)
	}
	if c.Lab.Scenarios != nil {
		last, err := c.Lab.Scenarios.LastScenario(ctx)
		if err != nil && !errors.Is(err, directory.ErrNotFound) {
			return api.Trace{}, err
		}
		traces = append(traces, last.Traces...)
	}
	if i := slices.IndexFunc(traces, func(t api.Trace) bool { return t.ID == id }); i >= 0 {
		return traces[i], nil
	}
	return api.Trace{}, missing
}
