package harbour

import (
	"net/http/httptest"
	"testing"

	"github.com/fourways-id/fourways/internal/golden"
)

// TestPages holds each page, with its policy, to its golden file; -update writes them.
func TestPages(t *testing.T) {
	p, err := loadPages()
	if err != nil {
		t.Fatal(err)
	}
	l := &login{id: "ID", token: "TOKEN", domain: "saml.example.test", target: "http://localhost:8400"}
	for name, show := range map[string]func(w *httptest.ResponseRecorder){
		"login":       func(w *httptest.ResponseRecorder) { p.login(w, 200, l, "alice@saml.example.test", "") },
		"login-again": func(w *httptest.ResponseRecorder) { p.login(w, 401, l, `"><script>alert(1)</script>`, wrongPassword) },
		"post": func(w *httptest.ResponseRecorder) {
			p.post(w, l.domain, "http://localhost:8400/acs", []field{{"SAMLResponse", "PHg+"}, {"RelayState", ""}})
		},
		"message": func(w *httptest.ResponseRecorder) { p.message(w, 503, "", unreachable) },
	} {
		w := httptest.NewRecorder()
		show(w)
		got := w.Header().Get("Content-Security-Policy") + "\n" + w.Body.String()
		golden.Check(t, "testdata/"+name+".golden", got)
	}
}
