package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/fourways-id/fourways/internal/console/api"
)

// The OpenAPI document (OpenAPI Specification 3.1), as far as this API needs it. Its schemas are made from the Go types.
type (
	document struct {
		OpenAPI    string                     `json:"openapi"`
		Info       map[string]string          `json:"info"`
		Servers    []map[string]string        `json:"servers"`
		Security   []map[string][]string      `json:"security"`
		Tags       []map[string]string        `json:"tags"`
		Paths      map[string]map[string]call `json:"paths"`
		Components components                 `json:"components"`
	}
	components struct {
		Schemas         map[string]any            `json:"schemas"`
		SecuritySchemes map[string]map[string]any `json:"securitySchemes"`
	}
	call struct {
		Tags        []string            `json:"tags"`
		Summary     string              `json:"summary"`
		Description string              `json:"description"`
		ID          string              `json:"operationId"`
		Role        string              `json:"x-role"`
		Lab         bool                `json:"x-lab,omitempty"`
		Parameters  []parameter         `json:"parameters,omitempty"`
		Body        *requestBody        `json:"requestBody,omitempty"`
		Responses   map[string]response `json:"responses"`
	}
	parameter struct {
		Name        string `json:"name"`
		In          string `json:"in"`
		Description string `json:"description,omitempty"`
		Required    bool   `json:"required,omitempty"`
		Schema      any    `json:"schema"`
	}
	requestBody struct {
		Required bool             `json:"required"`
		Content  map[string]media `json:"content"`
	}
	response struct {
		Description string            `json:"description"`
		Headers     map[string]header `json:"headers,omitempty"`
		Content     map[string]media  `json:"content,omitempty"`
	}
	header struct {
		Description string `json:"description"`
		Schema      any    `json:"schema"`
	}
	media struct {
		Schema any `json:"schema"`
	}
)

const openAPIText = `What an operator does with a fourways gateway. Every call needs a token: ` + "`Authorization: Bearer TOKEN`" + `, made by
` + "`fourways admin token create`" + `. Errors are problem documents (RFC 9457). Lists come in pages: ` + "`next`" + ` of one is ` + "`after`" + ` of the next.
A body is one JSON object of at most 64 KiB where a call says nothing else; unknown fields are refused.`

// serveOpenAPI gives the document to everybody who reaches the console: it tells nothing but what the source does.
func (c *console) serveOpenAPI(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		problem(api.Problem{Title: "Method Not Allowed", Status: http.StatusMethodNotAllowed, Detail: "The document can only be read."}).write(w, r)
		return
	}
	text, err := c.document()
	if err != nil {
		problem(err).write(w, r)
		return
	}
	reply{Status: http.StatusOK, Kind: "application/json", Body: text}.write(w, r)
}

// openAPI writes the document of every operation that this console has.
func (c *console) openAPI() ([]byte, error) {
	schemas := newSchemas()
	d := document{
		OpenAPI:  "3.1.0",
		Info:     map[string]string{"title": "fourways console", "version": "v1", "description": openAPIText},
		Servers:  []map[string]string{{"url": "/"}},
		Security: []map[string][]string{{"token": {}}},
		Paths:    map[string]map[string]call{},
	}
	versions, tags := map[string]bool{}, map[string]bool{}
	for _, o := range c.operations() {
		versions[o.path] = versions[o.path] || o.method == http.MethodGet && o.out != nil && o.out.Implements(reflect.TypeFor[tagged]())
	}
	for _, o := range c.operations() {
		if o.lab && c.Lab == nil {
			continue
		}
		described, err := describe(o, schemas, versions[o.path])
		if err != nil {
			return nil, err
		}
		path := base + o.path
		if d.Paths[path] == nil {
			d.Paths[path] = map[string]call{}
		}
		d.Paths[path][strings.ToLower(o.method)] = described
		if tag := o.tag(); !tags[tag] {
			tags[tag], d.Tags = true, append(d.Tags, map[string]string{"name": tag})
		}
	}
	d.Components = components{Schemas: schemas.found, SecuritySchemes: map[string]map[string]any{
		"token": {"type": "http", "scheme": "bearer", "description": "A console token. Each has one of the roles reader, operator and admin; each role may do what the one before it may."},
	}}
	text, err := json.MarshalIndent(d, "", "  ")
	return append(text, '\n'), err
}

func (o operation) tag() string {
	first, _, _ := strings.Cut(strings.TrimPrefix(o.path, "/"), "/")
	return first
}

// id names the operation for generators of clients: getUsersUser.
func (o operation) id() string {
	id := strings.ToLower(o.method)
	for part := range strings.FieldsFuncSeq(o.path, func(r rune) bool { return strings.ContainsRune("/{}.-_", r) }) {
		id += strings.ToUpper(part[:1]) + part[1:]
	}
	return id
}

func describe(o operation, s *schemas, versioned bool) (call, error) {
	told := []string{"Needs the role " + o.role + "."}
	if o.lab {
		told = append(told, "Only a lab has this.")
	}
	if o.lasting {
		told = append(told, "It may take minutes.")
	}
	if o.most != longest {
		told = append(told, fmt.Sprintf("The body has at most %d bytes.", o.most))
	}
	if o.action != "" {
		told = append(told, "The audit log calls it “"+o.action+"”.")
	}
	d := call{
		Tags: []string{o.tag()}, Summary: o.summary, Description: strings.Join(told, " "), ID: o.id(), Role: o.role, Lab: o.lab,
		Parameters: parameters(o, versioned),
	}
	if o.in != nil {
		schema, err := s.of(o.in)
		if err != nil {
			return call{}, err
		}
		d.Body = &requestBody{Required: true, Content: map[string]media{"application/json": {schema}}}
	}
	var err error
	d.Responses, err = responses(o, s, versioned)
	return d, err
}

func parameters(o operation, versioned bool) []parameter {
	text := map[string]any{"type": "string"}
	var all []parameter
	for _, name := range o.wildcards() {
		all = append(all, parameter{Name: name, In: "path", Required: true, Schema: text})
	}
	for _, p := range o.params {
		schema := text
		if p.name == "limit" {
			schema = map[string]any{"type": "integer", "minimum": 1}
		}
		all = append(all, parameter{Name: p.name, In: "query", Description: p.text, Schema: schema})
	}
	switch {
	case o.action != "":
		all = append(all, parameter{Name: "Idempotency-Key", In: "header", Description: "A random string: the same call with the same key is made once within 24 hours, and gets the same answer.", Schema: map[string]any{"type": "string", "minLength": 1, "maxLength": longestKey}})
		if versioned {
			all = append(all, parameter{Name: "If-Match", In: "header", Description: "The ETag that was read: where somebody else has changed the object since, nothing is done (409).", Schema: text})
		}
	case versioned:
		all = append(all, parameter{Name: "If-None-Match", In: "header", Description: "The ETag that was read before: 304 where it is still the same.", Schema: text})
	}
	return all
}

func responses(o operation, s *schemas, versioned bool) (map[string]response, error) {
	answer := any(map[string]any{"type": "object"})
	if o.out != nil {
		var err error
		if answer, err = s.of(o.out); err != nil {
			return nil, err
		}
	}
	problem, err := s.of(reflect.TypeFor[api.Problem]())
	if err != nil {
		return nil, err
	}
	good := response{Description: http.StatusText(o.status), Content: map[string]media{"application/json": {answer}}}
	if o.out != nil && o.out.Implements(reflect.TypeFor[tagged]()) {
		good.Headers = map[string]header{"ETag": {"The version of what was answered.", map[string]any{"type": "string"}}}
	}
	all := map[string]response{strconv.Itoa(o.status): good}
	if o.action == "" && versioned {
		all["304"] = response{Description: "It is still the version of If-None-Match."}
	}
	for _, status := range refusals(o) {
		all[strconv.Itoa(status)] = response{Description: http.StatusText(status), Content: map[string]media{"application/problem+json": {problem}}}
	}
	all["default"] = response{Description: "Another error", Content: map[string]media{"application/problem+json": {problem}}}
	return all, nil
}

// refusals are the errors that a call may well get.
func refusals(o operation) []int {
	all := []int{http.StatusUnauthorized, http.StatusForbidden}
	if o.in != nil || len(o.params) > 0 {
		all = append(all, http.StatusBadRequest)
	}
	if o.in != nil {
		all = append(all, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if len(o.wildcards()) > 0 || o.lab {
		all = append(all, http.StatusNotFound)
	}
	if o.action != "" {
		all = append(all, http.StatusConflict, http.StatusUnprocessableEntity)
	}
	return all
}
