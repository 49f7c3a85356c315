package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Guarded marks an error of a guard that refused: nothing was done, on purpose.
type Guarded interface{ Guarded() }

// The Problem.Types that programs tell apart: a guard's refusal, an object that somebody else changed since it was read,
// and one that is mastered on-premises.
const (
	GuardType    = "urn:fourways:guard"
	ChangedType  = "urn:fourways:changed"
	MasteredType = "urn:fourways:mastered"
)

// tagged is an answer that has a version.
type tagged interface{ Tag() string }

// reply is an answer on its way out. It can be kept, and sent again.
type reply struct {
	Status int    `json:"status"`
	Kind   string `json:"kind"` // media type
	Tag    string `json:"tag,omitempty"`
	Retry  int    `json:"-"` // seconds; 0: not said
	Body   []byte `json:"body"`
}

// answered is the reply with an answer.
func answered(status int, v any) reply {
	body, err := json.Marshal(v)
	if err != nil {
		return problem(err)
	}
	a := reply{Status: status, Kind: "application/json", Body: append(body, '\n')}
	if t, ok := v.(tagged); ok {
		a.Tag = t.Tag()
	}
	return a
}

// problem is the reply with an error, and the one place where an error gets its status.
func problem(err error) reply {
	var p api.Problem
	var guard Guarded
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &p):
	case errors.As(err, &guard):
		p = api.Problem{Type: GuardType, Title: "Refused by a guard", Status: http.StatusConflict, Detail: err.Error()}
	case errors.As(err, &tooLarge):
		p = api.Problem{Title: "Content Too Large", Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("The body is longer than %d bytes.", tooLarge.Limit)}
	case errors.Is(err, directory.ErrChanged):
		p = api.Problem{Type: ChangedType, Title: "Changed meanwhile", Status: http.StatusConflict, Detail: "Somebody else changed this since you read it, and nothing was overwritten: read it again, then change it again."}
	case errors.Is(err, directory.ErrMastered):
		p = api.Problem{Type: MasteredType, Title: "Mastered elsewhere", Status: http.StatusConflict, Detail: strings.TrimSuffix(err.Error(), ": "+directory.ErrMastered.Error())}
	case errors.Is(err, directory.ErrNotFound):
		p = api.Problem{Title: "Not Found", Status: http.StatusNotFound, Detail: err.Error()}
	case errors.Is(err, directory.ErrConflict):
		p = api.Problem{Title: "Conflict", Status: http.StatusConflict, Detail: err.Error()}
	default:
		p = api.Problem{Title: "Internal Server Error", Status: http.StatusInternalServerError, Detail: err.Error()}
	}
	if p.Type == "" {
		p.Type = "about:blank"
	}
	body, _ := json.Marshal(p) // strings and a number always marshal
	return reply{Status: p.Status, Kind: "application/problem+json", Body: append(body, '\n')}
}

// write sends the reply. A GET whose caller has this version already gets none (RFC 9110, section 13.1.2).
func (a reply) write(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	if a.Tag != "" {
		header.Set("ETag", `"`+a.Tag+`"`)
		if r.Method == http.MethodGet && names(r.Header.Get("If-None-Match"), a.Tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if a.Status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="fourways console"`)
	}
	if a.Retry > 0 {
		header.Set("Retry-After", strconv.Itoa(a.Retry))
	}
	header.Set("Content-Type", a.Kind)
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // the caller has gone away: nothing to tell it
}

// names reports whether a list of entity tags has this one; * is each. The weak comparison is the right one for reading.
func names(list, tag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
		if one == "*" || one == `"`+tag+`"` {
			return true
		}
	}
	return false
}

func bad(format string, args ...any) error {
	return api.Problem{Title: "Bad Request", Status: http.StatusBadRequest, Detail: fmt.Sprintf(format, args...)}
}
