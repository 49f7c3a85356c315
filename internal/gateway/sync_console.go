package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fourways-id/fourways/internal/admin"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
)

// SyncStatus implements console.Syncs.
func (g *Gateway) SyncStatus(ctx context.Context) (api.SyncStatus, error) {
	runs, err1 := g.core.store.Runs(ctx, 20)
	paused, by, operator, err2 := g.syncPaused(ctx)
	space, err3 := g.core.store.CountSpace(ctx)
	late, oldest, err4 := g.core.store.LatePasswords(ctx)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return api.SyncStatus{}, err
	}
	c := g.conf.Load().Sync
	status := api.SyncStatus{
		At: g.core.clock.Now(), Paused: paused, PausedBy: by, Switch: operator, Runs: runs, Lag: api.SyncLag{Passwords: late, Oldest: oldest},
		Pending: api.SyncPending{
			Objects: space.Due, Deletes: space.Gone, MaxDeletes: c.MaxDeletes, Errors: space.Failed, Withheld: space.Withheld, Total: space.Objects,
		},
	}
	if p, running := g.engine.Progress(); running {
		status.Running = &api.SyncProgress{Run: p.Run, Kind: p.Kind, Agent: p.Agent, Phase: p.Phase, Read: p.Read, Planned: p.Planned, Applied: p.Applied, Began: p.Began, Full: p.Full}
	}
	for kind, every := range map[dirsync.Kind]config.Duration{dirsync.KindDirectory: c.DirectoryInterval, dirsync.KindHash: c.HashInterval} {
		cycle, err := g.syncCycle(ctx, kind, time.Duration(every), runs)
		if err != nil {
			return api.SyncStatus{}, err
		}
		if paused {
			cycle.Next = time.Time{}
		}
		status.Pending.Blocked = status.Pending.Blocked || kind == dirsync.KindDirectory && cycle.LastResult == dirsync.Stopped
		status.Cycles = append(status.Cycles, cycle)
	}
	slices.SortFunc(status.Cycles, func(a, b api.SyncCycle) int { return cmp.Compare(a.Kind, b.Kind) })
	return status, nil
}

// syncCycle is how one of the two cycles stands.
func (g *Gateway) syncCycle(ctx context.Context, kind dirsync.Kind, every time.Duration, runs []directory.Run) (api.SyncCycle, error) {
	at, err := g.core.store.SyncCursor(ctx, string(kind))
	if err != nil {
		return api.SyncCycle{}, err
	}
	cycle := api.SyncCycle{Kind: string(kind), Every: every.String(), Last: g.lastSync(string(kind)), Cursor: api.SyncCursor{At: at.At, FullAt: at.FullAt, Mode: dirsync.Delta}}
	if at.Place == nil || g.core.clock.Now().Sub(at.FullAt) >= time.Duration(g.conf.Load().Sync.FullInterval) {
		cycle.Cursor.Mode = dirsync.Full
	}
	for _, r := range runs {
		if r.Kind == cycle.Kind {
			cycle.LastResult, cycle.Next = r.Result, r.Began.Add(every)
			break
		}
	}
	return cycle, nil
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
		run, err := g.engine.Run(ctx, dirsync.Wish{Kind: dirsync.Kind(k), Full: ask.Full, MaxDeletes: ask.MaxDeletes})
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
