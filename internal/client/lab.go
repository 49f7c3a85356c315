package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/fourways-id/fourways/internal/console/api"
)

// Faults lists everything in the lab that can be broken, and what is.
func (c *Console) Faults(ctx context.Context) ([]api.Fault, error) {
	page, err := call[api.Page[api.Fault]](ctx, c, http.MethodGet, "faults", nil)
	return page.Items, err
}

// SetFault breaks something.
func (c *Console) SetFault(ctx context.Context, name string, s api.FaultSetting) (api.Fault, error) {
	return call[api.Fault](ctx, c, http.MethodPut, "faults/"+url.PathEscape(name), s)
}

// ClearFaults mends a fault, or all of them when name is "", and gives the names of those that were on.
func (c *Console) ClearFaults(ctx context.Context, name string) ([]string, error) {
	path := "faults"
	if name != "" {
		path += "/" + url.PathEscape(name)
	}
	page, err := call[api.Page[string]](ctx, c, http.MethodDelete, path, nil)
	return page.Items, err
}

// Scenarios lists the stories that can be run.
func (c *Console) Scenarios(ctx context.Context) ([]api.Scenario, error) {
	page, err := call[api.Page[api.Scenario]](ctx, c, http.MethodGet, "scenarios", nil)
	return page.Items, err
}

// RunScenario plays one in a throw-away copy of the lab, and waits for its end.
func (c *Console) RunScenario(ctx context.Context, name string) (api.ScenarioReport, error) {
	return call[api.ScenarioReport](ctx, c, http.MethodPost, "scenarios/"+url.PathEscape(name), struct{}{})
}

// Clock tells the lab's policy time.
func (c *Console) Clock(ctx context.Context) (api.Clock, error) {
	return call[api.Clock](ctx, c, http.MethodGet, "clock", nil)
}

// AdvanceClock moves it on.
func (c *Console) AdvanceClock(ctx context.Context, by api.ClockChange) (api.Clock, error) {
	return call[api.Clock](ctx, c, http.MethodPost, "clock", by)
}

// ResetClock gives it real time back.
func (c *Console) ResetClock(ctx context.Context) (api.Clock, error) {
	return call[api.Clock](ctx, c, http.MethodDelete, "clock", nil)
}

// Reset brings the world back as it was seeded.
func (c *Console) Reset(ctx context.Context) (api.Restored, error) {
	return call[api.Restored](ctx, c, http.MethodPost, "reset", struct{}{})
}

// Snapshots lists the kept states of the world.
func (c *Console) Snapshots(ctx context.Context) ([]api.Snapshot, error) {
	page, err := call[api.Page[api.Snapshot]](ctx, c, http.MethodGet, "snapshots", nil)
	return page.Items, err
}

// SaveSnapshot keeps the world as it is now.
func (c *Console) SaveSnapshot(ctx context.Context, name string) (api.Snapshot, error) {
	return call[api.Snapshot](ctx, c, http.MethodPut, "snapshots/"+url.PathEscape(name), struct{}{})
}

// RestoreSnapshot brings a kept world back.
func (c *Console) RestoreSnapshot(ctx context.Context, name string) (api.Restored, error) {
	return call[api.Restored](ctx, c, http.MethodPost, "snapshots/"+url.PathEscape(name), struct{}{})
}

// RunMatrix runs every account state on every path in a throw-away copy of the lab, and waits for its end.
func (c *Console) RunMatrix(ctx context.Context, ask api.MatrixRequest) (api.Matrix, error) {
	return call[api.Matrix](ctx, c, http.MethodPost, "matrix", ask)
}

// Examine gives the gateway's own findings about itself.
func (c *Console) Examine(ctx context.Context) ([]api.Finding, error) {
	page, err := call[api.Page[api.Finding]](ctx, c, http.MethodGet, "doctor", nil)
	return page.Items, err
}
