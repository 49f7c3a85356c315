package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/web"
)

// apps knows one application that everybody may use, and one for each refusal.
type apps struct{}

func (apps) Grant(_ context.Context, app string, _ web.Visitor) (directory.Grant, error) {
	g := directory.Grant{App: app, Name: "Harbour Mail", Roles: []string{"user"}}
	switch app {
	case "mail":
	case "books":
		g.Reason = authn.NotLicensed
	case "ledger":
		g.Roles, g.Reason = []string{}, authn.NotAssigned
	default:
		return directory.Grant{}, directory.ErrNotFound
	}
	return g, nil
}

func TestAnApplicationLearnsWhetherThePersonMayUseIt(t *testing.T) {
	h := newHouse(t, nil)
	in := h.signIn(`{"username":"alice@phs.example.test","password":"` + good + `"}`)
	cookie := cookieNamed(in, "fourways_session")
	if cookie == nil {
		t.Fatalf("nobody is signed in: %s", in.Body)
	}
	ask := func(query string) (int, string) {
		w := h.get("/session"+query, func(r *http.Request) { r.AddCookie(cookie) })
		return w.Code, w.Body.String()
	}
	for query, want := range map[string]string{
		"":            `"path":"phs"`,
		"?app=mail":   `"application":{"id":"mail","allowed":true,"roles":["user"]}`,
		"?app=books":  `"application":{"id":"books","allowed":false,"roles":[],"error":{"code":650052,"name":"not_licensed","message":"`,
		"?app=ledger": `"application":{"id":"ledger","allowed":false,"roles":[],"error":{"code":50105,"name":"not_assigned","message":"`,
	} {
		if code, body := ask(query); code != http.StatusOK || !strings.Contains(body, want) || strings.Contains(body, "application") != (query != "") {
			t.Errorf("/session%s: %d %s, want %s", query, code, body, want)
		}
	}
	if code, body := ask("?app=nothing"); code != http.StatusNotFound || !strings.Contains(body, "application_unknown") {
		t.Errorf("an application that is not there: %d %s", code, body)
	}
	if w := h.get("/session?app=mail"); w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "allowed") {
		t.Errorf("nobody is signed in: %d %s", w.Code, w.Body)
	}
}
