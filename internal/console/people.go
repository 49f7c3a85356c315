package console

import (
	"net/http"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

func (c *console) userOperations() []operation {
	return []operation{
		look(c, "GET /users", Reader, "List the accounts, by name", c.users, paged(query("domain", "Only those of this domain."))...),
		act(c, "POST /users", Admin, "Create user", "Make an account that lives only here", c.createUser).created(),
		act(c, "PUT /users/{upn}/password", Admin, "Reset user password", "Set an account's cloud password", c.setPassword),
	}
}

func (c *console) users(r *http.Request) (api.Page[directory.User], error) {
	after, most, err := pageAsked(r)
	if err != nil {
		return api.Page[directory.User]{}, err
	}
	users, err := c.Tenant.People.Users(r.Context(), directory.Query{Domain: r.URL.Query().Get("domain"), After: after, Limit: most})
	return pageOf(users, most, func(u directory.User) string { return u.UPN }), err
}

func (c *console) createUser(r *http.Request, ask api.NewUser, _ api.Token) (did[directory.User], error) {
	user, err := c.Tenant.People.CreateUser(r.Context(), ask)
	return did[directory.User]{Target: authn.ParseIdentifier(ask.UPN).Key(), After: string(user.ID), Answer: user}, err
}

func (c *console) setPassword(r *http.Request, ask api.NewPassword, _ api.Token) (did[none], error) {
	upn := r.PathValue("upn")
	return did[none]{Target: authn.ParseIdentifier(upn).Key()}, c.Tenant.People.SetPassword(r.Context(), upn, authn.NewSecret([]byte(ask.Password)))
}
