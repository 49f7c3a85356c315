package mail_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/golden"
	"github.com/fourways-id/fourways/internal/lab/mail"
)

func get(visitor *mail.Visitor, path string) *httptest.ResponseRecorder {
	h := mail.New(mail.ReaderFunc(func(*http.Request) (mail.Visitor, bool) {
		if visitor == nil {
			return mail.Visitor{}, false
		}
		return *visitor, true
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// may is the tenant's answer about somebody.
func may(g directory.Grant, err error) func(context.Context, string) (directory.Grant, error) {
	return func(_ context.Context, app string) (directory.Grant, error) {
		if app != mail.ID {
			return directory.Grant{}, directory.ErrNotFound
		}
		return g, err
	}
}

func alice(p authn.Path) *mail.Visitor {
	began := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	return &mail.Visitor{
		ID: "a-1", UPN: "alice@pta.example.test", Name: `Alice <Arden>`, Path: p, Attempt: "11111111-2222-4333-8444-555555555555",
		Methods: []string{"pwd"}, Began: began, Until: began.Add(24 * time.Hour), FormToken: "TOKEN",
		MayUse: may(directory.Grant{App: mail.ID, Roles: []string{"user"}, Plans: []string{"E3"}}, nil),
	}
}

func TestInboxIsGolden(t *testing.T) {
	w := get(alice(authn.PathPTA), "/app/")
	if w.Code != http.StatusOK {
		t.Errorf("status %d", w.Code)
	}
	golden.Check(t, "testdata/inbox.html", w.Body.String())
}

// A person who may not use the application is told so by it, with what to do; the sign-in has succeeded and stays.
func TestTheMailboxStaysShutKindly(t *testing.T) {
	refused := directory.Held{Licence: directory.Licence{Plan: "E3", Group: "g", State: directory.LicenceRefused, Why: directory.WhyNoLocation}, Services: []string{"mail"}}
	other := directory.Held{Licence: directory.Licence{Plan: "Files", State: directory.LicenceActive}, Services: []string{"files"}}
	for name, row := range map[string]struct {
		grant  directory.Grant
		err    error
		status int
		says   string
	}{
		"unlicensed": {directory.Grant{Reason: authn.NotLicensed, Held: []directory.Held{refused, other}}, nil, http.StatusForbidden, "AADSTS650052"},
		"unassigned": {directory.Grant{Reason: authn.NotAssigned}, nil, http.StatusForbidden, "AADSTS50105"},
		"unknown":    {directory.Grant{}, directory.ErrNotFound, http.StatusServiceUnavailable, "AADSTS50000"},
	} {
		t.Run(name, func(t *testing.T) {
			v := alice(authn.PathPTA)
			v.MayUse = may(row.grant, row.err)
			w := get(v, "/app/")
			body := w.Body.String()
			if w.Code != row.status || !strings.Contains(body, row.says) || strings.Contains(body, "Letters") || !strings.Contains(body, string(v.Attempt)) {
				t.Errorf("got %d, want %d and %s without letters", w.Code, row.status, row.says)
			}
			golden.Check(t, "testdata/"+name+".html", body)
		})
	}
	v := alice(authn.PathPTA)
	fits := directory.Held{Licence: directory.Licence{Plan: "E3", State: directory.LicenceActive}, Services: []string{"mail"}}
	v.MayUse = may(directory.Grant{Reason: authn.NotAssigned, Held: []directory.Held{fits}}, nil)
	if body := get(v, "/app/").Body.String(); strings.Contains(body, "E3") {
		t.Error("who is only not assigned is told that a licence doesn't help, which does")
	}
	if v.MayUse = nil; get(v, "/app/").Code != http.StatusServiceUnavailable {
		t.Error("where nobody knows who may use it, the mailbox is open")
	}
}

func TestEachPathIsNamed(t *testing.T) {
	for p, want := range map[authn.Path]string{
		authn.PathCloud: "CLOUD AUTHENTICATION", authn.PathPHS: "PASSWORD HASH SYNCHRONISATION",
		authn.PathPTA: "PASS-THROUGH AUTHENTICATION", authn.PathFederated: "FEDERATION",
	} {
		if body := get(alice(p), "/app/").Body.String(); !strings.Contains(body, "Signed in via "+want) {
			t.Errorf("%s is not named", p)
		}
	}
}

func TestNobodyIsSentToTheDoor(t *testing.T) {
	w := get(nil, "/app/")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/?returnTo=/app/" || strings.Contains(w.Body.String(), "Inbox") {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
	if w := get(nil, "/app/mail.css"); w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") {
		t.Errorf("style: %d", w.Code)
	}
}
