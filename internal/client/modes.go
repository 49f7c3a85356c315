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

// Modes lists the domains and their paths.
func (c *Console) Modes(ctx context.Context) ([]api.Mode, error) {
	page, err := call[api.Page[api.Mode]](ctx, c, http.MethodGet, "mode", nil)
	return page.Items, err
}

// Mode shows a domain's path, with the version that a change names.
func (c *Console) Mode(ctx context.Context, domain string) (Version[api.Mode], error) {
	return callVersion[api.Mode](ctx, c, http.MethodGet, modeOf(domain, ""), "", nil)
}

// PreviewMode says what SetMode would do.
func (c *Console) PreviewMode(ctx context.Context, domain string, m api.ModeChange) (api.ModePreview, error) {
	return call[api.ModePreview](ctx, c, http.MethodPost, modeOf(domain, "/preview"), m)
}

// SetMode swaps the path of a domain that has that version still; "" is any.
func (c *Console) SetMode(ctx context.Context, domain, version string, m api.ModeChange) (api.Mode, error) {
	v, err := callVersion[api.Mode](ctx, c, http.MethodPut, modeOf(domain, ""), version, m)
	return v.Object, err
}

// UndoMode brings back what the last swap replaced.
func (c *Console) UndoMode(ctx context.Context, domain, version string) (api.Mode, error) {
	v, err := callVersion[api.Mode](ctx, c, http.MethodPost, modeOf(domain, "/undo"), version, nil)
	return v.Object, err
}

// ResetMode drops a domain's override.
func (c *Console) ResetMode(ctx context.Context, domain, version string) (api.Mode, error) {
	v, err := callVersion[api.Mode](ctx, c, http.MethodDelete, modeOf(domain, ""), version, nil)
	return v.Object, err
}

// ModeHistory gives one page of the changes of paths, the newest first; domain "" is all. after is the page's Next.
func (c *Console) ModeHistory(ctx context.Context, domain, after string, most int) (api.Page[directory.ModeChange], error) {
	v := url.Values{}
	setIf(v, "domain", domain)
	setIf(v, "after", after)
	v.Set("limit", strconv.Itoa(most))
	return call[api.Page[directory.ModeChange]](ctx, c, http.MethodGet, "mode-changes?"+v.Encode(), nil)
}

func modeOf(domain, what string) string { return "mode/" + url.PathEscape(domain) + what }

// Rollouts lists the groups in a staged roll-out.
func (c *Console) Rollouts(ctx context.Context) ([]directory.NamedRollout, error) {
	page, err := call[api.Page[directory.NamedRollout]](ctx, c, http.MethodGet, "rollouts", nil)
	return page.Items, err
}

// AddRollout moves a group's direct members to a path.
func (c *Console) AddRollout(ctx context.Context, group string, path authn.Path) (directory.NamedRollout, error) {
	return call[directory.NamedRollout](ctx, c, http.MethodPut, "rollouts/"+url.PathEscape(group), api.NewRollout{Path: path})
}

// RemoveRollout gives a group's members back to their identity provider.
func (c *Console) RemoveRollout(ctx context.Context, group string) (directory.NamedRollout, error) {
	return call[directory.NamedRollout](ctx, c, http.MethodDelete, "rollouts/"+url.PathEscape(group), nil)
}
