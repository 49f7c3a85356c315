package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Guarded marks an error of a guard that refused: nothing was done, on purpose.
type Guarded interface{ Guarded() }

// GuardType is the Problem.Type of a guard's refusal.
const GuardType = "urn:fourways:guard"

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the caller has gone away: nothing to tell it
}

func writeProblem(w http.ResponseWriter, p api.Problem) {
	if p.Type == "" {
		p.Type = "about:blank"
	}
	body, _ := json.Marshal(p) // strings and a number always marshal
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="fourways console"`)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n'))
}

// writeError is the one place where an error gets its status.
func writeError(w http.ResponseWriter, err error) {
	var p api.Problem
	var guard Guarded
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &p):
	case errors.As(err, &guard):
		p = api.Problem{Type: GuardType, Title: "Refused by a guard", Status: http.StatusConflict, Detail: err.Error()}
	case errors.As(err, &tooLarge):
		p = api.Problem{Title: "Content Too Large", Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("The body is longer than %d bytes.", tooLarge.Limit)}
	case errors.Is(err, directory.ErrNotFound):
		p = api.Problem{Title: "Not Found", Status: http.StatusNotFound, Detail: err.Error()}
	case errors.Is(err, directory.ErrConflict):
		p = api.Problem{Title: "Conflict", Status: http.StatusConflict, Detail: err.Error()}
	default:
		p = api.Problem{Title: "Internal Server Error", Status: http.StatusInternalServerError, Detail: err.Error()}
	}
	writeProblem(w, p)
}

func bad(format string, args ...any) error {
	return api.Problem{Title: "Bad Request", Status: http.StatusBadRequest, Detail: fmt.Sprintf(format, args...)}
}

// read decodes a body strictly: one JSON object, no unknown fields.
func read[T any](r *http.Request) (T, error) {
	var v T
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return v, api.Problem{Title: "Unsupported Media Type", Status: http.StatusUnsupportedMediaType, Detail: "Send Content-Type: application/json."}
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	var asked *T
	if err := d.Decode(&asked); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return v, err
		}
		return v, bad("The body is not the JSON object that is wanted here: %v.", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, bad("There is something after the JSON object.")
	}
	if asked == nil { // null asks for nothing, and nothing is done for it
		return v, bad("The body is null: send the JSON object that is wanted here; {} is one.")
	}
	return *asked, nil
}
