package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/fourways-id/fourways/internal/console/api"
)

// Tokens lists the console tokens, without their secrets.
func (c *Console) Tokens(ctx context.Context) ([]api.Token, error) {
	page, err := call[api.Page[api.Token]](ctx, c, http.MethodGet, "tokens", nil)
	return page.Items, err
}

// RevokeToken ends the token with this id.
func (c *Console) RevokeToken(ctx context.Context, id string) (api.RevokedToken, error) {
	return call[api.RevokedToken](ctx, c, http.MethodDelete, "tokens/"+url.PathEscape(id), nil)
}

// Audit lists the last entries of the audit log, the newest first, from as many pages as it takes.
func (c *Console) Audit(ctx context.Context, last int) ([]api.AuditEntry, error) {
	var all []api.AuditEntry
	v := url.Values{}
	for len(all) < last {
		v.Set("limit", strconv.Itoa(min(last-len(all), 1000)))
		page, err := call[api.Page[api.AuditEntry]](ctx, c, http.MethodGet, "audit?"+v.Encode(), nil)
		if err != nil {
			return nil, err
		}
		if all = append(all, page.Items...); page.Next == "" {
			break
		}
		v.Set("after", page.Next)
	}
	return all, nil
}

// RevokeAgent cuts the agent with this id off, for good.
func (c *Console) RevokeAgent(ctx context.Context, id string) (api.Agent, error) {
	return call[api.Agent](ctx, c, http.MethodDelete, "agents/"+url.PathEscape(id), nil)
}
