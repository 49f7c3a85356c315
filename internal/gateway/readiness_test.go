package gateway

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
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

// issuer is an OpenID Connect issuer that can be ended.
func issuer(t *testing.T) *httptest.Server {
	t.Helper()
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, strings.ReplaceAll(`{"issuer":"URL","authorization_endpoint":"URL/a","token_endpoint":"URL/t","jwks_uri":"URL/k"}`, "URL", s.URL))
	}))
	t.Cleanup(s.Close)
	return s
}

func TestAnIdentityProviderThatIsDownIsNotReady(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t))
	up, down := issuer(t), issuer(t)
	down.Close()
	for url, want := range map[string]bool{up.URL: true, down.URL: false} {
		toOIDC := "protocol = \"oidc\"\nclient_id = \"fourways\"\nissuer = \"" + url + "\"\n#"
		h.text = strings.Replace(h.text, "metadata_file", "#metadata_file", 1)
		if _, err := h.edit(`protocol = "saml"`, toOIDC); err != nil {
			t.Fatal(err)
		}
		modes, err := h.Modes(t.Context())
		if err != nil || len(modes) != 2 {
			t.Fatalf("%+v, %v", modes, err)
		}
		if m := modes[1]; m.Ready != want || (m.Why == "") != want {
			t.Errorf("%s: ready %v, why %q", url, m.Ready, m.Why)
		}
	}
}

func TestAnIdentityProviderWhoseCertificateRanOutIsNotReady(t *testing.T) {
	h := newHouse(t, "127.0.0.1:0", harbourMetadata(t)) // good for an hour
	one := (*h.paths.federated.Load())["harbour"]
	if err := one.ready(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := one.ready(t.Context(), time.Now().Add(2*time.Hour)); err == nil || !strings.Contains(err.Error(), "ran out") {
		t.Errorf("two hours later: %v", err)
	}
}
