package console

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Syncs are the runs of the synchronisation.
type Syncs interface {
	SyncStatus(ctx context.Context) (api.SyncStatus, error)
	SyncRun(ctx context.Context, ask api.SyncRequest) ([]directory.Run, error) // those that were made, also beside an error
	SyncHistory(ctx context.Context, last int) ([]directory.Run, error)        // newest first
}

// SyncViews tell what runs would do, and why. They change nothing of the tenant.
type SyncViews interface {
	SyncPreview(ctx context.Context, full bool) (api.SyncPreview, error)
	SyncExplain(ctx context.Context, name string) (api.SyncExplain, error) // directory.ErrNotFound when nobody knows it

	// SyncErrors lists the objects that can't be taken, by id, from after that id on.
	SyncErrors(ctx context.Context, after string, most int) ([]api.SyncError, error)
}

// SyncSwitch is the operator's switch of the schedule, which outlives restarts and counts more than the file.
type SyncSwitch interface {
	SyncPause(ctx context.Context, by string) (api.SyncStatus, error)
	SyncResume(ctx context.Context, by string) (api.SyncStatus, error)
}

// Preview and explain make an agent work, and the second one finds people who are in no scope: so they are the operator's.
func (c *console) syncOperations() []operation {
	return []operation{
		look(c, "GET /sync", Reader, "The state of the synchronisation, and its last runs", c.syncStatus),
		act(c, "POST /sync", Operator, "Run sync", "Synchronise now, and wait for the end", c.syncRun).long(),
		lookAt[api.SyncPreviewRequest](look(c, "POST /sync/preview", Operator, "Say what a run of the directory would do, and change nothing", c.syncPreview)).long(),
		look(c, "GET /sync/explain", Operator, "Why somebody is here or not, step by step, and what became of the password hash", c.syncExplain,
			query("name", "User principal name, account name, mail address, distinguished name or anchor of one object.")),
		look(c, "GET /sync/errors", Reader, "List the objects that can't be taken", c.syncErrors, paged()...),
		look(c, "GET /sync/history", Reader, "List the last runs, the newest first", c.syncHistory, query("limit", "How many runs at most, from 1; above 1000 is 1000. Default 100.")),
		act(c, "POST /sync/pause", Operator, "Pause sync", "Stop the schedule until it is resumed", c.syncPause),
		act(c, "POST /sync/resume", Operator, "Resume sync", "Let the schedule go on, also where the file pauses it", c.syncResume),
	}
}

func (c *console) syncStatus(r *http.Request) (api.SyncStatus, error) {
	return c.Premises.Syncs.SyncStatus(r.Context())
}

func (c *console) syncRun(r *http.Request, ask api.SyncRequest, _ api.Token) (did[api.SyncRuns], error) {
	d := did[api.SyncRuns]{Target: syncAsked(ask)}
	if ask.MaxDeletes != nil && *ask.MaxDeletes < 0 {
		return d, bad("%d is no number of deletions: give 0 or more.", *ask.MaxDeletes)
	}
	runs, err := c.Premises.Syncs.SyncRun(r.Context(), ask)
	d.After, d.Answer.Runs = runsInWords(runs), append([]directory.Run{}, runs...)
	return d, err
}

// syncAsked is a request in words, for the audit log.
func syncAsked(ask api.SyncRequest) string {
	words := []string{"directory", "hash"}
	if len(ask.Kinds) > 0 {
		words = ask.Kinds
	}
	if ask.Full {
		words = append(words[:len(words):len(words)], "full")
	}
	if ask.MaxDeletes != nil {
		words = append(words[:len(words):len(words)], fmt.Sprintf("at most %d deletions", *ask.MaxDeletes))
	}
	return strings.Join(words, ", ")
}

func runsInWords(runs []directory.Run) string {
	all := make([]string, len(runs))
	for i, r := range runs {
		all[i] = fmt.Sprintf("%s %s: %d added, %d updated, %d deleted, %d hashes", r.Kind, r.Result, r.Added, r.Updated, r.Deleted, r.Hashes)
	}
	return strings.Join(all, "; ")
}

func (c *console) syncPreview(r *http.Request) (api.SyncPreview, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return api.SyncPreview{}, err
	}
	ask, err := read[api.SyncPreviewRequest](r, body)
	if err != nil {
		return api.SyncPreview{}, err
	}
	return c.Premises.Views.SyncPreview(r.Context(), ask.Full)
}

func (c *console) syncExplain(r *http.Request) (api.SyncExplain, error) {
	name := strings.TrimSpace(r.URL.Query().Get("name"))
	if name == "" {
		return api.SyncExplain{}, bad("Say whom you mean: ?name=USER.")
	}
	return c.Premises.Views.SyncExplain(r.Context(), name)
}

func (c *console) syncErrors(r *http.Request) (api.Page[api.SyncError], error) {
	after, most, err := pageAsked(r)
	if err != nil {
		return api.Page[api.SyncError]{}, err
	}
	all, err := c.Premises.Views.SyncErrors(r.Context(), after, most)
	return pageOf(all, most, func(e api.SyncError) string { return e.ID }), err
}

func (c *console) syncHistory(r *http.Request) (api.Page[directory.Run], error) {
	last, err := limit(r, pageSize)
	if err != nil {
		return api.Page[directory.Run]{}, err
	}
	runs, err := c.Premises.Syncs.SyncHistory(r.Context(), last)
	return api.PageOf(runs), err
}

func (c *console) syncPause(r *http.Request, _ none, by api.Token) (did[api.SyncStatus], error) {
	status, err := c.Premises.Switch.SyncPause(r.Context(), by.Name)
	return did[api.SyncStatus]{Target: "schedule", After: "paused", Answer: status}, err
}

func (c *console) syncResume(r *http.Request, _ none, by api.Token) (did[api.SyncStatus], error) {
	status, err := c.Premises.Switch.SyncResume(r.Context(), by.Name)
	return did[api.SyncStatus]{Target: "schedule", After: "resumed", Answer: status}, err
}
