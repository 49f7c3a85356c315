package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
)

const (
	alice    = "alice@phs.example.test"
	good     = "Spring-2025!"
	someID   = "0198c0de-0000-7000-8000-000000000001"
	deniedID = "0198c0de-0000-7000-8000-000000000002"
)

// door answers POST /signin as the public endpoint does: good lets in, "down" finds nobody who could look, all else is denied.
func door(w http.ResponseWriter, r *http.Request) {
	var ask struct{ Username, Password string }
	_ = json.NewDecoder(r.Body).Decode(&ask)
	switch ask.Password {
	case good:
		reply(w, http.StatusOK, map[string]any{
			"verdict": "allowed", "path": "phs", "correlationId": someID,
			"account": map[string]string{"userPrincipalName": ask.Username, "displayName": "Alice Adams"},
		})
	case "down":
		reply(w, http.StatusServiceUnavailable, map[string]any{
			"verdict": "unavailable", "path": "pta", "correlationId": deniedID, "error": authn.NoAgent.Public(),
		})
	case "toolong":
		reply(w, http.StatusRequestEntityTooLarge, map[string]any{"error": authn.PublicError{Code: 90013, Name: "too_large", Message: "The body is larger."}})
	default:
		reply(w, http.StatusUnauthorized, map[string]any{
			"verdict": "denied", "path": "phs", "correlationId": deniedID, "error": authn.NoPasswordHash.Public(),
		})
	}
}

func traceOf(id authn.AttemptID, v authn.Verdict, reason authn.Reason) api.Trace {
	at := time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)
	return api.Trace{ID: id, Records: []authn.Record{{
		ID: id, Began: at, At: at, Took: 12 * time.Millisecond, Who: alice, Verdict: v, Reason: reason, Final: true,
		Realm: authn.Realm{Domain: "phs.example.test", Path: authn.PathPHS, Rule: "domain phs.example.test"},
		Steps: []authn.Step{{ID: authn.C1, From: authn.Browser, To: authn.Gateway, Result: authn.StepOK, At: at}},
	}}}
}

// labAt is a shell beside a pretended lab.
func labAt(t *testing.T, r routes) *shell {
	t.Helper()
	url, _ := pretend(t, r)
	s := newShell(t)
	st := state{SignInURL: url, ConsoleURL: url, Token: "fw_good", Users: []stateUser{{UPN: alice, Password: good, Path: "phs"}}}
	if err := st.write(filepath.Join(s.env[envDir], stateFile)); err != nil {
		t.Fatal(err)
	}
	return s
}

func frontDoor() routes {
	return routes{
		"POST /signin":                   door,
		"GET /api/v1/traces/" + someID:   traceOf(someID, authn.Allowed, authn.None),
		"GET /api/v1/traces/" + deniedID: traceOf(deniedID, authn.Denied, authn.NoPasswordHash),
	}
}

func TestSignInSaysVerdictPathAccountAndId(t *testing.T) {
	s := labAt(t, frontDoor())
	got := s.want(exitOK, "signin", strings.ToUpper(alice)) // the public password of the demo person
	says(t, got.out, "allowed", "phs", "Alice Adams", someID, " ms")
	if strings.Contains(got.out, good) {
		t.Error("the password is printed")
	}
	j := parse[attempt](t, s.want(exitOK, "signin", alice, "-o", "json").out)
	if j.Verdict != authn.Allowed || j.Path != authn.PathPHS || j.CorrelationID != someID || j.Reason != "none" {
		t.Errorf("%+v", j)
	}
}

func TestSignInTellsThePublicSentenceAndTheLoggedReason(t *testing.T) {
	s := labAt(t, frontDoor())
	s.stdin = "wrong\n"
	got := s.want(exitDenied, "signin", alice, "--password-stdin")
	says(t, got.out, "denied", "The user name or password is incorrect. (50126)", "no_password_hash")
	says(t, got.err, "no_password_hash", "fourways trace show "+deniedID)
}

func TestSignInThatNobodyCouldCheckIsNotDenied(t *testing.T) {
	s := labAt(t, frontDoor())
	s.env["PW"] = "down"
	says(t, s.want(exitFailed, "signin", alice, "--password-env", "PW").err, "nobody could check")
	s.env["PW"] = "toolong"
	says(t, s.want(exitFailed, "signin", alice, "--password-env", "PW").err, "status 413", "The body is larger.")
}

func TestExpectationsAreMetOrExitWith6(t *testing.T) {
	s := labAt(t, frontDoor())
	s.want(exitOK, "signin", alice, "--expect", "success")
	says(t, s.want(exitUnexpected, "signin", alice, "--expect", "bad_password").err, "expected bad_password, got success")
	s.env["PW"] = "wrong"
	s.want(exitOK, "signin", alice, "--password-env", "PW", "--expect", "no_password_hash")
	says(t, s.want(exitUnexpected, "signin", alice, "--password-env", "PW", "--expect", "bad_password").err, "got no_password_hash")
	s.want(exitUnexpected, "signin", alice, "--password-env", "PW", "--expect", "success")
}

func TestPreciseReasonNeedsAConsole(t *testing.T) {
	url, _ := pretend(t, frontDoor())
	s := newShell(t)
	s.env[envSignIn], s.env["PW"] = url, "wrong"
	s.want(exitDenied, "signin", alice, "--password-env", "PW")
	says(t, s.want(exitFailed, "signin", alice, "--password-env", "PW", "--expect", "bad_password").err, "no console is named")
}

func TestTraceComesWithTheSignIn(t *testing.T) {
	s := labAt(t, frontDoor())
	got := s.want(exitOK, "signin", alice, "--trace")
	says(t, got.out, "STEP", "C1", "browser", "allowed after 12 ms")
	if strings.ContainsAny(got.out, "✓→•") {
		t.Errorf("a pipe gets ASCII: %s", got.out)
	}
	j := parse[struct{ Trace api.Trace }](t, s.want(exitOK, "signin", alice, "--trace", "-o", "json").out)
	if len(j.Trace.Records) != 1 {
		t.Errorf("%+v", j)
	}
}

func TestPasswordsComeByNoFlagAndAreAskedForAtATerminalOnly(t *testing.T) {
	s := labAt(t, frontDoor())
	says(t, s.want(exitUsage, "signin", "stranger@phs.example.test").err, "--password-stdin")
	says(t, s.want(exitUsage, "signin", alice, "--password", "x").err, "unknown flag")
	says(t, s.want(exitUsage, "signin", alice, "--password-env", "UNSET").err, "UNSET")
	says(t, s.want(exitUsage, "signin", alice, "--password-stdin").err, "no password")
	says(t, s.want(exitUsage, "signin", alice, "--password-stdin", "--password-env", "X").err, "password-env password-stdin")
}

func TestPasswordKeepsItsBlanksAndLosesOneLineEnd(t *testing.T) {
	var posted string
	s := labAt(t, routes{"POST /signin": func(w http.ResponseWriter, r *http.Request) {
		var ask struct{ Username, Password string }
		_ = json.NewDecoder(r.Body).Decode(&ask)
		posted = ask.Password
		door(w, r)
	}})
	for in, want := range map[string]string{" a b \n": " a b ", "x\r\n": "x", "x\n\n": "x\n", "ü\n": "ü", "plain": "plain"} {
		s.stdin = in
		s.want(exitDenied, "signin", alice, "--password-stdin")
		if posted != want {
			t.Errorf("%q was posted as %q, want %q", in, posted, want)
		}
	}
}

func TestPasswordIsNotSentInClearToAnotherMachine(t *testing.T) {
	s := newShell(t)
	s.env["PW"] = good
	for _, address := range []string{"http://203.0.113.9:8400", "http://gateway.example.com"} {
		says(t, s.want(exitGuard, "signin", alice, "--password-env", "PW", "--signin-url", address).err, "plain http")
	}
	says(t, s.want(exitUsage, "signin", alice, "--password-env", "PW", "--signin-url", "gateway").err, "no http or https URL")
	says(t, s.want(exitUnreachable, "signin", alice, "--password-env", "PW", "--signin-url", "http://127.0.0.1:1").err, "can't be reached")
}

func TestDoorIsAskedOfTheConsoleAndItsLabIsFound(t *testing.T) {
	var r routes
	url, _ := pretend(t, routes{"GET /api/v1/config": func(w http.ResponseWriter, q *http.Request) {
		r["GET /api/v1/config"].(func(http.ResponseWriter, *http.Request))(w, q)
	}, "POST /signin": door, "GET /api/v1/traces/" + someID: traceOf(someID, authn.Allowed, authn.None)})
	settings := "server.public_url  \"" + url + "\"  file\nlockout.threshold  10  default\nstore.path  \"/nowhere/at/all.db\"  file\n"
	r = routes{"GET /api/v1/config": func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"text": settings})
	}}
	s := newShell(t).at(url)
	s.env["PW"] = good
	s.want(exitOK, "signin", alice, "--password-env", "PW")
	s.want(exitUsage, "signin", alice) // its passwords are not public

	dir := t.TempDir()
	st := state{SignInURL: url, ConsoleURL: url, Token: "fw_good", Users: []stateUser{{UPN: alice, Password: good}}}
	if err := st.write(filepath.Join(dir, stateFile)); err != nil {
		t.Fatal(err)
	}
	settings = strings.Replace(settings, "/nowhere/at", dir, 1)
	s.want(exitOK, "signin", alice)
}

func TestReaderIsToldHowToDoWithoutTheSettings(t *testing.T) {
	url, _ := pretend(t, routes{
		"GET /api/v1/config":           api.Problem{Status: http.StatusForbidden, Title: "Forbidden", Detail: "This needs the role operator."},
		"POST /signin":                 door,
		"GET /api/v1/traces/" + someID: traceOf(someID, authn.Allowed, authn.None),
	})
	s := newShell(t).at(url)
	s.env["PW"] = good
	says(t, s.want(exitFailed, "signin", alice, "--password-env", "PW").err, "role operator", "--signin-url")
	s.want(exitOK, "signin", alice, "--password-env", "PW", "--signin-url", url, "--trace")
}

// provider pretends to be another company's identity provider: a login form, then a form that posts back to the door.
func provider(t *testing.T, back string) string {
	t.Helper()
	mux := http.NewServeMux()
	page := func(w http.ResponseWriter, body string) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<title>Elsewhere</title>" + body))
	}
	const form = `<form method="post" action="/login"><input name="username"><input type="password" name="password"></form>`
	mux.HandleFunc("GET /sso", func(w http.ResponseWriter, _ *http.Request) { page(w, form) })
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.FormValue("username") == alice && r.FormValue("password") == good:
			page(w, `<form method="post" action="`+back+`/acs"><input type="hidden" name="token" value="yes"></form>`)
		case r.FormValue("password") == "refused-at-home":
			page(w, `<form method="post" action="`+back+`/acs"><input type="hidden" name="token" value="no"></form>`)
		default:
			page(w, "<p>Wrong, says the provider.</p>"+form)
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func TestFederatedSignInWalksThroughTheProvidersForm(t *testing.T) {
	var elsewhere string
	r := routes{
		"POST /signin": func(w http.ResponseWriter, _ *http.Request) {
			reply(w, http.StatusOK, map[string]any{
				"verdict": "challenged", "path": "federated", "correlationId": someID,
				"challenge": map[string]string{"kind": "redirect", "url": elsewhere + "/sso"},
			})
		},
		"POST /acs": func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("token") == "yes" {
				w.Header().Set("Set-Cookie", "session=alice; Path=/; HttpOnly")
				w.WriteHeader(http.StatusOK)
				return
			}
			w.Header().Set("Fourways-Error-Code", "50008")
			w.WriteHeader(http.StatusUnauthorized)
		},
		"GET /session": func(w http.ResponseWriter, r *http.Request) {
			if _, err := r.Cookie("session"); err != nil {
				reply(w, http.StatusUnauthorized, map[string]any{})
				return
			}
			reply(w, http.StatusOK, map[string]any{"account": map[string]string{"userPrincipalName": alice}, "correlationId": someID})
		},
	}
	url, _ := pretend(t, r)
	elsewhere = provider(t, url)
	s := newShell(t)
	s.env[envSignIn], s.env["PW"] = url, good
	says(t, s.want(exitOK, "signin", alice, "--password-env", "PW").out, "allowed", "federated", alice)

	s.env["PW"] = "wrong"
	got := s.want(exitDenied, "signin", alice, "--password-env", "PW")
	says(t, got.out, "challenged", "Wrong, says the provider.")
	s.want(exitOK, "signin", alice, "--password-env", "PW", "--expect", "idp_abandoned")

	s.env["PW"] = "refused-at-home"
	says(t, s.want(exitDenied, "signin", alice, "--password-env", "PW").out, "denied", "(50008)")
}

// doorOfGrace lets grace in only with a new password that is long enough.
func doorOfGrace(w http.ResponseWriter, r *http.Request) {
	var ask struct{ Username, Password, NewPassword string }
	_ = json.NewDecoder(r.Body).Decode(&ask)
	challenge := map[string]any{"kind": "change_password", "code": 50055, "name": "cloud_must_change", "message": "Your password must be changed."}
	switch {
	case len(ask.NewPassword) >= 8 && ask.Password == good:
		reply(w, http.StatusOK, map[string]any{"verdict": "allowed", "path": "cloud", "correlationId": someID})
		return
	case ask.NewPassword != "":
		challenge["message"] = "The new password is too short."
	}
	reply(w, http.StatusOK, map[string]any{"verdict": "challenged", "path": "cloud", "correlationId": someID, "challenge": challenge})
}

func TestSignInChangesAPasswordThatMustBeChanged(t *testing.T) {
	open := traceOf(someID, authn.Challenged, authn.CloudMustChange)
	open.Records[0].Final = false
	lab := func() *shell {
		return labAt(t, routes{"POST /signin": doorOfGrace, "GET /api/v1/traces/" + someID: open})
	}
	got := lab().want(exitDenied, "signin", alice)
	says(t, got.out, "challenged", "Your password must be changed. (50055)", "cloud_must_change")
	says(t, got.err, "fourways signin "+alice+" --change-password")
	lab().want(exitOK, "signin", alice, "--expect", "cloud_must_change")

	s := lab()
	s.env["NEW"] = "A-better-one-77"
	if got := s.want(exitOK, "signin", alice, "--new-password-env", "NEW"); strings.Contains(got.out+got.err, "A-better") {
		t.Errorf("the new password is printed: %s", got.out)
	}
	s.env["NEW"] = "short"
	says(t, s.want(exitDenied, "signin", alice, "--new-password-env", "NEW").out, "The new password is too short.")
	says(t, s.want(exitUsage, "signin", alice, "--new-password-env", "NONE").err, "--new-password-env is not set")
	says(t, s.want(exitUsage, "signin", alice, "--change-password").err, "no terminal")
	s.want(exitUsage, "signin", alice, "--new-password-stdin", "--password-stdin")
}
