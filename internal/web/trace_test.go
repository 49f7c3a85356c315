package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/trace"
	"github.com/fourways-id/fourways/internal/web"
)

const seen = "6f1c5a52-0000-4000-8000-000000000001"

// traces knows one sign-in.
type traces struct{ down bool }

func (s traces) Trace(_ context.Context, id authn.AttemptID) (trace.Attempt, error) {
	switch {
	case s.down:
		return trace.Attempt{}, authntest.ErrDown
	case id != seen:
		return trace.Attempt{}, directory.ErrNotFound
	}
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	return trace.Attempt{Records: []authn.Record{{
		ID: id, Began: at, At: at, Who: `<b>alice</b>@phs.example.test`, Realm: authn.Realm{Path: authn.PathPHS}, Verdict: authn.Denied, Reason: authn.BadPassword, Final: true,
		Steps: []authn.Step{{ID: authn.C1, From: authn.Browser, To: authn.Gateway, Result: authn.StepOK, At: at}},
	}}}, nil
}

func withTraces(t traces) func(*house, *web.Options) {
	return func(h *house, o *web.Options) {
		withLab(h, o)
		o.Site.Lab.Traces = t
	}
}

func TestALabShowsATrace(t *testing.T) {
	w := newHouse(t, withTraces(traces{})).get("/trace/" + seen)
	body := w.Body.String()
	if w.Code != http.StatusOK || !strings.Contains(body, "bad_password (50126)") || !strings.Contains(body, "The user name arrived at the gateway.") {
		t.Fatalf("status %d: %s", w.Code, body)
	}
	if strings.Contains(body, "<b>alice") {
		t.Error("a typed name is markup")
	}
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Error("the page may be kept")
	}
}

func TestNoTraceIsShown(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*house, *web.Options)
		id     string
		status int
	}{
		"unknown in a lab":      {withTraces(traces{}), "6f1c5a52-0000-4000-8000-000000000002", http.StatusNotFound},
		"too long":              {withTraces(traces{}), strings.Repeat("a", 4000), http.StatusNotFound},
		"the store is down":     {withTraces(traces{down: true}), seen, http.StatusServiceUnavailable},
		"a lab without traces":  {withLab, seen, http.StatusNotFound},
		"outside a lab, always": {nil, seen, http.StatusNotFound},
	} {
		if w := newHouse(t, c.change).get("/trace/" + c.id); w.Code != c.status || strings.Contains(w.Body.String(), "alice") {
			t.Errorf("%s: status %d, want %d", name, w.Code, c.status)
		}
	}
}

func TestARefusedSignInLinksToItsTraceInALabOnly(t *testing.T) {
	form := func(change func(*house, *web.Options)) string {
		h := newHouse(t, change)
		front := h.get("/")
		return h.post("/signin", formType, "username=alice%40phs.example.test&password=wrong&formToken="+cookieNamed(front, "fourways_form").Value, as(front)).Body.String()
	}
	lab := form(withTraces(traces{}))
	lab = changing["TOKEN"].ReplaceAllString(lab, "TOKEN") // a random one may hold a step's name
	if !strings.Contains(lab, `<a href="/trace/`) || strings.Contains(lab, "H6") {
		t.Errorf("the page of a lab: %s", lab)
	}
	if production := form(nil); strings.Contains(production, "/trace/") || !strings.Contains(production, "incorrect") {
		t.Errorf("the page outside: %s", production)
	}
}
