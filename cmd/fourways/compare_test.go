package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// town is a pretended gateway with six domains; broken is the path on which nobody can look.
func town(broken authn.Path) routes {
	modes := []api.Mode{
		{Domain: "swapped.example.test", Model: "hybrid", Type: "Managed", Path: authn.PathCloud, Override: &directory.Override{}},
		{Domain: "cloud.example.test", Model: "cloud-only", Type: "Managed", Path: authn.PathCloud},
		{Domain: "phs.example.test", Model: "hybrid", Type: "Managed", Path: authn.PathPHS},
		{Domain: "pta.example.test", Model: "hybrid", Type: "Managed", Path: authn.PathPTA},
		{Domain: "oidc.example.test", Model: "hybrid", Type: "Federated", Path: authn.PathFederated, Protocol: "oidc", IdP: "h-oidc"},
		{Domain: "saml.example.test", Model: "hybrid", Type: "Federated", Path: authn.PathFederated, Protocol: "saml", IdP: "h-saml"},
	}
	var users []directory.User
	for _, m := range modes {
		users = append(users, directory.User{UPN: "alice@" + m.Domain})
		if m.Path.Managed() {
			users = append(users, directory.User{UPN: "peggy@" + m.Domain})
		}
	}
	r := routes{"GET /api/v1/mode": api.Page[api.Mode]{Items: modes}}
	r["GET /api/v1/users"] = func(w http.ResponseWriter, q *http.Request) { // two pages
		if q.URL.Query().Get("after") == "" {
			reply(w, http.StatusOK, api.Page[directory.User]{Items: users[:3], Next: users[2].UPN})
			return
		}
		reply(w, http.StatusOK, api.Page[directory.User]{Items: users[3:]})
	}
	r["POST /signin"] = func(w http.ResponseWriter, q *http.Request) {
		var ask struct{ Username, Password string }
		_ = json.NewDecoder(q.Body).Decode(&ask)
		_, domain, _ := strings.Cut(ask.Username, "@")
		path := authn.Path(strings.TrimSuffix(domain, ".example.test"))
		if !path.Managed() {
			path = authn.PathFederated
		}
		if path == broken {
			reply(w, http.StatusServiceUnavailable, map[string]any{"verdict": "unavailable", "path": path, "correlationId": "id-" + domain, "error": authn.NoAgent.Public()})
			return
		}
		reply(w, http.StatusOK, map[string]any{"verdict": "allowed", "path": path, "correlationId": "id-" + domain})
	}
	for _, m := range modes {
		id := authn.AttemptID("id-" + m.Domain)
		trace := traceOf(id, authn.Allowed, authn.None)
		trace.Records[0].Steps = stepsOf(m.Path)
		if m.Path == broken {
			trace = traceOf(id, authn.Unavailable, authn.NoAgent)
		}
		r["GET /api/v1/traces/"+string(id)] = trace
	}
	return r
}

// stepsOf is the least evidence of a path.
func stepsOf(p authn.Path) []authn.Step {
	at := time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)
	one := func(id authn.StepID, from, to authn.Lane, lane authn.Lane, form authn.Form) authn.Step {
		return authn.Step{ID: id, From: from, To: to, Result: authn.StepOK, At: at}.Hold(lane, form)
	}
	switch p {
	case authn.PathCloud:
		return []authn.Step{one(authn.K1, authn.Browser, authn.Gateway, authn.Gateway, authn.FormClear), one(authn.K3, authn.Gateway, authn.Gateway, authn.Store, authn.FormArgon2id+authn.Stored)}
	case authn.PathPHS:
		return []authn.Step{one(authn.H1, authn.Browser, authn.Gateway, authn.Gateway, authn.FormClear), one(authn.H6, authn.Gateway, authn.Gateway, authn.Store, authn.FormHashOfHash+authn.Stored)}
	case authn.PathPTA:
		return []authn.Step{one(authn.P7, authn.Agent, authn.OnpremDir, authn.Agent, authn.FormClear)}
	default:
		return []authn.Step{one(authn.F3, authn.Browser, authn.Gateway, authn.Browser, authn.FormAssertion)}
	}
}

func compareShell(t *testing.T, r routes) *shell {
	t.Helper()
	s := labAt(t, r)
	s.env["PW"] = good
	return s
}

func TestCompareSignsInOnceByEachPath(t *testing.T) {
	s := compareShell(t, town(""))
	out := s.want(exitOK, "compare", "alice", "--password-env", "PW").out
	says(t, out,
		"alice@cloud.example.test, alice@phs.example.test, alice@pta.example.test, alice@saml.example.test",
		"IDENTITY MODEL", "AUTHENTICATION TYPE", "PATH", "RESULT", "TOTAL", "WHERE CHECKED", "PASSWORD SEEN IN CLEAR BY", "STORED IN CLOUD", "DC CONTACTED",
		"cloud-only", "hybrid", "Managed", "Federated", "federated (SAML)", "on-premises agent and DC", "external IdP", "Argon2id hash", "hash of the NT hash",
		"fourways trace show id-cloud.example.test id-phs.example.test id-pta.example.test id-saml.example.test", "4 traces, 6 steps")
	if n := strings.Count(out, "success"); n != 4 {
		t.Errorf("%d successes, want 4:\n%s", n, out)
	}
}

func TestCompareFitsIntoANarrowTerminal(t *testing.T) {
	s := compareShell(t, town(""))
	wide := s.want(exitOK, "compare", "alice", "--password-env", "PW").out
	says(t, wide, "IDENTITY MODEL  AUTHENTICATION TYPE  PATH")
	s.env["COLUMNS"] = "80"
	narrow := s.want(exitOK, "compare", "alice", "--password-env", "PW").out
	for line := range strings.Lines(narrow) {
		if n := len(strings.TrimRight(line, "\n")); n > 80 && !strings.HasPrefix(line, "fourways trace show") {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}
	for word := range strings.FieldsSeq(wide) {
		if strings.ContainsAny(word, "0123456789") { // another run takes another time
			continue
		}
		if !strings.Contains(narrow, word) {
			t.Errorf("the narrow form does not say %q:\n%s", word, narrow)
		}
	}
	s.env["COLUMNS"] = "400"
	if got := s.want(exitOK, "compare", "alice", "--password-env", "PW").out; !strings.Contains(got, "IDENTITY MODEL  AUTHENTICATION TYPE  PATH") {
		t.Errorf("there is room enough for the table:\n%s", got)
	}
}

func TestCompareTakesTheOtherFederation(t *testing.T) {
	s := compareShell(t, town(""))
	for _, idp := range []string{"oidc", "h-oidc"} {
		says(t, s.want(exitOK, "compare", "alice@phs.example.test", "--idp", idp, "--password-env", "PW").out, "federated (OIDC)", "id-oidc.example.test")
	}
	says(t, s.want(exitFailed, "compare", "--idp", "elsewhere", "--password-env", "PW").out, "no domain with this path has the person")
}

func TestComparePrefersADomainThatWasNotSwapped(t *testing.T) {
	s := compareShell(t, town(""))
	if out := s.want(exitOK, "compare", "alice", "--password-env", "PW").out; strings.Contains(out, "swapped") {
		t.Errorf("the swapped domain stands first, but the file's own is there:\n%s", out)
	}
}

func TestCompareSaysWhatCouldNotBeDone(t *testing.T) {
	s := compareShell(t, town(authn.PathPTA))
	got := s.want(exitFailed, "compare", "alice", "--password-env", "PW")
	says(t, got.out, "error no_agent (80001)", "pta: ", "4 traces")
	says(t, got.err, "pta could not")

	got = s.want(exitFailed, "compare", "peggy", "--password-env", "PW")
	says(t, got.out, "no account", "3 traces")
	says(t, got.err, "federated could not")

	says(t, s.want(exitNotFound, "compare", "zoe", "--password-env", "PW").err, "zoe@")
}

func TestCompareWithoutItsTraceIsNotDone(t *testing.T) {
	r := town("")
	delete(r, "GET /api/v1/traces/id-phs.example.test")
	says(t, compareShell(t, r).want(exitFailed, "compare", "alice", "--password-env", "PW").out, "phs: its trace can't be read")
}

func TestCompareAsJSONHoldsEveryCell(t *testing.T) {
	s := compareShell(t, town(""))
	got := parse[comparison](t, s.want(exitOK, "compare", "alice", "--password-env", "PW", "-o", "json").out)
	if len(got.Rows) != 4 || got.User != "alice" {
		t.Fatalf("%+v", got)
	}
	for i, want := range []compared{
		{Model: "cloud-only", Type: "Managed", Path: authn.PathCloud, UPN: "alice@cloud.example.test"},
		{Model: "hybrid", Type: "Managed", Path: authn.PathPHS, UPN: "alice@phs.example.test"},
		{Model: "hybrid", Type: "Managed", Path: authn.PathPTA, UPN: "alice@pta.example.test"},
		{Model: "hybrid", Type: "Federated", Path: authn.PathFederated, UPN: "alice@saml.example.test"},
	} {
		r := got.Rows[i]
		if r.Model != want.Model || r.Type != want.Type || r.Path != want.Path || r.UPN != want.UPN || r.Result != success || r.TraceID == "" || r.WhereChecked == "" || r.Steps == 0 {
			t.Errorf("row %d: %+v", i, r)
		}
	}
}

func TestCompareTakesPublicPasswordsInTheLabOnly(t *testing.T) {
	url, _ := pretend(t, town(""))
	s := newShell(t).at(url)
	s.env[envSignIn] = url
	says(t, s.want(exitUsage, "compare", "alice").err, "no terminal to ask for the password")
	s.env["PW"] = good
	s.want(exitOK, "compare", "alice", "--password-env", "PW")
}
