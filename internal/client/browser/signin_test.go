package browser_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
)

const secret = "Spring-2025!"

func says(status int, v any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
}

func options(door string) browser.SignInOptions {
	return browser.SignInOptions{Door: door, UPN: "alice@saml.example.test", Password: authn.NewSecret([]byte(secret))}
}

// challenged answers POST /signin with a redirect to an identity provider.
func challenged(where string) http.HandlerFunc {
	return says(http.StatusOK, map[string]any{
		"verdict": "challenged", "path": "federated", "correlationId": "0198c0de-0000-7000-8000-000000000001",
		"challenge": map[string]string{"kind": "redirect", "url": where},
	})
}

// doorOf is a door of managed domains whose POST /signin is answer.
func doorOf(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	return serve(t, map[string]http.HandlerFunc{"POST /realm": says(http.StatusOK, map[string]string{"namespaceType": "Managed"}), "POST /signin": answer})
}

const loginForm = `<form method=post action=/login><input name=username><input name=password></form>`

func TestShownIsWhatTheProvidersLastPageSaid(t *testing.T) {
	idp := serve(t, map[string]http.HandlerFunc{
		"GET /sso":    page(loginForm),
		"POST /login": page(`<p role=alert>` + strings.Repeat("é", 300) + `</p>` + loginForm),
	})
	did, err := browser.SignIn(t.Context(), options(doorOf(t, challenged(idp+"/sso"))))
	if err != nil || did.Verdict != authn.Challenged || did.Shown != strings.Repeat("é", 200) || !strings.Contains(did.Note, did.Shown) {
		t.Errorf("%+v, %v", did, err)
	}
}

func TestErrorsSayWhoseTheyAre(t *testing.T) {
	public := authn.Overloaded.Public()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		is     func(error) bool
	}{
		"the request is refused": {says(http.StatusBadRequest, map[string]any{"error": public}), func(err error) bool {
			var r browser.Refused
			return errors.As(err, &r) && r.Status == http.StatusBadRequest && r.Why() == public.Message
		}},
		"another kind of server": {says(http.StatusNotFound, map[string]any{}), func(err error) bool {
			var r browser.Refused
			return errors.As(err, &r) && r.Public == nil && r.Why() == "Not Found"
		}},
		"no JSON": {page("hello"), func(err error) bool {
			var r browser.Refused
			return err != nil && !errors.As(err, &r) && !errors.Is(err, browser.ErrUnreachable)
		}},
		"control": {says(http.StatusOK, map[string]any{"verdict": "allowed"}), func(err error) bool { return err == nil }},
	} {
		if _, err := browser.SignIn(t.Context(), options(doorOf(t, c.answer))); !c.is(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := browser.SignIn(t.Context(), options("http://127.0.0.1:1")); !errors.Is(err, browser.ErrUnreachable) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestPasswordTravelsInClearOnThisMachineOnly(t *testing.T) {
	if _, err := browser.SignIn(t.Context(), options("http://gateway.example.com")); !errors.Is(err, browser.ErrInClear) {
		t.Errorf("a door elsewhere: %v", err)
	}
	// The provider's page is here, but its form leads away.
	idp := serve(t, map[string]http.HandlerFunc{"GET /sso": page(`<form method=post action="http://203.0.113.9/login"><input name=password></form>`)})
	_, err := browser.SignIn(t.Context(), options(doorOf(t, challenged(idp+"/sso"))))
	if !errors.Is(err, browser.ErrInClear) || strings.Contains(err.Error(), secret) {
		t.Errorf("a form that leads away: %v", err)
	}
	for address, clear := range map[string]bool{
		"https://gateway.example.com": false, "http://localhost:8400": false, "http://127.0.0.2": false, "http://[::1]:1": false,
		"http://localhost.example.com": true, "http://203.0.113.9": true, "http://[2001:db8::1]": true,
	} {
		if u, err := url.Parse(address); err != nil || browser.InClear(u) != clear {
			t.Errorf("%s in clear: %v, %v", address, !clear, err)
		}
	}
}

func TestAPasswordThatMustBeChangedIsAnOutcome(t *testing.T) {
	var asked map[string]string
	door := doorOf(t, func(w http.ResponseWriter, r *http.Request) {
		asked = map[string]string{}
		_ = json.NewDecoder(r.Body).Decode(&asked)
		answer := map[string]any{"verdict": "allowed", "path": "cloud"}
		if asked["newPassword"] == "" {
			answer = map[string]any{"verdict": "challenged", "path": "cloud", "challenge": map[string]any{"kind": "change_password", "code": 50055, "name": "cloud_must_change", "message": "Choose a new one."}}
		}
		says(http.StatusOK, answer)(w, r)
	})
	o := options(door)
	did, err := browser.SignIn(t.Context(), o)
	if err != nil || !did.MustChange() || did.Public.Message != "Choose a new one." || did.Public.Name != "cloud_must_change" {
		t.Errorf("%+v, %v", did, err)
	}
	o.New = authn.NewSecret([]byte("A-better-one-77"))
	did, err = browser.SignIn(t.Context(), o)
	if err != nil || did.Verdict != authn.Allowed || did.MustChange() || asked["newPassword"] != "A-better-one-77" || asked["password"] != secret {
		t.Errorf("changed: %+v, %v", did, err)
	}
}

// Whoever wants another password is not signed in at an identity provider instead.
func TestAPasswordOfAnIdentityProviderIsNotChangedHere(t *testing.T) {
	door := serve(t, map[string]http.HandlerFunc{
		"POST /realm": says(http.StatusOK, map[string]string{"namespaceType": "Federated"}), "POST /signin": challenged("http://127.0.0.1:1/sso"),
	})
	o := options(door)
	o.New = authn.NewSecret([]byte("A-better-one-77"))
	did, err := browser.SignIn(t.Context(), o)
	if err != nil || did.Verdict != authn.Challenged || did.MustChange() || did.Public == nil || !strings.Contains(did.Public.Message, "can't be changed here") {
		t.Errorf("%+v, %v", did, err)
	}
}
