package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// SyncStatus gives the state of the synchronisation.
func (c *Console) SyncStatus(ctx context.Context) (api.SyncStatus, error) {
	return call[api.SyncStatus](ctx, c, http.MethodGet, "sync", nil)
}

// SyncRun runs the kinds named, or both, and waits for them.
func (c *Console) SyncRun(ctx context.Context, kinds ...string) (api.SyncRuns, error) {
	return c.Sync(ctx, api.SyncRequest{Kinds: kinds})
}

// Sync makes the runs that are asked for, and waits for them.
func (c *Console) Sync(ctx context.Context, ask api.SyncRequest) (api.SyncRuns, error) {
	return call[api.SyncRuns](ctx, c, http.MethodPost, "sync", ask)
}

// SyncPreview says what a run of the directory would do.
func (c *Console) SyncPreview(ctx context.Context, ask api.SyncPreviewRequest) (api.SyncPreview, error) {
	return call[api.SyncPreview](ctx, c, http.MethodPost, "sync/preview", ask)
}

// SyncExplain tells why somebody is here or not.
func (c *Console) SyncExplain(ctx context.Context, name string) (api.SyncExplain, error) {
	return call[api.SyncExplain](ctx, c, http.MethodGet, "sync/explain?name="+url.QueryEscape(name), nil)
}

// SyncErrors lists the objects that can't be taken, a page of them: the one after that cursor, "" for the first.
func (c *Console) SyncErrors(ctx context.Context, after string, most int) (api.Page[api.SyncError], error) {
	v := url.Values{"limit": {strconv.Itoa(most)}}
	setIf(v, "after", after)
	return call[api.Page[api.SyncError]](ctx, c, http.MethodGet, "sync/errors?"+v.Encode(), nil)
}

// SyncHistory lists the last runs, the newest first.
func (c *Console) SyncHistory(ctx context.Context, last int) ([]directory.Run, error) {
	page, err := call[api.Page[directory.Run]](ctx, c, http.MethodGet, "sync/history?limit="+strconv.Itoa(last), nil)
	return page.Items, err
}

// SyncPause stops the schedule.
func (c *Console) SyncPause(ctx context.Context) (api.SyncStatus, error) {
	return call[api.SyncStatus](ctx, c, http.MethodPost, "sync/pause", nil)
}

// SyncResume lets the schedule go on.
func (c *Console) SyncResume(ctx context.Context) (api.SyncStatus, error) {
	return call[api.SyncStatus](ctx, c, http.MethodPost, "sync/resume", nil)
}
