package main

import (
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
)

func TestListsComeInEveryFormat(t *testing.T) {
	agents := []api.Agent{
		{ID: "1", Name: "dc1", Roles: []string{"pta", "sync"}, State: "active", LastSeen: time.Date(2025, 3, 4, 5, 6, 7, 8, time.UTC)},
		{ID: "2", Name: "=HYPERLINK(\"x\")\x1b[2J", Roles: []string{"pta"}, State: "inactive"},
	}
	url, _ := pretend(t, routes{"GET /api/v1/agents": api.Page[api.Agent]{Items: agents}})
	s := newShell(t).at(url)

	table := s.want(exitOK, "agent", "list").out
	says(t, table, "NAME", "LAST SEEN", "2025-03-04T05:06:07Z", "pta, sync", "?[2J")
	if strings.Contains(table, "\x1b") || strings.Count(table, "\n") != 3 {
		t.Errorf("table: %q", table)
	}
	if got := parse[[]api.Agent](t, s.want(exitOK, "agent", "list", "-o", "json").out); len(got) != 2 || got[0].Name != "dc1" {
		t.Errorf("json: %+v", got)
	}
	lines := strings.Split(strings.TrimSpace(s.want(exitOK, "agent", "list", "-o", "jsonl").out), "\n")
	if len(lines) != 2 || parse[api.Agent](t, lines[1]).ID != "2" {
		t.Errorf("jsonl: %q", lines)
	}
	rows, err := csv.NewReader(strings.NewReader(s.want(exitOK, "agent", "list", "-o", "csv").out)).ReadAll()
	if err != nil || len(rows) != 3 || rows[0][0] != "name" || rows[1][0] != "dc1" || !strings.HasPrefix(rows[2][0], "'=") {
		t.Errorf("csv: %q %v", rows, err)
	}
}

func TestEmptyListsAreStillTheirFormat(t *testing.T) {
	url, _ := pretend(t, routes{"GET /api/v1/agents": api.Page[api.Agent]{}})
	s := newShell(t).at(url)
	for format, want := range map[string]string{
		"json": "[]\n", "jsonl": "", "csv": "name,state,roles,last seen,in flight,version,id\n",
	} {
		if got := s.want(exitOK, "agent", "list", "-o", format).out; got != want {
			t.Errorf("-o %s: %q, want %q", format, got, want)
		}
	}
}
