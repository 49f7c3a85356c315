package console

import (
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) agentOperations() []operation {
	return []operation{
		look(c, "GET /agents", Reader, "List the on-premises agents", c.agents),
		act(c, "POST /agents", Admin, "Invite agent", "Make a one-time token with which one agent enrols", c.invite).created(),
		act(c, "DELETE /agents/{agent}", Admin, "Revoke agent", "Cut an agent off now, for good; {agent} is its id", c.revokeAgent),
	}
}

func (c *console) agents(r *http.Request) (api.Page[api.Agent], error) {
	agents, err := c.Premises.Agents.Agents(r.Context())
	return api.PageOf(agents), err
}

func (c *console) invite(r *http.Request, ask api.Invite, by api.Token) (did[api.Invitation], error) {
	invitation, err := c.Premises.Agents.Invite(r.Context(), ask, by.Name)
	return did[api.Invitation]{Target: ask.Name, Answer: invitation}, err
}

func (c *console) revokeAgent(r *http.Request, _ none, _ api.Token) (did[api.Agent], error) {
	agent, err := c.Premises.Agents.RevokeAgent(r.Context(), r.PathValue("agent"))
	return did[api.Agent]{Before: agent.Name, After: agent.State, Answer: agent}, err
}
