package console

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// book is tokens whose secret is their role, and what was written into the audit log.
type book struct{ entries []Entry }

func (b *book) Token(_ context.Context, secret string) (api.Token, error) {
	for _, role := range Roles() {
		if secret == role {
			return api.Token{ID: "id of " + role, Name: "the " + role, Role: role}, nil
		}
	}
	return api.Token{}, directory.ErrNotFound
}

func (b *book) NewToken(_ context.Context, t api.NewToken) (api.Token, error) {
	return api.Token{Name: t.Name, Role: t.Role, Secret: "canary"}, nil
}

func (b *book) Audit(_ context.Context, e Entry) error {
	b.entries = append(b.entries, e)
	return nil
}

// switchboard swaps paths.
type switchboard struct{ now api.Mode }

func (s *switchboard) Modes(context.Context) ([]api.Mode, error) { return []api.Mode{s.now}, nil }

func (s *switchboard) Mode(context.Context, string) (api.Mode, error) { return s.now, nil }

func (s *switchboard) SetMode(_ context.Context, _ string, c api.ModeChange, _, _ string) (api.Mode, error) {
	s.now.Path, s.now.IdP = c.Path, c.IdP
	return s.now, nil
}

func (s *switchboard) ResetMode(context.Context, string, string, string) (api.Mode, error) {
	return s.now, nil
}

func (s *switchboard) UndoMode(context.Context, string, string, string) (api.Mode, error) {
	return s.now, nil
}

func (s *switchboard) PreviewMode(_ context.Context, domain string, c api.ModeChange) (api.ModePreview, error) {
	return api.ModePreview{Domain: domain, From: s.now.Path, To: c.Path}, nil
}

func (s *switchboard) ModeHistory(context.Context, string, int64, int) ([]directory.ModeChange, error) {
	return nil, nil
}

type noon struct{}

func (noon) Now() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }

func ask(h http.Handler, token, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAuditNamesEveryChangeAndEveryRefusedOne(t *testing.T) {
	log := &book{}
	modes := &switchboard{now: api.Mode{Domain: "a.example", Path: "federated", IdP: "harbour"}}
	h := New(Ports{Access: log, Modes: modes}, noon{})
	for _, try := range []struct {
		token, method, path, body string
		status                    int
		want                      Entry // zero: none
	}{
		{
			Operator, "PUT", "/api/v1/mode/a.example", `{"path":"pta"}`, 200,
			Entry{Who: "the operator", Action: "Set domain authentication", Target: "a.example", Before: "federated harbour", After: "pta", Result: "success"},
		},
		{
			Operator, "PUT", "/api/v1/mode/a.example", `{"path":"federated","idp":"other"}`, 200,
			Entry{Who: "the operator", Action: "Set domain authentication", Target: "a.example", Before: "pta", After: "federated other", Result: "success"},
		},
		{
			Operator, "PUT", "/api/v1/mode/a.example", `{"paht":"pta"}`, 400,
			Entry{Who: "the operator", Action: "Set domain authentication", Target: "a.example", Result: "failure: "},
		},
		{
			Reader, "PUT", "/api/v1/mode/a.example", `{"path":"cloud"}`, 403,
			Entry{Who: "the reader", Action: "PUT /api/v1/mode/{domain}", Target: "/api/v1/mode/a.example", Result: "failure: This needs the role operator"},
		},
		{
			Operator, "POST", "/api/v1/tokens", `{"name":"x","role":"admin"}`, 403,
			Entry{Who: "the operator", Action: "POST /api/v1/tokens", Target: "/api/v1/tokens", Result: "failure: This needs the role admin"},
		},
		{
			Admin, "POST", "/api/v1/tokens", `{"name":"x","role":"admin"}`, 201,
			Entry{Who: "the admin", Action: "Create token", Target: "x", After: "admin", Result: "success"},
		},
		{"stranger", "PUT", "/api/v1/mode/a.example", `{"path":"cloud"}`, 401, Entry{}},
		{"", "PUT", "/api/v1/mode/a.example", `{"path":"cloud"}`, 401, Entry{}},
		{
			Operator, "POST", "/api/v1/mode/a.example/undo", "", 200,
			Entry{Who: "the operator", Action: "Undo domain authentication", Target: "a.example", Before: "federated other", After: "federated other", Result: "success"},
		},
		{Reader, "GET", "/api/v1/mode", "", 200, Entry{}},
		{Reader, "POST", "/api/v1/mode/a.example/preview", `{"path":"pta"}`, 200, Entry{}},
		{Reader, "POST", "/api/v1/mode/a.example/preview", `{"paht":"pta"}`, 400, Entry{}},
		{Reader, "GET", "/api/v1/config", "", 403, Entry{}},
	} {
		log.entries = nil
		w := ask(h, try.token, try.method, try.path, try.body)
		if w.Code != try.status {
			t.Errorf("%s %s %s: %d %s", try.token, try.method, try.path, w.Code, w.Body)
		}
		if try.want == (Entry{}) {
			if len(log.entries) > 0 {
				t.Errorf("%s %s %s: nothing was changed and nobody known tried, but: %+v", try.token, try.method, try.path, log.entries)
			}
			continue
		}
		if len(log.entries) != 1 {
			t.Errorf("%s %s %s: %d entries", try.token, try.method, try.path, len(log.entries))
			continue
		}
		got := log.entries[0]
		if got.From != "192.0.2.1" || !got.At.Equal(noon{}.Now()) || !strings.HasPrefix(got.Result, try.want.Result) {
			t.Errorf("%s %s %s: %+v", try.token, try.method, try.path, got)
		}
		got.From, got.At, got.Result = "", time.Time{}, try.want.Result
		if got != try.want {
			t.Errorf("%s %s %s:\n got %+v\nwant %+v", try.token, try.method, try.path, got, try.want)
		}
	}
	if modes.now.IdP != "other" {
		t.Errorf("a refused change was carried out: %+v", modes.now)
	}
}
