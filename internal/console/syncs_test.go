package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// cycles is a synchronisation that remembers what it was asked.
type cycles struct {
	asked  []string
	refuse error
	paused bool
}

func (c *cycles) SyncStatus(context.Context) (api.SyncStatus, error) {
	return api.SyncStatus{Paused: c.paused}, nil
}

func (c *cycles) SyncRun(_ context.Context, ask api.SyncRequest) ([]directory.Run, error) {
	most := "-"
	if ask.MaxDeletes != nil {
		most = fmt.Sprint(*ask.MaxDeletes)
	}
	c.asked = append(c.asked, fmt.Sprintf("run %v %v %s", ask.Kinds, ask.Full, most))
	return []directory.Run{{Kind: "directory", Result: "success", Added: 1, Updated: 2, Deleted: 3}}, c.refuse
}

func (c *cycles) SyncHistory(_ context.Context, last int) ([]directory.Run, error) {
	return slices.Repeat([]directory.Run{{Kind: "hash"}}, min(last, 3)), nil
}

func (c *cycles) SyncPreview(_ context.Context, full bool) (api.SyncPreview, error) {
	c.asked = append(c.asked, fmt.Sprintf("preview %v", full))
	return api.SyncPreview{Full: full, Text: "+ user a"}, nil
}

func (c *cycles) SyncExplain(_ context.Context, name string) (api.SyncExplain, error) {
	if name == "nobody" {
		return api.SyncExplain{}, fmt.Errorf("nobody knows nobody: %w", directory.ErrNotFound)
	}
	return api.SyncExplain{Name: name}, nil
}

func (c *cycles) SyncErrors(_ context.Context, after string, most int) ([]api.SyncError, error) {
	all := []api.SyncError{{ID: "a"}, {ID: "b"}, {ID: "c"}}
	all = slices.DeleteFunc(all, func(e api.SyncError) bool { return e.ID <= after })
	return all[:min(most, len(all))], nil
}

func (c *cycles) SyncPause(_ context.Context, by string) (api.SyncStatus, error) {
	c.paused = true
	return api.SyncStatus{Paused: true, Switch: &api.SyncSwitch{Paused: true, By: by}}, nil
}

func (c *cycles) SyncResume(context.Context, string) (api.SyncStatus, error) {
	c.paused = false
	return api.SyncStatus{}, nil
}

func TestWhoMaySynchroniseAndWhatTheAuditLogSaysOfIt(t *testing.T) {
	log, port := &book{}, &cycles{}
	h := New(Ports{Access: log, Premises: PremisesPorts{Syncs: port, Views: port, Switch: port}}, noon{})
	for _, try := range []struct {
		token, method, path, body string
		status                    int
		target, after             string // of the entry; "": none
		says                      string
	}{
		{Reader, "GET", "/sync", "", 200, "", "", `"paused":false`},
		{Reader, "POST", "/sync", `{}`, 403, "/api/v1/sync", "", "operator"},
		{Operator, "POST", "/sync", `{}`, 200, "directory, hash", "directory success: 1 added, 2 updated, 3 deleted, 0 hashes", `"runs":[`},
		{Operator, "POST", "/sync", `{"kinds":["directory"],"full":true,"maxDeletes":0}`, 200, "directory, full, at most 0 deletions", "directory success: 1 added, 2 updated, 3 deleted, 0 hashes", `"runs":[`},
		{Operator, "POST", "/sync", `{"maxDeletes":-1}`, 400, "directory, hash, at most -1 deletions", "", "0 or more"},
		{Reader, "POST", "/sync/preview", `{}`, 403, "", "", "operator"},
		{Operator, "POST", "/sync/preview", `{"full":true}`, 200, "", "", "+ user a"},
		{Operator, "POST", "/sync/preview", `{"fulll":true}`, 400, "", "", "fulll"},
		{Reader, "GET", "/sync/explain?name=nick", "", 403, "", "", "operator"},
		{Operator, "GET", "/sync/explain?name=nick", "", 200, "", "", `"name":"nick"`},
		{Operator, "GET", "/sync/explain?name=nobody", "", 404, "", "", "nobody knows nobody"},
		{Operator, "GET", "/sync/explain?name=%20", "", 400, "", "", "whom"},
		{Reader, "GET", "/sync/history?limit=2", "", 200, "", "", `"items":[{`},
		{Reader, "GET", "/sync/history?limit=0", "", 400, "", "", "limit"},
		{Reader, "POST", "/sync/pause", "", 403, "/api/v1/sync/pause", "", "operator"},
		{Operator, "POST", "/sync/pause", "", 200, "schedule", "paused", `"by":"the operator"`},
		{Operator, "POST", "/sync/resume", "", 200, "schedule", "resumed", `"paused":false`},
	} {
		log.entries = nil
		w := ask(h, try.token, try.method, "/api/v1"+try.path, try.body)
		if w.Code != try.status || !strings.Contains(w.Body.String(), try.says) {
			t.Errorf("%s %s %s: %d %s", try.token, try.method, try.path, w.Code, w.Body)
		}
		var target, after string
		if len(log.entries) == 1 {
			target, after = log.entries[0].Target, log.entries[0].After
		}
		if target != try.target || after != try.after || len(log.entries) > 1 {
			t.Errorf("%s %s %s: %+v", try.token, try.method, try.path, log.entries)
		}
	}
	if want := []string{"run [] false -", "run [directory] true 0", "preview true"}; !slices.Equal(port.asked, want) {
		t.Errorf("asked: %q, want %q", port.asked, want)
	}
}

func TestTheAuditLogNamesTheRunsThatCameBeforeAFailure(t *testing.T) {
	log, port := &book{}, &cycles{refuse: errors.New("the hash run did not succeed: no agent")}
	h := New(Ports{Access: log, Premises: PremisesPorts{Syncs: port}}, noon{})
	if w := ask(h, Operator, "POST", "/api/v1/sync", `{}`); w.Code != 500 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if e := log.entries[0]; !strings.Contains(e.After, "1 added") || !strings.Contains(e.Result, "no agent") {
		t.Errorf("%+v", e)
	}
}

func TestErrorsComePageByPage(t *testing.T) {
	port := &cycles{}
	h := New(Ports{Access: &book{}, Premises: PremisesPorts{Views: port}}, noon{})
	var seen []string
	for after := ""; ; {
		w := ask(h, Reader, "GET", "/api/v1/sync/errors?limit=2&after="+url.QueryEscape(after), "")
		var page api.Page[api.SyncError]
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
			t.Fatalf("%v: %s", err, w.Body)
		}
		for _, e := range page.Items {
			seen = append(seen, e.ID)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if !slices.Equal(seen, []string{"a", "b", "c"}) {
		t.Errorf("%q", seen)
	}
}
