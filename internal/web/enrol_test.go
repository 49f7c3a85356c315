package web_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/web"
)

// gatekeeper knows one token, once.
type gatekeeper struct {
	token string
	err   error
}

func (g *gatekeeper) Enrol(_ context.Context, r agentlink.EnrolRequest) (agentlink.EnrolResponse, error) {
	if g.err != nil {
		return agentlink.EnrolResponse{}, g.err
	}
	if r.Token != g.token {
		return agentlink.EnrolResponse{}, agentlink.ErrToken
	}
	g.token = ""
	return agentlink.EnrolResponse{AgentID: "0123456789abcdef0123456789abcdef", Name: r.Name}, nil
}

// The real client of the agent speaks to the real listener; what it makes of the answer is agentlink's own test.
func TestAgentEnrolsOnceWithItsToken(t *testing.T) {
	keeper := &gatekeeper{token: "once"}
	h := newHouse(t, func(_ *house, o *web.Options) { o.Enrol = keeper })
	enrol := func() error {
		_, err := agentlink.EnrolOverHTTP(t.Context(), nil, h.start(), "agent-1", "test", authn.NewSecret([]byte("once")))
		return err
	}
	if err := enrol(); errors.Is(err, agentlink.ErrToken) || keeper.token != "" {
		t.Fatalf("a good token was refused: %v", err)
	}
	if err := enrol(); !errors.Is(err, agentlink.ErrToken) {
		t.Fatalf("a used token: %v", err)
	}
}

func TestBadEnrolmentsAreRefused(t *testing.T) {
	h := newHouse(t, func(_ *house, o *web.Options) { o.Enrol = &gatekeeper{token: "once"} })
	for name, tt := range map[string]struct {
		w      *httptest.ResponseRecorder
		status int
	}{
		"malformed":  {h.post("/agent/enrol", "application/json", `{"token":`), 400},
		"no proof":   {h.post("/agent/enrol", "application/json", `{"token":"once","name":"a","version":"1"}`), 400},
		"wrong type": {h.post("/agent/enrol", "text/plain", `{}`), 415},
		"too large":  {h.post("/agent/enrol", "application/json", strings.Repeat(" ", 65<<10)), 413},
	} {
		if tt.w.Code != tt.status {
			t.Errorf("%s: %d %s", name, tt.w.Code, tt.w.Body)
		}
	}
	if w := newHouse(t, nil).post("/agent/enrol", "application/json", `{}`); w.Code != 404 {
		t.Errorf("without an agent link: %d", w.Code)
	}
	if w := h.get("/livez"); w.Code != 200 || w.Body.String() != "ok\n" {
		t.Errorf("livez: %d", w.Code)
	}
}
