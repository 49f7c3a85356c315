package gateway

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// readyz asks as a load balancer does.
func readyz(t *testing.T, h *house) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.watch.metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz?verbose", nil))
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(body)
}

func TestReadyzFollowsWhatPeopleCanDo(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	if code, body := readyz(t, h); code != 200 || !strings.HasPrefix(body, "ready\ncloud: ready\nfederated: ready\ncloud/cloud.example: ready\n") {
		t.Errorf("all is well: %d %s", code, body)
	}
	broken := newHouse(t, "127.0.0.1:0", "<garbage")
	if code, body := readyz(t, broken); code != 200 || !strings.HasPrefix(body, "degraded\ncloud: ready\nfederated: not ready") {
		t.Errorf("one path is out of order: %d %s", code, body)
	}
	if err := h.core.store.Close(); err != nil {
		t.Fatal(err)
	}
	if code, body := readyz(t, h); code != 503 || !strings.HasPrefix(body, "not ready\n") {
		t.Errorf("the store is gone: %d %s", code, body)
	}
}

func TestThePathGaugeFollowsWhatPeopleCanDo(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", "<garbage")
	w := httptest.NewRecorder()
	h.watch.metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{`fourways_signin_path_ready{signin_path="cloud"} 1`, `fourways_signin_path_ready{signin_path="federated"} 0`} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
}
