package web

import (
	"net/http"

	"github.com/fourways-id/fourways/authn"
)

// realm tells how the people of a domain sign in. It looks at the domain alone, so it says nothing about any person.
func (d *door) realm(w http.ResponseWriter, r *http.Request) {
	if mediaType(r) != typeJSON {
		writeError(w, errNotJSON)
		return
	}
	body, err := readBody(r, maxBody)
	if err != nil {
		writeError(w, asHTTPError(err))
		return
	}
	f, err := parseJSON(body, "username")
	if err == nil && len(f["username"]) == 0 {
		err = errNoUsername
	}
	if err != nil {
		writeError(w, asHTTPError(err))
		return
	}
	found, err := d.Realms.Discover(r.Context(), authn.ParseIdentifier(string(f["username"])).Domain())
	if err != nil {
		d.log.Error("a domain could not be looked up", "cause", err)
		writeError(w, errInternal)
		return
	}
	writeJSON(w, http.StatusOK, found)
}
