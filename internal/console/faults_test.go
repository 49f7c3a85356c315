package console

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
)

// board is a lab in which one thing can be broken.
type board struct{ asked api.FaultSetting }

func (b *board) Faults(context.Context) ([]api.Fault, error) {
	return []api.Fault{{Name: "dc-slow"}}, nil
}

func (b *board) SetFault(_ context.Context, name string, s api.FaultSetting, by string) (api.Fault, error) {
	if name != "dc-slow" {
		return api.Fault{}, api.Problem{Title: "Not Found", Status: 404, Detail: "there is no such fault"}
	}
	b.asked = s
	return api.Fault{Name: name, Active: &api.Breach{
		Scope: s.Scope, Param: s.Param, Rate: 0.5, Next: s.Next, By: by, Reason: s.Reason, Until: time.Date(2026, 1, 1, 12, 5, 0, 0, time.UTC),
	}}, nil
}

func (b *board) ClearFaults(_ context.Context, name string) ([]string, error) {
	return []string{"dc-slow"}, nil
}

func TestFaultsAreAuditedWhole(t *testing.T) {
	log, b := &book{}, &board{}
	h := New(Ports{Access: log, Lab: &LabPorts{Faults: b}}, noon{})
	const body = `{"scope":"user=a@b.example","param":"2s","next":3,"reason":"a demo"}`
	for _, try := range []struct {
		token, method, path, body string
		status                    int
		want                      Entry // zero: none
	}{
		{Operator, "PUT", "/api/v1/faults/dc-slow", body, 200, Entry{
			Who: "the operator", Action: "Add fault", Target: "dc-slow", Result: "success",
			After: `user=a@b.example 2s rate 0.5 next 3 until 2026-01-01T12:05:00Z reason "a demo"`,
		}},
		{Operator, "DELETE", "/api/v1/faults/dc-slow", "", 200, Entry{Who: "the operator", Action: "Clear fault", Target: "dc-slow", Before: "dc-slow", Result: "success"}},
		{Operator, "DELETE", "/api/v1/faults", "", 200, Entry{Who: "the operator", Action: "Clear fault", Before: "dc-slow", Result: "success"}},
		{Operator, "PUT", "/api/v1/faults/dc-up", body, 404, Entry{Who: "the operator", Action: "Add fault", Target: "dc-up", Result: "failure"}},
		{Operator, "PUT", "/api/v1/faults/dc-slow", `{"rates":1}`, 400, Entry{Who: "the operator", Action: "Add fault", Target: "dc-slow", Result: "failure"}},
		{Operator, "PUT", "/api/v1/faults/dc-slow", `null`, 400, Entry{Who: "the operator", Action: "Add fault", Target: "dc-slow", Result: "failure"}},
		{Reader, "PUT", "/api/v1/faults/dc-slow", body, 403, Entry{Who: "the reader", Target: "/api/v1/faults/dc-slow", Result: "failure"}},
		{Reader, "GET", "/api/v1/faults", "", 200, Entry{}},
		{"nobody", "GET", "/api/v1/faults", "", 401, Entry{}},
	} {
		log.entries = nil
		if w := ask(h, try.token, try.method, try.path, try.body); w.Code != try.status {
			t.Errorf("%s %s as %s: %d %s", try.method, try.path, try.token, w.Code, w.Body)
		}
		if try.want.Who == "" {
			if len(log.entries) > 0 {
				t.Errorf("%s %s as %s: audited as %+v", try.method, try.path, try.token, log.entries)
			}
			continue
		}
		if len(log.entries) != 1 {
			t.Fatalf("%s %s: %d entries", try.method, try.path, len(log.entries))
		}
		got := log.entries[0]
		if got.Who != try.want.Who || got.Target != try.want.Target || got.Before != try.want.Before || got.After != try.want.After ||
			try.want.Action != "" && got.Action != try.want.Action || !strings.HasPrefix(got.Result, try.want.Result) {
			t.Errorf("%s %s: %+v, want %+v", try.method, try.path, got, try.want)
		}
	}
	if b.asked.Next != 3 || b.asked.Param != "2s" {
		t.Errorf("%+v was asked for", b.asked)
	}
	outside := New(Ports{Access: log}, noon{})
	if w := ask(outside, Operator, "PUT", "/api/v1/faults/dc-slow", body); w.Code != 404 || !strings.Contains(w.Body.String(), "breaks nothing on purpose") {
		t.Errorf("outside the lab: %d %s", w.Code, w.Body)
	}
}
