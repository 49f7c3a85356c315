package console

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// table is a matrix that was run once; no: never.
type table struct {
	last api.Matrix
	no   bool
	idp  string
}

func (m *table) RunMatrix(_ context.Context, ask api.MatrixRequest) (api.Matrix, error) {
	m.idp = ask.IdP
	return m.last, nil
}

func (m *table) LastMatrix(context.Context) (api.Matrix, error) {
	if m.no {
		return api.Matrix{}, directory.ErrNotFound
	}
	return m.last, nil
}

// tale is a story that was played once.
type tale struct{ last api.ScenarioReport }

func (s tale) Scenarios(context.Context) ([]api.Scenario, error) { return nil, nil }

func (s tale) RunScenario(context.Context, string) (api.ScenarioReport, error) { return s.last, nil }

func (s tale) LastScenario(context.Context) (api.ScenarioReport, error) { return s.last, nil }

// past is the lab's own history: one sign-in.
type past struct{}

func (past) SignIns(context.Context, int) ([]api.SignIn, error) { return nil, nil }

func (past) Trace(_ context.Context, id authn.AttemptID) (api.Trace, error) {
	if id == "own" {
		return api.Trace{ID: id}, nil
	}
	return api.Trace{}, directory.ErrNotFound
}

func matrixConsole(m *table) http.Handler {
	return New(Ports{Access: &book{}, History: past{}, Lab: &LabPorts{Matrix: m, Scenarios: &tale{api.ScenarioReport{Traces: []api.Trace{{ID: "act"}}}}}}, noon{})
}

func TestTheTracesOfTheLastCopiesAreFound(t *testing.T) {
	m := &table{last: api.Matrix{Traces: []api.Trace{{ID: "cell", Records: []authn.Record{{ID: "cell", Who: "bob@pta.example.test"}}}}}}
	for id, want := range map[string]int{"own": http.StatusOK, "cell": http.StatusOK, "act": http.StatusOK, "nobody's": http.StatusNotFound} {
		if got := ask(matrixConsole(m), Reader, "GET", "/api/v1/traces/"+id, ""); got.Code != want {
			t.Errorf("the trace %s gets %d, want %d: %s", id, got.Code, want, got.Body)
		}
	}
	if got := ask(matrixConsole(m), Reader, "GET", "/api/v1/traces/cell", "").Body.String(); !strings.Contains(got, "bob@pta.example.test") {
		t.Errorf("the cell's trace is %s", got)
	}
	if got := ask(matrixConsole(&table{no: true}), Reader, "GET", "/api/v1/traces/cell", ""); got.Code != http.StatusNotFound {
		t.Errorf("before the first run it gets %d", got.Code)
	}
}

func TestAMatrixFederatesBySAMLUnlessTold(t *testing.T) {
	for body, want := range map[string]string{`{}`: "saml", `{"idp":"oidc"}`: "oidc"} {
		m := &table{}
		if got := ask(matrixConsole(m), Operator, "POST", "/api/v1/matrix", body); got.Code != http.StatusOK || m.idp != want {
			t.Errorf("%s: status %d, federation %q, want %q", body, got.Code, m.idp, want)
		}
	}
	m := &table{}
	if got := ask(matrixConsole(m), Operator, "POST", "/api/v1/matrix", `{"idp":"elsewhere"}`); got.Code != http.StatusBadRequest || m.idp != "" {
		t.Errorf("an unknown federation gets %d", got.Code)
	}
	if got := ask(matrixConsole(m), Reader, "POST", "/api/v1/matrix", `{}`); got.Code != http.StatusForbidden || m.idp != "" {
		t.Errorf("a reader gets %d", got.Code)
	}
}

// stopwatch notes the deadlines that it is given.
type stopwatch struct {
	*httptest.ResponseRecorder
	read, write []time.Time
}

func (s *stopwatch) SetReadDeadline(at time.Time) error  { s.read = append(s.read, at); return nil }
func (s *stopwatch) SetWriteDeadline(at time.Time) error { s.write = append(s.write, at); return nil }

func TestALongRunIsBoundedByItselfAndNotByTheListener(t *testing.T) {
	w := &stopwatch{ResponseRecorder: httptest.NewRecorder()}
	bounded := false
	long(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, bounded = r.Context().Deadline() })).
		ServeHTTP(w, httptest.NewRequest("POST", "/", nil))
	if len(w.read) != 1 || !w.read[0].IsZero() || len(w.write) != 1 || !w.write[0].IsZero() {
		t.Errorf("the listener's deadlines are %v and %v, want none", w.read, w.write)
	}
	if !bounded {
		t.Error("the run may take for ever")
	}
}
