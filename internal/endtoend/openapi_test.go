package endtoend_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	validation "github.com/pb33f/libopenapi-validator/errors"
)

func TestOpenAPIEachDocumentedCallIsMadeAndAnswersAsDocumented(t *testing.T) {
	lab := upLab(t)
	signInOnce(t, lab)
	api := openDocument(t, lab.Console)
	api.notices(t, lab.Console)
	kept := map[string]string{}
	for _, c := range story() {
		api.make(t, lab, c, kept)
	}
	for _, missed := range api.missed() {
		t.Errorf("%s is documented, and no call of the story makes it: add one to openapi_test.go", missed)
	}
}

// signInOnce leaves a row in the sign-in log.
func signInOnce(t *testing.T, lab ready) {
	t.Helper()
	const who = "peggy@cloud.example.test"
	body, _ := json.Marshal(map[string]string{"username": who, "password": lab.password(t, who)})
	res, err := http.Post(lab.SignInURL+"/signin", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}

// documented is the console's own document, and what was called of it.
type documented struct {
	validator validator.Validator
	routes    *http.ServeMux
	called    map[string]bool // by "METHOD /path"
}

func openDocument(t *testing.T, console string) *documented {
	t.Helper()
	text := fetch(t, console+"/api/openapi.json", "")
	d := &documented{routes: http.NewServeMux(), called: map[string]bool{}}
	document, err := libopenapi.NewDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	var faults []error
	if d.validator, faults = validator.NewValidator(document); len(faults) > 0 {
		t.Fatal(faults)
	}
	var paths struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(text, &paths); err != nil {
		t.Fatal(err)
	}
	for path, methods := range paths.Paths {
		for method := range methods {
			pattern := strings.ToUpper(method) + " " + path
			d.called[pattern] = false
			d.routes.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
		}
	}
	return d
}

func (d *documented) missed() []string {
	var all []string
	for pattern, called := range d.called {
		if !called {
			all = append(all, pattern)
		}
	}
	slices.Sort(all)
	return all
}

// make makes a call, and holds request and answer against the document.
func (d *documented) make(t *testing.T, lab ready, c call, kept map[string]string) {
	t.Helper()
	fill := func(s string) string { return os.Expand(s, func(name string) string { return kept[name] }) }
	path, body := fill(c.path), fill(c.body)
	newRequest := func() *http.Request {
		req, err := http.NewRequestWithContext(t.Context(), c.method, lab.Console+"/api/v1"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+lab.Token)
		if body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		if c.match != "" {
			req.Header.Set("If-Match", fill(c.match))
		}
		return req
	}
	res, err := http.DefaultClient.Do(newRequest())
	if err != nil {
		t.Fatalf("%s %s: %v", c.method, path, err)
	}
	text, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	want := c.status
	if want == 0 {
		want = http.StatusOK
	}
	if res.StatusCode != want {
		t.Errorf("%s %s: %d, want %d: %.500s", c.method, path, res.StatusCode, want, text)
	}
	asked := newRequest()
	_, pattern := d.routes.Handler(asked)
	if d.called[pattern] = true; pattern == "" {
		t.Errorf("%s %s is not documented", c.method, path)
		return
	}
	for _, f := range d.faults(asked, res, text) {
		t.Errorf("%s %s is not as documented: %s %s %v\n%.1000s", c.method, path, f.Message, f.Reason, f.SchemaValidationErrors, text)
	}
	remember(t, c, res, text, kept)
}

// faults are what of a request and its answer is not as documented.
func (d *documented) faults(req *http.Request, res *http.Response, text []byte) []*validation.ValidationError {
	res.Body = io.NopCloser(bytes.NewReader(text))
	_, faults := d.validator.ValidateHttpRequestResponse(req, res)
	return faults
}

// notices fails the test when an answer, a status or a request that is wrong would pass.
func (d *documented) notices(t *testing.T, console string) {
	t.Helper()
	const good = `{"items":[{"id":"1","name":"x","role":"admin","created":"2026-01-01T00:00:00Z","until":"2026-01-01T00:00:00Z"}]}`
	for _, try := range []struct {
		what, method, path, body, answer string
		right                            bool
	}{
		{"the control", "GET", "/tokens", "", good, true},
		{"an answer without a field", "GET", "/tokens", "", strings.Replace(good, `"role":"admin",`, "", 1), false},
		{"an answer with a number for a name", "GET", "/tokens", "", strings.Replace(good, `"x"`, "1", 1), false},
		{"a request without a body", "POST", "/config", "", `{"live":[],"restart":[],"overrides":[]}`, true},
		{"a request with a number for a name", "PUT", "/users/x/password", `{"password":1}`, `{}`, false},
	} {
		req, err := http.NewRequestWithContext(t.Context(), try.method, console+"/api/v1"+try.path, strings.NewReader(try.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer x")
		req.Header.Set("Content-Type", "application/json")
		res := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: req}
		if faults := d.faults(req, res, []byte(try.answer)); (len(faults) == 0) != try.right {
			t.Errorf("%s: %v", try.what, faults)
		}
	}
}

// remember keeps what later calls need.
func remember(t *testing.T, c call, res *http.Response, text []byte, kept map[string]string) {
	t.Helper()
	name, field, wanted := strings.Cut(c.keep, "=")
	if !wanted {
		return
	}
	if field == "ETag" {
		kept[name] = res.Header.Get("ETag")
		return
	}
	var at any
	if err := json.Unmarshal(text, &at); err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq(field, ".") {
		switch v := at.(type) {
		case map[string]any:
			at = v[part]
		case []any:
			var i int
			if _, err := fmt.Sscan(part, &i); err != nil || i >= len(v) {
				t.Fatalf("%s %s answers without %s: %.300s", c.method, c.path, field, text)
			}
			at = v[i]
		}
	}
	kept[name] = fmt.Sprint(at)
	if at == nil || kept[name] == "" {
		t.Fatalf("%s %s answers without %s: %.300s", c.method, c.path, field, text)
	}
}
