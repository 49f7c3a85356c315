package console

import (
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) onpremRoutes() map[string]http.Handler {
	port := func(l *LabPorts) Onprem { return l.Onprem }
	return map[string]http.Handler{
		"GET /api/v1/onprem/users": c.get(Reader, lab(c, port, onpremUsers)),

		"POST /api/v1/onprem/users/{upn}": c.change(Operator, labChange(c, port, onpremChange)),
	}
}

func onpremUsers(o Onprem, r *http.Request) (any, error) {
	people, err := o.OnpremUsers(r.Context())
	return api.PageOf(people), err
}

func onpremChange(o Onprem, r *http.Request, _ api.Token) (changed, error) {
	did := changed{Action: "Change on-premises user", Target: r.PathValue("upn"), Answer: struct{}{}}
	ask, err := read[api.OnpremChange](r)
	if err != nil {
		return did, err
	}
	did.After = ask.Do
	return did, o.OnpremChange(r.Context(), r.PathValue("upn"), ask)
}
