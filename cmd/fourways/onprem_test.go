package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
)

// smallForest pretends a directory with two people and remembers what was done to whom.
func smallForest(t *testing.T) (*shell, *[]string) {
	t.Helper()
	var done []string
	people := []api.OnpremUser{
		{UPN: "alice.phs@corp.example.test", Mail: "alice@phs.example.test", SAM: "alice.phs"},
		{UPN: "alice.pta@corp.example.test", Mail: "alice@pta.example.test", SAM: "alice.pta", States: []string{"locked"}},
		{UPN: "olga.olsen@corp.example.test", Mail: "olga@pta.example.test", SAM: "olga.pta"},
	}
	r := routes{"GET /api/v1/onprem/users": api.Page[api.OnpremUser]{Items: people}}
	for _, p := range people {
		r["POST /api/v1/onprem/users/"+p.UPN] = func(w http.ResponseWriter, q *http.Request) {
			var c api.OnpremChange
			_ = json.NewDecoder(q.Body).Decode(&c)
			done = append(done, p.SAM+" "+c.Do+" "+c.Password)
			reply(w, http.StatusOK, struct{}{})
		}
	}
	url, _ := pretend(t, r)
	return newShell(t).at(url), &done
}

func TestOnpremChangeIsMadeToAllOfAPersonsAccounts(t *testing.T) {
	s, done := smallForest(t)
	s.stdin = "Autumn-2025!\n"
	got := s.want(exitOK, "onprem", "user", "set-password", "alice", "--password-stdin").out
	says(t, got, "alice@phs.example.test: password set", "alice@pta.example.test: password set", "fourways sync run")
	if strings.Contains(got, "Autumn") {
		t.Error("the password is printed")
	}
	if want := []string{"alice.phs password Autumn-2025!", "alice.pta password Autumn-2025!"}; !slices.Equal(*done, want) {
		t.Errorf("done: %q", *done)
	}
	*done = nil
	s.want(exitOK, "onprem", "user", "disable", "alice", "--domain", "pta.example.test")
	s.want(exitOK, "onprem", "user", "enable", "olga.olsen@corp.example.test")
	s.want(exitOK, "onprem", "user", "enable", "olga.pta", "-o", "json")
	if want := []string{"alice.pta disable ", "olga.pta enable ", "olga.pta enable "}; !slices.Equal(*done, want) {
		t.Errorf("done: %q", *done)
	}
}

func TestOnpremChangeOfNobodyIsNotFound(t *testing.T) {
	s, done := smallForest(t)
	for _, who := range [][]string{{"zoe"}, {"ali"}, {"alice", "--domain", "cloud.example.test"}} {
		says(t, s.want(exitNotFound, append([]string{"onprem", "user", "disable"}, who...)...).err, "nobody called")
	}
	if len(*done) > 0 {
		t.Errorf("done: %q", *done)
	}
	says(t, s.want(exitOK, "onprem", "user", "show", "alice").out, "locked", "healthy", "alice.pta@corp.example.test")
	if all := parse[[]api.OnpremUser](t, s.want(exitOK, "onprem", "user", "list", "-o", "json").out); len(all) != 3 {
		t.Errorf("%+v", all)
	}
}

func TestInvitationStandsAloneOnStdout(t *testing.T) {
	var asked api.Invite
	until := time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)
	url, _ := pretend(t, routes{"POST /api/v1/agents": func(w http.ResponseWriter, q *http.Request) {
		_ = json.NewDecoder(q.Body).Decode(&asked)
		reply(w, http.StatusCreated, api.Invitation{Token: "once", Until: until, Gateway: "http://localhost:8400"})
	}})
	got := newShell(t).at(url).want(exitOK, "agent", "invite", "--name", "dc1", "--role", "sync")
	if got.out != "once\n" || asked.Name != "dc1" || !slices.Equal(asked.Roles, []string{"sync"}) {
		t.Errorf("%q, asked %+v", got.out, asked)
	}
	says(t, got.err, "2025-03-04T05:06:07Z", "fourways-agent enrol --gateway http://localhost:8400")
}

func TestTracesComeAsTextRecordsAndSteps(t *testing.T) {
	s := labAt(t, frontDoor())
	says(t, s.want(exitOK, "trace", "show", someID, deniedID).out, "trace "+someID, "trace "+deniedID, "no_password_hash")
	if got := parse[api.Trace](t, s.want(exitOK, "trace", "show", someID, "-o", "json").out); got.ID != someID || len(got.Records) != 1 || got.Records[0].Verdict != authn.Allowed {
		t.Errorf("%+v", got)
	}
	if got := parse[[]api.Trace](t, s.want(exitOK, "trace", "show", someID, deniedID, "-o", "json").out); len(got) != 2 {
		t.Errorf("%+v", got)
	}
	says(t, s.want(exitOK, "trace", "show", someID, "-o", "csv").out, "trace,step,from,to,result,at,microseconds,what", someID+",C1,browser,gateway,ok,")
}
