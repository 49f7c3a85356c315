package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

func TestEveryErrorHasItsExitCode(t *testing.T) {
	interrupted, stop := context.WithCancel(t.Context())
	stop()
	for _, c := range []struct {
		name string
		ctx  context.Context
		err  error
		want int
	}{
		{"anything else", t.Context(), errors.New("it broke"), exitFailed},
		{"a configuration", t.Context(), fmt.Errorf("load: %w", &config.Errors{List: []config.Complaint{{File: "f", Wrong: "is wrong"}}}), exitConfig},
		{"no console", t.Context(), fmt.Errorf("ask: %w", client.ErrUnreachable), exitUnreachable},
		{"a guard's refusal", t.Context(), api.Problem{Type: console.GuardType, Status: http.StatusConflict, Title: "t"}, exitGuard},
		{"a problem 404", t.Context(), fmt.Errorf("ask: %w", api.Problem{Status: http.StatusNotFound}), exitNotFound},
		{"a problem 409", t.Context(), api.Problem{Status: http.StatusConflict}, exitConflict},
		{"a problem 400", t.Context(), api.Problem{Status: http.StatusBadRequest}, exitFailed},
		{"a problem 401", t.Context(), api.Problem{Status: http.StatusUnauthorized}, exitFailed},
		{"a problem 403", t.Context(), api.Problem{Status: http.StatusForbidden}, exitFailed},
		{"a problem 500", t.Context(), api.Problem{Status: http.StatusInternalServerError}, exitFailed},
		{"not in the store", t.Context(), fmt.Errorf("x: %w", directory.ErrNotFound), exitNotFound},
		{"in the store already", t.Context(), fmt.Errorf("x: %w", directory.ErrConflict), exitConflict},
		{"a failure with a code", t.Context(), fmt.Errorf("x: %w", failure{code: exitDenied}), exitDenied},
		{"a signal, whatever broke", interrupted, failure{code: exitUnreachable}, exitInterrupted},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := asFailure(c.ctx, c.err); got.code != c.want || got.code != exitDenied && got.what == "" {
				t.Errorf("got %d (%s), want %d", got.code, got.what, c.want)
			}
		})
	}
}

func TestWrongCommandLinesAreTheCallersFault(t *testing.T) {
	s := newShell(t)
	for line, hint := range map[string]string{
		"bogus":                               "there are",
		"mod":                                 "did you mean `fourways mode`",
		"mode":                                "needs one of: get, history, reset, set, undo",
		"mode sat":                            "did you mean `fourways mode set`",
		"mode set":                            "PATH is missing",
		"mode set telepathy":                  "there are cloud, phs, pta and federated",
		"mode set pta --idp oidc":             "--idp goes with the path federated",
		"mode set pta extra":                  `left over: ["extra"]`,
		"mode get --all --domain a.test":      "exclude each other",
		"signin":                              "USER is missing",
		"signin a@b.test --expect sunshine":   "fourways help reasons",
		"signin a@b.test --expect none":       "neither success nor a reason",
		"signin a@b.test --nope":              "unknown flag: --nope",
		"signins --last 0":                    "give 1 to 1000",
		"signins --last many":                 "invalid argument",
		"trace show":                          "fourways trace list",
		"sync run --kind all":                 "directory and hash",
		"version -o yaml":                     "table, json, jsonl, csv",
		"help me":                             "there is no help about",
		"completion tcsh":                     "there are bash, fish, powershell, zsh",
		"onprem user set-password":            "USER is missing",
		"serve":                               "-c FILE is missing",
		"up --port 65531":                     "out of range",
		"signins --server 127.0.0.1:8401":     "give --server http://127.0.0.1:8401",
		"user create a@b.test --server nope:": "console's address is wrong",
	} {
		if strings.HasPrefix(line, "user create") {
			s.env[envToken] = "fw_good"
		}
		got := s.want(exitUsage, strings.Fields(line)...)
		says(t, got.err, hint)
		if got.out != "" {
			t.Errorf("fourways %s writes to stdout: %s", line, got.out)
		}
	}
}

func TestNoGatewayIsSaidSo(t *testing.T) {
	s := newShell(t)
	says(t, s.want(exitUnreachable, "signins").err, "no --server", "fourways up")
	s.env[envServer] = "http://127.0.0.1:1"
	says(t, s.want(exitUsage, "signins").err, "no token")
	s.env[envToken] = "fw_good"
	says(t, s.want(exitUnreachable, "signins").err, "can't be reached at http://127.0.0.1:1")
	s.env[envServer] = "http://203.0.113.9:8401"
	says(t, s.want(exitGuard, "signins").err, "plain http to another machine", "ssh -L")
	s.env[envServer] = "ftp://127.0.0.1"
	says(t, s.want(exitUsage, "signins").err, "is no console URL")
}

func TestConsoleRefusalsReachThePerson(t *testing.T) {
	url, _ := pretend(t, routes{
		"GET /api/v1/agents":  api.Problem{Status: http.StatusForbidden, Title: "Forbidden", Detail: "this needs the role reader"},
		"POST /api/v1/sync":   api.Problem{Type: console.GuardType, Status: http.StatusConflict, Title: "Refused by a guard", Detail: "70 of 75 would be deleted"},
		"GET /api/v1/signins": replyWith(http.StatusOK, api.Page[api.SignIn]{}),
	})
	s := newShell(t).at(url)
	s.want(exitOK, "signins")
	says(t, s.want(exitFailed, "agent", "list").err, "may not do this", "this needs the role reader")
	says(t, s.want(exitGuard, "sync", "run").err, "nothing was changed", "70 of 75")
	says(t, s.want(exitNotFound, "trace", "show", "x").err, "nothing at GET /api/v1/traces/x")
	s.env[envToken] = "fw_bad"
	says(t, s.want(exitFailed, "signins").err, "does not know this token")
}

func TestAnErrorSaysAThingOnce(t *testing.T) {
	gone := fmt.Errorf("no sign-in has the correlation id x: %w", directory.ErrNotFound)
	if got := asFailure(t.Context(), gone).why; got != "no sign-in has the correlation id x" {
		t.Errorf("%q", got)
	}
	if got := asFailure(t.Context(), directory.ErrNotFound).why; got != "not found" {
		t.Errorf("%q", got)
	}
}

func TestATakenPortIsSaidSo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = openSockets(t.Context(), l.Addr().(*net.TCPAddr).Port)
	got := asFailure(t.Context(), err)
	if got.code != exitConflict {
		t.Errorf("exit code %d", got.code)
	}
	says(t, got.why, "address already in use")
	says(t, got.do, "--port N")
}

func TestSignalEndsACommandWith130(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	url, _ := pretend(t, routes{"GET /api/v1/signins": func(_ http.ResponseWriter, r *http.Request) {
		stop()
		<-r.Context().Done()
	}})
	s := newShell(t).at(url)
	s.ctx = ctx
	s.want(exitInterrupted, "signins")
}

func TestErrorsKeepControlCharactersOutOfTheTerminal(t *testing.T) {
	url, _ := pretend(t, routes{"GET /api/v1/signins": api.Problem{Status: http.StatusInternalServerError, Title: "t", Detail: "a\x1b[31mred\u009bname"}})
	if got := newShell(t).at(url).want(exitFailed, "signins"); strings.ContainsAny(got.err, "\x1b\u009b") {
		t.Errorf("%q", got.err)
	}
}
