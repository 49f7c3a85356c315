package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/fourways-id/fourways/internal/console/api"
)

func TestStateIsReadBackAndNobodyElsesBusiness(t *testing.T) {
	dir := t.TempDir()
	if _, err := readState(dir); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("no state: %v", err)
	}
	want := state{
		SignInURL: "http://localhost:1", ConsoleURL: "http://127.0.0.1:2", MetricsURL: "m", AgentURL: "a", IdPURL: "i", LDAPURL: "l",
		DataDir: dir, Token: "fw_x", PID: 7, Users: []stateUser{{UPN: "alice@phs.example.test", Password: "public", Path: "phs"}},
	}
	path := filepath.Join(dir, stateFile)
	for range 2 { // a second start replaces the first one's
		if err := want.write(path); err != nil {
			t.Fatal(err)
		}
	}
	got, err := readState(dir)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read back %+v, %v", got, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestFlagsWinOverVariablesAndThoseOverTheLabsState(t *testing.T) {
	version := func(name string) routes {
		return routes{"GET /api/v1/agents": api.Page[api.Agent]{Items: []api.Agent{{Name: name}}}}
	}
	flagged, _ := pretend(t, version("of the flag"))
	named, _ := pretend(t, version("of the variable"))
	lab, _ := pretend(t, version("of the lab"))
	s := newShell(t)
	if err := (state{ConsoleURL: lab, Token: "fw_good"}).write(filepath.Join(s.env[envDir], stateFile)); err != nil {
		t.Fatal(err)
	}
	says(t, s.want(exitOK, "agent", "list").out, "of the lab")
	s.at(named)
	says(t, s.want(exitOK, "agent", "list").out, "of the variable")
	says(t, s.want(exitOK, "agent", "list", "--server", flagged+"/").out, "of the flag")
	says(t, s.want(exitFailed, "agent", "list", "--token", "fw_bad").err, "does not know this token")
	delete(s.env, envToken)
	says(t, s.want(exitUsage, "agent", "list").err, "no token is given") // the lab's goes to no other console
}

func TestBrokenStateIsSaidSo(t *testing.T) {
	s := newShell(t)
	if err := os.WriteFile(filepath.Join(s.env[envDir], stateFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, s.want(exitFailed, "signins").err, "is no lab's state")
}
