package console

import (
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/internal/console/api"
)

// operation is one documented call: what serves it and what the OpenAPI document says of it come from the same place.
//
// A noun makes its operations with look and act (labLook and labAct for what only a lab has) in a method
// `func (c *console) <noun>Operations() []operation`, which stands in operations. What may follow one: created() when its
// success is 201, long() when it takes minutes, large(bytes) when its body is. The query parameters of a list are
// paged(query(name, text)...)...; its handler reads them with pageAsked and answers with pageOf. What a list gives in one
// piece is api.PageOf.
type operation struct {
	method, path          string // path: under /api/v1, with wildcards as net/http.ServeMux has them
	role, action, summary string // action: as the audit log has it; "" for what only looks
	params                []param
	in, out               reflect.Type // of the body and of the answer; nil: none
	status                int          // of success
	most                  int64        // bound of the body, in bytes
	lab, lasting          bool         // only a lab has it; it may take minutes
	serve                 func(o operation, w http.ResponseWriter, r *http.Request)
}

// none is the type of a body that is not read, and of an answer that has nothing to say: {}.
type none struct{}

// did is what a change answers and what the audit log says of it. Target may be left out where it is what the path names.
// Before and After hold what was changed ("displayName: A -> B" in After, or one value each), never a secret.
type did[Out any] struct {
	Target, Before, After string
	Answer                Out
	Status                int // 0: the operation's own
}

// param is a query parameter.
type param struct{ name, text string }

// query is a query parameter: its name, and what it means.
func query(name, text string) param { return param{name, text} }

// look is a call that changes nothing. pattern is a method and a path under /api/v1: "GET /users/{user}". An answer that has
// a version, which is a method Tag() string, gets it as its ETag.
func look[Out any](c *console, pattern, role, summary string, h func(r *http.Request) (Out, error), params ...param) operation {
	o := newOperation(pattern, role, summary, params)
	o.out = typeOf[Out]()
	o.serve = func(o operation, w http.ResponseWriter, r *http.Request) {
		if _, err := c.token(r, o.role); err != nil {
			problem(err).write(w, r)
			return
		}
		answer, err := h(r)
		if err != nil {
			problem(err).write(w, r)
			return
		}
		answered(o.status, answer).write(w, r)
	}
	return o
}

// act is a call that changes something. The body is read strictly into ask, save where In is none; action is its name in
// the audit log, which gets an entry whether the change succeeds, fails or is refused to this token. What h returns beside
// an error is for the audit log alone. A handler learns with ifMatch which version the caller means to change.
func act[In, Out any](c *console, pattern, role, action, summary string, h func(r *http.Request, ask In, by api.Token) (did[Out], error), params ...param) operation {
	o := newOperation(pattern, role, summary, params)
	o.action, o.in, o.out = action, typeOf[In](), typeOf[Out]()
	o.serve = func(o operation, w http.ResponseWriter, r *http.Request) {
		c.change(w, r, o, func(r *http.Request, body []byte, by api.Token) (changed, error) {
			ask, err := read[In](r, body)
			if err != nil {
				return changed{}, err
			}
			d, err := h(r, ask, by)
			return changed{d.Target, d.Before, d.After, d.Answer, d.Status}, err
		})
	}
	return o
}

func newOperation(pattern, role, summary string, params []param) operation {
	method, path, _ := strings.Cut(pattern, " ")
	return operation{method: method, path: path, role: role, summary: summary, params: params, status: http.StatusOK, most: longest}
}

// created says that the call's success is 201.
func (o operation) created() operation {
	o.status = http.StatusCreated
	return o
}

// long says that the call takes its time: it is bounded by runWithin, and not by the listener's deadlines.
func (o operation) long() operation {
	o.lasting = true
	return o
}

// large says how long the body may be, in bytes, where the usual bound is too small.
func (o operation) large(most int64) operation {
	o.most = most
	return o
}

// base is where all operations are.
const base = "/api/v1"

func (o operation) pattern() string { return o.method + " " + base + o.path }

func (o operation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := http.MaxBytesHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { o.serve(o, w, r) }), o.most)
	if o.lasting {
		h = long(h)
	}
	h.ServeHTTP(w, r)
}

// wildcards are the names in the path.
func (o operation) wildcards() []string {
	var names []string
	for part := range strings.SplitSeq(o.path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			names = append(names, strings.TrimRight(name, ".}"))
		}
	}
	return names
}

// named is what a request's path names, the way the audit log has it.
func (o operation) named(r *http.Request) string {
	var values []string
	for _, name := range o.wildcards() {
		values = append(values, r.PathValue(name))
	}
	return strings.Join(values, "/")
}

// ifMatch is the version that the caller means to change; "" when it names none, or any (RFC 9110, section 13.1.1).
func ifMatch(r *http.Request) string {
	tag := strings.TrimPrefix(strings.TrimSpace(r.Header.Get("If-Match")), "W/")
	if tag == "*" || len(r.Header.Values("If-Match")) == 0 {
		return ""
	}
	if bare := strings.Trim(tag, `"`); bare != "" {
		return bare
	}
	return `""` // an empty tag is no version of anything, and not the wish to overwrite any
}

func typeOf[T any]() reflect.Type {
	if t := reflect.TypeFor[T](); t != reflect.TypeFor[none]() {
		return t
	}
	return nil
}

// operations is every call, and the one place where a noun is listed.
func (c *console) operations() []operation {
	return slices.Concat(
		c.userOperations(),
		c.groupOperations(),
		c.contactOperations(),
		c.bulkOperations(),
		c.leakedOperations(),
		c.licenceOperations(),
		c.appOperations(),
		c.modeOperations(),
		c.domainOperations(),
		c.rolloutOperations(),
		c.historyOperations(),
		c.syncOperations(),
		c.agentOperations(),
		c.configOperations(),
		c.tokenOperations(),
		c.auditOperations(),
		c.onpremOperations(),
		c.faultOperations(),
		c.scenarioOperations(),
		c.clockOperations(),
		c.worldOperations(),
		c.matrixOperations(),
	)
}
