package console

import (
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) onpremOperations() []operation {
	port := func(l *LabPorts) Onprem { return l.Onprem }
	return []operation{
		labLook(c, port, "GET /onprem/users", Reader, "List the people of the lab's own directory", onpremUsers),
		labAct(c, port, "POST /onprem/users/{upn}", Operator, "Change on-premises user", "Do one thing to a person of the lab's own directory, as its administrator does", onpremChange),
	}
}

func onpremUsers(o Onprem, r *http.Request) (api.Page[api.OnpremUser], error) {
	people, err := o.OnpremUsers(r.Context())
	return api.PageOf(people), err
}

func onpremChange(o Onprem, r *http.Request, ask api.OnpremChange, _ api.Token) (did[none], error) {
	return did[none]{After: ask.Do}, o.OnpremChange(r.Context(), r.PathValue("upn"), ask)
}
