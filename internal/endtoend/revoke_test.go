package endtoend_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/world"
)

func TestARevokedAgentIsCutOffNowAndCannotComeBack(t *testing.T) {
	h := openHouse(t, soon)
	h.populate()
	h.healthy(authn.PathFederated)
	agents, err := h.console.Agents(t.Context())
	if err != nil || len(agents) != 1 || agents[0].State != "active" {
		t.Fatalf("%+v %v", agents, err)
	}
	revoked, err := h.console.RevokeAgent(t.Context(), agents[0].ID)
	if err != nil || revoked.State != "revoked" {
		t.Fatalf("%+v %v", revoked, err)
	}
	// No wait: the next sign-in must not reach it.
	h.refused(h.signIn("alice@"+world.PTADomain, world.Password), http.StatusServiceUnavailable, authn.NoAgent)
	h.healthy(authn.PathPTA, authn.PathFederated)
	o := h.gateway.Operator()
	eventually(t, "its connection ends", func() bool { return !o.AgentLive(agentlink.RolePTA) && !o.AgentLive(agentlink.RoleSync) })
	if strings.Contains(string(h.log.bytes()), "panic") {
		t.Error("something broke")
	}
	entries, err := h.console.Audit(t.Context(), 1)
	if err != nil || len(entries) != 1 || entries[0].Action != "Revoke agent" || entries[0].Before != agents[0].Name || entries[0].Result != "success" {
		t.Errorf("the audit log says %+v %v", entries, err)
	}
	var p api.Problem
	if _, err := h.console.RevokeAgent(t.Context(), "nobody"); !errors.As(err, &p) || p.Status != http.StatusNotFound {
		t.Errorf("an agent that is not there: %v", err)
	}
}
