package mail_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/golden"
	"github.com/fourways-id/fourways/internal/lab/mail"
)

func get(visitor *mail.Visitor, path string) *httptest.ResponseRecorder {
	h := mail.New(mail.ReaderFunc(func(*http.Request) (mail.Visitor, bool) {
		if visitor == nil {
			return mail.Visitor{}, false
		}
		return *visitor, true
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func alice(p authn.Path) *mail.Visitor {
	began := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	return &mail.Visitor{
		ID: "a-1", UPN: "alice@pta.example.test", Name: `Alice <Arden>`, Path: p, Attempt: "11111111-2222-4333-8444-555555555555",
		Methods: []string{"pwd"}, Began: began, Until: began.Add(24 * time.Hour), FormToken: "TOKEN",
	}
}

func TestInboxIsGolden(t *testing.T) {
	w := get(alice(authn.PathPTA), "/app/")
	if w.Code != http.StatusOK {
		t.Errorf("status %d", w.Code)
	}
	golden.Check(t, "testdata/inbox.html", w.Body.String())
}

func TestEachPathIsNamed(t *testing.T) {
	for p, want := range map[authn.Path]string{
		authn.PathCloud: "CLOUD AUTHENTICATION", authn.PathPHS: "PASSWORD HASH SYNCHRONISATION",
		authn.PathPTA: "PASS-THROUGH AUTHENTICATION", authn.PathFederated: "FEDERATION",
	} {
		if body := get(alice(p), "/app/").Body.String(); !strings.Contains(body, "Signed in via "+want) {
			t.Errorf("%s is not named", p)
		}
	}
}

func TestNobodyIsSentToTheDoor(t *testing.T) {
	w := get(nil, "/app/")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/?returnTo=/app/" || strings.Contains(w.Body.String(), "Inbox") {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
	if w := get(nil, "/app/mail.css"); w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") {
		t.Errorf("style: %d", w.Code)
	}
}
