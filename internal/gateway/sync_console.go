package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/fourways-id/fourways/internal/admin"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
)

// SyncStatus implements console.Syncs.
func (g *Gateway) SyncStatus(ctx context.Context) (api.SyncStatus, error) {
	runs, err1 := g.core.store.Runs(ctx, 20)
	paused, by, operator, err2 := g.syncPaused(ctx)
	if err := errors.Join(err1, err2); err != nil {
		return api.SyncStatus{}, err
	}
	c := g.conf.Load().Sync
	status := api.SyncStatus{
		At: g.core.clock.Now(), Paused: paused, PausedBy: by, Switch: operator, Runs: runs, Pending: api.SyncPending{MaxDeletes: c.MaxDeletes},
		Cycles: []api.SyncCycle{
			{Kind: string(dirsync.KindDirectory), Every: c.DirectoryInterval.String()},
			{Kind: string(dirsync.KindHash), Every: c.HashInterval.String()},
		},
	}
	for i := range status.Cycles {
		k := &status.Cycles[i]
		k.Last = g.lastSync(k.Kind)
		if every, _ := time.ParseDuration(k.Every); !paused {
			k.Next = k.Last.Add(every)
		}
		for _, r := range runs {
			if r.Kind == k.Kind {
				k.LastResult = r.Result
				break
			}
		}
	}
	return status, nil
}

// SyncRun implements console.Syncs: the kinds in order, directory first. It stops at the first run that fails.
func (g *Gateway) SyncRun(ctx context.Context, ask api.SyncRequest) ([]directory.Run, error) {
	if len(ask.Kinds) == 0 {
		ask.Kinds = []string{string(dirsync.KindDirectory), string(dirsync.KindHash)}
	}
	var runs []directory.Run
	for _, k := range ask.Kinds {
		if k != string(dirsync.KindDirectory) && k != string(dirsync.KindHash) {
			return runs, admin.BadRequest("%q is no kind of run: give directory or hash", k)
		}
		run, err := g.engine.Run(ctx, dirsync.Kind(k))
		if err != nil {
			return runs, syncFailure(k, err)
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// SyncHistory implements console.Syncs.
func (g *Gateway) SyncHistory(ctx context.Context, last int) ([]directory.Run, error) {
	return g.core.store.Runs(ctx, last)
}

// SyncPreview implements console.SyncViews.
func (g *Gateway) SyncPreview(ctx context.Context, _ bool) (api.SyncPreview, error) {
	plan, err := g.engine.Preview(ctx, dirsync.KindDirectory)
	p := api.SyncPreview{
		Adds: syncChanges(plan.Adds), Updates: syncChanges(plan.Updates), Deletes: syncChanges(plan.Deletes), Skipped: make([]api.SyncSkip, len(plan.Skipped)),
		Full: true, Text: plan.String(),
	}
	for i, s := range plan.Skipped {
		p.Skipped[i] = api.SyncSkip{Kind: s.Kind, Name: s.Name, Reason: s.Reason}
	}
	if errors.Is(err, dirsync.ErrTooManyDeletes) || errors.Is(err, dirsync.ErrEmptySource) {
		p.Stopped, err = err.Error(), nil
	}
	if err != nil {
		return p, syncFailure("directory", err)
	}
	return p, nil
}

func syncChanges(of []dirsync.Change) []api.SyncChange {
	all := make([]api.SyncChange, len(of))
	for i, c := range of {
		all[i] = api.SyncChange{Kind: c.Kind, Name: c.Name, What: c.What}
	}
	return all
}

// SyncExplain implements console.SyncViews.
func (g *Gateway) SyncExplain(context.Context, string) (api.SyncExplain, error) {
	return api.SyncExplain{}, api.Problem{Title: "Not Implemented", Status: http.StatusNotImplemented, Detail: "This gateway keeps no connector space yet."}
}

// SyncErrors implements console.SyncViews.
func (g *Gateway) SyncErrors(context.Context, string, int) ([]api.SyncError, error) {
	return nil, api.Problem{Title: "Not Implemented", Status: http.StatusNotImplemented, Detail: "This gateway keeps no connector space yet."}
}

// SyncPause implements console.SyncSwitch.
func (g *Gateway) SyncPause(ctx context.Context, by string) (api.SyncStatus, error) {
	return g.switchSync(ctx, true, by)
}

// SyncResume implements console.SyncSwitch.
func (g *Gateway) SyncResume(ctx context.Context, by string) (api.SyncStatus, error) {
	return g.switchSync(ctx, false, by)
}

// syncSwitch is the name under which the store keeps the operator's switch of the schedule.
const syncSwitch = "sync.switch"

func (g *Gateway) switchSync(ctx context.Context, pause bool, by string) (api.SyncStatus, error) {
	value, err := json.Marshal(api.SyncSwitch{Paused: pause, By: by, At: g.core.clock.Now()})
	if err == nil {
		err = g.core.store.SetMeta(ctx, syncSwitch, string(value))
	}
	if err != nil {
		return api.SyncStatus{}, err
	}
	return g.SyncStatus(ctx)
}

// syncPaused tells whether the schedule is paused and by whom: file or operator, whose switch counts more than the file
// once it was used.
func (g *Gateway) syncPaused(ctx context.Context) (paused bool, by string, operator *api.SyncSwitch, err error) {
	value, err := g.core.store.Meta(ctx, syncSwitch)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		if g.conf.Load().Sync.Paused {
			return true, "file", nil, nil
		}
		return false, "", nil, nil
	case err != nil:
		return false, "", nil, err
	}
	if err := json.Unmarshal([]byte(value), &operator); err != nil {
		return false, "", nil, fmt.Errorf("the operator's switch of the synchronisation can't be read: %w", err)
	}
	if operator.Paused {
		by = "operator"
	}
	return operator.Paused, by, operator, nil
}
