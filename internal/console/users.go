package console

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// People are the accounts of the tenant. An account is named by its user principal name or its id.
type People interface {
	PeopleReader
	PeopleWriter
	Leavers
	PeopleKeys
}

// PeopleReader looks at accounts.
type PeopleReader interface {
	Users(ctx context.Context, q directory.Query) ([]directory.User, error)
	User(ctx context.Context, user string) (api.UserDetail, error)
}

// PeopleWriter makes and changes them. version is the one that the caller read, "" for any.
type PeopleWriter interface {
	CreateUser(ctx context.Context, u api.NewUser) (directory.User, error)
	ChangeUser(ctx context.Context, user string, c directory.UserChange, version string) (before, after directory.User, err error)
}

// Leavers are accounts that are deleted, and come back or don't.
type Leavers interface {
	DeleteUser(ctx context.Context, user, version string, forGood bool) (api.Removed, error)
	DeletedUsers(ctx context.Context, q directory.Query) ([]directory.DeletedUser, error)
	RestoreUser(ctx context.Context, user string, as api.Restore) (directory.User, error)
}

// PeopleKeys are passwords, locks and sessions.
type PeopleKeys interface {
	ResetPassword(ctx context.Context, user string, ask api.NewPassword) (api.PasswordSet, error)
	Unlock(ctx context.Context, user string) (before authn.Tally, u directory.User, err error)
	SignOut(ctx context.Context, user string) (ended int, u directory.User, err error)
}

func (c *console) userOperations() []operation {
	return []operation{
		look(c, "GET /users", Reader, "List the accounts, by name", c.users,
			paged(query("domain", "Only those of this domain."), query("admin", "true: only administrators."))...),
		look(c, "GET /users/{user}", Reader, "Show an account: how it signs in, its groups, licences, credentials (never their values) and sessions", c.user),
		act(c, "POST /users", Admin, "Create user", "Make an account that no on-premises directory masters", c.createUser).created(),
		act(c, "PATCH /users/{user}", Admin, "Update user", "Change an account; what its on-premises directory masters is refused with where to change it", c.changeUser),
		act(c, "DELETE /users/{user}", Admin, "Delete user", "Delete an account; for 30 days it can be restored", c.deleteUser, query("permanently", "true: it can't be restored, and one that was deleted before is forgotten.")),
		look(c, "GET /deleted-users", Reader, "List the deleted accounts that can be restored, by id", c.deletedUsers, paged()...),
		act(c, "POST /deleted-users/{user}/restore", Admin, "Restore user", "Bring a deleted account back with its groups and its password", c.restoreUser),
		act(c, "PUT /users/{user}/password", Admin, "Reset user password", "Set an account's cloud password, or make one up", c.setPassword),
		act(c, "DELETE /users/{user}/lock", Operator, "Unlock user", "Forget the wrong passwords of an account", c.unlock),
		act(c, "DELETE /users/{user}/sessions", Operator, "Revoke user sessions", "Sign an account out everywhere", c.signOutUser),
	}
}

func (c *console) users(r *http.Request) (api.Page[directory.User], error) {
	after, most, err := pageAsked(r)
	if err != nil {
		return api.Page[directory.User]{}, err
	}
	q := r.URL.Query()
	users, err := c.Tenant.People.Users(r.Context(), directory.Query{Domain: q.Get("domain"), Admins: q.Get("admin") == "true", After: after, Limit: most})
	return pageOf(users, most, func(u directory.User) string { return u.UPN }), err
}

func (c *console) user(r *http.Request) (api.UserDetail, error) {
	return c.Tenant.People.User(r.Context(), r.PathValue("user"))
}

func (c *console) createUser(r *http.Request, ask api.NewUser, _ api.Token) (did[directory.User], error) {
	user, err := c.Tenant.People.CreateUser(r.Context(), ask)
	return did[directory.User]{Target: authn.ParseIdentifier(ask.UPN).Key(), After: string(user.ID), Answer: user}, err
}

func (c *console) changeUser(r *http.Request, ask directory.UserChange, _ api.Token) (did[directory.User], error) {
	before, after, err := c.Tenant.People.ChangeUser(r.Context(), r.PathValue("user"), ask, ifMatch(r))
	return did[directory.User]{Target: before.UPN, After: strings.Join(directory.Differences(before, after), ", "), Answer: after}, err
}

func (c *console) deleteUser(r *http.Request, _ none, _ api.Token) (did[api.Removed], error) {
	forGood := r.URL.Query().Get("permanently") == "true"
	gone, err := c.Tenant.People.DeleteUser(r.Context(), r.PathValue("user"), ifMatch(r), forGood)
	d := did[api.Removed]{Target: gone.User.UPN, Before: string(gone.User.ID), Answer: gone}
	if forGood {
		d.After = "permanently"
	}
	return d, err
}

func (c *console) deletedUsers(r *http.Request) (api.Page[directory.DeletedUser], error) {
	after, most, err := pageAsked(r)
	if err != nil {
		return api.Page[directory.DeletedUser]{}, err
	}
	gone, err := c.Tenant.People.DeletedUsers(r.Context(), directory.Query{After: after, Limit: most})
	return pageOf(gone, most, func(u directory.DeletedUser) string { return string(u.ID) }), err
}

func (c *console) restoreUser(r *http.Request, ask api.Restore, _ api.Token) (did[directory.User], error) {
	user, err := c.Tenant.People.RestoreUser(r.Context(), r.PathValue("user"), ask)
	return did[directory.User]{Target: user.UPN, After: string(user.ID), Answer: user}, err
}

func (c *console) setPassword(r *http.Request, ask api.NewPassword, _ api.Token) (did[api.PasswordSet], error) {
	set, err := c.Tenant.People.ResetPassword(r.Context(), r.PathValue("user"), ask)
	d := did[api.PasswordSet]{Target: set.User, Answer: set}
	if ask.MustChange {
		d.After = "to be changed at the next sign-in"
	}
	return d, err
}

func (c *console) unlock(r *http.Request, _ none, _ api.Token) (did[none], error) {
	before, u, err := c.Tenant.People.Unlock(r.Context(), r.PathValue("user"))
	d := did[none]{Target: u.UPN, Before: fmt.Sprintf("%d wrong passwords", before.Failures)}
	if before.LockedUntil.After(c.clock.Now()) {
		d.Before += ", locked until " + before.LockedUntil.UTC().Format("2006-01-02T15:04:05Z")
	}
	return d, err
}

func (c *console) signOutUser(r *http.Request, _ none, _ api.Token) (did[none], error) {
	ended, u, err := c.Tenant.People.SignOut(r.Context(), r.PathValue("user"))
	return did[none]{Target: u.UPN, Before: fmt.Sprintf("%d sessions", ended)}, err
}
