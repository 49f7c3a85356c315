package web

import (
	"errors"
	"net/http"

	"github.com/fourways-id/fourways/internal/agentlink"
)

// enrol admits an agent. The token is good once and has 256 random bits, so the address limit is all that guards it.
func (d *door) enrol(w http.ResponseWriter, r *http.Request) {
	if d.Enrol == nil {
		writeError(w, httpError{http.StatusNotFound, 0, "not_found", "No agents are used here."})
		return
	}
	if mediaType(r) != typeJSON {
		writeError(w, errNotJSON)
		return
	}
	body, err := readBody(r, agentlink.MaxEnrol)
	if err != nil {
		writeError(w, asHTTPError(err))
		return
	}
	defer clear(body) // it holds the token
	req, err := agentlink.ParseEnrolRequest(body)
	if err != nil {
		d.log.Warn("an agent's enrolment request could not be read", "from", d.clientAddr(r).String(), "cause", err)
		writeError(w, malformed("This is no enrolment request of a fourways-agent of this version."))
		return
	}
	answer, err := d.Enrol.Enrol(r.Context(), req)
	switch {
	case errors.Is(err, agentlink.ErrToken):
		d.log.Warn("an agent was not enrolled", "from", d.clientAddr(r).String(), "cause", err)
		writeError(w, httpError{http.StatusUnauthorized, 0, "enrolment_refused", "The enrolment token is unknown, was used already, or is over. Make a new one with fourways agent invite."})
	case err != nil:
		d.log.Error("an agent could not be enrolled", "cause", err)
		writeError(w, errInternal)
	default:
		writeJSON(w, http.StatusOK, answer)
	}
}
