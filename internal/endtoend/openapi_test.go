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
)

// call is one request of a story, in order. ${x} in path, body or match is what an earlier call kept under that name.
type call struct {
	method, path, body string // path: under /api/v1
	keep               string // "name=field of the answer" (items.0.id reaches into it), or "name=ETag"
	match              string // If-Match
	status             int    // 0: 200
}

// story is what an operator does in an hour: make, read, change, drop. Every call that the console documents stands in
// one of its parts.
func story() []call {
	return slices.Concat(
		callsOfBooks(), callsOfUsers(), callsOfGroups(), callsOfLicences(), callsOfDomains(), callsOfPremises(), callsOfLab(),
	)
}

func callsOfBooks() []call {
	return []call{
		{method: "GET", path: "/config"},
		{method: "POST", path: "/config"},
		{method: "GET", path: "/doctor"},
		{method: "POST", path: "/tokens", body: `{"name":"dashboard","role":"reader","valid":"1h"}`, keep: "token=id", status: 201},
		{method: "GET", path: "/tokens"},
		{method: "DELETE", path: "/tokens/${token}"},
		{method: "GET", path: "/audit?limit=1", keep: "cursor=next"},
		{method: "GET", path: "/audit?after=${cursor}"},
		{method: "GET", path: "/signins?limit=1", keep: "trace=items.0.correlationId"},
		{method: "GET", path: "/traces/${trace}"},
	}
}

func callsOfUsers() []call {
	return []call{
		{method: "GET", path: "/users?domain=cloud.example.test&limit=2"},
		{method: "POST", path: "/users", body: `{"userPrincipalName":"nora@cloud.example.test","displayName":"Nora","password":"Harbour-7-lantern"}`, status: 201},
		{method: "PUT", path: "/users/nora@cloud.example.test/password", body: `{"password":"Quay-8-lantern"}`},
	}
}

func callsOfGroups() []call { return nil }

func callsOfLicences() []call {
	return []call{
		{method: "POST", path: "/plans", body: `{"id":"tug","displayName":"Tug","seats":3,"services":["harbour-mail"]}`, status: 201},
		{method: "GET", path: "/plans"},
		{method: "GET", path: "/plans/tug", keep: "plan=ETag"},
		{method: "PATCH", path: "/plans/tug", match: "${plan}", body: `{"seats":5}`},
		{method: "PATCH", path: "/plans/tug", match: "${plan}", body: `{"seats":4}`, status: 409},
		{method: "PUT", path: "/plans/tug/users/alice@phs.example.test"},
		{method: "GET", path: "/licenses?plan=tug"},
		{method: "DELETE", path: "/plans/tug/users/alice@phs.example.test"},
		{method: "PUT", path: "/plans/tug/groups/Pilot"},
		{method: "DELETE", path: "/plans/tug/groups/Pilot"},
		{method: "DELETE", path: "/plans/tug"},
		{method: "POST", path: "/apps", body: `{"id":"crane","displayName":"Crane","assignmentRequired":true,"roles":["driver"]}`, status: 201},
		{method: "GET", path: "/apps"},
		{method: "GET", path: "/apps/crane", keep: "app=ETag"},
		{method: "PATCH", path: "/apps/crane", match: "${app}", body: `{"displayName":"Crane 2"}`},
		{method: "POST", path: "/apps/crane/assignments", body: `{"user":"alice@phs.example.test","role":"driver"}`, status: 201},
		{method: "DELETE", path: "/apps/crane/assignments?user=alice@phs.example.test&role=driver"},
		{method: "DELETE", path: "/apps/crane"},
	}
}

func callsOfDomains() []call {
	return []call{
		{method: "GET", path: "/mode"},
		{method: "PUT", path: "/mode/pta.example.test", body: `{"path":"phs","reason":"a drill"}`},
		{method: "DELETE", path: "/mode/pta.example.test"},
	}
}

func callsOfPremises() []call {
	return []call{
		{method: "GET", path: "/sync"},
		{method: "POST", path: "/sync", body: `{}`},
		{method: "POST", path: "/agents", body: `{"name":"spare","roles":["pta"]}`, status: 201},
		{method: "GET", path: "/agents", keep: "agent=items.0.id"},
	}
}

// callsOfLab ends with what takes the world away: the agent last of all.
func callsOfLab() []call {
	return []call{
		{method: "GET", path: "/onprem/users"},
		{method: "POST", path: "/onprem/users/alice@pta.example.test", body: `{"do":"disable"}`},
		{method: "GET", path: "/faults"},
		{method: "PUT", path: "/faults/dc-slow", body: `{"param":"10ms","for":"1m"}`},
		{method: "DELETE", path: "/faults/dc-slow"},
		{method: "DELETE", path: "/faults"},
		{method: "GET", path: "/clock"},
		{method: "POST", path: "/clock", body: `{"advance":"1m"}`},
		{method: "DELETE", path: "/clock"},
		{method: "PUT", path: "/snapshots/before", status: 201},
		{method: "GET", path: "/snapshots"},
		{method: "POST", path: "/snapshots/before"},
		{method: "GET", path: "/scenarios", keep: "scenario=items.0.name"},
		{method: "POST", path: "/scenarios/${scenario}"},
		{method: "GET", path: "/matrix", status: 404},
		{method: "POST", path: "/matrix", body: `{}`},
		{method: "GET", path: "/matrix"},
		{method: "POST", path: "/reset"},
		{method: "DELETE", path: "/agents/${agent}"},
	}
}

func TestOpenAPIEachDocumentedCallIsMadeAndAnswersAsDocumented(t *testing.T) {
	lab := upLab(t)
	signInOnce(t, lab)
	api := openDocument(t, lab.Console)
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
	res.Body = io.NopCloser(bytes.NewReader(text))
	if ok, faults := d.validator.ValidateHttpRequestResponse(asked, res); !ok {
		for _, f := range faults {
			t.Errorf("%s %s is not as documented: %s %s %v\n%.1000s", c.method, path, f.Message, f.Reason, f.SchemaValidationErrors, text)
		}
	}
	remember(t, c, res, text, kept)
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
