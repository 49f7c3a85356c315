package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/golden"
	"github.com/fourways-id/fourways/internal/trace"
)

// nine is the gateway's clock.
func nine() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }

func before(d time.Duration) time.Time { return nine().Add(-d) }

// busyStatus is a synchronisation with something of everything.
func busyStatus() api.SyncStatus {
	return api.SyncStatus{
		At: nine(), Paused: true, PausedBy: "operator", Switch: &api.SyncSwitch{Paused: true, By: "night shift", At: before(5 * time.Minute)},
		Running: &api.SyncProgress{Run: "r9", Kind: "directory", Agent: "dc1", Phase: "apply", Read: 1200, Planned: 40, Applied: 12, Began: before(21 * time.Second), Full: true},
		Cycles: []api.SyncCycle{
			{Kind: "directory", Every: "30m0s", Last: before(31 * time.Minute), LastResult: dirsync.Stopped, Cursor: api.SyncCursor{At: before(31 * time.Minute), FullAt: before(72 * time.Hour), Mode: "delta"}},
			{Kind: "hash", Every: "2m0s", LastResult: dirsync.Failed, Cursor: api.SyncCursor{Mode: "full"}},
		},
		Pending: api.SyncPending{Objects: 41, Deletes: 12, MaxDeletes: 500, Blocked: true, Errors: 1, Withheld: 2, Total: 78},
		Lag:     api.SyncLag{Passwords: 1, Oldest: before(21 * time.Second)},
		Runs: []directory.Run{
			{
				ID: "r8", Kind: "directory", Mode: "full", Note: "another domain controller", Result: dirsync.Stopped, Agent: "dc1", Began: before(time.Minute),
				Took: 61300 * time.Millisecond, Read: 1204, Blocked: 12, Error: "too many deletions",
			},
			{ID: "r7", Kind: "hash", Mode: "delta", Result: dirsync.Success, Agent: "dc1", Began: before(time.Hour), Took: 12345 * time.Microsecond, Read: 3, Hashes: 3, Skipped: []string{"user \x1bquinn: no hash"}},
			{ID: "r6", Kind: "directory", Mode: "delta", Result: "interrupted", Began: before(2 * time.Hour), Added: 1, Updated: 20, Deleted: 3, WroteBack: 1},
		},
	}
}

func TestStatusIsATableThatAPersonLikes(t *testing.T) {
	status := busyStatus()
	url, asked := pretend(t, routes{
		"GET /api/v1/sync": status, "POST /api/v1/sync/pause": status,
		"POST /api/v1/sync/resume": api.SyncStatus{
			At: nine(), Switch: &api.SyncSwitch{By: "day shift", At: nine()},
			Cycles: []api.SyncCycle{{Kind: "hash", Every: "2m0s", Last: before(time.Minute), LastResult: dirsync.Success, Next: nine().Add(time.Minute), Cursor: api.SyncCursor{At: before(time.Minute), Mode: "delta"}}},
		},
	})
	s := newShell(t).at(url)
	text := s.want(exitOK, "sync", "status").out
	golden.Check(t, "testdata/sync-status.golden", text)
	if width := trace.Widest(text); width > 80 {
		t.Errorf("the longest line has %d characters", width)
	}
	if paused := s.want(exitOK, "sync", "pause").out; paused != text {
		t.Errorf("pause answers with something else than the state: %s", paused)
	}
	golden.Check(t, "testdata/sync-resumed.golden", s.want(exitOK, "sync", "resume").out)
	says(t, s.want(exitOK, "sync", "status", "-o", "csv").out, "paused,paused by,", "\nyes,operator,78,41,12,500,yes,1,2,1,2026-03-02T08:59:39Z\n")
	if got := parse[api.SyncStatus](t, s.want(exitOK, "sync", "status", "-o", "json").out); got.Pending.Deletes != 12 || len(got.Runs) != 3 {
		t.Errorf("%+v", got)
	}
	if want := []string{"GET /api/v1/sync", "POST /api/v1/sync/pause", "POST /api/v1/sync/resume", "GET /api/v1/sync", "GET /api/v1/sync"}; !slices.Equal(asked(), want) {
		t.Errorf("%q", asked())
	}
}

func TestRunsWhatWasAskedAndTellsHowItWent(t *testing.T) {
	var asked api.SyncRequest
	result := dirsync.Success
	url, _ := pretend(t, routes{"POST /api/v1/sync": func(w http.ResponseWriter, q *http.Request) {
		asked = api.SyncRequest{}
		_ = json.NewDecoder(q.Body).Decode(&asked)
		reply(w, http.StatusOK, api.SyncRuns{Runs: []directory.Run{{Kind: "hash", Result: result, Hashes: 28, Skipped: []string{"quinn: no hash"}, Error: "because"}}})
	}})
	s := newShell(t).at(url)
	says(t, s.want(exitOK, "sync", "run").out, "#28", "skipped: quinn: no hash")
	if len(asked.Kinds) != 0 || asked.Full || asked.MaxDeletes != nil {
		t.Errorf("asked for %+v", asked)
	}
	s.want(exitOK, "sync", "run", "--kind", "hash", "--full", "--quiet")
	if !slices.Equal(asked.Kinds, []string{"hash"}) || !asked.Full {
		t.Errorf("asked for %+v", asked)
	}
	s.want(exitOK, "sync", "run", "--max-deletes", "0")
	if asked.MaxDeletes == nil || *asked.MaxDeletes != 0 {
		t.Errorf("asked for %+v", asked)
	}
	says(t, s.want(exitUsage, "sync", "run", "--max-deletes", "-1").err, "less than none")
	if rows := strings.Split(s.want(exitOK, "sync", "run", "-o", "csv").out, "\n"); len(rows) != 3 || !strings.HasPrefix(rows[1], "hash,") {
		t.Errorf("%q", rows)
	}
	result = dirsync.Stopped
	says(t, s.want(exitGuard, "sync", "run").err, "because")
	result = dirsync.Failed
	says(t, s.want(exitFailed, "sync", "run").err, "because")
}

func TestASecondRunIsAConflict(t *testing.T) {
	busy := api.Problem{Type: "about:blank", Title: "Conflict", Status: http.StatusConflict, Detail: "hash run r1 at gw-2"}
	url, _ := pretend(t, routes{"POST /api/v1/sync": busy, "POST /api/v1/sync/preview": busy})
	s := newShell(t).at(url)
	for _, verb := range []string{"run", "preview"} {
		says(t, s.want(exitConflict, "sync", verb).err, "another synchronisation is at work", "hash run r1 at gw-2", "sync status")
	}
}

func TestPreviewThatWouldBeStoppedSaysHowToLetItThrough(t *testing.T) {
	preview := api.SyncPreview{
		Adds: []api.SyncChange{{Kind: "user", Name: "a@x.example"}}, Updates: []api.SyncChange{{Kind: "group", Name: "Pilot", What: []string{"members +2 -0"}}},
		Deletes: []api.SyncChange{{Kind: "user", Name: "b@x.example"}, {Kind: "user", Name: "c@x.example"}}, Skipped: []api.SyncSkip{{Kind: "user", Name: "d@other.example", Reason: "its domain is not one of this tenant"}},
		Text: "+ user a@x.example\n~ group Pilot: members +2 -0\n- user b\x1b@x.example\n",
	}
	var asked api.SyncPreviewRequest
	url, _ := pretend(t, routes{"POST /api/v1/sync/preview": func(w http.ResponseWriter, q *http.Request) {
		_ = json.NewDecoder(q.Body).Decode(&asked)
		reply(w, http.StatusOK, preview)
	}})
	s := newShell(t).at(url)
	if got := s.want(exitOK, "sync", "preview").out; got != "+ user a@x.example\n~ group Pilot: members +2 -0\n- user b?@x.example\n" {
		t.Errorf("%q", got)
	}
	s.want(exitOK, "sync", "preview", "--full")
	if !asked.Full {
		t.Error("--full was not asked for")
	}
	if got := s.want(exitOK, "sync", "preview", "-o", "csv").out; got != "action,kind,name,what\nadd,user,a@x.example,\nupdate,group,Pilot,members +2 -0\ndelete,user,b@x.example,\ndelete,user,c@x.example,\nskip,user,d@other.example,its domain is not one of this tenant\n" {
		t.Errorf("%s", got)
	}
	preview.Stopped = "2 of 3 objects are gone from the source"
	got := s.want(exitGuard, "sync", "preview")
	says(t, got.out, "+ user a@x.example")
	says(t, got.err, "2 of 3 objects", "--max-deletes N")
}

func TestExplainShowsTheReasonAtEachStep(t *testing.T) {
	nick := api.SyncExplain{
		Name: "nick@phs.example.test",
		Ticks: []api.SyncTick{
			{Name: api.TickImported, Reason: "no agent sent it"},
			{Name: api.TickInScope, Reason: "OU=NotSynced is in no scope"},
			{Name: api.TickMatched, OK: true, Reason: "nobody has that name"},
			{Name: api.TickAction, Reason: "nothing is done"},
		},
		Hash: &api.SyncHash{Status: "SourceConnectorNotPresent", Reason: "the object is in no scope", ChangedAt: nine()},
	}
	var asked []string
	url, _ := pretend(t, routes{"GET /api/v1/sync/explain": func(w http.ResponseWriter, q *http.Request) {
		asked = append(asked, q.URL.Query().Get("name"))
		if q.URL.Query().Get("name") != "nick & co" {
			reply(w, http.StatusNotFound, api.Problem{Title: "Not Found", Status: http.StatusNotFound, Detail: "neither the premises nor the tenant know it"})
			return
		}
		reply(w, http.StatusOK, nick)
	}})
	s := newShell(t).at(url)
	golden.Check(t, "testdata/sync-explain.golden", s.want(exitOK, "sync", "explain", "nick & co").out)
	s.env["COLUMNS"] = "40"
	if narrow := s.want(exitOK, "sync", "explain", "nick & co").out; trace.Widest(narrow) > 40 || !strings.Contains(narrow, "\n             the object is in no scope\n") {
		t.Errorf("on a terminal of 40 characters:\n%s", narrow)
	}
	says(t, s.want(exitOK, "sync", "explain", "nick & co", "-o", "csv").out, "\nnick@phs.example.test,no,no,yes,no,,SourceConnectorNotPresent,the object is in no scope\n")
	says(t, s.want(exitNotFound, "sync", "explain", "zoe").err, "neither the premises")
	says(t, s.want(exitUsage, "sync", "explain").err, "USER")
	if !slices.Equal(asked, []string{"nick & co", "nick & co", "nick & co", "zoe"}) {
		t.Errorf("%q", asked)
	}
}

func TestErrorsAreReadToTheirEnd(t *testing.T) {
	page := func(after string, names ...string) api.Page[api.SyncError] {
		p := api.Page[api.SyncError]{Next: after}
		for _, n := range names {
			p.Items = append(p.Items, api.SyncError{ID: "id of " + n, Kind: "user", Name: n, DN: "CN=" + n, Reason: "twice", Since: nine(), Tries: 3})
		}
		return p
	}
	url, _ := pretend(t, routes{"GET /api/v1/sync/errors": func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Query().Get("after") == "" {
			reply(w, http.StatusOK, page("more", "a", "b"))
			return
		}
		reply(w, http.StatusOK, page("", "c"))
	}})
	s := newShell(t).at(url)
	if got := s.want(exitOK, "sync", "errors", "-o", "csv").out; got != "kind,name,distinguished name,reason,since,tries,id\n"+
		"user,a,CN=a,twice,2026-03-02T09:00:00Z,3,id of a\nuser,b,CN=b,twice,2026-03-02T09:00:00Z,3,id of b\nuser,c,CN=c,twice,2026-03-02T09:00:00Z,3,id of c\n" {
		t.Errorf("%s", got)
	}
	if got := s.want(exitOK, "sync", "errors").out; strings.Count(got, "twice") != 3 {
		t.Errorf("%s", got)
	}
}

func TestHistoryAsksForAsManyRunsAsAreWanted(t *testing.T) {
	var limit string
	url, _ := pretend(t, routes{"GET /api/v1/sync/history": func(w http.ResponseWriter, q *http.Request) {
		limit = q.URL.Query().Get("limit")
		reply(w, http.StatusOK, api.PageOf(busyStatus().Runs))
	}})
	s := newShell(t).at(url)
	says(t, s.want(exitOK, "sync", "history", "--last", "7").out, "KIND", "interrupted", "+1 ~20 -3", "too many deletions")
	if limit != "7" {
		t.Errorf("limit=%s", limit)
	}
	if rows := strings.Split(strings.TrimSpace(s.want(exitOK, "sync", "history", "-o", "jsonl").out), "\n"); len(rows) != 3 || parse[directory.Run](t, rows[2]).ID != "r6" {
		t.Errorf("%q", rows)
	}
	says(t, s.want(exitUsage, "sync", "history", "--last", "0").err, "not from 1")
}

func TestAGuardsRefusalOfARunIsItsOwnExitCode(t *testing.T) {
	url, _ := pretend(t, routes{"POST /api/v1/sync": api.Problem{Type: console.GuardType, Title: "Refused by a guard", Status: http.StatusConflict, Detail: "30 of 78 are gone"}})
	says(t, newShell(t).at(url).want(exitGuard, "sync", "run").err, "30 of 78 are gone")
}

func TestProgressIsToldWhileARunIsAtWork(t *testing.T) {
	for _, inPlace := range []bool{false, true} {
		var out bytes.Buffer
		ticks := make(chan time.Time)
		ctx, cancel := context.WithCancel(t.Context())
		answers := []api.SyncStatus{{}, busyStatus(), {}, {At: nine(), Running: &api.SyncProgress{Kind: "hash", Phase: "read", Began: before(3 * time.Hour)}}}
		n := 0
		over := make(chan struct{})
		p := progress{to: &out, inPlace: inPlace}
		go func() {
			defer close(over)
			p.follow(ctx, ticks, func(context.Context) (api.SyncStatus, error) {
				n++
				if n == 3 {
					return api.SyncStatus{}, errors.New("no answer")
				}
				return answers[n-1], nil
			})
		}()
		for range answers {
			ticks <- nine()
		}
		cancel()
		<-over
		first, second := "directory, full, apply: 1200 read, 40 planned, 12 applied, 0:21", "hash, delta, read: 0 read, 0 planned, 0 applied, 3:00:00"
		want := first + "\n" + second + "\n"
		if inPlace {
			want = "\r" + first + "\r" + second + strings.Repeat(" ", len(first)-len(second)) + "\r" + strings.Repeat(" ", len(second)) + "\r"
		}
		if out.String() != want {
			t.Errorf("%q, want %q", out.String(), want)
		}
	}
}

func TestManySkippedObjectsDoNotFloodTheTerminal(t *testing.T) {
	var few, many strings.Builder
	writeSkipped(&few, []string{"user a: no", "user b: no"}, 0)
	if got := few.String(); got != "skipped: user a: no\nskipped: user b: no\n" {
		t.Errorf("%q", got)
	}
	writeSkipped(&many, slices.Repeat([]string{"user a: no"}, 64), 80)
	says(t, many.String(), "skipped: user a: no\n", "skipped: 59 more; `fourways sync errors`")
	if n := strings.Count(many.String(), "\n"); n != 6 {
		t.Errorf("%d lines", n)
	}
}
