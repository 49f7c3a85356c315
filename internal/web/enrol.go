package web

import (
	"context"
	"errors"
	"net/http"
)

// Enrol answers an agent that shows its one-time token. Bodies are JSON; what they hold is agentlink's business.
type Enrol interface {
	// Enrol answers ErrEnrolRefused when the token or the request is not good.
	Enrol(ctx context.Context, body []byte) ([]byte, error)
}

// ErrEnrolRefused says that an agent may not enrol: the token is unknown, used or over, or the request is malformed. What
// wraps it is for the operator's log.
var ErrEnrolRefused = errors.New("enrolment refused")

var errNotEnrolled = httpError{http.StatusUnauthorized, 0, "enrolment_refused",
	"The enrolment token is unknown, was used already, or is over. Ask for a new one: fourways agent invite."}

// enrol hands an agent's enrolment over. The token in it is good once, so there is nothing to guess at leisure: the
// address limit applies.
func (d *door) enrol(w http.ResponseWriter, r *http.Request) {
	if d.Enrol == nil {
		writeError(w, httpError{http.StatusNotFound, 0, "not_found", "No domain here uses agents."})
		return
	}
	if mediaType(r) != typeJSON {
		writeError(w, errNotJSON)
		return
	}
	body, err := readBody(r, maxBody)
	if err != nil {
		writeError(w, asHTTPError(err))
		return
	}
	defer clear(body) // it holds the token
	answer, err := d.Enrol.Enrol(r.Context(), body)
	switch {
	case errors.Is(err, ErrEnrolRefused):
		d.log.Warn("agent enrolment refused", "from", d.clientAddr(r).String(), "cause", err)
		writeError(w, errNotEnrolled)
	case err != nil:
		d.log.Error("agent enrolment failed", "cause", err)
		writeError(w, errInternal)
	default:
		writeJSONBytes(w, http.StatusOK, answer)
	}
}
