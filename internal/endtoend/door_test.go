package endtoend_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/console/api"
)

// hang bounds what would otherwise wait for ever; no test measures with it.
const hang = time.Minute

// door is a gateway's public listener as a program sees it, and its console for what only the operator learns.
type door struct {
	t       *testing.T
	url     string
	console *client.Console
}

// answer is what somebody at the door gets.
type answer struct {
	Status int
	Header http.Header
	Raw    []byte

	Verdict authn.Verdict     `json:"verdict"`
	Path    authn.Path        `json:"path"`
	ID      authn.AttemptID   `json:"correlationId"`
	Error   authn.PublicError `json:"error"`
	Account struct {
		UPN string `json:"userPrincipalName"`
	} `json:"account"`
}

// signIn posts a user name and a password as a program does.
func (d *door) signIn(user, password string) answer {
	d.t.Helper()
	body, err := json.Marshal(map[string]string{"username": user, "password": password})
	if err != nil {
		d.t.Fatal(err)
	}
	return d.post("/signin", "application/json", body)
}

// post sends any body anywhere.
func (d *door) post(path, mediaType string, body []byte) answer {
	d.t.Helper()
	return d.send(http.MethodPost, path, mediaType, body)
}

func (d *door) send(method, path, mediaType string, body []byte) answer {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, bytes.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	res, err := (&http.Client{Timeout: hang, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		d.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	a := answer{Status: res.StatusCode, Header: res.Header}
	if a.Raw, err = io.ReadAll(res.Body); err != nil {
		d.t.Fatalf("%s %s: read the answer: %v", method, path, err)
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(a.Raw, &a); err != nil {
			d.t.Fatalf("%s %s: %v in %s", method, path, err, a.Raw)
		}
	}
	return a
}

// reason is what the sign-in log says of an attempt.
func (d *door) reason(id authn.AttemptID) string {
	d.t.Helper()
	return d.row(id).Fourways.Reason
}

func (d *door) row(id authn.AttemptID) api.SignIn {
	d.t.Helper()
	rows, err := d.console.SignIns(d.t.Context(), 200)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, row := range rows {
		if row.ID == string(id) {
			return row
		}
	}
	d.t.Fatalf("the sign-in log has no row of %q", id)
	return api.SignIn{}
}

// allowed fails unless the person was let in.
func (d *door) allowed(a answer, upn string, path authn.Path) {
	d.t.Helper()
	if a.Status != http.StatusOK || a.Verdict != authn.Allowed || a.Path != path || a.Account.UPN != upn || a.Header.Get("Set-Cookie") == "" {
		d.t.Errorf("%s on %s: want allowed with a session, got %d %s", upn, path, a.Status, a.Raw)
	}
}

// refused fails unless the answer has that status and the log that reason. It gives the log's row.
func (d *door) refused(a answer, status int, reasons ...authn.Reason) api.SignIn {
	d.t.Helper()
	row := d.row(a.ID)
	names := make([]string, len(reasons))
	for i, r := range reasons {
		names[i] = r.String()
	}
	if a.Status != status || !slices.Contains(names, row.Fourways.Reason) {
		d.t.Errorf("want %d and %v, got %d %s; the log says %s (%s)", status, names, a.Status, a.Raw, row.Fourways.Reason, row.Status.AdditionalDetails)
	}
	if hasSession(a.Header) {
		d.t.Errorf("a refused sign-in brought a session: %v", a.Header["Set-Cookie"])
	}
	return row
}

// hasSession tells whether an answer sets any cookie to a value: a refusal only drops some.
func hasSession(h http.Header) bool {
	for _, c := range (&http.Response{Header: h}).Cookies() {
		if c.Value != "" {
			return true
		}
	}
	return false
}

// anonymous is the answer without what names the attempt: two of them may differ in nothing.
func (a answer) anonymous() string {
	if a.ID == "" {
		return string(a.Raw)
	}
	return strings.ReplaceAll(string(a.Raw), string(a.ID), "ID")
}

// eventually asks until the answer is the one that is waited for.
func eventually(t *testing.T, what string, ask func() bool) {
	t.Helper()
	guard := time.NewTimer(hang)
	defer guard.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ask() {
		select {
		case <-guard.C:
			t.Fatalf("it never happened: %s", what)
		case <-tick.C:
		}
	}
}
