package web

import (
	"bytes"
	"errors"
	"net/http"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/trace"
)

// longestTraceID is that of an AttemptID, which is a UUID.
const longestTraceID = 36

// errNoTrace doesn't repeat the id: it is whatever somebody typed.
var errNoTrace = httpError{http.StatusNotFound, 0, "not_found", "There is no sign-in with this correlation id."}

// trace shows all of a sign-in to anybody who knows its id. It is mounted in a lab only, where nobody is real.
func (d *door) trace(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if len(id) > longestTraceID {
		d.refusePage(w, errNoTrace)
		return
	}
	attempt, err := d.Site.Lab.Traces.Trace(r.Context(), authn.AttemptID(id))
	switch {
	case errors.Is(err, directory.ErrNotFound) || err == nil && len(attempt.Records) == 0:
		d.refusePage(w, errNoTrace)
		return
	case err != nil:
		d.log.Error("a trace could not be read", "cause", err)
		d.refusePage(w, errInternal)
		return
	}
	var b bytes.Buffer // a page that breaks half way must not go out with status 200
	if err := trace.HTML(&b, attempt); err != nil {
		d.log.Error("a trace could not be drawn", "correlation_id", attempt.Records[0].ID, "cause", err)
		d.refusePage(w, errInternal)
		return
	}
	w.Header().Set("Content-Security-Policy", trace.Policy()+"; frame-ancestors 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}
