package console

import (
	"fmt"
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) matrixRoutes() map[string]http.Handler {
	port := func(l *LabPorts) Matrix { return l.Matrix }
	return map[string]http.Handler{
		"GET /api/v1/matrix":  c.get(Reader, lab(c, port, lastMatrix)),
		"POST /api/v1/matrix": c.change(Operator, labChange(c, port, runMatrix)),
	}
}

func lastMatrix(m Matrix, r *http.Request) (any, error) { return m.LastMatrix(r.Context()) }

func runMatrix(m Matrix, r *http.Request, _ api.Token) (changed, error) {
	did := changed{Action: "Run matrix"}
	report, err := m.RunMatrix(r.Context())
	did.Answer, did.After = report, fmt.Sprintf("%d of %d cells as expected", report.AsExpected, report.Live)
	return did, err
}
