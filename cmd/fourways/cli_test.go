package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fourways-id/fourways/internal/console/api"
)

// tried is what came of one command line.
type tried struct {
	code     int
	out, err string
}

// shell runs command lines with an environment and a data folder of their own.
type shell struct {
	t     *testing.T
	env   map[string]string
	stdin string
	ctx   context.Context
}

func newShell(t *testing.T) *shell {
	return &shell{t: t, env: map[string]string{envDir: t.TempDir()}, ctx: t.Context()}
}

func (s *shell) run(args ...string) tried {
	s.t.Helper()
	var out, errs bytes.Buffer
	a := &app{in: strings.NewReader(s.stdin), out: &out, err: &errs, env: func(k string) string { return s.env[k] }}
	code := a.run(s.ctx, args...)
	return tried{code, out.String(), errs.String()}
}

// want runs a command line that must end with code, and says on stdout and stderr what they hold.
func (s *shell) want(code int, args ...string) tried {
	s.t.Helper()
	got := s.run(args...)
	if got.code != code {
		s.t.Fatalf("fourways %s: exit code %d, want %d\nstdout: %s\nstderr: %s", strings.Join(args, " "), got.code, code, got.out, got.err)
	}
	if code == exitOK && strings.Contains(got.err, "fourways: ") {
		s.t.Errorf("fourways %s succeeds and complains: %s", strings.Join(args, " "), got.err)
	}
	if lines := strings.Split(strings.TrimSpace(got.err), "\n"); code != exitOK && (len(lines) < 3 ||
		!strings.HasPrefix(lines[0], "fourways: ") || !strings.HasPrefix(lines[1], "why: ") || !strings.HasPrefix(lines[len(lines)-1], "do:  ")) {
		s.t.Errorf("fourways %s: an error is what, why, do; got %q", strings.Join(args, " "), got.err)
	}
	return got
}

// says fails unless text holds every part.
func says(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

// routes maps "METHOD /path" of a pretended gateway to what it answers: a value is JSON, a function is a handler.
type routes map[string]any

// pretend starts a gateway that answers as it is told, and counts what it was asked.
func pretend(t *testing.T, r routes) (url string, asked func() []string) {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		at := q.Method + " " + q.URL.Path
		mu.Lock()
		seen = append(seen, at)
		mu.Unlock()
		if strings.HasPrefix(q.URL.Path, "/api/") && q.Header.Get("Authorization") != "Bearer fw_good" {
			reply(w, http.StatusUnauthorized, api.Problem{Status: http.StatusUnauthorized, Title: "Unauthorized", Detail: "the token is unknown"})
			return
		}
		switch v := r[at].(type) {
		case nil:
			reply(w, http.StatusNotFound, api.Problem{Status: http.StatusNotFound, Title: "Not Found", Detail: "nothing at " + at})
		case func(http.ResponseWriter, *http.Request):
			v(w, q)
		case api.Problem:
			reply(w, v.Status, v)
		default:
			reply(w, http.StatusOK, v)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

func replyWith(status int, v any) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { reply(w, status, v) }
}

func (s *shell) at(url string) *shell {
	s.env[envServer], s.env[envToken] = url, "fw_good"
	return s
}

func parse[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("not the JSON that is wanted: %v\n%s", err, text)
	}
	return v
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
