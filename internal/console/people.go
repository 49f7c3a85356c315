package console

import (
	"net/http"
	"strconv"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// pageSize is how many objects a page of a list holds unless ?limit= asks for less.
const pageSize = 100

func (c *console) users(r *http.Request) (any, error) {
	q := directory.Query{Domain: r.URL.Query().Get("domain"), After: r.URL.Query().Get("after"), Limit: limit(r, pageSize)}
	users, err := c.Tenant.People.Users(r.Context(), q)
	if err != nil {
		return nil, err
	}
	page := api.PageOf(users)
	if len(users) == q.Limit {
		page.Next = users[len(users)-1].UPN
	}
	return page, nil
}

func (c *console) createUser(r *http.Request, _ api.Token) (changed, error) {
	did := changed{Action: "Create user", Status: http.StatusCreated}
	ask, err := read[api.NewUser](r)
	if err != nil {
		return did, err
	}
	did.Target = authn.ParseIdentifier(ask.UPN).Key()
	user, err := c.Tenant.People.CreateUser(r.Context(), ask)
	did.Answer, did.After = user, string(user.ID)
	return did, err
}

func (c *console) setPassword(r *http.Request, _ api.Token) (changed, error) {
	did := changed{Action: "Reset user password", Target: authn.ParseIdentifier(r.PathValue("upn")).Key(), Answer: struct{}{}}
	ask, err := read[api.NewPassword](r)
	if err != nil {
		return did, err
	}
	return did, c.Tenant.People.SetPassword(r.Context(), r.PathValue("upn"), authn.NewSecret([]byte(ask.Password)))
}

func limit(r *http.Request, most int) int {
	if n, err := strconv.Atoi(r.URL.Query().Get("limit")); err == nil && n > 0 && n < most {
		return n
	}
	return most
}
