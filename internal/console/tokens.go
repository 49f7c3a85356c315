package console

import (
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) tokenOperations() []operation {
	return []operation{
		act(c, "POST /tokens", Admin, "Create token", "Make a console token; its secret is in this answer and nowhere else", c.newToken).created(),
	}
}

func (c *console) newToken(r *http.Request, ask api.NewToken, _ api.Token) (did[api.Token], error) {
	token, err := c.Access.NewToken(r.Context(), ask)
	return did[api.Token]{Target: ask.Name, After: ask.Role, Answer: token}, err
}
