package console

import (
	"net/http"
	"strings"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) tokenOperations() []operation {
	return []operation{
		look(c, "GET /tokens", Admin, "List the console tokens, by name, without their secrets", c.tokens),
		act(c, "POST /tokens", Admin, "Create token", "Make a console token; its secret is in this answer and nowhere else", c.newToken).created(),
		act(c, "DELETE /tokens/{token}", Admin, "Revoke token", "End a token now; {token} is its id", c.revokeToken),
	}
}

func (c *console) tokens(r *http.Request) (api.Page[api.Token], error) {
	tokens, err := c.Books.Tokens.Tokens(r.Context())
	return api.PageOf(tokens), err
}

func (c *console) newToken(r *http.Request, ask api.NewToken, _ api.Token) (did[api.Token], error) {
	token, err := c.Access.NewToken(r.Context(), ask)
	return did[api.Token]{Target: ask.Name, After: ask.Role, Answer: token}, err
}

func (c *console) revokeToken(r *http.Request, _ none, _ api.Token) (did[api.RevokedToken], error) {
	revoked, err := c.Books.Tokens.RevokeToken(r.Context(), r.PathValue("token"))
	return did[api.RevokedToken]{Before: strings.TrimSpace(revoked.Name + " " + revoked.Role), Answer: revoked}, err
}
