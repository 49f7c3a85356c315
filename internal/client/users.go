package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Users gives one page of the tenant's people.
func (c *Console) Users(ctx context.Context, q directory.Query) (api.Page[directory.User], error) {
	v := paging(q)
	setIf(v, "domain", q.Domain)
	if q.Admins {
		v.Set("admin", "true")
	}
	return call[api.Page[directory.User]](ctx, c, http.MethodGet, "users?"+v.Encode(), nil)
}

// User shows an account, with the version that a change of it names.
func (c *Console) User(ctx context.Context, user string) (Version[api.UserDetail], error) {
	return callVersion[api.UserDetail](ctx, c, http.MethodGet, "users/"+url.PathEscape(user), "", nil)
}

// CreateUser makes an account that no on-premises directory masters.
func (c *Console) CreateUser(ctx context.Context, u api.NewUser) (directory.User, error) {
	return call[directory.User](ctx, c, http.MethodPost, "users", u)
}

// ChangeUser changes an account of that version; "" is any.
func (c *Console) ChangeUser(ctx context.Context, user, version string, change directory.UserChange) (directory.User, error) {
	v, err := callVersion[directory.User](ctx, c, http.MethodPatch, "users/"+url.PathEscape(user), version, change)
	return v.Object, err
}

// DeleteUser deletes an account; for good, it can't be restored.
func (c *Console) DeleteUser(ctx context.Context, user string, forGood bool) (api.Removed, error) {
	path := "users/" + url.PathEscape(user)
	if forGood {
		path += "?permanently=true"
	}
	return call[api.Removed](ctx, c, http.MethodDelete, path, nil)
}

// DeletedUsers gives one page of the accounts that can be restored.
func (c *Console) DeletedUsers(ctx context.Context, q directory.Query) (api.Page[directory.DeletedUser], error) {
	return call[api.Page[directory.DeletedUser]](ctx, c, http.MethodGet, "deleted-users?"+paging(q).Encode(), nil)
}

// RestoreUser brings a deleted account back.
func (c *Console) RestoreUser(ctx context.Context, user string, as api.Restore) (directory.User, error) {
	return call[directory.User](ctx, c, http.MethodPost, "deleted-users/"+url.PathEscape(user)+"/restore", as)
}

// SetPassword sets the cloud password of an account.
func (c *Console) SetPassword(ctx context.Context, upn string, pw authn.Secret) error {
	_, err := c.ResetPassword(ctx, upn, api.NewPassword{Password: string(pw.Reveal())})
	return err
}

// ResetPassword sets a cloud password, or has one made up.
func (c *Console) ResetPassword(ctx context.Context, user string, ask api.NewPassword) (api.PasswordSet, error) {
	return call[api.PasswordSet](ctx, c, http.MethodPut, "users/"+url.PathEscape(user)+"/password", ask)
}

// Unlock forgets the wrong passwords of an account.
func (c *Console) Unlock(ctx context.Context, user string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, "users/"+url.PathEscape(user)+"/lock", nil)
	return err
}

// SignOut ends all sessions of an account.
func (c *Console) SignOut(ctx context.Context, user string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, "users/"+url.PathEscape(user)+"/sessions", nil)
	return err
}

func paging(q directory.Query) url.Values {
	v := url.Values{}
	setIf(v, "after", q.After)
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return v
}
